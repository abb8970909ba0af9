//! What a canary can tell: only one that is itself in order says how far a trouble reaches.

use super::{Observations, Place, Sample, evidence};

/// What a canary's answers are worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Canary {
    /// It was not asked.
    NotAsked,
    /// It answers; a refusal of its own is an answer.
    Answers,
    /// One in ten looks at least got no answer, or a 5xx.
    Ill,
    /// There is no such bucket: a name that is misspelt proves nothing.
    Missing,
    /// It refuses as our own bucket does: that may be the caller, and proves nothing.
    RefusesAlike,
}

// === impl Canary ===

impl Canary {
    pub(super) fn at(seen: &Observations, place: Place) -> Self {
        let all: Vec<&Sample> = seen.samples.iter().filter(|s| s.place == place).collect();
        let ours = |code: &str| seen.reads(seen.view()).any(|s| s.code() == Some(code));
        // A second region that does not know the bucket answers all the same.
        let missing = |s: &Sample| place == Place::CanaryBucket && s.code() == Some("NoSuchBucket");
        if all.is_empty() {
            Self::NotAsked
        } else if all.iter().filter(|s| is_ill(s)).count() * 10 >= all.len() {
            Self::Ill
        } else if all.iter().any(|s| missing(s)) {
            Self::Missing
        } else if all.iter().all(|s| s.code().is_some_and(ours)) {
            Self::RefusesAlike
        } else {
            Self::Answers
        }
    }
}

fn is_ill(sample: &Sample) -> bool {
    sample.answer().is_none_or(|answer| answer.status >= 500)
}

/// A sentence on a canary that failed, with what it was answered; nothing for one that did not.
pub(super) fn said(seen: &Observations, place: Place) -> Option<String> {
    let failed = seen.samples.iter().find(|s| s.place == place && !s.is_good())?;
    let met = failed.answer().map_or_else(|| failed.outcome.words(), evidence::quote);
    let who = place.words();
    Some(match Canary::at(seen, place) {
        Canary::NotAsked => return None,
        Canary::Missing => {
            format!("The canary itself does not exist ({met}): it proves nothing. Is its name right?")
        }
        Canary::RefusesAlike => format!("At {who} the answer is the same ({met}): it may be the caller."),
        Canary::Answers => format!("At {who} the answer was {met}: a refusal is an answer, too."),
        Canary::Ill => format!("At {who} it was {met}."),
    })
}
