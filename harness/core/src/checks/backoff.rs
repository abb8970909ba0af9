//! `backoff`: retries keep their distance, and not all the same.

use gatecrash_model::{AttemptRecord, Capabilities, Capability, Nanos, RequestId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, CheckInfo, Fixes, Rests, Source, SpanBounds};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::{Cause, Scope};
use crate::stats::nearest_rank;
use crate::units::{Share, Span};
use crate::verdict::Finding;

/// By how much an attempt may seem to begin before the one it follows was written down as over; what overlaps
/// by more was sent side by side (hedging) and is no retry.
const OVERLAP: Nanos = 5_000_000;

/// Pauses between a failed attempt's end and the start of the next attempt of the same request.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Backoff {
    /// Bounds of the median pause.
    pub p50: SpanBounds,
    /// Least spread of the pauses: the distance between their quartiles, as a share of their median. Full
    /// jitter has 100 %, a fixed pause next to nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Share>,
    /// How many retries may follow almost at once: a gateway that forgets its pause now and then shows in no median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_once: Option<AtOnce>,
}

/// A bound on the shortest pauses.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AtOnce {
    /// What counts as at once.
    pub within: Span,
    /// Largest share of the retries. Full jitter over 25 ms leaves 4 % of them in each millisecond.
    pub max: Share,
}

impl Check for Backoff {
    const INFO: CheckInfo = CheckInfo {
        name: "backoff",
        summary: "retries are spaced and jittered",
        doc: "The time from the end of a failed attempt to the start of the next one of the same request: \
              its median against `p50`, and the distance between its quartiles, as a share of the median, \
              against `jitter`; the share of pauses no longer than `at-once` names. Retries at once hit an \
              upstream that is still down; retries after a fixed pause arrive as one wave (AWS Builders' \
              Library, Timeouts, retries and backoff with jitter). Retries of a pooled connection that \
              turned out dead may follow at once and are left out, as are attempts sent side by side. \
              Inconclusive when there were too few retries. nginx and HAProxy have no back-off for HTTP \
              errors: 0 to 25 ms measured.",
        sources: &[Source::AWS_RETRIES, Source::AWS_JITTER],
        fixes: Fixes {
            nginx: "no setting: the next server is asked at once; fewer tries (`proxy_next_upstream_tries`)",
            haproxy: "no setting: it waits for the shorter of `timeout connect` and 1 s before it connects \
                      to the same server again, and never after an HTTP error; fewer `retries`",
            envoy: "`retry_back_off` (`base_interval` 25 ms by default, `max_interval`): full jitter over a \
                    bound that doubles",
            others: "",
        },
        example: "backoff: { p50: { min: 5ms }, jitter: 20% }",
        needs: Capabilities::of(&[Capability::Attempts, Capability::OwnTries]),
        min_samples: 30,
        rests: Rests::OnRates,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let jitter = self.jitter.map(|least| format!(", spread at least {least}")).unwrap_or_default();
        let at_once = self.at_once.as_ref();
        let at_once = at_once.map(|b| format!(", at most {} within {}", b.max, b.within)).unwrap_or_default();
        let wanted = format!("p50 {}{jitter}{at_once}", self.p50);
        let mut pauses: Vec<_> =
            scope.clients().flat_map(|c| pauses(scope, c.id(), scope.attempts(c))).collect();
        pauses.sort_unstable_by_key(|(pause, _)| *pause);
        let samples = pauses.len() as u64;
        let lengths: Vec<Nanos> = pauses.iter().map(|(pause, _)| *pause).collect();
        let quartile = |q| nearest_rank(&lengths, q).filter(|_| samples >= scope.min_samples);
        let (Some(low), Some(median), Some(high)) = (quartile(0.25), quartile(0.5), quartile(0.75)) else {
            let reason = format!("{samples} retries after a failed attempt, {} needed", scope.min_samples);
            return Finding::inconclusive(wanted, samples, reason);
        };
        let spread = Share((high - low) as f64 / median.max(1) as f64);
        let spaced = self.p50.hold(median);
        let spread_enough = self.jitter.is_none_or(|least| spread >= least);
        let mut observed = format!("p50 {}, spread {:.0}%", in_millis(median), spread.0 * 100.0);
        let mut waited = true;
        if let Some(bound) = &self.at_once {
            let short = lengths.partition_point(|pause| *pause <= bound.within.0);
            let share = Share(short as f64 / lengths.len() as f64);
            waited = share <= bound.max;
            observed.push_str(&format!(", {short} within {}", bound.within));
        }
        Finding::judged(spaced && spread_enough && waited, observed, wanted, samples)
            .detail(format!(
                "half of the {samples} pauses are between {} and {}",
                in_millis(low),
                in_millis(high)
            ))
            .exemplars(pauses.into_iter().map(|(_, request)| request))
    }

    fn problem(&self) -> Option<&'static str> {
        match (self.p50.min, self.p50.max) {
            (None, None) => Some("a bound on p50, such as `p50: { min: 5ms }`"),
            (Some(min), Some(max)) if min > max => Some("`min` not above `max`"),
            _ => None,
        }
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = |least, jitter| Self {
            p50: SpanBounds { min: Some(Span::millis(least)), max: None },
            jitter: Some(Share(jitter)),
            at_once: None,
        };
        let mostly =
            || Self { at_once: Some(AtOnce { within: Span::millis(1), max: Share(0.1) }), ..check(5, 0.2) };
        let retried = |story: Story, count: u64, pause: fn(u64) -> u64| {
            (0..count).fold(story, |story, n| {
                let next = Try::served().pause(pause(n));
                story.every(1, n * 20, n * 20 + 1, move |r| r.tries([Try::reset(), next.clone()]))
            })
        };
        let stale = |r: crate::golden::Request| r.tries([Try::reset().reused(), Try::served()]);
        vec![
            Golden::pass("full jitter", check(5, 0.2), retried(Story::new(), 40, |n| n % 20)),
            Golden::pass("few at once", mostly(), retried(Story::new(), 40, |n| n % 20)),
            Golden::fail("one in four at once", mostly(), retried(Story::new(), 40, |n| n % 4 * 8)),
            Golden::fail("at once", check(5, 0.0), retried(Story::new(), 40, |_| 0)),
            Golden::fail("a fixed pause", check(5, 0.2), retried(Story::new(), 40, |_| 10)),
            Golden::inconclusive("no retries", check(5, 0.2), retried(Story::new(), 0, |_| 0)),
            Golden::inconclusive("three retries", check(5, 0.2), retried(Story::new(), 3, |_| 0)),
            Golden::inconclusive(
                "dead pooled connections",
                check(5, 0.2),
                Story::new().every(10, 0, 400, stale),
            ),
        ]
    }
}

/// Pauses before the retries among the attempts of a request.
fn pauses<'h>(
    scope: &Scope<'_>,
    request: RequestId,
    attempts: impl Iterator<Item = &'h AttemptRecord>,
) -> Vec<(Nanos, RequestId)> {
    let attempts: Vec<_> = attempts.collect();
    let in_turn = attempts.windows(2).map(|pair| (pair[0], pair[1]));
    let retries = in_turn.filter(|(failed, next)| {
        scope.cause(failed) != Cause::Served && !failed.is_stale() && failed.ended() <= next.start + OVERLAP
    });
    retries.map(|(failed, next)| (next.start.saturating_sub(failed.ended()), request)).collect()
}

fn in_millis(nanos: Nanos) -> String {
    format!("{:.1}ms", nanos as f64 / 1e6)
}
