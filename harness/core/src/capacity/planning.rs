//! Arithmetic on measured capacity: what is left, what is lost, how many are needed.

use serde::{Deserialize, Serialize};

/// How much more than the peak can be carried: capacity / peak - 1. Below zero the peak does not fit. With the capacity
/// measured while one upstream or gateway is gone, this is the N-1 headroom.
pub fn headroom(capacity: f64, peak: f64) -> f64 {
    capacity / peak - 1.0
}

/// The share of its capacity that each of `count` may use so that the others can take over from one: (N - 1) / N.
pub fn utilisation_cap(count: u32) -> f64 {
    f64::from(count.saturating_sub(1)) / f64::from(count.max(1))
}

/// The share of the goodput at capacity that is left under a load beyond it. A server that sheds well keeps it near 1
/// (Google, "Site Reliability Engineering", chapter 22: test until it breaks, and see how).
pub fn retention(goodput_beyond: f64, goodput_at_capacity: f64) -> f64 {
    goodput_beyond / goodput_at_capacity
}

/// How many instances a target rate needs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// That carry the target, each at its measured lower bound.
    pub carrying: u32,
    /// To run, so that enough are left when one site with its share of them is gone.
    pub running: u32,
    /// The share of its capacity that each uses while all run.
    pub utilisation: f64,
}

/// The instances that `target` requests per second need, when each carries `each` in the state that is planned for (for "a
/// region is down": the lower bound of that case), `sites` hold them evenly, and one site may be lost. One site means
/// that nothing is kept for its loss. `None` without a capacity, or when the number is beyond sense.
pub fn fleet(target: f64, each: f64, sites: u32) -> Option<Fleet> {
    let carrying = (target / each).ceil().max(1.0);
    if !(each > 0.0 && target > 0.0 && sites > 0 && carrying <= 1e6) {
        return None;
    }
    let carrying = carrying as u32;
    let left = |running: u32| if sites == 1 { running } else { running - running.div_ceil(sites) };
    let running = (carrying..).find(|running| left(*running) >= carrying)?;
    Some(Fleet { carrying, running, utilisation: target / (each * f64::from(running)) })
}

/// Little's law: what is in flight on average is the rate times the mean time each stays (Little, 1961). It holds for any
/// stable system, so a difference means that the window was not stationary or a number is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Little {
    /// In flight on average, as measured.
    pub in_flight: f64,
    /// As it follows from the rate and the mean time.
    pub expected: f64,
}

// === impl Little ===

impl Little {
    /// From measurements of one window: requests in flight on average, requests ended per second, and the mean time in
    /// seconds that they were in flight.
    pub fn of(in_flight: f64, rate: f64, mean_seconds: f64) -> Self {
        Self { in_flight, expected: rate * mean_seconds }
    }

    /// By what share the measured value differs from the expected one.
    pub fn off(&self) -> f64 {
        match self.expected > 0.0 {
            true => self.in_flight / self.expected - 1.0,
            false => {
                if self.in_flight > 0.0 {
                    f64::INFINITY
                } else {
                    0.0
                }
            }
        }
    }

    /// Whether the two agree within 5 %.
    pub fn holds(&self) -> bool {
        self.off().abs() <= 0.05
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_what_their_names_say() {
        assert_eq!(headroom(1_500.0, 1_000.0), 0.5);
        assert!(headroom(800.0, 1_000.0) < 0.0);
        assert_eq!((utilisation_cap(4), utilisation_cap(1), utilisation_cap(0)), (0.75, 0.0, 0.0));
        assert_eq!(retention(450.0, 500.0), 0.9);
    }

    #[test]
    fn a_fleet_carries_its_target_with_a_site_gone() {
        let of =
            |target, each, sites| fleet(target, each, sites).map(|fleet| (fleet.carrying, fleet.running));
        assert_eq!(of(1_000.0, 300.0, 1), Some((4, 4)));
        // Six in three sites: four are left.
        assert_eq!(of(1_000.0, 300.0, 3), Some((4, 6)));
        assert_eq!(of(1_000.0, 300.0, 2), Some((4, 8)));
        assert_eq!(of(900.0, 300.0, 1), Some((3, 3)));
        assert_eq!(of(1.0, 300.0, 2), Some((1, 2)));
        for (target, each, sites) in [(1_000.0, 0.0, 1), (0.0, 300.0, 1), (1_000.0, 300.0, 0), (1e12, 1.0, 2)]
        {
            assert_eq!(fleet(target, each, sites), None);
        }
        assert_eq!(fleet(1_000.0, 250.0, 2).unwrap().utilisation, 0.5);
    }

    #[test]
    fn littles_law_tells_a_stable_window_from_a_broken_one() {
        assert!(Little::of(10.2, 1_000.0, 0.010).holds());
        let growing = Little::of(14.0, 1_000.0, 0.010);
        assert!(!growing.holds() && (growing.off() - 0.4).abs() < 1e-9);
        assert!(Little::of(0.0, 0.0, 0.0).holds());
        assert!(!Little::of(3.0, 0.0, 0.0).holds(), "requests are in flight and none ever ends");
    }
}
