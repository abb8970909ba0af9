//! Which object a request is for: a keyed draw turned into an index.

use std::sync::Arc;

use gatecrash_model::{draw, hash};

/// How keys are picked from a population.
#[derive(Clone, PartialEq, Debug)]
pub enum KeyLaw {
    /// All alike.
    Uniform,
    /// Object n with a weight of 1 / (n + 1)^s; s > 0, s = 1 is the classic law. Object 0 is the most
    /// popular.
    Zipf(f64),
    /// Object k mod count for arrival k.
    Sequential,
    /// A share of the requests goes to the first objects, the rest to all others; alike within both.
    HotSet {
        /// Share of the objects that are hot, 0 to 1; at least one is.
        keys: f64,
        /// Share of the requests that are for them, 0 to 1.
        share: f64,
    },
    /// Some objects, each with its weight.
    Weighted(Arc<Weights>),
}

/// Objects with weights: a draw is one binary search.
#[derive(Clone, PartialEq, Debug)]
pub struct Weights {
    /// Objects, each with the sum of the weights up to its own.
    up_to: Box<[(u32, f64)]>,
}

impl KeyLaw {
    /// The object of arrival `k` among `count`, decided by `key` (a hash of its identity). 0 when there are
    /// none.
    pub fn pick(&self, key: u64, k: u32, count: u32) -> u32 {
        match self {
            _ if count <= 1 => 0,
            Self::Uniform => below(key, count),
            Self::HotSet { keys, share } => {
                let hot = ((f64::from(count) * *keys).round() as u32).clamp(1, count);
                let within = hash::combine(&[key, 1]);
                match draw::fires(key, *share) || hot == count {
                    true => below(within, hot),
                    false => hot + below(within, count - hot),
                }
            }
            Self::Zipf(s) => zipf(key, count, *s),
            Self::Sequential => k % count,
            Self::Weighted(weights) => weights.pick(key),
        }
    }
}

// === impl Weights ===

impl Weights {
    /// Objects with weights of at least 0, which need not add up to 1.
    pub fn new(weights: &[(u32, f64)]) -> Self {
        let mut sum = 0.0;
        let mut add = |(object, weight): &(u32, f64)| {
            sum += weight;
            (*object, sum)
        };
        Self { up_to: weights.iter().map(&mut add).collect() }
    }

    fn pick(&self, key: u64) -> u32 {
        let Some((last, total)) = self.up_to.last() else { return 0 };
        let at = draw::unit(key) * total;
        let place = self.up_to.partition_point(|(_, sum)| *sum <= at);
        self.up_to.get(place).map_or(*last, |(object, _)| *object)
    }
}

/// A number below `count`, all alike.
fn below(key: u64, count: u32) -> u32 {
    ((u128::from(key) * u128::from(count)) >> 64) as u32
}

/// Rejection from the continuous law above the discrete one (Devroye 1986, X.6.1); a draw needs 1.2 tries or
/// so.
fn zipf(key: u64, count: u32, s: f64) -> u32 {
    let n = f64::from(count);
    let log = (s - 1.0).abs() < 1e-9;
    let area = if log { 1.0 + n.ln() } else { (n.powf(1.0 - s) - s) / (1.0 - s) };
    for round in 0..64 {
        let at = draw::unit(hash::combine(&[key, 2 * round])) * area;
        let x = match () {
            () if at <= 1.0 => at,
            () if log => (at - 1.0).exp(),
            () => (at * (1.0 - s) + s).powf(1.0 / (1.0 - s)),
        };
        let rank = (x + 1.0).floor().min(n);
        let ratio = rank.powf(-s) * if rank > 1.0 { x.powf(s) } else { 1.0 };
        if draw::unit(hash::combine(&[key, 2 * round + 1])) < ratio {
            return rank as u32 - 1;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_obeyed_and_what_has_none_is_left_out() {
        let law = KeyLaw::Weighted(Arc::new(Weights::new(&[(7, 1.0), (2, 0.0), (0, 3.0)])));
        let hits = histogram(law, 10, 100_000);
        let sigma = (100_000f64 * 0.75 * 0.25).sqrt();
        assert!((hits[0] - 75_000.0).abs() < 4.5 * sigma, "{}", hits[0]);
        assert_eq!((hits[0] + hits[7], hits[2]), (100_000.0, 0.0));
    }

    fn histogram(law: KeyLaw, count: u32, draws: u32) -> Vec<f64> {
        let mut hits = vec![0f64; count as usize];
        for k in 0..draws {
            hits[law.pick(hash::combine(&[3, u64::from(k)]), k, count) as usize] += 1.0;
        }
        hits
    }

    #[test]
    fn a_hot_set_has_its_share_and_the_rest_the_rest() {
        let (count, draws) = (1000, 200_000);
        let hits = histogram(KeyLaw::HotSet { keys: 0.01, share: 0.9 }, count, draws);
        let hot: f64 = hits[..10].iter().sum();
        let sigma = (f64::from(draws) * 0.9 * 0.1).sqrt();
        assert!((hot - 180_000.0).abs() < 4.0 * sigma, "{hot}");
        // 18,000 requests for each hot key, 20 for each other one.
        assert!(
            hits[..10].iter().all(|h| (h - 18_000.0).abs() < 5.0 * 18_000f64.sqrt()),
            "{:?}",
            &hits[..10]
        );
        assert!(hits[10..].iter().all(|h| (h - 20_000.0 / 990.0).abs() < 6.0 * 4.5), "some cold key");
        let one = histogram(KeyLaw::HotSet { keys: 0.0, share: 1.0 }, 50, 100);
        assert_eq!(one[0], 100.0, "one key is hot at least");
        let all = histogram(KeyLaw::HotSet { keys: 1.0, share: 0.5 }, 5, 100);
        assert_eq!(all.iter().sum::<f64>(), 100.0);
    }

    #[test]
    fn zipf_follows_its_weights() {
        for s in [0.8, 1.0, 1.1, 2.0] {
            let (count, draws) = (50, 200_000);
            let hits = histogram(KeyLaw::Zipf(s), count, draws);
            let total: f64 = (1..=count).map(|n| f64::from(n).powf(-s)).sum();
            for (n, hit) in hits.iter().enumerate() {
                let share = (n as f64 + 1.0).powf(-s) / total;
                let sigma = (f64::from(draws) * share * (1.0 - share)).sqrt();
                assert!((hit - f64::from(draws) * share).abs() < 4.5 * sigma, "s={s} object {n}: {hit}");
            }
        }
    }

    #[test]
    fn uniform_reaches_every_object_alike() {
        let hits = histogram(KeyLaw::Uniform, 20, 200_000);
        let sigma = (200_000f64 * 0.05 * 0.95).sqrt();
        assert!(hits.iter().all(|h| (h - 10_000.0).abs() < 4.5 * sigma), "{hits:?}");
    }

    #[test]
    fn sequential_walks_round() {
        let picks: Vec<u32> = (0..7).map(|k| KeyLaw::Sequential.pick(99, k, 3)).collect();
        assert_eq!(picks, [0, 1, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn tiny_populations_have_one_answer() {
        for law in [KeyLaw::Uniform, KeyLaw::Zipf(1.1), KeyLaw::Sequential] {
            assert_eq!((law.pick(u64::MAX, 9, 0), law.pick(u64::MAX, 9, 1)), (0, 0));
        }
    }
}
