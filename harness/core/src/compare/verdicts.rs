//! Verdicts: an expectation that held and does not, or the other way round.

use super::pairs::Pair;
use super::{Change, Weight};
use crate::report::{RunReport, Standing, standing};
use crate::verdict::Outcome;

/// One expectation of one run: its standing and line; how bad it is, where that is known.
type Stand = (Standing, Option<u8>, u32);

/// What changed in the verdicts of a case.
pub(super) fn changes(pair: &Pair<'_>) -> Vec<Change> {
    let names = |runs: &[&RunReport]| runs.first().map(|run| names(run)).unwrap_or_default();
    let (before, after) = (names(&pair.was), names(&pair.is));
    let common = after.iter().filter(|name| before.contains(name));
    common.filter_map(|name| change(pair, name)).collect()
}

fn change(pair: &Pair<'_>, name: &str) -> Option<Change> {
    let of = |runs: &[&RunReport]| runs.iter().filter_map(|run| stand(run, name)).collect::<Vec<_>>();
    let (was, is) = (of(&pair.was), of(&pair.is));
    let line = is.first()?.2;
    let known = |all: &[Stand]| all.iter().filter_map(|(_, rank, _)| *rank).collect::<Vec<_>>();
    let (before, after) = (known(&was), known(&is));
    let told = |weight, word: &str| {
        let change = Change::of(pair, weight, name, word).went(words(&was), words(&is));
        Some(Change { line, ..change })
    };
    if before.is_empty() || after.is_empty() {
        return match (before.is_empty(), after.is_empty()) {
            (true, false) => told(Weight::Different, "can be told"),
            (false, true) => told(Weight::Warning, "cannot be told any more"),
            _ => None,
        };
    }
    let (worst, best) = (before.iter().max()?, before.iter().min()?);
    let worse = after.iter().filter(|rank| *rank > worst).count();
    let better = after.iter().filter(|rank| *rank < best).count();
    if 2 * worse > after.len() {
        // What a profile declares or an expectation only notes is no regression.
        let fails = is.iter().any(|(standing, ..)| matches!(standing, Standing::Fail | Standing::Warn));
        return told(if fails { Weight::Regression } else { Weight::Warning }, "no longer holds");
    }
    if 2 * better > after.len() {
        return told(Weight::Better, "holds now");
    }
    if worse > 0 {
        let sometimes = told(Weight::Warning, "does not always hold");
        return sometimes.map(|change| change.because("in fewer than half of the runs"));
    }
    None
}

/// Names of the expectations that have a verdict; a second one of the same name gets a number.
fn names(run: &RunReport) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for verdict in &run.verdicts {
        let Some(expectation) = run.plan.expectations.get(verdict.expectation as usize) else { continue };
        let same = |taken: &&String| taken.split(" #").next() == Some(expectation.name.as_str());
        match names.iter().filter(same).count() {
            0 => names.push(expectation.name.clone()),
            n => names.push(format!("{} #{}", expectation.name, n + 1)),
        }
    }
    names
}

fn stand(run: &RunReport, name: &str) -> Option<Stand> {
    let place = names(run).iter().position(|own| own == name)?;
    let mut judged = run.verdicts.iter().filter(|v| run.plan.expectations.len() > v.expectation as usize);
    let verdict = judged.nth(place)?;
    let standing = standing(run, verdict);
    let rank = match (verdict.outcome, standing) {
        (_, Standing::Known) => Some(1),
        (Outcome::Inconclusive, _) => None,
        (Outcome::Pass, _) => Some(0),
        (Outcome::Fail, Standing::Info) => Some(2),
        (Outcome::Fail, Standing::Warn) => Some(3),
        (Outcome::Fail, _) => Some(4),
    };
    Some((standing, rank, run.plan.expectations[verdict.expectation as usize].line))
}

/// `pass 4, FAIL 1`; of one run the word alone.
fn words(all: &[Stand]) -> String {
    let count = |standing| all.iter().filter(|(own, ..)| *own == standing).count();
    let words = Standing::ALL.into_iter().rev().filter(|standing| count(*standing) > 0);
    let words: Vec<_> = words
        .map(|standing| match all.len() {
            1 => standing.word().to_lowercase(),
            _ => format!("{} {}", standing.word().to_lowercase(), count(standing)),
        })
        .collect();
    words.join(", ")
}
