//! The CloudWatch request metrics of S3, counted exactly: every request, in the minute its head was read, on the
//! mock's clock (S3 user guide, "Metrics and dimensions"; there delivery is best effort).

mod catalogue;
mod distribution;
mod metric_data;
mod prometheus;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatecrash_model::Op;

use crate::observe::{Finished, Observer};
pub use catalogue::Metric;
pub use distribution::Distribution;
pub(crate) use metric_data::GetMetricData;

/// Minutes kept over all buckets; the oldest go first. Totals stay.
const KEPT_MINUTES: usize = 14_400;
/// Length of a period, s.
pub(crate) const PERIOD: i64 = 60;

/// The request metrics of all buckets.
#[derive(Default)]
pub struct Metrics {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// By region and name of the bucket.
    buckets: BTreeMap<(Arc<str>, String), Series>,
    /// All requests, by region, bucket (empty for none that exists), operation and status.
    requests: BTreeMap<(Arc<str>, String), Statuses>,
    minutes: usize,
}

/// One bucket's metrics with the filter `EntireBucket`.
#[derive(Default)]
struct Series {
    /// By the minute's first second since the Unix epoch.
    minutes: BTreeMap<i64, Datapoints>,
    totals: prometheus::Totals,
}

/// How many, by operation and status.
type Statuses = HashMap<(Op, u16), u64>;

/// What one minute came to.
type Datapoints = BTreeMap<Metric, Distribution>;

impl Metrics {
    /// How many requests on a bucket of a region were an operation answered with a status.
    pub fn requests(&self, region: &str, bucket: &str, op: Op, status: u16) -> u64 {
        let kept = self.lock();
        let counts = kept.requests.get(&(region.into(), bucket.to_owned()));
        counts.and_then(|counts| counts.get(&(op, status))).copied().unwrap_or(0)
    }

    /// A metric of a bucket from one second to another, over all regions or in one.
    pub fn distribution(
        &self,
        metric: Metric,
        bucket: &str,
        region: Option<&str>,
        seconds: std::ops::Range<i64>,
    ) -> Distribution {
        let kept = self.lock();
        let mut merged = Distribution::default();
        for ((place, name), series) in &kept.buckets {
            if name != bucket || region.is_some_and(|region| region != &**place) || seconds.is_empty() {
                continue;
            }
            let minutes = series.minutes.range(seconds.clone());
            minutes.filter_map(|(_, points)| points.get(&metric)).for_each(|points| merged.merge(points));
        }
        merged
    }

    /// The minutes in which a bucket had a metric, in order.
    pub(crate) fn minutes(&self, metric: Metric, bucket: &str, region: Option<&str>) -> Vec<i64> {
        let kept = self.lock();
        let here = kept
            .buckets
            .iter()
            .filter(|((place, name), _)| name == bucket && region.is_none_or(|region| region == &**place));
        let minutes = here.flat_map(|(_, series)| series.minutes.iter());
        let mut minutes: Vec<i64> =
            minutes.filter(|(_, points)| points.contains_key(&metric)).map(|(minute, _)| *minute).collect();
        minutes.sort_unstable();
        minutes.dedup();
        minutes
    }

    /// The Prometheus text format, version 0.0.4.
    pub fn prometheus(&self) -> String {
        prometheus::text(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Metrics {
    fn finished(&self, exchange: &Arc<Finished>) {
        let mut kept = self.lock();
        let bucket = if exchange.on_known_bucket() { exchange.bucket.clone() } else { String::new() };
        let place = (Arc::clone(&exchange.region), bucket);
        *kept
            .requests
            .entry(place.clone())
            .or_default()
            .entry((exchange.op, exchange.status))
            .or_default() += 1;
        if exchange.on_known_bucket() {
            kept.count(place, exchange);
        }
    }

    fn reset(&self) {
        *self.lock() = Kept::default();
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").field("buckets", &self.lock().buckets.len()).finish_non_exhaustive()
    }
}

impl Kept {
    fn count(&mut self, place: (Arc<str>, String), exchange: &Finished) {
        let series = self.buckets.entry(place).or_default();
        let minute = exchange.wall.div_euclid(PERIOD) * PERIOD;
        let before = series.minutes.len();
        let points = series.minutes.entry(minute).or_default();
        for (metric, value) in catalogue::of(exchange) {
            points.entry(metric).or_default().add(value);
            series.totals.add(metric, value);
        }
        self.minutes += series.minutes.len() - before;
        if self.minutes > KEPT_MINUTES {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let first = |series: &Series| series.minutes.keys().next().copied();
        let oldest = self.buckets.values_mut().filter(|s| !s.minutes.is_empty()).min_by_key(|s| first(s));
        if let Some(series) = oldest {
            series.minutes.pop_first();
            self.minutes -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::requests_tests::exchange;

    #[test]
    fn minutes_are_bounded_and_totals_stay() {
        let metrics = Metrics::default();
        for minute in 0..(KEPT_MINUTES as i64 + 5) {
            let mut one = (*exchange("b", 200)).clone();
            one.wall = minute * PERIOD;
            metrics.finished(&Arc::new(one));
        }
        let minutes = metrics.minutes(Metric::AllRequests, "b", None);
        assert_eq!((minutes.len(), minutes[0]), (KEPT_MINUTES, 5 * PERIOD));
        assert_eq!(metrics.requests("us-east-1", "b", Op::GetObject, 200), KEPT_MINUTES as u64 + 5);
    }

    #[test]
    fn requests_to_no_bucket_are_counted_without_one() {
        let metrics = Metrics::default();
        let mut nowhere = (*exchange("b", 404)).clone();
        nowhere.bucket_owner = None;
        metrics.finished(&Arc::new(nowhere));
        assert_eq!(metrics.requests("us-east-1", "", Op::GetObject, 404), 1);
        assert_eq!(metrics.distribution(Metric::AllRequests, "b", None, 0..i64::MAX).count(), 0);
    }
}
