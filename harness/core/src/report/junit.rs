//! `junit`: a suite per case, a test case per expectation. Inconclusive is an error, not a failure: nobody
//! knows. The repeats of a case are one suite: an expectation on which they do not agree is not green but flaky.

use std::time::Duration;

use quick_junit::{FlakyOrRerun, NonSuccessKind, Report, TestCase, TestCaseStatus, TestRerun, TestSuite};

use super::secrets::arguments;
use super::spread::groups;
use super::standing::{Standing, standing};
use super::story::{Story, gateway};
use super::text::clean;
use super::{RenderOptions, Renderer, RunReport};

pub(super) const RENDERER: Renderer = Renderer {
    name: "junit",
    extension: "xml",
    summary: "JUnit XML: a suite per case, a test case per expectation",
    render: |report, options| render_many(std::slice::from_ref(report), options),
    render_many: Some(render_many),
};

/// Exit codes of runs, worst first.
const WORST_FIRST: &[u8] = &[130, 143, 70, 4, 1, 5, 3, 0];

fn render_many(reports: &[RunReport], _: &RenderOptions) -> Vec<u8> {
    let mut document = Report::new("gatecrash");
    let mut length = Duration::ZERO;
    for group in groups(reports) {
        length += group.iter().map(|report| run_length(report)).sum();
        document.add_test_suite(suite(&group));
    }
    document.set_time(length);
    document.to_string().expect("strings are clean and writing to memory does not fail").into_bytes()
}

/// The suite of a case: the first run that ended worst, and what its other runs say as reruns.
fn suite(runs: &[&RunReport]) -> TestSuite {
    let rank = |report: &RunReport| WORST_FIRST.iter().position(|exit| *exit == report.exit).unwrap_or(0);
    let report = runs.iter().min_by_key(|report| rank(report)).copied().unwrap_or(runs[0]);
    let title = clean(&report.plan.title());
    let mut suite = TestSuite::new(title.as_str());
    suite.set_time(runs.iter().map(|report| run_length(report)).sum());
    if !report.environment.started.is_empty() {
        suite.extra.insert("timestamp".into(), clean(&report.environment.started).into());
    }
    let env = &report.environment;
    for (name, value) in [
        ("run", clean(&report.run)),
        ("seed", report.plan.seed.to_string()),
        ("gateway", gateway(report)),
        ("gatecrash", clean(&env.gatecrash)),
        ("source", clean(&report.plan.source)),
        ("system", clean(&env.system)),
        ("cores", env.cores.to_string()),
        ("exit", report.exit.to_string()),
        ("directory", clean(&env.directory)),
        ("reproduce", clean(&arguments(&env.reproduce))),
    ] {
        suite.add_property((name, value.as_str()));
    }
    if runs.len() > 1 {
        suite.add_property(("runs", runs.len().to_string().as_str()));
    }
    // Each expectation as the run shows it in which it stands worst.
    let mut told: Vec<(Story, &RunReport)> = Vec::new();
    for run in runs {
        for story in Story::all(run) {
            match told.iter_mut().find(|(known, _)| known.index == story.index) {
                None => told.push((story, run)),
                Some(known) if story.standing < known.0.standing => *known = (story, run),
                Some(_) => {}
            }
        }
    }
    told.sort_by_key(|(story, _)| story.index);
    suite.add_test_cases(told.iter().map(|(story, run)| expectation(run, &title, story, runs)));
    runs.iter().for_each(|run| {
        suite.add_test_cases(guards(run, &title));
    });
    suite
}

fn expectation(report: &RunReport, title: &str, story: &Story, runs: &[&RunReport]) -> TestCase {
    let verdict = &report.verdicts[story.index];
    let plan = report.plan.expectations.get(verdict.expectation as usize);
    let name = plan.map_or_else(|| story.label.clone(), |e| clean(&e.name));
    let paragraph = story.paragraph();
    let of = |run: &&RunReport| run.verdicts.get(story.index).map(|verdict| standing(run, verdict));
    let bad: Vec<_> = runs.iter().filter(|run| of(run).and_then(kind).is_some()).collect();
    let is_flaky = !bad.is_empty() && bad.len() < runs.len();
    let headline = match is_flaky {
        true => format!("flaky, so in {} of {} runs: {}", bad.len(), runs.len(), story.headline()),
        false => story.headline(),
    };
    let mut status = match kind(standing(report, verdict)) {
        Some(kind) => non_success(kind, &headline, &paragraph),
        None => TestCaseStatus::success(),
    };
    for run in bad.into_iter().filter(|run| run.run != report.run) {
        let told = Story::all(run).into_iter().find(|other| other.index == story.index);
        if let (Some(kind), Some(told)) = (of(run).and_then(kind), told) {
            let mut rerun = TestRerun::new(kind);
            rerun.set_message(told.headline()).set_type(type_of(kind)).set_description(told.paragraph());
            status.add_rerun(rerun);
        }
    }
    status.set_rerun_kind(if is_flaky { FlakyOrRerun::Flaky } else { FlakyOrRerun::Rerun });
    let is_quiet_problem = matches!(story.standing, Standing::Warn | Standing::Known | Standing::Info);
    let mut case = case(title, &name, status);
    if let Some(plan) = plan {
        case.extra.insert("file".into(), clean(&report.plan.source).into());
        case.extra.insert("line".into(), plan.line.to_string().into());
    }
    if is_quiet_problem {
        case.set_system_out(paragraph);
    }
    case
}

/// Guards that spoke, and the end of a run that did not reach its plan's.
fn guards(report: &RunReport, title: &str) -> Vec<TestCase> {
    let mut cases = Vec::new();
    for guard in &report.guards {
        let text = clean(&guard.text);
        let name = format!("guard {}", clean(&guard.guard));
        if guard.spoils {
            cases.push(case(title, &name, non_success(NonSuccessKind::Error, &text, &text)));
        } else {
            let mut case = case(title, &name, TestCaseStatus::success());
            case.set_system_out(text);
            cases.push(case);
        }
    }
    if let Some(reason) = &report.interrupted {
        let text = format!("stopped before its plan ended: {}", clean(reason));
        cases.push(case(title, "run to the end", non_success(NonSuccessKind::Error, &text, &text)));
    }
    cases
}

fn case(title: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(title);
    case
}

fn non_success(kind: NonSuccessKind, message: &str, paragraph: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message).set_type(type_of(kind)).set_description(paragraph);
    status
}

/// What a verdict that stands so is, other than a success.
fn kind(standing: Standing) -> Option<NonSuccessKind> {
    match standing {
        Standing::Fail => Some(NonSuccessKind::Failure),
        Standing::Inconclusive => Some(NonSuccessKind::Error),
        Standing::Warn | Standing::Known | Standing::Info | Standing::Pass => None,
    }
}

fn type_of(kind: NonSuccessKind) -> &'static str {
    if kind == NonSuccessKind::Failure { "failed" } else { "inconclusive" }
}

fn run_length(report: &RunReport) -> Duration {
    let end = report.phases.iter().map(|p| p.until).fold(0.0, f64::max);
    Duration::try_from_secs_f64(end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use quick_xml::Reader;
    use quick_xml::events::Event;

    use super::*;
    use crate::report::fixtures;

    fn rendered(reports: &[RunReport]) -> String {
        String::from_utf8(render_many(reports, &RenderOptions::default())).unwrap()
    }

    /// An element and its attributes.
    type Element = (String, Vec<(String, String)>);

    /// (elements, all text), by a parser that did not write it.
    fn parsed(xml: &str) -> (Vec<Element>, String) {
        let mut reader = Reader::from_str(xml);
        reader.config_mut().check_end_names = true;
        let (mut elements, mut text, mut depth) = (Vec::new(), String::new(), 0i32);
        loop {
            let event = reader.read_event().unwrap();
            match &event {
                Event::Start(tag) | Event::Empty(tag) => {
                    let attributes = tag.attributes().map(|a| {
                        let a = a.unwrap();
                        let name = a.key.as_ref().to_string();
                        (name, a.normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap().into_owned())
                    });
                    let name = tag.name().as_ref().to_string();
                    elements.push((name, attributes.collect()));
                    depth += i32::from(matches!(event, Event::Start(_)));
                }
                Event::End(_) => depth -= 1,
                Event::Text(t) => text.push_str(t),
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(depth, 0);
        (elements, text)
    }

    #[test]
    fn counts_and_structure_hold() {
        for (name, report) in fixtures::all() {
            let (elements, _) = parsed(&rendered(std::slice::from_ref(&report)));
            let count = |tag: &str| elements.iter().filter(|(n, _)| n == tag).count();
            let attribute = |tag: &str, key: &str| {
                let (_, attributes) = elements.iter().find(|(n, _)| n == tag).unwrap();
                attributes.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone()).unwrap()
            };
            let cases =
                report.verdicts.len() + report.guards.len() + usize::from(report.interrupted.is_some());
            assert_eq!(count("testcase"), cases, "{name}");
            for tag in ["testsuites", "testsuite"] {
                assert_eq!(attribute(tag, "tests"), cases.to_string(), "{name}");
                assert_eq!(attribute(tag, "failures"), count("failure").to_string(), "{name}");
                assert_eq!(attribute(tag, "errors"), count("error").to_string(), "{name}");
            }
            let stands = |s| report.verdicts.iter().filter(|v| standing(&report, v) == s).count();
            assert_eq!(count("failure"), stands(Standing::Fail), "{name}");
            assert_eq!(count("properties"), 1, "{name}");
        }
    }

    #[test]
    fn control_characters_and_markup_do_not_break_out() {
        let xml = rendered(&[fixtures::hostile()]);
        assert!(xml.chars().all(|c| c == '\n' || !c.is_control()));
        let (elements, _) = parsed(&xml);
        assert!(!elements.iter().any(|(name, _)| name == "script"));
    }

    #[test]
    fn several_cases_are_several_suites() {
        let mut other = fixtures::failing();
        other.plan.case = "odds=1%".into();
        let (elements, _) = parsed(&rendered(&[fixtures::passing(), other]));
        assert_eq!(elements.iter().filter(|(name, _)| name == "testsuite").count(), 2);
    }

    #[test]
    fn repeats_that_do_not_agree_are_flaky_and_those_that_all_fail_are_not() {
        let named = |run: &str, report: RunReport| RunReport { run: run.into(), ..report };
        let (passed, failed) = (fixtures::passing, fixtures::failing);
        let all = [named("a", failed()), named("b", passed()), named("c", failed())];
        let count = |reports: &[RunReport], tag: &str| {
            let (elements, _) = parsed(&rendered(reports));
            elements.iter().filter(|(name, _)| name == tag).count()
        };
        assert_eq!(count(&all, "testsuite"), 1);
        assert_eq!(count(&all, "testcase"), 4);
        assert_eq!(
            (count(&all, "failure"), count(&all, "flakyFailure"), count(&all, "rerunFailure")),
            (1, 1, 0)
        );
        assert!(rendered(&all).contains("flaky, so in 2 of 3 runs"));
        let bad = [named("a", failed()), named("c", failed())];
        assert_eq!(
            (count(&bad, "failure"), count(&bad, "flakyFailure"), count(&bad, "rerunFailure")),
            (1, 0, 1)
        );
        let good = [named("a", passed()), named("b", passed())];
        assert_eq!((count(&good, "failure"), count(&good, "testcase")), (0, 4));
    }

    #[test]
    fn snapshots() {
        insta::assert_snapshot!("failing", rendered(&[fixtures::failing()]));
        insta::assert_snapshot!("interrupted", rendered(&[fixtures::interrupted()]));
    }
}
