//! Bounds on quantiles of response times, as `latency` and `error-latency` share them.

use gatecrash_model::ClientRecord;

use super::SpanBounds;
use crate::judge::Scope;
use crate::stats::{nearest_rank, required_samples};
use crate::units::Span;
use crate::verdict::Finding;

const NAMES: [(&str, f64); 5] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999), ("max", 1.0)];

/// Bounds of p50, p90, p99, p999 and the maximum.
pub(super) struct Quantiles(pub(super) [Option<SpanBounds>; 5]);

impl Quantiles {
    pub(super) fn problem(&self) -> Option<&'static str> {
        let empty = |b: &SpanBounds| b.min.is_none() && b.max.is_none();
        let given: Vec<_> = self.0.iter().flatten().collect();
        (given.is_empty() || given.into_iter().any(empty))
            .then_some("a bound on p50, p90, p99, p999 or max, such as `p99: { max: 250ms }`")
    }

    pub(super) fn judge<'h>(
        &self,
        scope: &Scope<'_>,
        clients: impl Iterator<Item = &'h ClientRecord>,
        whom: &str,
    ) -> Finding {
        let given = || NAMES.iter().zip(&self.0).filter_map(|(name, bounds)| bounds.map(|b| (*name, b)));
        let wanted = given().map(|((name, _), b)| format!("{name} {b}")).collect::<Vec<_>>().join(", ");
        let mut sorted: Vec<_> = clients.collect();
        sorted.sort_by_key(|c| c.response_micros());
        let samples = sorted.len() as u64;
        let needed = given().map(|((_, q), _)| required_samples(q)).max().unwrap_or(1).max(scope.min_samples);
        if samples < needed {
            return Finding::inconclusive(wanted, samples, format!("{samples} {whom}, {needed} needed"));
        }
        let micros: Vec<u64> = sorted.iter().map(|c| c.response_micros()).collect();
        let measured: Vec<_> = given()
            .filter_map(|((name, q), bounds)| Some((name, bounds, nearest_rank(&micros, q)? * 1000)))
            .collect();
        let holds = measured.iter().all(|(_, bounds, nanos)| bounds.hold(*nanos));
        let shown = |(name, _, nanos): &(&str, SpanBounds, u64)| format!("{name} {}", in_millis(*nanos));
        let observed = measured.iter().map(shown).collect::<Vec<_>>().join(", ");
        let finding = Finding::judged(holds, observed, wanted, samples);
        let broken = measured.iter().filter(|(_, bounds, nanos)| !bounds.hold(*nanos));
        let finding = broken.fold(finding, |f, (name, bounds, nanos)| {
            f.detail(format!("{name} of {samples} {whom} is {}, wanted {bounds}", in_millis(*nanos)))
        });
        finding.exemplars(sorted.iter().rev().take(3).map(|c| c.id()))
    }
}

fn in_millis(nanos: u64) -> String {
    if nanos >= 10_000_000 {
        Span::millis(nanos / 1_000_000).to_string()
    } else {
        format!("{:.2}ms", nanos as f64 / 1e6)
    }
}
