//! Scales: seconds to the right, values upwards, and where to put the ticks.

use crate::report::{RunReport, Second};

/// Most points of a chart; longer runs are merged into steps of several seconds.
const POINTS: usize = 600;

/// The time axis of a run and its series at a resolution that fits.
pub(super) struct Time {
    /// Seconds from T0 at the right edge, above 0.
    pub(super) end: f64,
    /// Seconds per point.
    pub(super) step: u32,
    /// The series, `step` seconds each.
    pub(super) series: Vec<Second>,
}

/// A value axis from the bottom (0) to the top (1) of a chart.
#[derive(Clone, Copy)]
pub(super) enum Scale {
    /// From 0 to this.
    Linear(f64),
    /// From the first to the second, both above 0.
    Log(f64, f64),
}

impl Time {
    pub(super) fn of(report: &RunReport) -> Self {
        let step = report.series.len().div_ceil(POINTS).max(1);
        let series: Vec<_> = report.series.chunks(step).map(merge).collect();
        let ends = report.phases.iter().map(|p| p.until);
        let last = report.series.last().map_or(0.0, |s| f64::from(s.at) + 1.0);
        let end = ends.fold(last, f64::max);
        let end = if end.is_finite() && end >= 1.0 { end } else { 1.0 };
        Self { end, step: step as u32, series }
    }

    /// Where a moment is, 0 at the left to 1 at the right.
    pub(super) fn at(&self, seconds: f64) -> f64 {
        (seconds / self.end).clamp(0.0, 1.0)
    }

    /// The middle of a point.
    pub(super) fn middle(&self, second: &Second) -> f64 {
        self.at(f64::from(second.at) + f64::from(self.step) / 2.0)
    }

    /// About eight round moments.
    pub(super) fn ticks(&self) -> Vec<f64> {
        const STEPS: &[f64] = &[0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0];
        let step = STEPS.iter().find(|s| self.end / **s <= 8.0).copied().unwrap_or((self.end / 8.0).ceil());
        (0..=8).map(|i| f64::from(i) * step).filter(|at| *at <= self.end).collect()
    }
}

/// Several seconds as one: counts add up, of percentiles the worst is kept.
fn merge(seconds: &[Second]) -> Second {
    let worst = |of: fn(&Second) -> Option<f64>| {
        seconds.iter().filter_map(of).filter(|v| v.is_finite()).reduce(f64::max)
    };
    let mut merged = Second { p50_ms: worst(|s| s.p50_ms), p99_ms: worst(|s| s.p99_ms), ..Second::default() };
    merged.at = seconds.first().map_or(0, |s| s.at);
    for second in seconds {
        merged.offered += second.offered;
        merged.good += second.good;
        for (sum, n) in merged.classes.iter_mut().zip(second.classes) {
            *sum += n;
        }
        merged.attempts.resize(merged.attempts.len().max(second.attempts.len()), 0);
        for (sum, n) in merged.attempts.iter_mut().zip(&second.attempts) {
            *sum += n;
        }
    }
    merged
}

impl Scale {
    /// A scale that holds all values, logarithmic where they differ too much for another.
    pub(super) fn fitting(values: impl Iterator<Item = f64>, may_be_log: bool) -> Self {
        let (mut least, mut most) = (f64::MAX, 0.0f64);
        for value in values.filter(|v| v.is_finite() && *v < 1e12) {
            (least, most) = (if value > 0.0 { least.min(value) } else { least }, most.max(value));
        }
        if may_be_log && most > 12.0 * least {
            Self::Log(10f64.powf(least.log10().floor()), 10f64.powf(most.log10().ceil()))
        } else {
            Self::Linear(round_up(most * 1.05))
        }
    }

    /// Height of a value, 0 to 1.
    pub(super) fn height(self, value: f64) -> f64 {
        let height = match self {
            Self::Linear(most) => value / most,
            Self::Log(least, most) => (value.max(least) / least).ln() / (most / least).ln(),
        };
        if height.is_finite() { height.clamp(0.0, 1.0) } else { 1.0 }
    }

    /// Round values to label.
    pub(super) fn ticks(self) -> Vec<f64> {
        match self {
            Self::Linear(most) => {
                let mantissa = most / 10f64.powf(most.log10().floor());
                let parts = if [1.5, 3.0, 6.0].iter().any(|m| (mantissa - m).abs() < 1e-6) { 3 } else { 2 };
                (0..=parts).map(|i| most * f64::from(i) / f64::from(parts)).collect()
            }
            Self::Log(least, most) => {
                let decades = (most / least).log10().round() as i32;
                (0..=decades).map(|i| least * 10f64.powi(i)).collect()
            }
        }
    }
}

/// The next round value, one that divides into two or three; at least 1.
fn round_up(value: f64) -> f64 {
    if value <= 1.0 {
        return 1.0;
    }
    let power = 10f64.powf(value.log10().floor());
    let steps = [1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0];
    steps.iter().map(|s| s * power).find(|v| *v >= value).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn time_has_about_eight_round_ticks() {
        let ticks = |end| Time { end, step: 1, series: Vec::new() }.ticks();
        assert_eq!(ticks(50.0), [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]);
        assert_eq!(ticks(1.0), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        for end in [1.0, 3.5, 17.25, 61.0, 999.0, 100_000.0] {
            assert!((3..=9).contains(&ticks(end).len()), "{end}");
        }
    }

    #[test]
    fn long_runs_are_merged_and_nothing_is_lost() {
        let mut report = fixtures::passing();
        let second = |at| Second {
            at,
            offered: 3,
            p99_ms: Some(f64::from(at)),
            attempts: vec![4],
            ..Second::default()
        };
        report.series = (0..3_601).map(second).collect();
        let time = Time::of(&report);
        assert_eq!((time.step, time.end, time.series.len()), (7, 3_601.0, 515));
        assert_eq!(time.series.iter().map(|s| s.offered).sum::<u64>(), 3 * 3_601);
        assert_eq!(time.series.iter().map(|s| s.attempts[0]).sum::<u64>(), 4 * 3_601);
        assert_eq!(time.series[0].p99_ms, Some(6.0));
    }

    #[test]
    fn scales_hold_their_values() {
        for values in
            [vec![], vec![0.0], vec![0.4], vec![140.0, 161.0], vec![3.0, 9_000.0], vec![f64::NAN, 7.0]]
        {
            for may_be_log in [false, true] {
                let scale = Scale::fitting(values.iter().copied(), may_be_log);
                for value in values.iter().filter(|v| v.is_finite()) {
                    assert!((0.0..=1.0).contains(&scale.height(*value)), "{values:?}");
                }
                assert!((2..=9).contains(&scale.ticks().len()), "{values:?}");
            }
        }
        assert!(matches!(Scale::fitting([3.0, 9_000.0].into_iter(), true), Scale::Log(1.0, 10_000.0)));
        assert!(matches!(Scale::fitting([140.0, 161.0].into_iter(), true), Scale::Linear(200.0)));
    }
}
