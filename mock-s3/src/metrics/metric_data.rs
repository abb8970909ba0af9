//! GetMetricData of CloudWatch, over the request metrics (CloudWatch API reference, "GetMetricData").

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::catalogue::{Metric, Unit};
use super::{Distribution, Metrics, PERIOD};

/// CloudWatch answers at most this many data points at once.
const MAX_DATAPOINTS: usize = 100_800;
/// CloudWatch takes at most this many queries.
const MAX_QUERIES: usize = 500;

/// The request.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetMetricData {
    metric_data_queries: Vec<Query>,
    start_time: Value,
    end_time: Value,
    #[serde(default)]
    scan_by: ScanBy,
    max_datapoints: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
enum ScanBy {
    #[default]
    TimestampDescending,
    TimestampAscending,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Query {
    id: String,
    metric_stat: Option<MetricStat>,
    expression: Option<String>,
    label: Option<String>,
    return_data: Option<bool>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricStat {
    metric: MetricId,
    period: i64,
    stat: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricId {
    #[serde(default)]
    namespace: String,
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Dimension {
    name: String,
    value: String,
}

/// Why there is no answer; the message of a ValidationError.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct MetricDataError(String);

/// One statistic.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Stat {
    SampleCount,
    Average,
    Sum,
    Minimum,
    Maximum,
    /// 0 to 100.
    Percentile(f64),
}

fn refuse(why: impl Into<String>) -> MetricDataError {
    MetricDataError(why.into())
}

impl GetMetricData {
    /// The answer. Periods without a request are left out, as at CloudWatch.
    pub(crate) fn answer(&self, metrics: &Metrics) -> Result<Value, MetricDataError> {
        let (start, end) = (instant("StartTime", &self.start_time)?, instant("EndTime", &self.end_time)?);
        if start >= end {
            return Err(refuse("The parameter StartTime must be less than the parameter EndTime."));
        }
        if self.metric_data_queries.len() > MAX_QUERIES {
            return Err(refuse(format!(
                "The parameter MetricDataQueries has at most {MAX_QUERIES} members."
            )));
        }
        let asked = self.metric_data_queries.iter().filter(|query| query.return_data != Some(false));
        let results =
            asked.map(|query| self.result(query, metrics, start, end)).collect::<Result<Vec<_>, _>>()?;
        Ok(json!({ "MetricDataResults": results, "Messages": [] }))
    }

    fn result(
        &self,
        query: &Query,
        metrics: &Metrics,
        start: i64,
        end: i64,
    ) -> Result<Value, MetricDataError> {
        let Some(MetricStat { metric: id, period, stat }) = &query.metric_stat else {
            let what = query
                .expression
                .as_ref()
                .map_or("a query needs a MetricStat", |_| "expressions are not done");
            return Err(refuse(format!("{}: {what}", query.id)));
        };
        let (period, stat) = (*period, Stat::parse(stat)?);
        if period < PERIOD || period % PERIOD != 0 {
            return Err(refuse("The parameter Period must be a multiple of 60."));
        }
        let label = query.label.as_deref().unwrap_or(&id.metric_name);
        let mut points = points(metrics, id, start, end, period);
        if self.scan_by == ScanBy::TimestampDescending {
            points.reverse();
        }
        let limit = self.max_datapoints.unwrap_or(MAX_DATAPOINTS).clamp(1, MAX_DATAPOINTS);
        let complete = points.len() <= limit;
        points.truncate(limit);
        let unit = Metric::from_name(&id.metric_name).map_or(Unit::Count, Metric::unit);
        Ok(json!({
            "Id": query.id,
            "Label": label,
            "Timestamps": points.iter().map(|(at, _)| *at).collect::<Vec<_>>(),
            "Values": points.iter().map(|(_, points)| stat.of(points, unit)).collect::<Vec<_>>(),
            "StatusCode": if complete { "Complete" } else { "PartialData" },
        }))
    }
}

/// Period by period, those with data.
fn points(metrics: &Metrics, id: &MetricId, start: i64, end: i64, period: i64) -> Vec<(i64, Distribution)> {
    let dimension = |name: &str| id.dimensions.iter().find(|d| d.name == name).map(|d| d.value.as_str());
    let Some(metric) = Metric::from_name(&id.metric_name) else { return Vec::new() };
    let filter = dimension("FilterId").unwrap_or("EntireBucket");
    let Some(bucket) = dimension("BucketName") else { return Vec::new() };
    if filter != "EntireBucket" || !matches!(id.namespace.as_str(), "AWS/S3" | "") {
        return Vec::new();
    }
    // Not of CloudWatch, which has an endpoint for each region.
    let region = dimension("Region");
    let mut starts: Vec<i64> = metrics
        .minutes(metric, bucket, region)
        .into_iter()
        .filter(|minute| (start..end).contains(minute))
        .map(|minute| minute.div_euclid(period) * period)
        .collect();
    starts.dedup();
    let within = |at: i64| at.max(start)..at.saturating_add(period).min(end);
    starts.into_iter().map(|at| (at, metrics.distribution(metric, bucket, region, within(at)))).collect()
}

impl Stat {
    fn parse(text: &str) -> Result<Self, MetricDataError> {
        let percentile = |text: &str| {
            let percent: f64 = text.strip_prefix('p')?.parse().ok()?;
            (0.0..=100.0).contains(&percent).then_some(Self::Percentile(percent))
        };
        match text {
            "SampleCount" => Ok(Self::SampleCount),
            "Average" => Ok(Self::Average),
            "Sum" => Ok(Self::Sum),
            "Minimum" => Ok(Self::Minimum),
            "Maximum" => Ok(Self::Maximum),
            _ => percentile(text)
                .ok_or_else(|| refuse(format!("The value {text} for parameter Stat is not supported."))),
        }
    }

    fn of(self, points: &Distribution, unit: Unit) -> f64 {
        let value = match self {
            Self::SampleCount => return points.count() as f64,
            Self::Average => points.average(),
            Self::Sum => points.sum() as f64,
            Self::Minimum => points.min() as f64,
            Self::Maximum => points.max() as f64,
            Self::Percentile(percent) => points.percentile(percent),
        };
        if unit == Unit::Milliseconds { value / 1_000.0 } else { value }
    }
}

/// Seconds since the Unix epoch, of a number of them or of an RFC 3339 text.
fn instant(name: &str, value: &Value) -> Result<i64, MetricDataError> {
    let seconds = match value {
        Value::Number(number) => number.as_f64().map(|seconds| seconds.floor() as i64),
        Value::String(text) => OffsetDateTime::parse(text, &Rfc3339).ok().map(OffsetDateTime::unix_timestamp),
        _ => None,
    };
    seconds.ok_or_else(|| refuse(format!("The parameter {name} must be a timestamp.")))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::observe::requests_tests::exchange;
    use crate::observe::{Finished, Observer};

    /// 100, 200 ... ms in four minutes; the third one has none.
    fn metrics() -> Metrics {
        let metrics = Metrics::default();
        for (minute, millis) in [(0, 100), (0, 200), (1, 300), (3, 400)] {
            let total = std::time::Duration::from_millis(millis);
            let one = Finished { wall: minute * 60 + 5, total, ..(*exchange("media", 200)).clone() };
            metrics.finished(&Arc::new(one));
        }
        metrics
    }

    fn ask(metric: &str, stat: &str, period: i64, more: Value) -> Result<Value, MetricDataError> {
        let mut request = json!({
            "MetricDataQueries": [{ "Id": "m1", "MetricStat": {
                "Metric": { "Namespace": "AWS/S3", "MetricName": metric, "Dimensions": [
                    { "Name": "BucketName", "Value": "media" }, { "Name": "FilterId", "Value": "EntireBucket" },
                ]},
                "Period": period, "Stat": stat,
            }}],
            "StartTime": 0, "EndTime": "1970-01-01T01:00:00Z", "ScanBy": "TimestampAscending",
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            request[name] = value.clone();
        }
        let request: GetMetricData = serde_json::from_value(request).unwrap();
        request.answer(&metrics()).map(|mut answer| answer["MetricDataResults"][0].take())
    }

    #[test]
    fn statistics_by_period() {
        let table = [
            ("AllRequests", "Sum", 60, json!([0, 60, 180]), json!([2.0, 1.0, 1.0])),
            ("AllRequests", "Sum", 120, json!([0, 120]), json!([3.0, 1.0])),
            ("TotalRequestLatency", "Average", 60, json!([0, 60, 180]), json!([150.0, 300.0, 400.0])),
            ("TotalRequestLatency", "Maximum", 300, json!([0]), json!([400.0])),
            ("TotalRequestLatency", "p100", 300, json!([0]), json!([400.0])),
            ("TotalRequestLatency", "Minimum", 300, json!([0]), json!([100.0])),
            ("TotalRequestLatency", "SampleCount", 300, json!([0]), json!([4.0])),
            ("4xxErrors", "Average", 300, json!([0]), json!([0.0])),
            ("PutRequests", "Sum", 60, json!([]), json!([])),
        ];
        for (metric, stat, period, timestamps, values) in table {
            let result = ask(metric, stat, period, json!({})).unwrap();
            assert_eq!(
                (&result["Timestamps"], &result["Values"]),
                (&timestamps, &values),
                "{metric} {stat} {period}"
            );
            assert_eq!(
                (&result["Id"], &result["Label"], &result["StatusCode"]),
                (&"m1".into(), &metric.into(), &"Complete".into())
            );
        }
    }

    #[test]
    fn order_bounds_and_limits() {
        let latest = json!({ "ScanBy": "TimestampDescending", "MaxDatapoints": 2 });
        let result = ask("AllRequests", "Sum", 60, latest).unwrap();
        assert_eq!(
            (&result["Timestamps"], &result["StatusCode"]),
            (&json!([180, 60]), &"PartialData".into())
        );
        let result = ask("AllRequests", "Sum", 60, json!({ "StartTime": 60, "EndTime": 180 })).unwrap();
        assert_eq!(result["Timestamps"], json!([60]));
    }

    #[test]
    fn mistakes_are_told() {
        for (stat, period, more) in [
            ("tm99", 60, json!({})),
            ("p101", 60, json!({})),
            ("Sum", 30, json!({})),
            ("Sum", 60, json!({ "EndTime": 0 })),
            ("Sum", 60, json!({ "StartTime": "yesterday" })),
        ] {
            assert!(ask("AllRequests", stat, period, more.clone()).is_err(), "{stat} {period} {more}");
        }
    }
}
