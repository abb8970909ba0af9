//! Several gateways under the same scenarios: the table gateway x check, for terminals, Markdown and JSON.
//!
//! A cell is the worst standing of all expectations of a check on one gateway. A case that did not run says nothing
//! about its checks, and its cell says that; a scenario that asks what a gateway cannot do is not applicable.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::RunReport;
use super::standing::{Standing, standing};
use super::story::gateway;
use super::text::escape;
use crate::checks::CHECKS;

/// The table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Comparison {
    /// Version of this structure, 1.
    pub version: u32,
    /// Name and version of each gateway, in the order in which they ran.
    pub gateways: Vec<String>,
    /// Cases that passed, of those that there were, for each gateway.
    pub cases: Vec<(usize, usize)>,
    /// One row for each check that any of them was held to.
    pub rows: Vec<Row>,
}

/// One check on every gateway.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Row {
    /// Check.
    pub check: String,
    /// One for each gateway.
    pub cells: Vec<Cell>,
}

/// One check on one gateway.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cell {
    /// What it comes to.
    pub result: CellResult,
    /// Expectations that stand so.
    pub count: usize,
    /// Expectations in all.
    pub of: usize,
}

/// What a check comes to on one gateway.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CellResult {
    /// Some expectation failed.
    Fail,
    /// None failed, and a case with this check did not run to its end.
    NoRun,
    /// None failed, and some cannot be told.
    Inconclusive,
    /// The worst is a warning.
    Warn,
    /// The worst is a known deviation.
    Known,
    /// The worst is a note.
    Info,
    /// All hold.
    Pass,
    /// No scenario held this gateway to it.
    #[default]
    NotApplicable,
}

/// Words of the table, worst first.
const WORDS: &[(CellResult, &str)] = &[
    (CellResult::Fail, "FAIL"),
    (CellResult::NoRun, "no run"),
    (CellResult::Inconclusive, "inconclusive"),
    (CellResult::Warn, "warn"),
    (CellResult::Known, "known"),
    (CellResult::Info, "info"),
    (CellResult::Pass, "pass"),
    (CellResult::NotApplicable, "n/a"),
];

/// What the words mean, below the table.
const LEGEND: &str = "known: a deviation of this version that its profile declares; n/a: no scenario holds it to \
                      that; no run: a case did not run to its end; 1/3: one of three expectations";

impl Comparison {
    /// The table of these reports; `None` when all are of one gateway.
    pub fn of(reports: &[RunReport]) -> Option<Self> {
        let column = |report| column(report, reports);
        let mut gateways: Vec<String> = Vec::new();
        for name in reports.iter().map(column) {
            if !gateways.contains(&name) {
                gateways.push(name);
            }
        }
        if gateways.len() < 2 {
            return None;
        }
        // Which checks belong to a case is known from where it ran.
        let mut of_case: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for report in reports {
            of_case.entry(report.plan.title()).or_default().extend(verdicts(report).map(|(check, _)| check));
        }
        let mut found: BTreeMap<(&str, usize), Vec<CellResult>> = BTreeMap::new();
        let mut cases = vec![(0, 0); gateways.len()];
        for report in reports {
            let at = gateways.iter().position(|name| *name == column(report)).unwrap_or_default();
            cases[at].0 += usize::from(report.exit == 0);
            cases[at].1 += 1;
            for (check, standing) in verdicts(report) {
                found.entry((check, at)).or_default().push(standing.into());
            }
            if report.verdicts.is_empty() && report.exit != 0 {
                for check in of_case.get(&report.plan.title()).into_iter().flatten() {
                    found.entry((check, at)).or_default().push(CellResult::NoRun);
                }
            }
        }
        let cell = |check: &str, at| found.get(&(check, at)).map_or_else(Cell::default, |all| Cell::of(all));
        let rows = CHECKS
            .iter()
            .filter(|check| found.keys().any(|(name, _)| *name == check.name))
            .map(|check| {
                let cells = (0..gateways.len()).map(|at| cell(check.name, at)).collect();
                Row { check: check.name.to_owned(), cells }
            })
            .collect();
        Some(Self { version: 1, gateways, cases, rows })
    }

    /// For a terminal of that many columns; gateways that do not fit beside each other come below.
    pub fn terminal(&self, width: usize) -> String {
        let first =
            self.rows.iter().map(|row| row.check.len()).max().unwrap_or_default().max("cases passed".len());
        let columns: Vec<Vec<String>> = (0..self.gateways.len()).map(|at| self.column(at)).collect();
        let widths: Vec<usize> =
            columns.iter().map(|c| c.iter().map(String::len).max().unwrap_or(0)).collect();
        let mut text = String::new();
        let mut from = 0;
        while from < columns.len() {
            let mut until = from + 1;
            let total = |until: usize| first + widths[from..until].iter().map(|w| w + 2).sum::<usize>();
            while until < columns.len() && total(until + 1) <= width {
                until += 1;
            }
            let names =
                ["check", "cases passed"].into_iter().chain(self.rows.iter().map(|r| r.check.as_str()));
            text.push('\n');
            for (line, name) in names.enumerate() {
                let cells = (from..until).map(|at| format!("  {:<1$}", columns[at][line], widths[at]));
                let cells: String = cells.collect();
                text.push_str(format!("{name:<first$}{cells}").trim_end());
                text.push('\n');
            }
            from = until;
        }
        text.push_str(&format!("\n{LEGEND}\n"));
        text
    }

    /// As a table in Markdown.
    pub fn markdown(&self) -> String {
        let mut text = String::from("| check |");
        self.gateways.iter().for_each(|name| text.push_str(&format!(" {} |", escape(name))));
        text.push_str(&format!("\n|---|{}\n| cases passed |", "---|".repeat(self.gateways.len())));
        self.cases.iter().for_each(|(passed, of)| text.push_str(&format!(" {passed}/{of} |")));
        text.push('\n');
        for row in &self.rows {
            text.push_str(&format!("| `{}` |", row.check));
            for cell in &row.cells {
                let word = cell.text();
                let word = if cell.result == CellResult::Fail { format!("**{word}**") } else { word };
                text.push_str(&format!(" {word} |"));
            }
            text.push('\n');
        }
        text.push_str(&format!("\n{LEGEND}\n\n"));
        text
    }

    /// One gateway from top to bottom.
    fn column(&self, at: usize) -> Vec<String> {
        let (passed, of) = self.cases[at];
        let head = [self.gateways[at].clone(), format!("{passed}/{of}")];
        head.into_iter().chain(self.rows.iter().map(|row| row.cells[at].text())).collect()
    }
}

impl Cell {
    fn of(all: &[CellResult]) -> Self {
        let worst = WORDS.iter().map(|(result, _)| *result).find(|result| all.contains(result));
        let result = worst.unwrap_or_default();
        Self { result, count: all.iter().filter(|one| **one == result).count(), of: all.len() }
    }

    /// `pass`, `FAIL 1/3`.
    fn text(self) -> String {
        let word = WORDS.iter().find(|(result, _)| *result == self.result).map_or("", |(_, word)| word);
        match self.result {
            CellResult::Pass | CellResult::NotApplicable => word.to_owned(),
            _ if self.count == self.of => word.to_owned(),
            _ => format!("{word} {}/{}", self.count, self.of),
        }
    }
}

impl From<Standing> for CellResult {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Fail => Self::Fail,
            Standing::Inconclusive => Self::Inconclusive,
            Standing::Warn => Self::Warn,
            Standing::Known => Self::Known,
            Standing::Info => Self::Info,
            Standing::Pass => Self::Pass,
        }
    }
}

/// The gateway of a report. One that did not start has no version: it belongs to the runs in which it did.
fn column(report: &RunReport, all: &[RunReport]) -> String {
    let name = &report.profile.gateway;
    let is_same =
        |other: &&RunReport| other.profile.gateway == *name && !other.environment.gateway.is_empty();
    match report.environment.gateway.is_empty() {
        true => gateway(all.iter().find(is_same).unwrap_or(report)),
        false => gateway(report),
    }
}

fn verdicts(report: &RunReport) -> impl Iterator<Item = (&'static str, Standing)> {
    report.verdicts.iter().filter_map(|verdict| {
        let expectation = report.plan.expectations.get(verdict.expectation as usize)?;
        Some((expectation.check.info().name, standing(report, verdict)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    fn on(gateway: &str, report: RunReport) -> RunReport {
        let (name, version) = gateway.split_once(' ').unwrap_or((gateway, ""));
        let mut report = report;
        report.profile.gateway = name.into();
        report.environment.gateway = version.into();
        report
    }

    fn without_run(gateway: &str) -> RunReport {
        let mut report = on(gateway, fixtures::passing());
        report.verdicts.clear();
        report.plan.expectations.clear();
        RunReport { ok: false, exit: 4, ..report }
    }

    #[test]
    fn the_worst_standing_of_a_check_is_its_cell() {
        let reports = [
            on("nginx 1.22.1", fixtures::passing()),
            on("haproxy 2.6.12", fixtures::failing()),
            on("haproxy 2.6.12", fixtures::passing()),
            on("envoy 1.40.0", fixtures::deviating()),
            on("traefik 3.7.15", fixtures::inconclusive()),
            without_run("squid"),
        ];
        let table = Comparison::of(&reports).expect("five gateways");
        assert_eq!(table.cases, [(1, 1), (1, 2), (1, 1), (0, 1), (0, 1)]);
        insta::assert_snapshot!("terminal", table.terminal(80));
        insta::assert_snapshot!("markdown", table.markdown());
        assert_eq!(Comparison::of(&reports[1..3]), None);
    }

    #[test]
    fn a_gateway_that_did_not_start_once_is_no_gateway_of_its_own() {
        let reports = [
            on("nginx 1.22.1", fixtures::passing()),
            without_run("nginx"),
            on("envoy 1.40.0", fixtures::passing()),
        ];
        let table = Comparison::of(&reports).expect("two gateways");
        assert_eq!(table.gateways, ["nginx 1.22.1", "envoy 1.40.0"]);
        assert_eq!(table.cases, [(1, 2), (1, 1)]);
        let results: Vec<_> = table.rows[0].cells.iter().map(|cell| cell.result).collect();
        assert_eq!(results, [CellResult::NoRun, CellResult::Pass]);
    }

    #[test]
    fn a_scenario_that_did_not_include_a_gateway_is_not_applicable_to_it() {
        let mut other = on("envoy 1.40.0", fixtures::passing());
        other.plan.expectations.truncate(1);
        other.verdicts.truncate(1);
        let table = Comparison::of(&[on("nginx 1.22.1", fixtures::passing()), other]).expect("two gateways");
        let last = table.rows.iter().find(|row| row.check == "body-complete").expect("a row");
        let results: Vec<_> = last.cells.iter().map(|cell| cell.result).collect();
        assert_eq!(results, [CellResult::Pass, CellResult::NotApplicable]);
    }
}
