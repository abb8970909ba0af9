//! How late requests were sent.

use super::nearest_rank;
use crate::history::History;
use crate::report::LagSummary;

/// The lag of every request that was sent; `None` without any.
pub fn lag_of(history: &History) -> Option<LagSummary> {
    let sent = history.clients.iter().filter(|c| !c.was_dropped());
    let mut lags: Vec<_> = sent.map(|c| u64::from(c.lag)).collect();
    lags.sort_unstable();
    let millis = |micros: u64| micros as f64 / 1e3;
    let at = |q| nearest_rank(&lags, q).map(millis);
    Some(LagSummary {
        requests: lags.len() as u64,
        p50_ms: at(0.5)?,
        p99_ms: at(0.99)?,
        max_ms: at(1.0)?,
        histogram: histogram(&lags).into_iter().map(|(upto, count)| (millis(upto), count)).collect(),
    })
}

/// (upper bound, how many) of sorted values: 100, 200, 500, 1000, ... to the first bound that holds all.
fn histogram(sorted: &[u64]) -> Vec<(u64, u64)> {
    let bounds = (2..).flat_map(|decade| [1, 2, 5].map(|step| step * 10u64.pow(decade)));
    let mut counted = 0;
    let counts = bounds.map_while(|bound| {
        let upto = sorted.partition_point(|value| *value <= bound);
        let fresh = (counted < sorted.len()).then_some((bound, (upto - counted) as u64));
        counted = upto;
        fresh
    });
    counts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::Story;

    #[test]
    fn every_request_is_in_one_bucket() {
        assert!(histogram(&[]).is_empty());
        let counts = histogram(&[0, 100, 101, 150, 700, 1_000]);
        assert_eq!(counts, [(100, 2), (200, 2), (500, 0), (1_000, 2)]);
        let widest = histogram(&[u64::from(u32::MAX)]);
        assert_eq!(widest.last(), Some(&(5_000_000_000, 1)));
    }

    #[test]
    fn lag_is_told_by_quantiles() {
        assert_eq!(lag_of(&Story::new().history), None);
        let story = Story::new().every(10, 0, 990, |r| r.took(1)).every(10, 990, 1_000, |r| r.lag(7).took(1));
        let lag = lag_of(&story.history).expect("requests were sent");
        assert_eq!((lag.requests, lag.p50_ms, lag.p99_ms, lag.max_ms), (100, 0.0, 0.0, 7.0));
        assert_eq!(lag.histogram.last(), Some(&(10.0, 1)));
    }
}
