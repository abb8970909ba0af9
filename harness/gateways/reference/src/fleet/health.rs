//! What is known of one endpoint's health. Endpoints start healthy.

use tokio::time::Instant;

use crate::defects::Active;

#[derive(Debug, Default)]
pub(crate) struct Health {
    /// Marked by probes.
    down: bool,
    /// Probes in a row that disagreed with what is marked.
    contrary_probes: u32,
    /// Good probes in a row since the ejection.
    good_probes: u32,
    failed_requests: u32,
    ejected_until: Option<Instant>,
    /// Only the defects know unending or unshakable states.
    written_off: bool,
    put_away_until: Option<Instant>,
}

// === impl Health ===

impl Health {
    pub(crate) fn usable(&self, now: Instant) -> bool {
        let over = |until: Option<Instant>| until.is_none_or(|until| now >= until);
        !self.down && !self.written_off && over(self.ejected_until) && over(self.put_away_until)
    }

    pub(crate) fn request_succeeded(&mut self) {
        self.failed_requests = 0;
    }

    /// Counts a failed request; `limit` in a row (0 for never) eject until `until`. Says whether it did.
    pub(crate) fn request_failed(&mut self, limit: u32, until: Instant, active: Active) -> bool {
        self.failed_requests = self.failed_requests.saturating_add(1);
        if limit == 0 || self.failed_requests < limit {
            return false;
        }
        self.failed_requests = 0;
        self.good_probes = 0;
        self.ejected_until = Some(until);
        self.written_off |= active.never_fails_back();
        true
    }

    /// Counts a probe; `limit` in a row that disagree with what is marked change it. Says whether the
    /// endpoint went down.
    pub(crate) fn probed(&mut self, good: bool, limit: u32, active: Active) -> bool {
        self.good_probes = if good { self.good_probes.saturating_add(1) } else { 0 };
        if self.good_probes >= limit {
            self.ejected_until = None;
        }
        self.contrary_probes = if good == self.down { self.contrary_probes + 1 } else { 0 };
        if self.contrary_probes < limit {
            return false;
        }
        self.contrary_probes = 0;
        self.down = !good;
        self.written_off |= self.down && active.never_fails_back();
        self.down
    }

    /// Takes the endpoint out until `until`, whatever probes say.
    pub(crate) fn put_away(&mut self, until: Instant) {
        self.put_away_until = Some(until);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const HONEST: fn() -> Active = Active::default;

    #[test]
    fn failures_in_a_row_eject_for_a_while() {
        let (mut health, now) = (Health::default(), Instant::now());
        let until = now + Duration::from_secs(1);
        assert!(!health.request_failed(2, until, HONEST()));
        health.request_succeeded();
        assert!(!health.request_failed(2, until, HONEST()));
        assert!(health.usable(now));
        assert!(health.request_failed(2, until, HONEST()));
        assert!(!health.usable(now));
        assert!(health.usable(until));
    }

    #[test]
    fn good_probes_end_an_ejection_early() {
        let (mut health, now) = (Health::default(), Instant::now());
        health.probed(true, 2, HONEST());
        health.probed(true, 2, HONEST());
        health.request_failed(1, now + Duration::from_secs(60), HONEST());
        health.probed(true, 2, HONEST());
        assert!(!health.usable(now));
        health.probed(true, 2, HONEST());
        assert!(health.usable(now));
    }

    #[test]
    fn probes_mark_down_and_up_after_a_streak() {
        let (mut health, now) = (Health::default(), Instant::now());
        let mut probe = |good| {
            health.probed(good, 2, HONEST());
            health.usable(now)
        };
        assert!(probe(false));
        assert!(probe(true));
        assert!(probe(false));
        assert!(!probe(false));
        assert!(!probe(true));
        assert!(!probe(false));
        assert!(!probe(true));
        assert!(probe(true));
    }

    #[test]
    fn no_limit_means_no_ejection() {
        let (mut health, now) = (Health::default(), Instant::now());
        for _ in 0..100 {
            assert!(!health.request_failed(0, now + Duration::from_secs(1), HONEST()));
        }
        assert!(health.usable(now));
    }
}
