//! `junit`: a suite per case, a test case per expectation. Inconclusive is an error, not a failure: nobody
//! knows.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::secrets::arguments;
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

fn render_many(reports: &[RunReport], _: &RenderOptions) -> Vec<u8> {
    let mut document = Report::new("gatecrash");
    let mut length = Duration::ZERO;
    for report in reports {
        length += run_length(report);
        document.add_test_suite(suite(report));
    }
    document.set_time(length);
    document.to_string().expect("strings are clean and writing to memory does not fail").into_bytes()
}

fn suite(report: &RunReport) -> TestSuite {
    let title = clean(&report.plan.title());
    let mut suite = TestSuite::new(title.as_str());
    suite.set_time(run_length(report));
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
    let mut stories = Story::all(report);
    stories.sort_by_key(|story| story.index);
    suite.add_test_cases(stories.iter().map(|story| expectation(report, &title, story)));
    suite.add_test_cases(guards(report, &title));
    suite
}

fn expectation(report: &RunReport, title: &str, story: &Story) -> TestCase {
    let verdict = &report.verdicts[story.index];
    let plan = report.plan.expectations.get(verdict.expectation as usize);
    let name = plan.map_or_else(|| story.label.clone(), |e| clean(&e.name));
    let paragraph = story.paragraph();
    let status = match standing(report, verdict) {
        Standing::Fail => non_success(NonSuccessKind::Failure, &story.headline(), &paragraph),
        Standing::Inconclusive => non_success(NonSuccessKind::Error, &story.headline(), &paragraph),
        Standing::Warn | Standing::Known | Standing::Info | Standing::Pass => TestCaseStatus::success(),
    };
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
    let kind = if kind == NonSuccessKind::Failure { "failed" } else { "inconclusive" };
    status.set_message(message).set_type(kind).set_description(paragraph);
    status
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
    fn several_runs_are_several_suites() {
        let (elements, _) = parsed(&rendered(&[fixtures::passing(), fixtures::failing()]));
        assert_eq!(elements.iter().filter(|(name, _)| name == "testsuite").count(), 2);
    }

    #[test]
    fn snapshots() {
        insta::assert_snapshot!("failing", rendered(&[fixtures::failing()]));
        insta::assert_snapshot!("interrupted", rendered(&[fixtures::interrupted()]));
    }
}
