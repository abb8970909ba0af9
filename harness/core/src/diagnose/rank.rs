//! Weighs what speaks for each cause, and says how far the trouble reaches.

use serde::Serialize;

use super::canary::Canary;
use super::{CAUSES, Observations, Place};

/// How much a finding is worth, least first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// It would explain what was seen, and so would others.
    Possible,
    /// What was seen points to it; it was not seen itself.
    Likely,
    /// It was seen itself.
    Shown,
}

/// A cause with what speaks for it.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// Name of the cause.
    pub cause: &'static str,
    /// What it is.
    pub summary: &'static str,
    /// How much it is worth.
    pub strength: Strength,
    /// Where it was met.
    pub place: Place,
    /// Looks that met it.
    pub met: usize,
    /// Looks that could have.
    pub of: usize,
    /// Whether every look met it; else it comes and goes.
    pub constant: bool,
    /// What was seen.
    pub evidence: Vec<String>,
    /// Where to look: product or service, then setting or policy.
    pub look_at: &'static [(&'static str, &'static str)],
}

/// What came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing failed.
    Healthy,
    /// At least one cause is likely or shown.
    Found,
    /// Something failed, and nothing says why.
    CannotTell,
}

/// How far the trouble reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// S3 itself is well: it is the gateway, or the way to it.
    GatewayOnly,
    /// Another bucket at the same endpoint answers.
    ThisBucket,
    /// The endpoint fails for another bucket too, and a second region answers.
    ThisEndpoint,
    /// The second region fails too: S3 as a whole, or this network.
    Everywhere,
    /// Nothing was there to compare with.
    Unknown,
}

/// The whole answer.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Diagnosis {
    /// What came out.
    pub verdict: Verdict,
    /// How far it reaches; unknown where nothing failed.
    pub scope: Scope,
    /// Causes, the likeliest first.
    pub findings: Vec<Finding>,
    /// What failed, by place: place, failed, asked.
    pub failed: Vec<(Place, usize, usize)>,
}

/// Ranks the causes: by strength, then by the share of looks that met them, then by layer.
pub fn diagnose(seen: &Observations) -> Diagnosis {
    let mut findings: Vec<_> = CAUSES
        .iter()
        .filter_map(|cause| {
            let found = (cause.find)(seen)?;
            Some(Finding {
                cause: cause.name,
                summary: cause.summary,
                strength: found.strength,
                place: found.place,
                met: found.met,
                of: found.of,
                constant: found.met >= found.of,
                evidence: found.lines,
                look_at: cause.look_at,
            })
        })
        .collect();
    // A share of tenths, so that chance does not turn the order of layers round.
    let tenths = |f: &Finding| (f.met * 10).div_ceil(f.of.max(1));
    findings.sort_by_key(|f| std::cmp::Reverse((f.strength, tenths(f))));
    let failed = failures(seen);
    let any_failed = failed.iter().any(|(place, failed, _)| *failed > 0 && is_ours(*place));
    let known = findings.first().is_some_and(|f| f.strength > Strength::Possible);
    let asked = failed.iter().any(|(place, _, asked)| *asked > 0 && is_ours(*place));
    let verdict = match (known, any_failed, asked) {
        (true, ..) => Verdict::Found,
        (false, false, true) => Verdict::Healthy,
        (false, ..) => Verdict::CannotTell,
    };
    let scope = if verdict == Verdict::Healthy { Scope::Unknown } else { scope(seen) };
    Diagnosis { verdict, scope, findings, failed }
}

fn is_ours(place: Place) -> bool {
    matches!(place, Place::Gateway | Place::Endpoint)
}

fn failures(seen: &Observations) -> Vec<(Place, usize, usize)> {
    let of = |place: Place| {
        let reads = seen.samples.iter().filter(|s| s.place == place && (s.is_read() || !is_ours(place)));
        (place, reads.clone().filter(|s| !s.is_good()).count(), reads.count())
    };
    seen.places.iter().map(|(place, _)| of(*place)).collect()
}

fn scope(seen: &Observations) -> Scope {
    if seen.has(Place::Endpoint) && seen.is_clean(Place::Endpoint) {
        return Scope::GatewayOnly;
    }
    match (Canary::at(seen, Place::CanaryBucket), Canary::at(seen, Place::CanaryEndpoint)) {
        (Canary::Answers, _) => Scope::ThisBucket,
        (_, Canary::Answers) => Scope::ThisEndpoint,
        (_, Canary::Ill) => Scope::Everywhere,
        // Nobody was asked, or who was asked proves nothing.
        _ => Scope::Unknown,
    }
}

impl Scope {
    /// In words, as a sentence; empty where there is nothing to say.
    pub fn words(self) -> &'static str {
        match self {
            Self::GatewayOnly => "S3 answers well past the gateway: look at the gateway and its way to S3.",
            Self::ThisBucket => "Another bucket at the same endpoint answers: only yours is concerned.",
            Self::ThisEndpoint => "A second region answers: it is this endpoint or region, or the way to it.",
            Self::Everywhere => "A second region fails too: S3 as a whole, or the network here.",
            Self::Unknown => "",
        }
    }
}
