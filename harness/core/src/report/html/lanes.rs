//! Lanes above the charts: phases, faults, and the windows of verdicts that are not a pass.

use super::axis::Time;
use super::{class, text};
use crate::report::standing::Standing;
use crate::report::story::Story;
use crate::report::terminal::fault_sentence;
use crate::report::{FaultSummary, RunReport};

/// Most lanes of verdicts; the list below has all.
const VERDICTS: usize = 8;

pub(super) fn section(report: &RunReport, time: &Time, stories: &[Story]) -> String {
    let mut out = String::new();
    if !report.phases.is_empty() {
        out.push_str(&phases(report, time));
    }
    for (i, fault) in report.faults.iter().enumerate().filter(|(_, f)| !f.intervals.is_empty()) {
        out.push_str(&fault_lane(time, i, fault));
    }
    let spoken = stories.iter().filter(|s| s.standing != Standing::Pass);
    let windows = spoken.filter_map(|story| Some((story, window(report, story.index)?)));
    for (story, (from, until)) in windows.take(VERDICTS) {
        let name = format!("{} {}", story.standing.word(), story.label);
        let href = format!("#verdict-{}", story.index);
        out.push_str(&lane("verdict", &name, &href, &class(story.standing), time, &[(from, until)]));
    }
    out
}

/// The window of a verdict, seconds from T0; nothing when its phase never began.
pub(super) fn window(report: &RunReport, verdict: usize) -> Option<(f64, f64)> {
    let expectation = report.plan.expectations.get(report.verdicts.get(verdict)?.expectation as usize)?;
    let end = report.phases.iter().map(|p| p.until).fold(0.0, f64::max);
    let (start, stop) = match expectation.phase {
        Some(phase) => {
            let phase = report.phases.get(usize::from(phase))?;
            (phase.from, phase.until)
        }
        None => (0.0, end),
    };
    let from = start + expectation.after.map_or(0.0, |s| s.as_seconds());
    let until = expectation.before.map_or(stop, |s| stop.min(start + s.as_seconds()));
    (from < until).then_some((from, until))
}

fn phases(report: &RunReport, time: &Time) -> String {
    let block = |(i, phase): (usize, &crate::report::PhaseSummary)| {
        let (left, right) = (time.at(phase.from) * 100.0, time.at(phase.until) * 100.0);
        let (name, width) = (text(&phase.name), right - left);
        format!(
            "<a href='#phase-{i}' title='{name}' style='left:{left:.2}%;width:{width:.2}%'>\
             <span>{name}</span></a>"
        )
    };
    let blocks: String = report.phases.iter().enumerate().map(block).collect();
    row("phase", &blocks)
}

fn fault_lane(time: &Time, index: usize, fault: &FaultSummary) -> String {
    lane("fault", &fault_sentence(fault), &format!("#fault-{index}"), "", time, &fault.intervals)
}

/// A name over bars; the name sits where its first bar begins, or ends where the bar ends when that is far
/// right.
fn lane(kind: &str, name: &str, href: &str, tone: &str, time: &Time, intervals: &[(f64, f64)]) -> String {
    let at = |(from, until): &(f64, f64)| (time.at(*from) * 100.0, time.at(*until) * 100.0);
    let bar = |interval| {
        let (left, right) = at(interval);
        format!("<i class='bar {tone}' style='left:{left:.2}%;width:{:.2}%'></i>", (right - left).max(0.3))
    };
    let bars: String = intervals.iter().map(bar).collect();
    let first = intervals.iter().map(at).map(|(left, _)| left).fold(100.0, f64::min);
    let last = intervals.iter().map(at).map(|(_, right)| right).fold(0.0, f64::max);
    let place = if first <= 50.0 {
        format!("left:{first:.2}%;max-width:{:.2}%", 100.0 - first)
    } else {
        format!("right:{:.2}%;max-width:{last:.2}%", 100.0 - last)
    };
    let name = text(name);
    row(kind, &format!("<a class='name' href='{href}' title='{name}' style='{place}'>{name}</a>{bars}"))
}

fn row(kind: &str, content: &str) -> String {
    format!(
        "<div class='row lane {kind}'><div class='y'>{kind}</div>\
         <div class='lane-box'>{content}</div></div>\n"
    )
}
