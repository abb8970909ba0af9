//! The metrics in the Prometheus text format, version 0.0.4: totals since the start or the last reset.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Kept;
use super::catalogue::{Metric, Unit};

/// Upper bounds of the histograms, microseconds.
const BOUNDS: [u64; 14] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];

/// One bucket's totals.
#[derive(Default)]
pub(super) struct Totals(BTreeMap<Metric, Total>);

#[derive(Default)]
struct Total {
    count: u64,
    sum: u128,
    /// Values up to each bound and above the one before.
    cells: [u64; BOUNDS.len()],
}

impl Totals {
    pub(super) fn add(&mut self, metric: Metric, value: u64) {
        let total = self.0.entry(metric).or_default();
        total.count += 1;
        total.sum += u128::from(value);
        if metric.unit() == Unit::Milliseconds
            && let Some(cell) = BOUNDS.iter().position(|bound| value <= *bound)
        {
            total.cells[cell] += 1;
        }
    }
}

pub(super) fn text(kept: &Kept) -> String {
    let mut out = String::new();
    for metric in Metric::ALL {
        let name = metric.prometheus();
        let (suffix, kind) = match metric.unit() {
            Unit::Milliseconds => ("", "histogram"),
            _ => ("_total", "counter"),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "# HELP {name}{suffix} {}: {}\n# TYPE {name}{suffix} {kind}",
            metric.name(),
            metric.help()
        );
        for ((region, bucket), series) in &kept.buckets {
            let labels = format!(
                "region=\"{}\",bucket_name=\"{}\",filter_id=\"EntireBucket\"",
                escaped(region),
                escaped(bucket)
            );
            let none = Total::default();
            let total = series.totals.0.get(metric).unwrap_or(&none);
            match metric.unit() {
                Unit::Milliseconds => histogram(&mut out, name, &labels, total),
                _ => {
                    let _ = writeln!(out, "{name}_total{{{labels}}} {}", total.sum);
                }
            }
        }
    }
    requests(&mut out, kept);
    out
}

fn histogram(out: &mut String, name: &str, labels: &str, total: &Total) {
    let mut below = 0;
    for (bound, count) in BOUNDS.iter().zip(total.cells) {
        below += count;
        let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{}\"}} {below}", seconds(u128::from(*bound)));
    }
    let _ = writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {}", total.count);
    let _ = writeln!(out, "{name}_sum{{{labels}}} {}", seconds(total.sum));
    let _ = writeln!(out, "{name}_count{{{labels}}} {}", total.count);
}

/// What the mock adds of its own: requests by operation and status, those without a bucket too.
fn requests(out: &mut String, kept: &Kept) {
    let name = "gatecrash_mock_requests_total";
    let _ = writeln!(
        out,
        "# HELP {name} requests by operation and status; 0 is no answer\n# TYPE {name} counter"
    );
    for ((region, bucket), counts) in &kept.requests {
        let mut counts: Vec<_> = counts.iter().collect();
        counts.sort_unstable();
        for ((op, status), count) in counts {
            let (region, bucket) = (escaped(region), escaped(bucket));
            let _ = writeln!(
                out,
                "{name}{{region=\"{region}\",bucket_name=\"{bucket}\",operation=\"{op}\",status=\"{status}\"}} {count}"
            );
        }
    }
}

/// Microseconds as seconds.
fn seconds(micros: u128) -> f64 {
    micros as f64 / 1e6
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use crate::metrics::Metrics;
    use crate::observe::requests_tests::exchange;
    use crate::observe::{Finished, Observer};

    #[test]
    fn totals_are_told_bucket_by_bucket() {
        let metrics = Metrics::default();
        for (status, millis) in [(200, 3), (503, 700)] {
            let total = Duration::from_millis(millis);
            metrics.finished(&Arc::new(Finished { total, ..(*exchange("media", status)).clone() }));
        }
        let text = metrics.prometheus();
        let place = "region=\"us-east-1\",bucket_name=\"media\"";
        for line in [
            format!("aws_s3_all_requests_total{{{place},filter_id=\"EntireBucket\"}} 2"),
            format!("aws_s3_5xx_errors_total{{{place},filter_id=\"EntireBucket\"}} 1"),
            format!(
                "aws_s3_total_request_latency_seconds_bucket{{{place},filter_id=\"EntireBucket\",le=\"0.005\"}} 1"
            ),
            format!(
                "aws_s3_total_request_latency_seconds_bucket{{{place},filter_id=\"EntireBucket\",le=\"+Inf\"}} 2"
            ),
            format!("aws_s3_total_request_latency_seconds_sum{{{place},filter_id=\"EntireBucket\"}} 0.703"),
            format!("gatecrash_mock_requests_total{{{place},operation=\"GetObject\",status=\"503\"}} 1"),
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
