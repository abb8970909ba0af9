//! What silence proves: whether a defect that touches few requests had enough of them to show.

use crate::units::Share;

/// Silence this unlikely is the check's fault, not chance's.
const CHANCE: f64 = 0.05;

/// How many requests could show a defect, and how many of them it touched on average.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Power {
    /// Requests that show it when it touches all of them.
    pub requests: u64,
    /// Of those, how many it touches at the rate.
    pub expected: f64,
    /// Probability that it touches none.
    pub none: f64,
}

impl Power {
    /// Of so many requests, each touched with the same probability on its own.
    pub fn of(requests: u64, rate: Share) -> Self {
        let none = (1.0 - rate.0).powf(requests as f64);
        Self { requests, expected: requests as f64 * rate.0, none }
    }

    /// Whether silence means that the check missed it: chance alone would hardly keep it from all of them.
    pub fn suffices(self) -> bool {
        self.none <= CHANCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_percent_needs_three_hundred_requests() {
        assert!(!Power::of(298, Share(0.01)).suffices());
        assert!(Power::of(299, Share(0.01)).suffices());
        assert!(!Power::of(0, Share(1.0)).suffices());
        assert!(Power::of(1, Share(1.0)).suffices());
        assert_eq!(Power::of(80, Share(0.01)).expected, 0.8);
    }
}
