//! An outage of a part of the upstream: when a region, or one endpoint of it, was hit, and where attempts went.

use gatecrash_model::{AttemptRecord, Nanos};

use crate::judge::Scope;
use crate::plan::FaultPlan;

/// Attempts in a row that show where traffic goes.
const SEEN: usize = 30;

/// A region, or one endpoint of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Part {
    region: u16,
    endpoint: Option<u16>,
}

// === impl Part ===

impl Part {
    /// By name and by number from 1; `None` for what the plan does not have.
    pub(super) fn named(scope: &Scope<'_>, region: &str, endpoint: Option<u16>) -> Option<Self> {
        let part = Self { region: scope.region(region)?, endpoint };
        part.links(scope).next().is_some().then_some(part)
    }

    /// The part that clients could do without, and the time in which it was hit ([`outage`](Self::outage)); or why there
    /// is nothing to judge.
    pub(super) fn spared(
        scope: &Scope<'_>,
        region: &str,
        endpoint: Option<u16>,
    ) -> Result<(Self, Nanos, Nanos), String> {
        let part = Self::named(scope, region, endpoint)
            .ok_or_else(|| format!("there is no such part of {region}"))?;
        if !part.has_peers(scope) {
            return Err(format!("there is nobody but {region} to ask"));
        }
        let (hit, end) = part.outage(scope).ok_or_else(|| format!("no fault hit {region} in this window"))?;
        Ok((part, hit, end))
    }

    /// Whether a link belongs to it.
    pub(super) fn holds(self, scope: &Scope<'_>, link: u8) -> bool {
        self.links(scope).any(|own| own == link)
    }

    /// Whether links are left that a fault on it does not touch.
    pub(super) fn has_peers(self, scope: &Scope<'_>) -> bool {
        scope.plan.links().len() > self.links(scope).count()
    }

    /// First edge on and last edge off of the faults that hit it in this window, as recorded; the end of the
    /// window where they outlast it.
    pub(super) fn outage(self, scope: &Scope<'_>) -> Option<(Nanos, Nanos)> {
        let in_window = scope.intervals.all().filter(|(fault, i)| {
            self.is_hit_by(&scope.plan.faults[usize::from(*fault)])
                && i.from < scope.until
                && i.until > scope.from
        });
        let edges: Vec<_> = in_window.map(|(_, i)| i).collect();
        let hit = edges.iter().map(|i| i.from).min()?;
        let end = edges.iter().map(|i| i.until).max()?;
        Some((hit, end.min(scope.until)))
    }

    /// Its share of these attempts; `None` of none.
    pub(super) fn share(self, scope: &Scope<'_>, attempts: &[&AttemptRecord]) -> Option<f64> {
        let own = attempts.iter().filter(|a| self.holds(scope, a.link())).count();
        (!attempts.is_empty()).then(|| own as f64 / attempts.len() as f64)
    }

    /// Time to detect: from the edge of the fault to the first of [`SEEN`] attempts in a row of which it gets a tenth
    /// of its former share at most. `None` when that never came, or when tries went unseen.
    pub(super) fn time_to_detect(self, scope: &Scope<'_>, hit: Nanos, end: Nanos) -> Option<Nanos> {
        if scope.hides_attempts_between(hit, end) {
            return None;
        }
        let due = self.share(scope, &attempts_between(scope, 0, hit))?;
        let during = attempts_between(scope, hit, end);
        let mut windows = during.windows(SEEN);
        let found = windows.find(|window| self.share(scope, window).is_some_and(|share| share <= due / 10.0));
        found.map(|window| window[0].start - hit)
    }

    fn is_hit_by(self, fault: &FaultPlan) -> bool {
        let same_endpoint = match (self.endpoint, fault.endpoint) {
            (Some(own), Some(other)) => own == other,
            _ => true,
        };
        fault.region.is_none_or(|region| region == self.region) && same_endpoint
    }

    fn links<'a>(self, scope: &Scope<'a>) -> impl Iterator<Item = u8> + use<'a> {
        let of = move |(index, (region, endpoint)): (usize, (u16, u16))| {
            let own = region == self.region && self.endpoint.is_none_or(|own| own == endpoint);
            own.then_some(index as u8)
        };
        scope.plan.links().into_iter().enumerate().filter_map(of)
    }
}

/// Attempts that matching requests began in this time, by start; health probes are no request's.
pub(super) fn attempts_between<'a>(scope: &Scope<'a>, from: Nanos, until: Nanos) -> Vec<&'a AttemptRecord> {
    let clients = scope.history.clients.iter().filter(|c| !c.was_dropped() && scope.includes(c));
    let begun = |a: &&AttemptRecord| (from..until).contains(&a.start);
    let mut attempts: Vec<_> = clients.flat_map(|c| scope.attempts(c)).filter(begun).collect();
    attempts.sort_unstable_by_key(|a| (a.start, a.attempt));
    attempts
}
