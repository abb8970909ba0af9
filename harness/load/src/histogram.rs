//! A small concurrent histogram of microseconds, for progress views and health; verdicts use the records
//! themselves.

use std::sync::atomic::{AtomicU64, Ordering};

/// Buckets for each doubling: a value is at most 1/8 above the bucket's lower end.
const STEPS: u32 = 8;
const BUCKETS: usize = (33 * STEPS) as usize;

/// Counts values from many threads.
pub struct Histogram {
    counts: [AtomicU64; BUCKETS],
}

/// The counts at one instant.
#[derive(Clone, PartialEq, Eq)]
pub struct Counts([u64; BUCKETS]);

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [const { AtomicU64::new(0) }; BUCKETS] }
    }
}

impl Histogram {
    /// Counts a value, us.
    pub fn add(&self, micros: u64) {
        self.counts[bucket(micros)].fetch_add(1, Ordering::Relaxed);
    }

    /// The counts so far.
    pub fn counts(&self) -> Counts {
        Counts(std::array::from_fn(|n| self.counts[n].load(Ordering::Relaxed)))
    }
}

impl Counts {
    /// The value that `share` (0 to 1) of all values do not exceed, to 1/8 above, us; `None` without values.
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let rank = (share.clamp(0.0, 1.0) * self.total() as f64).ceil().max(1.0) as u64;
        let mut sum = 0;
        let holds = |count: &u64| {
            sum += count;
            sum >= rank
        };
        self.0.iter().position(holds).map(upper)
    }

    /// How many values there are.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// What was added since `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        Self(std::array::from_fn(|n| self.0[n].saturating_sub(earlier.0[n])))
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

impl std::fmt::Debug for Histogram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.counts().fmt(f)
    }
}

impl std::fmt::Debug for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} values, p50 {:?}, p99 {:?}", self.total(), self.quantile(0.5), self.quantile(0.99))
    }
}

/// Values below 8 have a bucket each; above, the three bits after the highest one choose.
fn bucket(micros: u64) -> usize {
    if micros < u64::from(STEPS) {
        return micros as usize;
    }
    let high = micros.ilog2();
    let step = (micros >> (high - 3)) & u64::from(STEPS - 1);
    (((high - 2) * STEPS) as usize + step as usize).min(BUCKETS - 1)
}

/// The largest value of a bucket.
fn upper(bucket: usize) -> u64 {
    if bucket < STEPS as usize {
        return bucket as u64;
    }
    let (octave, step) = (bucket as u32 / STEPS, bucket as u64 % u64::from(STEPS));
    ((u64::from(STEPS) + step + 1) << (octave - 1)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_an_eighth() {
        let histogram = Histogram::default();
        (1..=10_000).for_each(|micros| histogram.add(micros));
        for share in [0.01, 0.5, 0.9, 0.99, 1.0] {
            let (found, truth) = (histogram.counts().quantile(share).unwrap() as f64, share * 10_000.0);
            assert!((truth..=truth * 1.125 + 1.0).contains(&found), "{share}: {found}");
        }
    }

    #[test]
    fn buckets_touch_without_overlap() {
        for n in 0..BUCKETS - 1 {
            assert_eq!((bucket(upper(n)), bucket(upper(n) + 1)), (n, n + 1));
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn nothing_has_no_quantile_and_differences_work() {
        let histogram = Histogram::default();
        assert_eq!(histogram.counts().quantile(0.5), None);
        histogram.add(5);
        let before = histogram.counts();
        histogram.add(7);
        assert_eq!(histogram.counts().since(&before).quantile(0.5), Some(7));
    }
}
