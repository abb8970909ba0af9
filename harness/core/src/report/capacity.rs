//! The results of a capacity scenario in words and as one table, the same in every format.

use super::RunReport;
use super::text::{clean, count, millis, share};
use crate::capacity::{CapacityReport, CaseReport, CurvePoint};
use crate::units::Rate;

/// One case in words. All text is clean.
pub(super) struct CaseWords {
    pub(super) name: String,
    /// `400/s to 480/s`.
    pub(super) bounds: String,
    /// What broke at the upper bound: `latency: p99 900ms, wanted p99 at most 150ms`.
    pub(super) limit: String,
    /// `42.1% to 50% of clean`; `-` for the first case.
    pub(super) of_first: String,
    /// `1.5x: 96%, 2x: 94%`; `-` where nothing was offered beyond the capacity.
    pub(super) overload: String,
    /// What follows for the target, where there is one.
    pub(super) target: Option<String>,
    /// What to know about the numbers.
    pub(super) remarks: Vec<String>,
    pub(super) trials: usize,
}

/// All cases of a report; none where it is not of a capacity scenario.
pub(super) fn words(report: &RunReport) -> Vec<CaseWords> {
    let Some(capacity) = &report.capacity else { return Vec::new() };
    capacity.cases.iter().map(|case| case_words(capacity, case)).collect()
}

/// `success-rate min 99%; latency p99 max 250ms`.
pub(super) fn objective(capacity: &CapacityReport) -> String {
    clean(&capacity.objective.join("; "))
}

fn case_words(capacity: &CapacityReport, case: &CaseReport) -> CaseWords {
    let first = capacity.cases.first().map_or("", |c| c.name.as_str());
    let of_first =
        case.of_first.map(|(low, high)| format!("{} to {} of {}", share(low), share(high), clean(first)));
    let overload: Vec<_> =
        case.retention.iter().map(|(times, left)| format!("{times}x: {}", share(*left))).collect();
    let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    CaseWords {
        name: clean(&case.name),
        bounds: case.bounds(),
        limit: or_dash(clean(&case.limit().or(case.limited_by.clone()).unwrap_or_default())),
        of_first: or_dash(of_first.unwrap_or_default()),
        overload: or_dash(overload.join(", ")),
        target: target(capacity, case),
        remarks: case.remarks.iter().map(|remark| clean(remark)).collect(),
        trials: case.trials.len(),
    }
}

/// `2000/s need 5 gateways like this one (6, so that one may fail), with region us-east-1 down; headroom -78.2%`.
fn target(capacity: &CapacityReport, case: &CaseReport) -> Option<String> {
    let (target, instances, headroom) = (capacity.target?, case.instances?, case.headroom?);
    let without =
        case.removes.as_ref().map_or_else(String::new, |part| format!(" with {} down", clean(part)));
    let one = if instances == 1 { "needs" } else { "need" };
    Some(format!(
        "{}{without} {one} {} like this one ({} with one to spare); headroom of one: {:+.0}%",
        Rate(target),
        count(u64::from(instances), "gateway"),
        instances + 1,
        headroom * 100.0
    ))
}

/// The curve of a case as cells.
pub(super) fn cells(point: &CurvePoint) -> [String; 9] {
    [
        Rate(point.offered).to_string(),
        format!("{:.0}/s", point.goodput),
        millis(point.p50_ms),
        millis(point.p99_ms),
        format!("{:.1}", point.in_flight),
        point.expected.map_or_else(|| "-".into(), |expected| format!("{expected:.1}")),
        super::text::thousands(point.dropped),
        super::text::ratio(point.attempts),
        format!("{} of {}", point.good.0, point.good.1),
    ]
}

/// What the cells are called.
pub(super) const HEADS: [&str; 9] = [
    "offered",
    "goodput",
    "median",
    "p99",
    "under way",
    "rate x time",
    "not sent",
    "attempts",
    "good trials",
];

#[cfg(test)]
mod tests {
    use crate::report::{RENDERERS, RenderOptions, RunReport, fixtures};

    #[test]
    fn every_format_for_people_shows_bounds_limit_and_what_follows() {
        let report = fixtures::capacity();
        let stored: RunReport = serde_json::from_slice(&serde_json::to_vec(&report).unwrap()).unwrap();
        let options = RenderOptions { full: true, width: 400, ..RenderOptions::default() };
        for renderer in RENDERERS.iter().filter(|r| ["terminal", "markdown", "html"].contains(&r.name)) {
            let text = String::from_utf8((renderer.render)(&report, &options)).unwrap();
            assert!(
                text.as_bytes() == (renderer.render)(&stored, &options),
                "{} of a stored one",
                renderer.name
            );
            for part in [
                "800/s to 960/s",
                "400/s to 480/s",
                "of clean",
                "1.5x: 90",
                "2000/s need 3 gateways like this one",
                "2000/s with region a down need 5 gateways like this one",
                "machine was full",
            ] {
                assert!(text.contains(part), "{} has no `{part}`:\n{text}", renderer.name);
            }
        }
    }
}
