//! The retry budget: a token bucket that keeps retries a small share of the load.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::config::RetryBudget;

#[derive(Debug)]
pub(crate) struct Budget {
    rules: RetryBudget,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: f64,
    at: Instant,
    /// What the last retry cost that was granted, until something is well.
    held: Option<f64>,
}

// === impl Budget ===

impl Budget {
    /// A full bucket.
    pub(crate) fn new(rules: RetryBudget, now: Instant) -> Self {
        Self { rules, state: Mutex::new(State { tokens: rules.burst, at: now, held: None }) }
    }

    /// What the rules give for a request, or for one that was well, was earned.
    pub(crate) fn deposit(&self, now: Instant) {
        self.change(now, |state| {
            state.tokens += self.rules.ratio;
            true
        });
    }

    /// Asks for one retry at this cost.
    pub(crate) fn withdraw(&self, now: Instant, cost: f64) -> bool {
        self.change(now, |state| {
            let granted = state.tokens >= cost;
            if granted {
                state.tokens -= cost;
                state.held = Some(cost);
            }
            granted
        })
    }

    /// What the SDK for Rust does for whatever is well: gives back what its last retry cost, if nothing was well since,
    /// else what is earned. All requests of its client share that one place, so that retries that overlap lose tokens.
    pub(crate) fn give_back(&self, now: Instant) {
        self.change(now, |state| {
            state.tokens += state.held.take().unwrap_or(self.rules.ratio);
            true
        });
    }

    /// Gives back what a retry cost.
    pub(crate) fn refund(&self, now: Instant, cost: f64) {
        self.change(now, |state| {
            state.tokens += cost;
            true
        });
    }

    /// Whether somebody panicked while the books were open.
    pub(crate) fn is_poisoned(&self) -> bool {
        self.state.is_poisoned()
    }

    /// What the poisoning defect does: dies with the books open.
    pub(crate) fn die_inside(&self) -> ! {
        let _open = self.state.lock();
        panic!("invalid response");
    }

    fn change(&self, now: Instant, change: impl FnOnce(&mut State) -> bool) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.saturating_duration_since(state.at).as_secs_f64();
        state.at = state.at.max(now);
        state.tokens += passed * self.rules.min_per_second;
        // A burst below 1 still lets a whole token gather.
        let most = self.rules.burst.max(1.0);
        state.tokens = state.tokens.min(most);
        let result = change(&mut state);
        state.tokens = state.tokens.min(most);
        result
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn granted(budget: &Budget, wanted: usize, now: Instant) -> usize {
        (0..wanted).filter(|_| budget.withdraw(now, 1.0)).count()
    }

    #[test]
    fn the_burst_is_there_at_once_and_no_more() {
        let now = Instant::now();
        let budget = Budget::new(
            RetryBudget { ratio: 0.2, min_per_second: 3.0, burst: 10.0, ..RetryBudget::default() },
            now,
        );
        assert_eq!(granted(&budget, 100, now), 10);
    }

    #[test]
    fn requests_and_seconds_earn_retries() {
        let now = Instant::now();
        let budget = Budget::new(
            RetryBudget { ratio: 0.25, min_per_second: 3.0, burst: 10.0, ..RetryBudget::default() },
            now,
        );
        granted(&budget, 10, now);
        for _ in 0..8 {
            budget.deposit(now);
        }
        assert_eq!(granted(&budget, 100, now), 2);
        assert_eq!(granted(&budget, 100, now + Duration::from_secs(2)), 6);
        assert_eq!(granted(&budget, 100, now + Duration::from_secs(60)), 10);
    }

    #[test]
    fn retries_that_overlap_lose_what_they_cost() {
        let now = Instant::now();
        let rules = RetryBudget { ratio: 1.0, min_per_second: 0.0, burst: 30.0, ..RetryBudget::default() };
        let tokens = |budget: &Budget| granted(budget, 100, now);
        let one_by_one = Budget::new(rules, now);
        for _ in 0..50 {
            assert!(one_by_one.withdraw(now, 10.0));
            one_by_one.give_back(now);
        }
        assert_eq!(tokens(&one_by_one), 30);
        let at_once = Budget::new(rules, now);
        assert!(at_once.withdraw(now, 10.0) && at_once.withdraw(now, 10.0));
        at_once.give_back(now);
        at_once.give_back(now);
        assert_eq!(tokens(&at_once), 30 - 20 + 10 + 1);
    }

    #[test]
    fn a_budget_of_nothing_grants_nothing() {
        let now = Instant::now();
        let budget = Budget::new(
            RetryBudget { ratio: 0.0, min_per_second: 0.0, burst: 0.0, ..RetryBudget::default() },
            now,
        );
        budget.deposit(now);
        assert_eq!(granted(&budget, 100, now + Duration::from_secs(60)), 0);
    }
}
