//! The statistics of repeated runs: spread, ratio of medians with its interval, and what chance explains.
//!
//! The bootstrap is exact: how likely each median of a resample is follows from the binomial law, so that nothing has to be
//! drawn and the same runs give the same interval.

use serde::Serialize;

/// Up to so many values, the median of an even number is the mean of the two in the middle in the bootstrap too; of more
/// values the lower of the two stands for it, which makes no difference any more.
const FEW: usize = 16;

/// Least, median and greatest of some values.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Range {
    /// The least.
    pub min: f64,
    /// The median; of an even number of values the mean of the two in the middle.
    pub median: f64,
    /// The greatest.
    pub max: f64,
}

/// How many times as much one side is as the other, with the interval that its noise leaves open.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Ratio {
    /// Ratio of the medians.
    pub of: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Range {
    /// Of these values; `None` of none, or of what is no number.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        (min.is_finite() && max.is_finite()).then(|| Self { min, median: middle(&sorted), max })
    }
}

impl Ratio {
    /// Ratio of the medians of repeated runs, with the two-sided percentile interval of the bootstrap that leaves out a
    /// share of `alpha`. `None` where a side has no runs or the first has values that are not above zero.
    pub fn of_medians(was: &[f64], is: &[f64], alpha: f64) -> Option<Self> {
        let (before, after) = (Range::of(was)?, Range::of(is)?);
        if before.min <= 0.0 {
            return None;
        }
        let (was, is) = (medians(was), medians(is));
        let mut ratios: Vec<(f64, f64)> = is
            .iter()
            .flat_map(|(value, p)| was.iter().map(move |(other, q)| (value / other, p * q)))
            .collect();
        ratios.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let (low, high) = (end(ratios.iter(), alpha)?, end(ratios.iter().rev(), alpha)?);
        Some(Self { of: after.median / before.median, low, high })
    }
}

/// The first value from one end on that is not in the outermost half of `alpha`.
fn end<'a>(mut from_there: impl Iterator<Item = &'a (f64, f64)>, alpha: f64) -> Option<f64> {
    let mut beyond = 0.0;
    let found = from_there.find(|(_, probability)| {
        beyond += probability;
        beyond > alpha / 2.0
    });
    found.map(|(ratio, _)| *ratio)
}

/// Every median that a resample of these values can have, with its probability.
fn medians(values: &[f64]) -> Vec<(f64, f64)> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    let share = |count: usize| count as f64 / n as f64;
    let rank = n.div_ceil(2);
    // That the value of this rank in a resample is the i-th of all, counted from 1.
    let at = |i: usize| at_least(rank, n, share(i)) - at_least(rank, n, share(i - 1));
    if n % 2 == 1 || n > FEW {
        return (1..=n).map(|i| (sorted[i - 1], at(i))).collect();
    }
    let mut out = Vec::new();
    for i in 1..=n {
        let mut apart = 0.0;
        for j in i + 1..=n {
            // Half of the resample is up to the i-th, the greatest of it the i-th; the other half from the j-th on.
            let half = rank as i32;
            let lower = share(i).powi(half) - share(i - 1).powi(half);
            let upper = share(n - j + 1).powi(half) - share(n - j).powi(half);
            let both = choices(n, rank) * lower * upper;
            out.push((f64::midpoint(sorted[i - 1], sorted[j - 1]), both));
            apart += both;
        }
        out.push((sorted[i - 1], at(i) - apart));
    }
    out
}

/// Probability of at least `least` successes in `n` trials.
fn at_least(least: usize, n: usize, p: f64) -> f64 {
    let exactly = |m: usize| choices(n, m) * p.powi(m as i32) * (1.0 - p).powi((n - m) as i32);
    (least..=n).map(exactly).sum()
}

/// Ways to choose `m` of `n`.
fn choices(n: usize, m: usize) -> f64 {
    (0..m).map(|i| (n - i) as f64 / (m - i) as f64).product()
}

/// How likely it is that all of `seen` occurrences fall on one side of two by chance alone: on the side with `own`
/// exchanges, while the other has `others`.
pub fn by_chance(seen: u64, own: u64, others: u64) -> f64 {
    let share = own as f64 / (own + others).max(1) as f64;
    share.powi(i32::try_from(seen).unwrap_or(i32::MAX))
}

fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_of_what_was_measured() {
        let range = |values: &[f64]| Range::of(values).map(|r| (r.min, r.median, r.max));
        assert_eq!(range(&[3.0, 1.0, 2.0]), Some((1.0, 2.0, 3.0)));
        assert_eq!(range(&[4.0, 1.0, 2.0, 3.0]), Some((1.0, 2.5, 4.0)));
        assert_eq!((range(&[]), range(&[f64::NAN])), (None, None));
    }

    #[test]
    fn medians_of_resamples_are_what_counting_all_of_them_gives() {
        for n in 1..=6_usize {
            let values: Vec<f64> = (1..=n as u32).map(|v| f64::from(v * v)).collect();
            let mut counted = std::collections::BTreeMap::<u64, f64>::new();
            let all = n.pow(n as u32);
            for code in 0..all {
                let mut draw: Vec<f64> = (0..n as u32).map(|k| values[code / n.pow(k) % n]).collect();
                draw.sort_by(f64::total_cmp);
                *counted.entry(middle(&draw).to_bits()).or_default() += 1.0 / all as f64;
            }
            let mut told = std::collections::BTreeMap::<u64, f64>::new();
            medians(&values).iter().for_each(|(v, p)| *told.entry(v.to_bits()).or_default() += p);
            assert_eq!(told.len(), counted.len(), "{n}");
            for (median, share) in counted {
                assert!((told[&median] - share).abs() < 1e-9, "{n}: {}", f64::from_bits(median));
            }
        }
        let sum: f64 = medians(&[1.0; 40]).iter().map(|(_, p)| p).sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }

    #[test]
    fn an_interval_holds_the_ratio_and_shrinks_with_what_it_may_leave_out() {
        let (was, is) = ([10.0, 11.0, 10.5, 9.8, 10.2], [20.0, 22.0, 21.0, 19.6, 20.4]);
        let wide = Ratio::of_medians(&was, &is, 0.001).unwrap();
        let narrow = Ratio::of_medians(&was, &is, 0.2).unwrap();
        assert!((wide.of - 2.0).abs() < 1e-9);
        assert!(wide.low < narrow.low && narrow.low < 2.0 && 2.0 < narrow.high && narrow.high < wide.high);
        // The outermost that resampling can give.
        assert_eq!((wide.low, wide.high), (19.6 / 11.0, 22.0 / 9.8));
        assert_eq!(Ratio::of_medians(&[0.0], &is, 0.05), None);
        assert_eq!(Ratio::of_medians(&[], &is, 0.05), None);
    }

    #[test]
    fn one_occurrence_is_chance_and_many_are_not() {
        assert!((by_chance(1, 100, 100) - 0.5).abs() < 1e-12);
        assert!(by_chance(7, 100, 100) < 0.01);
        assert!(by_chance(3, 300, 100) > 0.4);
    }
}
