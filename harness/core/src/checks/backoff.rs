//! `backoff`: pauses between the tries of one request, and whether they vary.

use gatecrash_model::{AttemptRecord, Capabilities, Capability, Ending};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, CheckInfo, Rests, SpanBounds};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::Scope;
use crate::stats::nearest_rank;
use crate::units::{Share, Span};
use crate::verdict::Finding;

/// The pause between the end of a failed try and the start of the next one of the same request.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Backoff {
    /// Bounds on the median pause.
    pub p50: SpanBounds,
    /// Least spread of the pauses: the distance between their quartiles, as a share of the median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Share>,
}

impl Check for Backoff {
    const INFO: CheckInfo = CheckInfo {
        name: "backoff",
        summary: "retries wait, and not all equally long",
        doc: "Measures each pause from the end of a failed try to the start of the next one of the same \
              request. Retries without a pause hit an upstream while it is down, and equal pauses make all \
              clients return at the same instant; full jitter spreads them best (AWS Architecture Blog, \
              Exponential Backoff And Jitter). The second try after a pooled connection that turned out dead \
              does not count: it may go out at once. Measured: nginx and HAProxy wait 0 to 25 ms and have no \
              back-off between servers; Envoy jitters within 25 ms x (2^n - 1).",
        example: "backoff: { p50: { min: 5ms }, jitter: 20% }",
        needs: Capabilities::of(&[Capability::Attempts]),
        min_samples: 30,
        rests: Rests::OnRates,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = self.wanted();
        let mut pauses = Vec::new();
        for client in scope.clients() {
            let tries: Vec<_> = scope.attempts(client).collect();
            let counted = tries.windows(2).filter(|pair| !died_in_the_pool(pair[0]));
            pauses.extend(counted.map(|pair| (pair[1].start.saturating_sub(pair[0].ended()), client.id())));
        }
        pauses.sort_unstable();
        let samples = pauses.len() as u64;
        if samples < scope.min_samples.max(1) {
            let reason = format!("{samples} pauses between tries, {} needed", scope.min_samples);
            return Finding::inconclusive(wanted, samples, reason);
        }
        let sorted: Vec<_> = pauses.iter().map(|(pause, _)| *pause).collect();
        let quantile = |q| nearest_rank(&sorted, q).unwrap_or(0);
        let median = quantile(0.5);
        let spread = (quantile(0.75) - quantile(0.25)) as f64 / median.max(1) as f64;
        let long_enough = self.p50.min.is_none_or(|min| median >= min.0);
        let short_enough = self.p50.max.is_none_or(|max| median <= max.0);
        let varied = self.jitter.is_none_or(|jitter| spread >= jitter.0);
        let observed = format!("median {:.1} ms, spread {:.0}%", median as f64 / 1e6, spread * 100.0);
        Finding::judged(long_enough && short_enough && varied, observed, wanted, samples)
            .detail(format!("{samples} pauses, the longest {:.1} ms", quantile(1.0) as f64 / 1e6))
            .exemplars(pauses.iter().map(|(_, request)| *request))
    }

    fn problem(&self) -> Option<&'static str> {
        let none = self.p50 == SpanBounds::default() && self.jitter.is_none();
        none.then_some("a bound, such as `p50: { min: 5ms }`")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self {
            p50: SpanBounds { min: Some(Span::millis(5)), max: None },
            jitter: Some(Share(0.2)),
        };
        let paused = |pause: fn(u64) -> u64| {
            (0..40).fold(Story::new(), |story, n| {
                let tries = [Try::reset(), Try::served().pause(pause(n))];
                story.every(10, n * 10, n * 10 + 10, move |r| r.tries(tries.clone()))
            })
        };
        let pooled = || Story::new().every(10, 0, 400, |r| r.tries([Try::reset().reused(), Try::served()]));
        vec![
            Golden::pass("5 to 24 ms", check(), paused(|n| 5 + n % 20)),
            Golden::fail("no pause", check(), paused(|_| 0)),
            Golden::fail("always 20 ms", check(), paused(|_| 20)),
            Golden::inconclusive("no retry", check(), Story::new().every(10, 0, 400, |r| r)),
            Golden::inconclusive("only dead pooled connections", check(), pooled()),
        ]
    }
}

impl Backoff {
    fn wanted(&self) -> String {
        let bound = |word: &str, bound: Option<Span>| bound.map(|b| format!("median {word} {b}"));
        let spread = self.jitter.map(|jitter| format!("spread at least {jitter}"));
        let parts = [bound("at least", self.p50.min), bound("at most", self.p50.max), spread];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// Whether a try met a kept connection that was already gone.
fn died_in_the_pool(attempt: &AttemptRecord) -> bool {
    let dropped = matches!(attempt.ending, Ending::DroppedFirst | Ending::DroppedReused);
    dropped && attempt.has(AttemptRecord::REUSED)
}
