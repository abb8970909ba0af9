//! The page of a capacity scenario: bounds case by case, the curves over the offered rate, every trial.

use gatecrash_model::{TrialOutcome, TrialPurpose, TrialRecord};

use super::axis::Scale;
use super::chart::number;
use super::text;
use crate::capacity::{CapacityReport, CaseReport, CurvePoint};
use crate::report::RunReport;
use crate::report::capacity::{CaseWords, HEADS, cells, objective, words};
use crate::report::text::{millis, seconds, thousands};
use crate::units::Rate;

/// Units of a drawing; it is stretched to its place.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 100.0;

/// One line of a chart over the offered rate.
struct Line {
    class: &'static str,
    name: &'static str,
    value: fn(&CurvePoint) -> Option<f64>,
}

/// The whole section; empty for a run that searched nothing.
pub(super) fn section(report: &RunReport) -> String {
    let Some(capacity) = &report.capacity else { return String::new() };
    let words = words(report);
    let mut out = format!(
        "<section id='capacity'><h2>Capacity</h2>\n<p class='hint'>Highest rate of <b>{}</b> at which this holds: {}. \
         The capacity lies between the two rates.</p>\n",
        text(&capacity.workload),
        text(&objective(capacity))
    );
    out.push_str(&summary(&words));
    for (case, words) in capacity.cases.iter().zip(&words) {
        out.push_str(&of_case(case, words));
    }
    out.push_str("</section>\n");
    out
}

fn summary(words: &[CaseWords]) -> String {
    let cell = |c: &String| format!("<td class='said'>{}</td>", text(c));
    let row = |w: &CaseWords| {
        let cells = [&w.bounds, &w.limit, &w.of_first, &w.overload].map(cell).concat();
        format!("<tr><th scope='row'>{}</th>{cells}<td class='n'>{}</td></tr>", text(&w.name), w.trials)
    };
    let rows: String = words.iter().map(row).collect();
    format!(
        "<div class='wide'><table><thead><tr><th>case</th><th>capacity</th><th>what breaks beyond</th>\
         <th>of the first case</th><th>goodput under overload</th><th class='n'>trials</th></tr></thead>\
         <tbody>{rows}</tbody></table></div>\n"
    )
}

fn of_case(case: &CaseReport, words: &CaseWords) -> String {
    let tone = if case.harness_limited { "inconclusive" } else { "info" };
    let mut out =
        format!("<article class='{tone}'><h3>{}: {}</h3>\n", text(&words.name), text(&words.bounds));
    let says = words.target.iter().chain(&words.remarks);
    out.extend(says.map(|remark| format!("<p class='note'>{}</p>\n", text(remark))));
    out.push_str(&charts(case));
    out.push_str(&curve_table(case));
    out.push_str(&trials(case));
    out.push_str("</article>\n");
    out
}

fn charts(case: &CaseReport) -> String {
    let points = &case.curve;
    if points.len() < 2 {
        return String::new();
    }
    let most = points.iter().map(|p| p.offered).fold(0.0, f64::max);
    let across = Scale::fitting([most].into_iter(), false);
    let goodput = Scale::fitting(points.iter().flat_map(|p| [p.goodput, p.offered]), false);
    let times = points.iter().flat_map(|p| [p.p50_ms, p.p99_ms]).flatten();
    let response = Scale::fitting(times, true);
    let log = if matches!(response, Scale::Log(..)) { ", log scale" } else { "" };
    let first = [
        Line { class: "offered", name: "offered", value: |p| Some(p.offered) },
        Line { class: "good", name: "whole and correct", value: |p| Some(p.goodput) },
    ];
    let second = [
        Line { class: "p99", name: "p99", value: |p| p.p99_ms },
        Line { class: "p50", name: "median", value: |p| p.p50_ms },
    ];
    let title = format!("Response time (ms{log}) over offered rate");
    let ticks = ticks(across);
    format!(
        "{}{ticks}{}{ticks}",
        chart(case, "Goodput (per second) over offered rate", across, goodput, &first),
        chart(case, &title, across, response, &second)
    )
}

fn chart(case: &CaseReport, title: &str, across: Scale, up: Scale, lines: &[Line]) -> String {
    let (mut grid, mut labels, mut drawing, mut keys) = <(String, String, String, String)>::default();
    for tick in up.ticks() {
        let height = up.height(tick);
        grid.push_str(&format!("M0 {:.1}H{WIDTH}", (1.0 - height) * HEIGHT));
        labels.push_str(&format!("<span style='bottom:{:.1}%'>{}</span>", height * 100.0, number(tick)));
    }
    let at = |rate: f64| across.height(rate) * WIDTH;
    // Between the bounds lies the capacity.
    if let (Some(lower), Some(upper)) = (case.lower, case.upper) {
        let (x, width) = (at(lower), (at(upper) - at(lower)).max(1.0));
        drawing
            .push_str(&format!("<rect class='band' x='{x:.1}' y='0' width='{width:.1}' height='{HEIGHT}'/>"));
    }
    for line in lines {
        let mut path = String::new();
        for point in &case.curve {
            let Some(value) = (line.value)(point).filter(|v| v.is_finite()) else { continue };
            let (x, y) = (at(point.offered), (1.0 - up.height(value)) * HEIGHT);
            let pen = if path.is_empty() { 'M' } else { 'L' };
            path.push_str(&format!("{pen}{x:.1} {y:.1}"));
        }
        drawing.push_str(&format!("<path class='line {}' d='{path}'/>", line.class));
        keys.push_str(&format!("<span class='key {}'><i></i>{}</span>", line.class, line.name));
    }
    let title = text(title);
    format!(
        "<figure><figcaption><b>{title}</b>{keys}</figcaption><div class='row'><div class='y'>{labels}</div>\
         <div class='area-box'><svg viewBox='0 0 {WIDTH} {HEIGHT}' preserveAspectRatio='none' role='img' \
         aria-label='{title}'><path class='grid' d='{grid}'/>{drawing}</svg></div></div></figure>\n"
    )
}

fn ticks(across: Scale) -> String {
    let all = across.ticks();
    let last = all.len().saturating_sub(1);
    let label = |(i, tick): (usize, &f64)| {
        let class = if i == last { " class='last'" } else { "" };
        format!("<span{class} style='left:{:.1}%'>{}/s</span>", across.height(*tick) * 100.0, number(*tick))
    };
    let labels: String = all.iter().enumerate().map(label).collect();
    format!("<div class='row x'><div></div><div class='ticks'>{labels}</div></div>\n")
}

fn curve_table(case: &CaseReport) -> String {
    let heads: String = HEADS.iter().map(|h| format!("<th class='n'>{h}</th>")).collect();
    let row = |point: &CurvePoint| {
        let cells: String = cells(point).iter().map(|c| format!("<td class='n'>{}</td>", text(c))).collect();
        format!("<tr>{cells}</tr>")
    };
    let rows: String = case.curve.iter().map(row).collect();
    format!("<div class='wide'><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>\n")
}

fn trials(case: &CaseReport) -> String {
    let row = |t: &TrialRecord| {
        let purpose = match t.purpose {
            TrialPurpose::Search => "search",
            TrialPurpose::Asked => "asked for",
            TrialPurpose::Overload => "overload",
        };
        let verdict = match &t.outcome {
            TrialOutcome::Good => "good".to_owned(),
            TrialOutcome::Bad { clause, why } => format!("bad: {clause}: {why}"),
            TrialOutcome::Discarded { why } => format!("discarded: {why}"),
        };
        let ms = |micros: Option<u64>| millis(micros.map(|us| us as f64 / 1e3));
        let gateway = t.gateway_cpu.map_or_else(|| "-".into(), |cores| format!("{cores:.2}"));
        format!(
            "<tr><td class='n'>{}</td><td class='word'>{purpose}</td><td class='n'>{}</td><td class='n'>{}</td><td class='said'>{}</td>\
             <td class='n'>{:.0}/s</td><td class='n'>{}</td><td class='n'>{}</td><td class='n'>{}</td>\
             <td class='n'>{:.2}</td><td class='n'>{gateway}</td></tr>",
            t.number,
            Rate(t.rate),
            seconds(t.seconds()),
            text(&verdict),
            t.goodput(),
            thousands(t.dropped),
            ms(t.p50),
            ms(t.p99),
            t.harness_cpu,
        )
    };
    let rows: String = case.trials.iter().map(row).collect();
    format!(
        "<details><summary>All {} trials</summary><div class='wide'><table><thead><tr><th class='n'>no.</th>\
         <th>for</th><th class='n'>offered</th><th class='n'>judged</th><th>verdict</th><th class='n'>goodput</th>\
         <th class='n'>not sent</th><th class='n'>median</th><th class='n'>p99</th><th class='n'>harness, cores</th>\
         <th class='n'>gateway, cores</th></tr></thead><tbody>{rows}</tbody></table></div></details>\n",
        case.trials.len()
    )
}

/// What the page's head says of it.
pub(super) fn facts(capacity: &CapacityReport) -> Vec<(&'static str, String)> {
    let trials: usize = capacity.cases.iter().map(|c| c.trials.len()).sum();
    let requests: u64 = capacity.cases.iter().flat_map(|c| &c.trials).map(|t| t.offered).sum();
    vec![
        ("cases", capacity.cases.len().to_string()),
        ("trials", trials.to_string()),
        ("requests judged", thousands(requests)),
    ]
}
