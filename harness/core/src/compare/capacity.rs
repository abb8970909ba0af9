//! The bounds of capacity searches: a case carries less only where the bounds of all runs of one side lie below those of
//! all runs of the other, by more than the tolerance. Bounds that overlap, or nearly, are noise.

use super::pairs::Pair;
use super::{Change, Terms, Weight};
use crate::capacity::CaseReport;
use crate::units::Rate;

/// Between which rates the capacity of a case lies by the runs of one side, all of them together.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Bounds {
    /// Carried in every run; 0 where one found no rate that is.
    low: f64,
    /// Carried in no run; infinite where one found no such rate.
    high: f64,
    /// Whether harness or machine, not the gateway, may have been the limit in one of them.
    limited: bool,
}

/// Cases of a search that carry more or less than before.
pub(super) fn changes(pair: &Pair<'_>, terms: Terms) -> Vec<Change> {
    let cases = pair.is.iter().find_map(|run| run.capacity.as_ref());
    let names = cases.map_or(&[][..], |capacity| &capacity.cases).iter().map(|case| case.name.as_str());
    names.filter_map(|name| changed(pair, name, terms)).collect()
}

fn changed(pair: &Pair<'_>, name: &str, terms: Terms) -> Option<Change> {
    let (was, is) = (Bounds::of(&pair.was, name)?, Bounds::of(&pair.is, name)?);
    let room = 1.0 + terms.tolerance;
    let (worse, word) = match (is.high * room < was.low, was.high * room < is.low) {
        (true, _) => (true, "less"),
        (_, true) => (false, "more"),
        _ => return None,
    };
    let limited = (was.limited || is.limited).then(|| "the harness or the machine was the limit".to_owned());
    let doubt = pair.unlike.clone().or(limited);
    let weight = match (worse, doubt.is_some()) {
        (true, false) => Weight::Regression,
        (true, true) => Weight::Warning,
        (false, false) => Weight::Better,
        (false, true) => Weight::Different,
    };
    let change = Change::of(pair, weight, "capacity", word).in_phase(name).went(was.told(), is.told());
    Some(Change { why: doubt, ..change })
}

// === impl Bounds ===

impl Bounds {
    /// Of the runs whose search of this case found a bound at all.
    fn of(runs: &[&crate::report::RunReport], name: &str) -> Option<Self> {
        let cases = runs.iter().filter_map(|run| run.capacity.as_ref()).flat_map(|capacity| &capacity.cases);
        let found = cases.filter(|case| case.name == name && (case.lower.is_some() || case.upper.is_some()));
        found.map(Self::one).reduce(|all, one| Self {
            low: all.low.min(one.low),
            high: all.high.max(one.high),
            limited: all.limited || one.limited,
        })
    }

    fn one(case: &CaseReport) -> Self {
        Self {
            low: case.lower.unwrap_or(0.0),
            high: case.upper.unwrap_or(f64::INFINITY),
            limited: case.harness_limited,
        }
    }

    fn told(self) -> String {
        match (self.low > 0.0, self.high.is_finite()) {
            (true, true) => format!("{} to {}", Rate(self.low), Rate(self.high)),
            (true, false) => format!("at least {}", Rate(self.low)),
            (false, _) => format!("below {}", Rate(self.high)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Changes, Side, compare};
    use super::*;
    use crate::report::{RunReport, fixtures};

    /// A search whose first case found these bounds (clean), and whose second is the fixture's.
    fn search(lower: Option<f64>, upper: Option<f64>, limited: bool) -> RunReport {
        let mut report = fixtures::capacity();
        let case = &mut report.capacity.as_mut().expect("a search").cases[0];
        (case.lower, case.upper, case.harness_limited) = (lower, upper, limited);
        report
    }

    fn found(lower: f64, upper: f64) -> RunReport {
        search(Some(lower), Some(upper), false)
    }

    fn compared(was: &[RunReport], is: &[RunReport]) -> Changes {
        let side = |name, runs| Side { name, runs };
        compare(side("before", was), side("after", is), Terms::default()).expect("a case in common")
    }

    fn told(changes: &Changes) -> Vec<(Weight, &str, &str, &str)> {
        changes.changes.iter().map(|c| (c.weight, c.word.as_str(), c.was.as_str(), c.is.as_str())).collect()
    }

    #[test]
    fn bounds_that_are_apart_are_a_change_and_others_are_noise() {
        let was = [found(800.0, 832.0), found(790.0, 820.0)];
        for same in [found(760.0, 790.0), found(825.0, 860.0), found(720.0, 740.0), search(None, None, false)]
        {
            let changes = compared(&was, &[same]);
            assert!(changes.changes.is_empty() && !changes.regressed, "{:?}", changes.changes);
        }
        let changes = compared(&was, &[found(500.0, 520.0), found(530.0, 550.0)]);
        let less = (Weight::Regression, "less", "790/s to 832/s", "500/s to 550/s");
        assert_eq!(told(&changes), [less]);
        assert!(changes.regressed && changes.changes[0].phase.as_deref() == Some("clean"));
        let changes = compared(&was, &[found(1000.0, 1040.0)]);
        assert_eq!(told(&changes), [(Weight::Better, "more", "790/s to 832/s", "1000/s to 1040/s")]);
        // One run that overlaps is enough to doubt the others.
        assert!(compared(&was, &[found(500.0, 520.0), found(780.0, 810.0)]).changes.is_empty());
    }

    #[test]
    fn a_bound_that_was_not_found_is_no_number() {
        let was = [found(800.0, 832.0)];
        assert!(compared(&was, &[search(Some(100.0), None, true)]).changes.is_empty());
        let below = (Weight::Regression, "less", "800/s to 832/s", "below 100/s");
        assert_eq!(told(&compared(&was, &[search(None, Some(100.0), false)])), [below]);
        let more = (Weight::Better, "more", "800/s to 832/s", "at least 1600/s");
        assert_eq!(told(&compared(&was, &[search(Some(1600.0), None, false)])), [more]);
    }

    #[test]
    fn where_the_machine_was_full_or_is_another_less_only_warns() {
        let full = compared(&[found(800.0, 832.0)], &[search(Some(500.0), Some(520.0), true)]);
        assert_eq!((full.regressed, full.changes[0].weight), (false, Weight::Warning));
        let mut other = found(500.0, 520.0);
        other.environment.cores += 2;
        let other = compared(&[found(800.0, 832.0)], &[other]);
        assert!(other.changes.iter().all(|c| c.weight == Weight::Warning), "{:?}", other.changes);
    }
}
