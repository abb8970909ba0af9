//! All rows of a self-test together: which defects showed at which rate, and who alarmed without cause.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::power::Power;
use super::row::{Kind, Row};
use crate::units::Share;
use crate::verdict::Outcome;

/// All rows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Score {
    /// Version of this structure, 2.
    pub version: u32,
    /// The command that measured it.
    pub command: String,
    /// Version of gatecrash.
    pub gatecrash: String,
    /// When it began, RFC 3339.
    pub started: String,
    /// Rows in order: the correct gateway first.
    pub rows: Vec<Row>,
    /// Runs that the environment broke off and that were made again, with why: one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub again: Vec<String>,
}

/// What the runs with one defect at one rate tell, taken together.
#[derive(Clone, PartialEq, Debug)]
pub enum Showing {
    /// Every check of its `must` set failed: at 100 % in each run, at a lower rate in at least one.
    Detected,
    /// These checks judge a rate or a quantile, and so small a share leaves it within its bound.
    WithinBound(Vec<String>),
    /// These checks were silent, and chance explains it.
    TooFew(Vec<String>, Power),
    /// These checks had to fail and did not.
    Missed(Vec<String>),
}

/// The runs with one defect, or of one gateway that is correct.
#[derive(Clone, PartialEq, Debug)]
pub struct Group<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub gateway: &'a str,
    /// Number of the defect, 0 for others.
    pub number: u8,
    /// Its runs.
    pub rows: Vec<&'a Row>,
}

// === impl Score ===

impl Score {
    /// The rates at which defects ran, the highest first.
    pub fn rates(&self) -> Vec<Share> {
        let mut rates: Vec<_> =
            self.rows.iter().filter(|r| r.trial.kind == Kind::Defect).map(|r| r.trial.rate).collect();
        rates.sort_by(|a, b| b.0.total_cmp(&a.0));
        rates.dedup();
        rates
    }

    /// The runs by gateway, in order.
    pub fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        for row in &self.rows {
            let (kind, number, gateway) = (row.trial.kind, row.trial.number, row.trial.gateway.as_str());
            match groups.iter_mut().find(|g| (g.kind, g.number, g.gateway) == (kind, number, gateway)) {
                Some(group) => group.rows.push(row),
                None => groups.push(Group { kind, gateway, number, rows: vec![row] }),
            }
        }
        groups
    }

    /// Fail when a defect was missed or anything alarmed without cause, inconclusive when a correct gateway could not be
    /// judged.
    pub fn outcome(&self) -> Outcome {
        let missed = |group: &Group<'_>| {
            self.rates().iter().any(|rate| matches!(group.showing(*rate), Some(Showing::Missed(_))))
        };
        let alarmed = self.rows.iter().any(|r| !r.false_alarms.is_empty());
        let unsure = self.rows.iter().any(|r| !r.inconclusive.is_empty());
        match () {
            () if alarmed || self.groups().iter().any(missed) => Outcome::Fail,
            () if unsure => Outcome::Inconclusive,
            () => Outcome::Pass,
        }
    }
}

// === impl Group ===

impl Group<'_> {
    /// What its runs at a rate tell; `None` without any, and for a gateway that is correct.
    pub fn showing(&self, rate: Share) -> Option<Showing> {
        let rows: Vec<_> = self.rows.iter().filter(|r| r.trial.rate == rate).copied().collect();
        if self.kind != Kind::Defect || rows.is_empty() {
            return None;
        }
        let checks: BTreeSet<_> = rows.iter().flat_map(|r| &r.must).map(|s| s.check.as_str()).collect();
        let failed = |row: &&Row, check: &str| row.must.iter().any(|s| s.check == check && s.failed);
        let silent = |check: &&str| match rate.0 < 1.0 {
            true => !rows.iter().any(|row| failed(row, check)),
            false => !rows.iter().all(|row| failed(row, check)),
        };
        let (mut missed, mut few, mut bounded, mut least) = (Vec::new(), Vec::new(), Vec::new(), None);
        for check in checks.into_iter().filter(silent) {
            match self.power(check, rate, &rows) {
                _ if rate.0 >= 1.0 => missed.push(check.to_owned()),
                Some(power) if power.suffices() => missed.push(check.to_owned()),
                Some(power) => {
                    few.push(check.to_owned());
                    let fewer = |least: &Power| power.requests < least.requests;
                    least = least.filter(|l| !fewer(l)).or(Some(power));
                }
                None => bounded.push(check.to_owned()),
            }
        }
        Some(match least {
            _ if !missed.is_empty() => Showing::Missed(missed),
            Some(power) => Showing::TooFew(few, power),
            None if !bounded.is_empty() => Showing::WithinBound(bounded),
            None => Showing::Detected,
        })
    }

    /// How many requests of these runs could show the defect to a check: as many as showed it at 100 %, run for run and
    /// load for load. `None` for a check that counts no exchanges, and where nothing ran at 100 %.
    fn power(&self, check: &str, rate: Share, rows: &[&Row]) -> Option<Power> {
        let whole: Vec<_> = self.rows.iter().filter(|r| r.trial.rate.0 >= 1.0).collect();
        let counted = |row: &&&Row| row.must.iter().find(|s| s.check == check).and_then(|s| s.violations);
        let shown: u64 = whole.iter().filter_map(counted).sum();
        let load: u32 = whole.iter().filter(|r| counted(r).is_some()).map(|r| r.trial.load).sum();
        let offered: u32 = rows.iter().map(|r| r.trial.load).sum();
        (load > 0).then(|| Power::of(shown * u64::from(offered) / u64::from(load), rate))
    }

    /// Checks that failed without leave, once for each run.
    pub fn false_alarms(&self) -> Vec<&str> {
        self.rows.iter().flat_map(|r| &r.false_alarms).map(String::as_str).collect()
    }

    /// Checks that could not be judged, once for each run.
    pub fn inconclusive(&self) -> Vec<&str> {
        self.rows.iter().flat_map(|r| &r.inconclusive).map(String::as_str).collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::row::{Shown, Trial};
    use super::*;

    /// A run with a defect whose only check, if it failed, saw so many violations.
    pub(in super::super) fn row(rate: f64, load: u32, failed: bool, violations: Option<u64>) -> Row {
        let trial = Trial {
            kind: Kind::Defect,
            gateway: "all-404".into(),
            number: 15,
            scenario: "selftest/upstream-errors".into(),
            rate: Share(rate),
            load,
            seed: 1,
            repeat: 1,
        };
        let must = vec![Shown { check: "status-map".into(), failed, violations }];
        let (plan, run) = ("1a2b".into(), "9f2c41aa".into());
        Row { trial, plan, must, false_alarms: Vec::new(), inconclusive: Vec::new(), run }
    }

    pub(in super::super) fn score(rows: Vec<Row>) -> Score {
        Score {
            version: 2,
            command: "gatecrash selftest".into(),
            gatecrash: "0.1.0".into(),
            started: "2026-11-21T18:00:00Z".into(),
            rows,
            again: Vec::new(),
        }
    }

    fn at_one_percent(rows: Vec<Row>) -> Showing {
        score(rows).groups()[0].showing(Share(0.01)).unwrap()
    }

    #[test]
    fn a_defect_under_another_switch_is_a_group_of_its_own() {
        let mut crowd = row(1.0, 1, true, Some(5));
        crowd.trial.number = 48;
        let score = score(vec![row(1.0, 1, true, Some(80)), crowd]);
        assert_eq!(score.groups().iter().map(|g| g.number).collect::<Vec<_>>(), [15, 48]);
    }

    #[test]
    fn silence_with_many_requests_is_a_miss_and_with_few_it_is_chance() {
        let whole = |violations| row(1.0, 1, true, violations);
        let missed = at_one_percent(vec![whole(Some(80)), row(0.01, 4, false, Some(0))]);
        assert_eq!(missed, Showing::Missed(vec!["status-map".into()]));
        let few = at_one_percent(vec![whole(Some(80)), row(0.01, 1, false, Some(0))]);
        assert_eq!(few, Showing::TooFew(vec!["status-map".into()], Power::of(80, Share(0.01))));
        let bounded = at_one_percent(vec![whole(None), row(0.01, 4, false, None)]);
        assert_eq!(bounded, Showing::WithinBound(vec!["status-map".into()]));
    }

    #[test]
    fn one_run_of_several_is_enough_at_a_low_rate_and_not_at_the_full_one() {
        let low = at_one_percent(vec![row(0.01, 1, false, Some(0)), row(0.01, 1, true, Some(1))]);
        assert_eq!(low, Showing::Detected);
        let full = score(vec![row(1.0, 1, false, Some(0)), row(1.0, 1, true, Some(9))]);
        let missed = Showing::Missed(vec!["status-map".into()]);
        assert_eq!(full.groups()[0].showing(Share(1.0)), Some(missed));
        assert_eq!(full.outcome(), Outcome::Fail);
    }

    #[test]
    fn chance_fails_nothing_and_a_false_alarm_does() {
        let mut score = score(vec![row(1.0, 1, true, Some(80)), row(0.01, 1, false, Some(0))]);
        assert_eq!(score.outcome(), Outcome::Pass);
        score.rows[1].false_alarms.push("no-leak".into());
        assert_eq!(score.outcome(), Outcome::Fail);
    }

    #[test]
    fn a_correct_gateway_that_cannot_be_judged_is_inconclusive() {
        let mut row = row(1.0, 1, true, None);
        row.trial.kind = Kind::Correct;
        row.must.clear();
        row.inconclusive.push("backoff".into());
        assert_eq!(score(vec![row]).outcome(), Outcome::Inconclusive);
    }
}
