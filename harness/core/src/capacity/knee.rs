//! Where a curve bends: Kneedle (Satopää, Albrecht, Irwin, Raghavan: "Finding a Kneedle in a Haystack", 2011) on an
//! increasing convex curve such as latency over offered rate, after monotone smoothing. A marker for people; nothing is
//! judged by it.

/// How many times a curve has to grow before a bend of it means anything.
const BENDS: f64 = 1.5;

/// The knee of a measured curve, after smoothing; `None` where it hardly rises, for noise bends everywhere.
pub fn bend(points: &[(f64, f64)]) -> Option<f64> {
    let (rates, values): (Vec<_>, Vec<_>) = points.iter().copied().unzip();
    let values = rising(&values);
    if *values.last()? < BENDS * values.first()? {
        return None;
    }
    knee(&rates.into_iter().zip(values).collect::<Vec<_>>())
}

/// A curve without its noise, as far as it has to rise: the monotone least squares fit (pool adjacent violators).
pub fn rising(values: &[f64]) -> Vec<f64> {
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for value in values {
        let mut pool = (*value, 1);
        while let Some((sum, count)) =
            pools.pop_if(|(sum, count)| *sum / *count as f64 > pool.0 / pool.1 as f64)
        {
            pool = (pool.0 + sum, pool.1 + count);
        }
        pools.push(pool);
    }
    pools.into_iter().flat_map(|(sum, count)| std::iter::repeat_n(sum / count as f64, count)).collect()
}

/// The abscissa of the knee of an increasing convex curve, with Kneedle's sensitivity 1; `None` when it does not bend.
/// Points are (x, y), x strictly increasing; at least three are needed.
pub fn knee(points: &[(f64, f64)]) -> Option<f64> {
    let (first, last) = (points.first()?, points.last()?);
    let least = points.iter().map(|point| point.1).fold(f64::INFINITY, f64::min);
    let most = points.iter().map(|point| point.1).fold(f64::NEG_INFINITY, f64::max);
    if points.len() < 3 || most <= least {
        return None;
    }
    // Upside down and from the right, an increasing convex curve is the increasing concave one of the paper.
    let from_right: Vec<(f64, f64)> = points
        .iter()
        .rev()
        .map(|(x, y)| (*x, (x - first.0) / (last.0 - first.0) - (y - least) / (most - least)))
        .collect();
    let step = 1.0 / (points.len() - 1) as f64;
    let (mut threshold, mut candidate) = (None, first.0);
    for (index, (x, distance)) in from_right.iter().enumerate() {
        let next = from_right.get(index + 1)?;
        let before = index.checked_sub(1).map_or(*distance, |before| from_right[before].1);
        if *distance >= before && *distance >= next.1 {
            (threshold, candidate) = (Some(distance - step), *x);
        }
        if *distance <= before && *distance <= next.1 {
            threshold = None;
        }
        if threshold.is_some_and(|threshold| next.1 < threshold) {
            return Some(candidate);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_keeps_what_rises_and_averages_what_does_not() {
        assert_eq!(rising(&[1.0, 2.0, 4.0]), [1.0, 2.0, 4.0]);
        assert_eq!(rising(&[1.0, 3.0, 2.0, 5.0]), [1.0, 2.5, 2.5, 5.0]);
        assert_eq!(rising(&[3.0, 2.0, 1.0]), [2.0, 2.0, 2.0]);
        assert!(rising(&[]).is_empty());
    }

    #[test]
    fn a_straight_or_flat_line_has_no_knee() {
        assert_eq!(knee(&[(1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (4.0, 4.0)]), None);
        assert_eq!(knee(&[(1.0, 5.0), (2.0, 5.0), (3.0, 5.0)]), None);
        assert_eq!(knee(&[(1.0, 5.0), (2.0, 9.0)]), None);
        assert_eq!(knee(&[]), None);
    }

    #[test]
    fn noise_does_not_bend() {
        let flat = [86.0, 79.0, 83.0, 80.0, 85.0, 77.0, 88.0, 82.0];
        let over = |values: &[f64]| {
            let points = values.iter().enumerate().map(|(n, value)| (100.0 * (n + 1) as f64, *value));
            bend(&points.collect::<Vec<_>>())
        };
        assert_eq!((over(&flat), over(&[])), (None, None));
        let queue = [80.0, 79.0, 83.0, 81.0, 84.0, 82.0, 160.0, 900.0];
        assert!(over(&queue).is_some_and(|rate| (500.0..=700.0).contains(&rate)), "{:?}", over(&queue));
    }

    #[test]
    fn a_queue_bends_before_it_is_full() {
        let points: Vec<(f64, f64)> = (1..20)
            .map(|tenth| f64::from(tenth) * 50.0)
            .map(|rate| (rate, 1.0 / (1.0 - rate / 1_000.0)))
            .collect();
        // Where the slope of 1 / (1 - r) is that of its chord: r = 0.78, on this grid 0.8.
        assert_eq!(knee(&points), Some(800.0));
    }
}
