//! Percentiles by nearest rank: always a value that was measured.

/// The `q`-quantile (0.0 to 1.0) of sorted values: the smallest that at least that share is not above.
pub fn nearest_rank(sorted: &[u64], q: f64) -> Option<u64> {
    let rank = (q * sorted.len() as f64 - 1e-9).ceil().max(1.0) as usize;
    sorted.get(rank.min(sorted.len()).checked_sub(1)?).copied()
}

/// Least samples for a quantile to mean anything: ten of them beyond it.
pub fn required_samples(q: f64) -> u64 {
    if q >= 1.0 { 1 } else { (10.0 / (1.0 - q) - 1e-6).ceil() as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rank_is_one_of_the_values() {
        let hundred: Vec<u64> = (1..=100).collect();
        let table = [(0.0, 1), (0.5, 50), (0.9, 90), (0.99, 99), (0.999, 100), (1.0, 100)];
        for (q, value) in table {
            assert_eq!(nearest_rank(&hundred, q), Some(value), "{q}");
        }
        assert_eq!(nearest_rank(&[7], 0.5), Some(7));
        assert_eq!(nearest_rank(&[], 0.5), None);
    }

    #[test]
    fn ten_samples_lie_beyond() {
        assert_eq!([0.5, 0.9, 0.99, 0.999, 1.0].map(required_samples), [20, 100, 1_000, 10_000, 1]);
    }
}
