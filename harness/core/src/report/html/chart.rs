//! Charts over the time axis: SVG stretched to the width at hand, text beside it in HTML so that it stays
//! readable.

use super::axis::{Scale, Time};
use super::text;
use crate::report::text::seconds;
use crate::report::{RunReport, Second};

/// Units of a drawing; it is stretched to its place.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 100.0;

/// The lines or stacks of one chart.
pub(super) struct Chart<'a> {
    time: &'a Time,
    title: String,
    scale: Scale,
    unit: &'static str,
    keys: Vec<(&'static str, String)>,
    drawing: String,
}

impl<'a> Chart<'a> {
    pub(super) fn new(time: &'a Time, title: impl Into<String>, scale: Scale, unit: &'static str) -> Self {
        Self { time, title: title.into(), scale, unit, keys: Vec::new(), drawing: String::new() }
    }

    /// A line through the middles of the seconds; it is broken where there is no value.
    pub(super) fn line(mut self, class: &'static str, name: &str, value: fn(&Second) -> Option<f64>) -> Self {
        let per = f64::from(self.time.step);
        let is_rate = self.unit == "/s";
        let mut path = String::new();
        let mut pen_down = false;
        for second in &self.time.series {
            let Some(value) = value(second).filter(|v| v.is_finite()) else {
                pen_down = false;
                continue;
            };
            let value = if is_rate { value / per } else { value };
            let (x, y) = (self.time.middle(second) * WIDTH, self.y(value));
            path.push_str(&if pen_down { format!("L{x:.1} {y:.1}") } else { format!("M{x:.1} {y:.1}h.01") });
            pen_down = true;
        }
        self.drawing.push_str(&format!("<path class='line {class}' d='{path}'/>"));
        self.keys.push((class, name.into()));
        self
    }

    /// Counts on top of each other, a column a second; even a count of one leaves a visible mark.
    pub(super) fn stack(
        mut self,
        parts: Vec<(&'static str, String)>,
        counts: impl Fn(&Second) -> Vec<u64>,
    ) -> Self {
        let per = f64::from(self.time.step);
        let mut paths = vec![String::new(); parts.len()];
        for second in &self.time.series {
            let from = self.time.at(f64::from(second.at)) * WIDTH;
            let until = self.time.at(f64::from(second.at) + per) * WIDTH;
            let mut below = 0.0;
            for (path, count) in paths.iter_mut().zip(counts(second)).filter(|(_, count)| *count > 0) {
                let above = below + count as f64 / per;
                let (low, high) = (self.y(below), self.y(above));
                path.push_str(&format!("M{from:.1} {low:.1}V{high:.1}H{until:.1}V{low:.1}z"));
                below = above;
            }
        }
        for ((class, name), path) in parts.into_iter().zip(paths) {
            self.drawing.push_str(&format!("<path class='area {class}' d='{path}'/>"));
            self.keys.push((class, name));
        }
        self
    }

    /// A level to compare with.
    pub(super) fn level(mut self, value: f64) -> Self {
        let y = self.y(value);
        self.drawing.push_str(&format!("<path class='level' d='M0 {y:.1}H{WIDTH}'/>"));
        self
    }

    /// The chart as a figure, bands behind it.
    pub(super) fn render(self, bands: &str) -> String {
        let mut grid = String::new();
        let mut labels = String::new();
        for tick in self.scale.ticks() {
            let y = self.y(tick);
            grid.push_str(&format!("M0 {y:.1}H{WIDTH}"));
            let bottom = self.scale.height(tick) * 100.0;
            labels.push_str(&format!("<span style='bottom:{bottom:.1}%'>{}</span>", number(tick)));
        }
        let key = |(class, name): &(&str, String)| {
            format!("<span class='key {class}'><i></i>{}</span>", text(name))
        };
        let keys: String = self.keys.iter().map(key).collect();
        let title = text(&self.title);
        format!(
            "<figure><figcaption><b>{title}</b>{keys}</figcaption><div class='row'>\
             <div class='y'>{labels}</div><div class='area-box'>\
             <svg viewBox='0 0 {WIDTH} {HEIGHT}' \
             preserveAspectRatio='none' role='img' \
             aria-label='{title}'>{bands}<path class='grid' d='{grid}'/>{}</svg><i class='mark'></i>\
             <i class='cross'></i></div></div></figure>\n",
            self.drawing
        )
    }

    fn y(&self, value: f64) -> f64 {
        (1.0 - self.scale.height(value)) * HEIGHT
    }
}

/// What lies behind every chart: faults as tinted bands, phase edges as lines.
pub(super) fn bands(report: &RunReport, time: &Time) -> String {
    let mut out = String::new();
    for (from, until) in report.faults.iter().flat_map(|f| &f.intervals) {
        let (x, right) = (time.at(*from) * WIDTH, time.at(*until) * WIDTH);
        let width = (right - x).max(1.0);
        out.push_str(&format!("<rect class='band' x='{x:.1}' y='0' width='{width:.1}' height='{HEIGHT}'/>"));
    }
    let inner = report.phases.iter().map(|p| time.at(p.from)).filter(|x| *x > 0.0 && *x < 1.0);
    let edges: String = inner.map(|x| format!("M{:.1} 0V{HEIGHT}", x * WIDTH)).collect();
    out.push_str(&format!("<path class='edge' d='{edges}'/>"));
    out
}

/// Labels of the time axis.
pub(super) fn ticks(time: &Time) -> String {
    let all = time.ticks();
    let label = |at: &f64| {
        let x = time.at(*at) * 100.0;
        let class = if x > 96.0 { " class='last'" } else { "" };
        format!("<span{class} style='left:{x:.2}%'>{}</span>", seconds(*at))
    };
    format!(
        "<div class='row x'><div class='y'></div><div class='ticks'>{}</div></div>\n",
        labels(&all, label)
    )
}

fn labels(ticks: &[f64], label: impl Fn(&f64) -> String) -> String {
    ticks.iter().map(label).collect()
}

/// `200`, `2k`, `0.5`.
pub(super) fn number(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{}M", v / 1e6),
        v if v >= 1e4 => format!("{}k", v / 1e3),
        v => format!("{}", (v * 1e3).round() / 1e3),
    }
}
