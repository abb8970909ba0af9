//! A case that ran several times: what came out the same each time, and how far the rest spread.

use serde::Serialize;

use super::RunReport;
use super::markdown::cell;
use super::standing::{Standing, standing};
use super::story::gateway;
use super::terminal::defused;
use super::text::{clean, millis, ratio, share};
use crate::compare::Range;

/// The repeats of one case on one gateway in one version.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Spread {
    /// Title of the case.
    pub case: String,
    /// Gateway with its version.
    pub gateway: String,
    /// Runs.
    pub runs: usize,
    /// Exit codes of the runs, in order.
    pub exits: Vec<u8>,
    /// Expectations whose verdicts were not all the same.
    pub flaky: Vec<Flaky>,
    /// One line per phase.
    pub phases: Vec<PhaseSpread>,
}

/// An expectation on which the runs do not agree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Flaky {
    /// Its name.
    pub expectation: String,
    /// How often it stood how, worst first.
    pub standings: Vec<(Standing, usize)>,
}

/// One phase over all runs: least, median and greatest of each number.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PhaseSpread {
    /// Name.
    pub name: String,
    /// Requests sent.
    pub requests: Option<Range>,
    /// Share of them that was whole and correct.
    pub succeeded: Option<Range>,
    /// Median response time, ms.
    pub p50_ms: Option<Range>,
    /// 99th percentile, ms.
    pub p99_ms: Option<Range>,
    /// Upstream attempts per request.
    pub attempts_per_request: Option<Range>,
}

impl Spread {
    /// One for each case that has several reports, in order.
    pub fn all(reports: &[RunReport]) -> Vec<Self> {
        let groups = groups(reports).into_iter().filter(|group| group.len() > 1);
        groups.map(|group| Self::of(&group)).collect()
    }

    fn of(runs: &[&RunReport]) -> Self {
        let first = runs[0];
        let expectations = first.plan.expectations.iter().enumerate();
        let flaky = expectations.filter_map(|(index, expectation)| {
            let standings = standings(runs, index);
            (standings.len() > 1).then(|| Flaky { expectation: expectation.name.clone(), standings })
        });
        Self {
            case: first.plan.title(),
            gateway: gateway(first),
            runs: runs.len(),
            exits: runs.iter().map(|run| run.exit).collect(),
            flaky: flaky.collect(),
            phases: first.plan.phases.iter().map(|phase| PhaseSpread::of(&phase.name, runs)).collect(),
        }
    }

    /// For a terminal.
    pub fn terminal(&self) -> String {
        let width = self.phases.iter().map(|phase| clean(&phase.name).chars().count()).max().unwrap_or(0);
        let mut text = format!("\n{} on {}: {} runs, ", clean(&self.case), clean(&self.gateway), self.runs);
        text.push_str(if self.flaky.is_empty() { "all verdicts equal\n" } else { "verdicts differ\n" });
        for flaky in &self.flaky {
            text.push_str(&format!("  FLAKY {}: {}\n", clean(&flaky.expectation), flaky.words()));
        }
        for phase in &self.phases {
            let name = clean(&phase.name);
            let cells: String =
                phase.cells().iter().map(|(what, told)| format!("   {what} {told}")).collect();
            text.push_str(&format!("  {name:<width$}{cells}\n"));
        }
        text.lines().map(|line| defused(line) + "\n").collect()
    }

    /// As a table in Markdown, with what was flaky below it.
    pub fn markdown(&self) -> String {
        let head = "| phase | requests | succeeded | p50 | p99 | attempts |\n|---|--:|--:|--:|--:|--:|\n";
        let mut text =
            format!("{} on {}, {} runs:\n\n{head}", cell(&self.case), cell(&self.gateway), self.runs);
        for phase in &self.phases {
            let cells: String = phase.cells().iter().map(|(_, told)| format!(" {told} |")).collect();
            text.push_str(&format!("| {} |{cells}\n", cell(&phase.name)));
        }
        text.push('\n');
        for flaky in &self.flaky {
            text.push_str(&format!("- **flaky** {}: {}\n", cell(&flaky.expectation), flaky.words()));
        }
        text.push('\n');
        text
    }
}

impl Flaky {
    /// `FAIL 1, PASS 2`.
    fn words(&self) -> String {
        let words: Vec<_> = self.standings.iter().map(|(s, count)| format!("{} {count}", s.word())).collect();
        words.join(", ")
    }
}

impl PhaseSpread {
    fn of(name: &str, runs: &[&RunReport]) -> Self {
        let phases: Vec<_> =
            runs.iter().filter_map(|run| run.phases.iter().find(|p| p.name == name)).collect();
        let range = |value: &dyn Fn(&super::PhaseSummary) -> Option<f64>| {
            let values: Vec<_> = phases.iter().filter_map(|phase| value(phase)).collect();
            Range::of(&values)
        };
        Self {
            name: name.to_owned(),
            requests: range(&|phase| Some(phase.requests as f64)),
            succeeded: range(&|p| (p.requests > 0).then(|| p.succeeded as f64 / p.requests as f64)),
            p50_ms: range(&|phase| phase.p50_ms),
            p99_ms: range(&|phase| phase.p99_ms),
            attempts_per_request: range(&|phase| phase.attempts_per_request),
        }
    }

    /// (what, `median (least..greatest)`).
    fn cells(&self) -> [(&'static str, String); 5] {
        let told = |range: Option<Range>, one: &dyn Fn(f64) -> String| match range {
            None => "-".to_owned(),
            Some(r) if one(r.min) == one(r.max) => one(r.median),
            Some(r) => format!("{} ({}..{})", one(r.median), one(r.min), one(r.max)),
        };
        let count = |value: f64| format!("{value:.0}");
        let milliseconds = |ms| millis(Some(ms));
        [
            ("requests", told(self.requests, &count)),
            ("succeeded", told(self.succeeded, &share)),
            ("p50", told(self.p50_ms, &milliseconds)),
            ("p99", told(self.p99_ms, &milliseconds)),
            ("attempts", told(self.attempts_per_request, &|times| ratio(Some(times)))),
        ]
    }
}

/// The reports of each case on each gateway and version of it, in the order in which they first come.
pub(super) fn groups(reports: &[RunReport]) -> Vec<Vec<&RunReport>> {
    let mut groups: Vec<Vec<&RunReport>> = Vec::new();
    for report in reports {
        let same = |group: &&mut Vec<&RunReport>| {
            let of = |report: &RunReport| {
                (report.plan.title(), report.profile.gateway.clone(), report.profile.version.clone())
            };
            of(group[0]) == of(report)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(report),
            None => groups.push(vec![report]),
        }
    }
    groups
}

/// How often the verdicts on an expectation stand how, worst first.
fn standings(runs: &[&RunReport], expectation: usize) -> Vec<(Standing, usize)> {
    let of = |run: &&RunReport| {
        let verdict = run.verdicts.iter().find(|verdict| verdict.expectation as usize == expectation)?;
        Some(standing(run, verdict))
    };
    let all: Vec<_> = runs.iter().filter_map(of).collect();
    let count = |standing| all.iter().filter(|own| **own == standing).count();
    Standing::ALL.into_iter().map(|s| (s, count(s))).filter(|(_, count)| *count > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn equal_runs_agree_and_others_are_named() {
        let mut slower = fixtures::passing();
        slower.phases[0].p50_ms = Some(9.4);
        let reports = [fixtures::passing(), slower, fixtures::failing()];
        let calm = Spread::all(&reports[..2]);
        assert_eq!((calm.len(), calm[0].runs, calm[0].flaky.len()), (1, 2, 0));
        let spread = Spread::all(&reports);
        let flaky: Vec<_> = spread[0].flaky.iter().map(|f| (f.expectation.as_str(), f.words())).collect();
        let each = [
            ("success-rate/recovery", "FAIL 1, PASS 2".to_owned()),
            ("success-rate/baseline/GetObject", "WARN 1, PASS 2".to_owned()),
        ];
        assert_eq!(flaky, each);
        insta::assert_snapshot!("terminal", spread[0].terminal());
        insta::assert_snapshot!("markdown", spread[0].markdown());
    }

    #[test]
    fn cases_and_gateways_are_kept_apart() {
        let mut other = fixtures::passing();
        other.profile.gateway = "envoy".into();
        assert_eq!(Spread::all(&[fixtures::passing(), other.clone()]), []);
        let several = [fixtures::passing(), other.clone(), fixtures::passing(), other];
        assert_eq!(Spread::all(&several).iter().map(|s| s.runs).collect::<Vec<_>>(), [2, 2]);

        let [mut old, mut new] = [fixtures::passing(), fixtures::failing()];
        old.profile.version = "2.6.12".into();
        new.profile.version = "2.8.25".into();
        assert_eq!(Spread::all(&[old, new]), [], "what differs between versions is no luck");
    }
}
