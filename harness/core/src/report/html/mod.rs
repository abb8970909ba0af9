//! `html`: one self-contained page. One time axis with phases and faults as bands behind rate, response time,
//! statuses and attempts; verdicts linked to it; plan, environment and limits. Drawn here, so it needs no
//! script to be read; a little script adds a read-out. No network, no fonts, dark and light, greyscale and
//! print.

mod axis;
mod capacity;
mod chart;
mod lanes;
mod resilience;
mod tables;
mod verdicts;
mod waterfall;

use axis::{Scale, Time};
use chart::Chart;

use super::standing::{Standing, Tally, word};
use super::story::{Story, gateway};
use super::text::{clean, count, escape, percent, seconds};
use super::{RenderOptions, Renderer, RunReport, Second, redacted};

pub(super) const RENDERER: Renderer = Renderer {
    name: "html",
    extension: "html",
    summary: "one self-contained page with charts, verdicts, plan and limits",
    render: |report, _: &RenderOptions| page(&redacted(report)).into_bytes(),
    render_many: None,
};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Nothing may be loaded from anywhere, whatever a string in the report looks like.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

fn page(report: &RunReport) -> String {
    let time = Time::of(report);
    let stories = Story::all(report);
    let title = text(&report.plan.title());
    let head = header(report, &time);
    // Of a search there is no second by second: its requests are not kept.
    let charts = match &report.capacity {
        Some(_) => capacity::section(report),
        None => timeline(report, &time, &stories),
    };
    let phases = if report.capacity.is_some() { String::new() } else { tables::phases(report) };
    let verdicts = verdicts::section(report, &stories);
    let (faults, lag, cost) = (tables::faults(report), tables::lag(report), resilience::resilience(report));
    let (plan, limits) = (tables::plan(report), tables::limits(report, &time));
    let data = data(report, &time);
    format!(
        "<!DOCTYPE html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n\
         <meta name='viewport' content='width=device-width, initial-scale=1'>\n\
         <meta name='color-scheme' content='light dark'>\n\
         <meta http-equiv='Content-Security-Policy' content=\"{POLICY}\">\n\
         <title>{} {title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         {head}{charts}{verdicts}{phases}{faults}{cost}{lag}{plan}{limits}</main>\n\
         <script type='application/json' id='data'>{data}</script>\n<script>\n{SCRIPT}</script>\n\
         </body>\n</html>\n",
        word(report)
    )
}

fn header(report: &RunReport, time: &Time) -> String {
    let requests: u64 = report.phases.iter().map(|p| p.requests).sum();
    let succeeded: u64 = report.phases.iter().map(|p| p.succeeded).sum();
    let counted = match &report.capacity {
        Some(capacity) => capacity::facts(capacity),
        None => {
            vec![("requests", super::text::thousands(requests)), ("succeeded", percent(succeeded, requests))]
        }
    };
    let facts = [
        ("gateway", gateway(report)),
        ("run", clean(&report.run)),
        ("seed", report.plan.seed.to_string()),
        ("length", if report.phases.is_empty() { "-".into() } else { seconds(time.end) }),
        ("started", clean(&report.environment.started)),
    ];
    let facts: String = facts
        .iter()
        .chain(&counted)
        .map(|(k, v)| format!("<div><dt>{k}</dt><dd>{}</dd></div>", escape(v)))
        .collect();
    let tally = Tally::of(report);
    let chip = |s: &Standing| match tally.count(*s) {
        0 => String::new(),
        n => {
            format!("<a class='chip {}' href='#verdicts'>{n} {}</a>", class(*s), s.word().to_lowercase())
        }
    };
    let chips: String = Standing::ALL.iter().map(chip).collect();
    let case = match report.plan.case.as_str() {
        "" => String::new(),
        case => format!(" <small>{}</small>", text(case)),
    };
    let mut notes = String::new();
    if let Some(reason) = &report.interrupted {
        notes.push_str(&format!(
            "<p class='note bad'><b>Stopped before its plan ended.</b> {}</p>\n",
            text(reason)
        ));
    }
    for guard in &report.guards {
        let (tone, says) = if guard.spoils { ("bad", "Guard") } else { ("", "Note") };
        let (name, words) = (text(&guard.guard), text(&guard.text));
        notes.push_str(&format!("<p class='note {tone}'><b>{says} {name}.</b> {words}</p>\n"));
    }
    let outcome = word(report);
    format!(
        "<header>\n<div class='top'><span class='badge {}'>{outcome}</span><h1>{}{case}</h1></div>\n\
         <p class='about'>{}</p>\n<dl class='facts'>{facts}</dl>\n<p class='chips'>{chips}</p>\n\
         {notes}</header>\n",
        outcome.to_lowercase(),
        text(&report.plan.name),
        text(&report.plan.about)
    )
}

fn timeline(report: &RunReport, time: &Time, stories: &[Story]) -> String {
    let lanes = lanes::section(report, time, stories);
    if time.series.iter().all(|s| s.offered == 0) {
        return format!(
            "<section id='time'><h2>Time</h2>\n{lanes}<p class='none'>No requests were sent.</p></section>\n"
        );
    }
    let (bands, ticks) = (chart::bands(report, time), chart::ticks(time));
    let charts: String = charts(report, time).into_iter().map(|c| c.render(&bands)).collect();
    let merged = match time.step {
        1 => String::new(),
        n => format!(
            "<p class='hint'>A point stands for {n} s: rates are means, response times the worst.</p>\n"
        ),
    };
    format!(
        "<section id='time'><h2>Time</h2>\n<output class='readout' hidden></output>\n\
         <div class='plots'>\n{lanes}{ticks}{charts}{ticks}</div>\n{merged}</section>\n"
    )
}

fn charts<'a>(report: &RunReport, time: &'a Time) -> Vec<Chart<'a>> {
    let step = f64::from(time.step);
    let most = |of: fn(&Second) -> f64| time.series.iter().map(of);
    let rates = Scale::fitting(most(|s| s.offered as f64).map(|v| v / step), false);
    let times = time.series.iter().flat_map(|s| [s.p50_ms, s.p99_ms]).flatten();
    let response = Scale::fitting(times, true);
    let response_title = match response {
        Scale::Linear(_) => "Response time, ms",
        Scale::Log(..) => "Response time, ms (log scale)",
    };
    let answers = Scale::fitting(most(|s| s.classes.iter().sum::<u64>() as f64).map(|v| v / step), false);
    let ratios = Scale::fitting(most(|s| per_request(s).unwrap_or_default()).chain([1.4]), false);
    let classes =
        [("c2", "2xx"), ("c3", "3xx"), ("c4", "4xx"), ("c5", "5xx"), ("cb", "broken: no whole answer")];
    let classes = classes.map(|(class, name)| (class, name.to_string())).to_vec();
    let mut all = vec![
        Chart::new(time, "Requests per second", rates, "/s")
            .line("offered", "offered", |s| Some(s.offered as f64))
            .line("good", "whole and correct", |s| Some(s.good as f64)),
        Chart::new(time, response_title, response, "ms").line("p99", "p99", |s| s.p99_ms).line(
            "p50",
            "median",
            |s| s.p50_ms,
        ),
        Chart::new(time, "Answers per second by status", answers, "/s")
            .stack(classes, |s| s.classes.to_vec()),
        Chart::new(time, "Upstream attempts per client request", ratios, "x").level(1.0).line(
            "ratio",
            "attempts per request",
            per_request,
        ),
    ];
    if report.plan.regions.len() > 1 {
        const TINTS: [&str; 4] = ["r0", "r1", "r2", "r3"];
        let attempts =
            Scale::fitting(most(|s| s.attempts.iter().sum::<u64>() as f64).map(|v| v / step), false);
        let regions = report.plan.regions.iter().zip(TINTS.iter().cycle());
        let parts = regions.map(|(region, tint)| (*tint, region.name.clone())).collect();
        let chart = Chart::new(time, "Upstream attempts per second by region", attempts, "/s");
        all.push(chart.stack(parts, |s| s.attempts.clone()));
    }
    all
}

fn per_request(second: &Second) -> Option<f64> {
    (second.offered > 0).then(|| second.attempts.iter().sum::<u64>() as f64 / second.offered as f64)
}

/// What the read-out needs, safe inside a script element.
fn data(report: &RunReport, time: &Time) -> String {
    let phases: Vec<_> = report.phases.iter().map(|p| (clean(&p.name), p.from, p.until)).collect();
    let faults: Vec<_> = report.faults.iter().map(|f| (clean(&f.name), &f.intervals)).collect();
    let regions: Vec<_> = report.plan.regions.iter().map(|r| clean(&r.name)).collect();
    let value = serde_json::json!({
        "version": report.version, "run": clean(&report.run), "end": time.end, "step": time.step,
        "phases": phases, "faults": faults, "regions": regions, "series": time.series,
    });
    value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Text from the report, safe for the page.
fn text(words: &str) -> String {
    escape(&clean(words))
}

fn class(standing: Standing) -> String {
    standing.word().to_lowercase()
}

/// `1 sample`; for tables that need it as a cell.
fn samples(n: u64) -> String {
    count(n, "sample")
}

#[cfg(test)]
mod tests;
