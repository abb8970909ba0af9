//! `slow-answer`: late first bytes

use super::super::evidence::{self, Evidence};
use super::super::rank::Strength;
use super::super::{Cause, Observations, Place, Sample};

pub(super) const CAUSE: Cause = Cause {
    name: "slow-answer",
    summary: "the first byte comes late",
    doc: "S3 answers, and later than it should: small objects take 100 to 200 ms. Where that is above \
          the gateway's timeout, clients see 504 for requests that S3 served.",
    look_at: &[
        ("nginx", "`proxy_read_timeout` (60 s, for each read)"),
        ("HAProxy", "`timeout server`"),
        ("Envoy", "route `timeout` (15 s, retries included), `per_try_timeout`"),
        ("API Gateway, CloudFront", "29 s integration timeout; 30 s origin response timeout (1 to 120)"),
        ("S3", "distance to the region, `FirstByteLatency` in CloudWatch request metrics"),
    ],
    find,
};

/// How long gateways wait for an answer unless they are told otherwise, milliseconds: nginx `proxy_read_timeout`,
/// CloudFront's response timeout, API Gateway's integration timeout, Envoy's route timeout (their documentation).
const USUAL: &[(&str, f64)] =
    &[("Envoy", 15_000.0), ("API Gateway", 29_000.0), ("CloudFront", 30_000.0), ("nginx", 60_000.0)];

fn find(seen: &Observations) -> Option<Evidence> {
    let first = |s: &Sample| s.answer().map(|a| a.first_byte);
    let is_slow = |s: &Sample| first(s).is_some_and(|took| seen.is_slow(took));
    let what = format!("reads got their first byte after more than {:.1} s", seen.slow / 1000.0);
    let found = evidence::reads(seen, &what, is_slow)?;
    let mut times: Vec<_> = seen.reads(seen.view()).filter_map(first).collect();
    times.sort_by(f64::total_cmp);
    let (median, most) = (times[times.len() / 2], times[times.len() - 1]);
    let found = found.with(format!("first bytes: median {median:.0} ms, slowest {most:.0} ms"));
    // One slow answer among many is a day like others.
    let rare = found.met * 10 < found.of && (!seen.has(Place::Gateway) || seen.is_clean(Place::Gateway));
    let limits = match seen.gateway_timeout {
        Some(limit) => vec![("the gateway", limit)],
        None => USUAL.to_vec(),
    };
    let above = limits.into_iter().filter(|(_, limit)| most > *limit);
    let above: Vec<_> = above.map(|(who, limit)| format!("{who} ({:.0} s)", limit / 1000.0)).collect();
    let above = (!above.is_empty()).then(|| format!("above the timeout of {}", above.join(", ")));
    let found = found.with_first(above.into_iter());
    // Through the gateway alone, the gateway may be what is slow.
    let found = if seen.view() == Place::Gateway { found.only(Strength::Likely) } else { found };
    Some(if rare { found.only(Strength::Possible) } else { found })
}
