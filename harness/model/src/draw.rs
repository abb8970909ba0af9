//! Keyed draws: chance decided by identity, not by order.
//!
//! A draw is a hash of (seed, fault, identity). Scheduling, retries of neighbours and the number of threads cannot
//! change it, a seed replays it, and the judge can recompute it afterwards.

use crate::hash;
use crate::ids::RequestId;

/// What a probability is "per".
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum DrawKey {
    /// One upstream try of one request: a retry draws again.
    Attempt {
        /// The client request, packed.
        request: u64,
        /// 1 for the first try seen upstream.
        attempt: u8,
    },
    /// A client request: all its tries share the draw.
    Request(RequestId),
    /// A connection to a link. Connection numbers depend on timing: not replayable one by one.
    Connection {
        /// Link index.
        link: u8,
        /// Connection number on it.
        conn: u32,
    },
    /// An object: all requests for it share the draw.
    Key(u64),
}

/// The draw of `fault` (a hash of its name) for `key`: uniform over all of `u64`.
pub fn draw(seed: u64, fault: u64, key: DrawKey) -> u64 {
    let (kind, a, b) = match key {
        DrawKey::Attempt { request, attempt } => (1, request, u64::from(attempt)),
        DrawKey::Request(id) => (2, id.pack(), 0),
        DrawKey::Connection { link, conn } => (3, u64::from(link), u64::from(conn)),
        DrawKey::Key(key) => (4, key, 0),
    };
    hash::combine(&[seed, fault, kind, a, b])
}

/// Whether a draw fires at `share` (0.0 to 1.0). 1.0 always fires, 0.0 never.
pub fn fires(draw: u64, share: f64) -> bool {
    share >= 1.0 || unit(draw) < share
}

/// A draw as a number in [0, 1).
pub fn unit(draw: u64) -> f64 {
    (draw >> 11) as f64 / (1u64 << 53) as f64
}

/// A lognormal law by two of its quantiles.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Lognormal {
    median: f64,
    sigma: f64,
}

/// The standard normal quantile at 0.99.
const Z99: f64 = 2.326_347_874_040_841;

impl Lognormal {
    /// The law with this median and 99th percentile, in any unit; equal ones are a constant.
    pub fn of_quantiles(p50: f64, p99: f64) -> Self {
        Self { median: p50, sigma: (p99.max(1.0) / p50.max(1.0)).ln().max(0.0) / Z99 }
    }

    /// The value of a draw.
    pub fn at(self, draw: u64) -> f64 {
        let radius = (-2.0 * (1.0 - unit(draw)).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * unit(hash::mix(draw))).cos();
        self.median * (self.sigma * normal).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequency_matches_the_share() {
        for share in [0.01, 0.2, 0.5, 0.9] {
            let n = 200_000u32;
            let hits = (0..n)
                .filter(|k| {
                    let request = RequestId { workload: 0, k: *k }.pack();
                    fires(draw(7, 99, DrawKey::Attempt { request, attempt: 1 }), share)
                })
                .count() as f64;
            let sigma = (f64::from(n) * share * (1.0 - share)).sqrt();
            assert!((hits - f64::from(n) * share).abs() < 4.0 * sigma, "{share}: {hits}");
        }
    }

    #[test]
    fn the_ends_are_exact() {
        assert!(fires(u64::MAX, 1.0));
        assert!(!fires(0, 0.0));
    }

    #[test]
    fn a_retry_draws_again_and_a_request_does_not() {
        let request = RequestId { workload: 0, k: 5 };
        let attempt = |n| draw(1, 2, DrawKey::Attempt { request: request.pack(), attempt: n });
        assert_ne!(attempt(1), attempt(2));
        assert_eq!(draw(1, 2, DrawKey::Request(request)), draw(1, 2, DrawKey::Request(request)));
    }
}
