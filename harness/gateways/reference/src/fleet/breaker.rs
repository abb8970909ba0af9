//! The circuit breaker of one region: closed, open, half open.

use std::time::Duration;

use tokio::time::Instant;

use crate::config;
use crate::defects::Active;

#[derive(Debug)]
pub(crate) struct Breaker {
    rules: config::Breaker,
    active: Active,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// With failures in a row so far.
    Closed(u32),
    /// Until then.
    Open(Instant),
    /// Attempts it may still let through, those that were well, and when it may let through as many again:
    /// results that never come must not keep it here.
    HalfOpen { left: u32, well: u32, renewed: Instant },
}

// === impl Breaker ===

impl Breaker {
    pub(crate) fn new(rules: config::Breaker, active: Active) -> Self {
        Self { rules, active, state: State::Closed(0) }
    }

    /// Whether an attempt may go out now; one that may counts.
    pub(crate) fn admits(&mut self, now: Instant) -> bool {
        let half_open = State::HalfOpen { left: self.rules.probes, well: 0, renewed: now + self.open_time() };
        self.state = match self.state {
            State::Open(until) if now >= until && !self.active.never_closes_breakers() => half_open,
            State::HalfOpen { left: 0, renewed, .. } if now >= renewed => half_open,
            state => state,
        };
        match &mut self.state {
            State::Closed(_) => true,
            State::Open(_) => self.active.calls_through_open_breakers(),
            State::HalfOpen { .. } if self.active.floods_half_open_breakers() => true,
            State::HalfOpen { left, .. } => {
                let some = *left > 0;
                *left = left.saturating_sub(1);
                some
            }
        }
    }

    /// When an open one will be half open; `None` when it is not open.
    pub(crate) fn open_until(&self) -> Option<Instant> {
        if let State::Open(until) = self.state { Some(until) } else { None }
    }

    pub(crate) fn succeeded(&mut self) {
        self.state = match self.state {
            State::Closed(_) => State::Closed(0),
            State::HalfOpen { well, .. } if well + 1 >= self.rules.probes => State::Closed(0),
            State::HalfOpen { left, well, renewed } => State::HalfOpen { left, well: well + 1, renewed },
            // Asked before it opened.
            State::Open(until) => State::Open(until),
        };
    }

    pub(crate) fn failed(&mut self, now: Instant) {
        self.state = match self.state {
            State::Closed(failed) if failed + 1 < self.rules.failures => State::Closed(failed + 1),
            State::Closed(_) | State::HalfOpen { .. } => State::Open(now + self.open_time()),
            State::Open(until) => State::Open(until),
        };
    }

    fn open_time(&self) -> Duration {
        Duration::from_millis(self.rules.open_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: config::Breaker = config::Breaker { failures: 3, open_ms: 1000, probes: 2 };

    fn opened(now: Instant) -> Breaker {
        let mut breaker = Breaker::new(RULES, Active::default());
        for _ in 0..3 {
            assert!(breaker.admits(now));
            breaker.failed(now);
        }
        breaker
    }

    fn admitted(breaker: &mut Breaker, now: Instant) -> usize {
        (0..10).filter(|_| breaker.admits(now)).count()
    }

    #[test]
    fn failures_in_a_row_open_it() {
        let now = Instant::now();
        let mut breaker = Breaker::new(RULES, Active::default());
        for _ in 0..5 {
            breaker.failed(now);
            breaker.failed(now);
            breaker.succeeded();
        }
        assert_eq!(admitted(&mut breaker, now), 10);
        assert_eq!(admitted(&mut opened(now), now + Duration::from_millis(999)), 0);
    }

    #[test]
    fn half_open_it_lets_as_many_through_as_it_needs() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let later = now + Duration::from_secs(1);
        assert_eq!(admitted(&mut breaker, later), 2);
        breaker.succeeded();
        assert_eq!(admitted(&mut breaker, later), 0);
        breaker.succeeded();
        assert_eq!(admitted(&mut breaker, later), 10);
    }

    #[test]
    fn a_failed_probe_opens_it_again() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let later = now + Duration::from_secs(1);
        assert_eq!(admitted(&mut breaker, later), 2);
        breaker.succeeded();
        breaker.failed(later);
        assert_eq!(admitted(&mut breaker, later + Duration::from_millis(999)), 0);
        assert_eq!(admitted(&mut breaker, later + Duration::from_secs(1)), 2);
    }

    #[test]
    fn probes_without_result_do_not_keep_it_half_open() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let later = now + Duration::from_secs(1);
        assert_eq!(admitted(&mut breaker, later), 2);
        assert_eq!(admitted(&mut breaker, later + Duration::from_secs(1)), 2);
    }
}
