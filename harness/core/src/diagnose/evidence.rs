//! What causes share: counting samples, and saying what was counted.

use super::rank::Strength;
use super::{Answer, DialFailure, NameReply, Observations, Outcome, Place, Sample};

/// What speaks for a cause.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    pub(super) place: Place,
    pub(super) strength: Strength,
    /// Looks that showed it.
    pub(super) met: usize,
    /// Looks that could have.
    pub(super) of: usize,
    pub(super) lines: Vec<String>,
}

impl Evidence {
    /// So many looks of so many; `None` when none of them showed it.
    pub(super) fn of(place: Place, met: usize, of: usize, what: &str) -> Option<Self> {
        let line = format!("{}: {met} of {of} {what}", place.words());
        (met > 0).then(|| Self { place, strength: Strength::Shown, met, of, lines: vec![line] })
    }

    pub(super) fn only(mut self, strength: Strength) -> Self {
        self.strength = strength;
        self
    }

    pub(super) fn with(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// With the first of these, where there is one.
    pub(super) fn with_first(self, mut lines: impl Iterator<Item = String>) -> Self {
        match lines.next() {
            Some(line) => self.with(line),
            None => self,
        }
    }
}

/// Look-ups of a name that were answered like this: of S3, else of the gateway.
pub(super) fn names(seen: &Observations, what: &str, like: fn(&NameReply) -> bool) -> Option<Evidence> {
    [Place::Endpoint, Place::Gateway].into_iter().find_map(|place| {
        let all: Vec<_> = seen.names.iter().filter(|n| n.place == place).collect();
        let met = all.iter().filter(|n| like(&n.reply)).count();
        let name = all.first().map_or("", |n| n.name.as_str());
        Evidence::of(place, met, all.len(), &format!("look-ups of {name} {what}"))
    })
}

/// Reads that ended like this, at S3 or else at the gateway (where nobody looked at S3).
pub(super) fn reads(seen: &Observations, what: &str, like: impl Fn(&Sample) -> bool) -> Option<Evidence> {
    reads_at(seen, seen.view(), what, like)
}

pub(super) fn reads_at(
    seen: &Observations,
    place: Place,
    what: &str,
    like: impl Fn(&Sample) -> bool,
) -> Option<Evidence> {
    let met = seen.reads(place).filter(|s| like(s)).count();
    Evidence::of(place, met, seen.reads(place).count(), what)
}

/// Reads answered with an S3 error that is like this, with the first message.
pub(super) fn answers(seen: &Observations, what: &str, like: fn(&Answer) -> bool) -> Option<Evidence> {
    let told = move |s: &Sample| s.answer().is_some_and(like);
    let place = seen.view();
    let found = reads(seen, what, told)?;
    let first = seen.reads(place).filter(|s| told(s)).filter_map(Sample::answer).map(quote);
    Some(found.with_first(first))
}

/// An answer in a few words.
pub(super) fn quote(answer: &Answer) -> String {
    let code = answer.code.as_deref().map_or_else(|| "no S3 error code".to_owned(), str::to_owned);
    let message = answer.message.as_deref().map_or_else(String::new, |m| format!(": {m}"));
    format!("status {}, {code}{message}", answer.status)
}

/// Connections to an endpoint that failed like this, and how many stood.
pub(super) struct Dialled<'a> {
    pub(super) failed: Vec<&'a str>,
    pub(super) stood: Vec<&'a str>,
    pub(super) met: usize,
    pub(super) of: usize,
}

/// Addresses of a place: those that failed like this every time, those that stood at least once.
pub(super) fn dialled(seen: &Observations, place: Place, like: fn(&DialFailure) -> bool) -> Dialled<'_> {
    let mut addresses: Vec<&str> = Vec::new();
    let dials = || seen.dials.iter().filter(move |d| d.place == place);
    for dial in dials() {
        if !addresses.contains(&dial.address.as_str()) {
            addresses.push(&dial.address);
        }
    }
    let to = |address: &str| dials().filter(move |d| d.address == address).collect::<Vec<_>>();
    let failed = |address: &str| to(address).iter().all(|d| d.failure.as_ref().is_some_and(like));
    let stood = |address: &str| to(address).iter().any(|d| d.failure.is_none());
    Dialled {
        failed: addresses.iter().copied().filter(|a| failed(a)).collect(),
        stood: addresses.iter().copied().filter(|a| stood(a)).collect(),
        met: dials().filter(|d| d.failure.as_ref().is_some_and(like)).count(),
        of: dials().count(),
    }
}

/// Whether the outcome is a gateway's own word that its upstream failed.
pub(super) fn is_gateway_error(sample: &Sample) -> bool {
    match &sample.outcome {
        Outcome::Answered(a) => matches!(a.status, 500 | 502 | 503 | 504) && !a.from_s3,
        _ => false,
    }
}
