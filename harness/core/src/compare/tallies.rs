//! What clients got and upstreams were asked: statuses, broken messages, tries. New is what most runs of a side show, no run
//! of the other, and chance does not explain.

use std::collections::BTreeSet;

use super::pairs::Pair;
use super::statistics::by_chance;
use super::{Change, Weight};
use crate::report::PhaseSummary;
use crate::report::text::thousands;

/// Damage that a client cannot see. Where some of it is gone, a break that is seen is no regression: it is what was hidden.
const SILENT: [&str; 3] = ["complete, but short", "wrong bytes", "another object's bytes"];

/// Probability of a tally by chance alone from which on it is no news.
const CHANCE: f64 = 0.01;

/// What changed in the tallies of a case.
pub(super) fn changes(pair: &Pair<'_>) -> Vec<Change> {
    let mut all = Vec::new();
    for name in pair.phases() {
        let (was, is) = pair.phase(name);
        let found = statuses(pair, &was, &is).into_iter().chain(endings(pair, &was, &is));
        let found = found.chain(attempts(pair, &was, &is));
        all.extend(found.map(|change| change.in_phase(name)));
    }
    all
}

/// Statuses that only one side shows.
fn statuses(pair: &Pair<'_>, was: &[&PhaseSummary], is: &[&PhaseSummary]) -> Vec<Change> {
    let values: BTreeSet<u16> = was.iter().chain(is).flat_map(|p| &p.statuses).map(|(s, _)| *s).collect();
    let change = |status: u16| {
        let count = |phase: &PhaseSummary| sum(&phase.statuses, |own| *own == status);
        let what = if status == 0 { "no status".to_owned() } else { format!("status {status}") };
        let is_bad = status == 0 || status >= 400;
        only_one_side(pair, what, is_bad, was, is, count)
    };
    values.into_iter().filter_map(change).collect()
}

/// Ways in which a message was broken that only one side shows.
fn endings(pair: &Pair<'_>, was: &[&PhaseSummary], is: &[&PhaseSummary]) -> Vec<Change> {
    let values: BTreeSet<&String> = was.iter().chain(is).flat_map(|p| &p.endings).map(|(e, _)| e).collect();
    let change = |ending: &String| {
        let count = |phase: &PhaseSummary| sum(&phase.endings, |own| own == ending);
        only_one_side(pair, format!("`{ending}`"), true, was, is, count)
    };
    let mut found: Vec<_> = values.into_iter().filter_map(|ending| Some((ending, change(ending)?))).collect();
    let is_silent = |ending: &String| SILENT.contains(&ending.as_str());
    let told_now = found.iter().any(|(ending, change)| is_silent(ending) && change.weight == Weight::Better);
    for (_, change) in found.iter_mut().filter(|(ending, _)| told_now && !is_silent(ending)) {
        if change.weight == Weight::Regression {
            change.weight = Weight::Different;
        }
    }
    found.into_iter().map(|(_, change)| change).collect()
}

/// More tries, or fewer, of a single request than the other side ever made.
fn attempts(pair: &Pair<'_>, was: &[&PhaseSummary], is: &[&PhaseSummary]) -> Option<Change> {
    let most = |phase: &&PhaseSummary| phase.attempts.iter().map(|(tries, _)| *tries).max().unwrap_or(0);
    let (before, after) = (was.iter().map(most).max()?, is.iter().map(most).max()?);
    // Somebody else's proxy, or a gateway elsewhere: tries were not seen.
    if before == 0 || after == 0 || before == after {
        return None;
    }
    let beyond = |phase: &PhaseSummary| sum(&phase.attempts, |tries| *tries > before.min(after));
    let change = only_one_side(pair, String::new(), true, was, is, beyond)?;
    let word = if after > before { "more" } else { "fewer" };
    let tries = |most: u32| format!("at most {most}");
    Some(Change {
        what: "tries of a request".into(),
        word: word.into(),
        ..change.went(tries(before), tries(after))
    })
}

/// A change when most runs of one side show something, none of the other, and not by chance.
fn only_one_side(
    pair: &Pair<'_>,
    what: String,
    is_bad: bool,
    was: &[&PhaseSummary],
    is: &[&PhaseSummary],
    count: impl Fn(&PhaseSummary) -> u64,
) -> Option<Change> {
    let side = |phases: &[&PhaseSummary]| {
        let seen: u64 = phases.iter().map(|phase| count(phase)).sum();
        let requests: u64 = phases.iter().map(|phase| phase.requests).sum();
        let most = 2 * phases.iter().filter(|phase| count(phase) > 0).count() > phases.len();
        (seen, requests, most)
    };
    let ((before, of_before, most_before), (after, of_after, most_after)) = (side(was), side(is));
    let (weight, word) = match (before, after) {
        (0, 1..) if most_after && by_chance(after, of_after, of_before) <= CHANCE => {
            (if is_bad { Weight::Regression } else { Weight::Different }, "is new")
        }
        (1.., 0) if most_before && by_chance(before, of_before, of_after) <= CHANCE => {
            (if is_bad { Weight::Better } else { Weight::Different }, "is gone")
        }
        _ => return None,
    };
    let told = |seen, requests| format!("{} of {} requests", thousands(seen), thousands(requests));
    let from = told(before, of_before);
    Some(Change::of(pair, weight, what, word).went(from, told(after, of_after)))
}

fn sum<T>(tally: &[(T, u64)], wanted: impl Fn(&T) -> bool) -> u64 {
    tally.iter().filter(|(value, _)| wanted(value)).map(|(_, count)| count).sum()
}
