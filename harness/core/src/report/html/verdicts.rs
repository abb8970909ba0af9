//! The verdicts: what did not pass in full, what passed as a table.

use super::lanes::window;
use super::{class, samples, text, waterfall};
use crate::report::RunReport;
use crate::report::standing::Standing;
use crate::report::story::Story;
use crate::report::text::{escape, seconds};

pub(super) fn section(report: &RunReport, stories: &[Story]) -> String {
    let (passed, spoken): (Vec<_>, Vec<_>) = stories.iter().partition(|s| s.standing == Standing::Pass);
    let articles: String = spoken.iter().map(|story| article(report, story)).collect();
    let none = if stories.is_empty() { "<p class='none'>No expectation was judged.</p>\n" } else { "" };
    let command = match text(&report.environment.reproduce) {
        command if command.is_empty() => String::new(),
        command => format!("<p class='again'>Reproduce: <code>{command}</code></p>\n"),
    };
    format!(
        "<section id='verdicts'><h2>Verdicts</h2>\n{none}{articles}{}{command}</section>\n",
        passes(report, &passed)
    )
}

fn article(report: &RunReport, story: &Story) -> String {
    let mut items = String::new();
    let mut item = |name: &str, value: String| {
        items.push_str(&format!("<div><dt>{name}</dt><dd>{value}</dd></div>"));
    };
    item("observed", format!("<strong>{}</strong> on {}", escape(&story.observed), samples(story.samples)));
    item("wanted", escape(&story.wanted));
    if let Some(because) = &story.because {
        item("because", escape(because));
    }
    if !story.details.is_empty() {
        let lines: String = story.details.iter().map(|d| format!("<li>{}</li>", escape(d))).collect();
        item("evidence", format!("<ul>{lines}</ul>"));
    }
    if let Some(deviation) = &story.deviation {
        item("known for", escape(deviation));
    }
    if let Some(likely) = &story.likely {
        item("likely", format!("<strong>{}</strong>", escape(likely)));
    }
    if let Some(runbook) = &story.runbook {
        item("runbook", link(runbook));
    }
    if let Some(explain) = &story.explain {
        let also = match story.also.as_slice() {
            [] => String::new(),
            also => format!(" (also {})", escape(&also.join(", "))),
        };
        item("look closer", format!("<code>{}</code>{also}", escape(explain)));
    }
    for fall in &story.falls {
        item("request", waterfall::drawn(fall));
    }
    if !story.place.is_empty() {
        item("place", format!("<code>{}</code>", escape(&story.place)));
    }
    format!(
        "<article class='{tone}' id='verdict-{index}'{data}><h3><span class='badge {tone}'>{word}</span> \
         {label}{when}</h3><dl>{items}</dl></article>\n",
        tone = class(story.standing),
        index = story.index,
        data = window_data(report, story),
        word = story.standing.word(),
        label = escape(&story.label),
        when = when(report, story),
    )
}

fn passes(report: &RunReport, passed: &[&Story]) -> String {
    if passed.is_empty() {
        return String::new();
    }
    let row = |story: &&Story| {
        format!(
            "<tr id='verdict-{}'{}><td class='badge-cell'><span class='badge pass'>PASS</span></td>\
             <th scope='row'>{}</th><td>{}</td><td>{}</td><td class='n'>{}</td><td>{}</td></tr>",
            story.index,
            window_data(report, story),
            escape(&story.label),
            escape(&story.observed),
            escape(&story.wanted),
            crate::report::text::thousands(story.samples),
            when(report, story)
        )
    };
    let rows: String = passed.iter().map(row).collect();
    format!(
        "<div class='wide'><table><thead><tr><th></th><th>expectation</th><th>observed</th><th>wanted</th>\
         <th class='n'>samples</th><th>window</th></tr></thead><tbody>{rows}</tbody></table></div>\n"
    )
}

fn window_data(report: &RunReport, story: &Story) -> String {
    let data = |(from, until): (f64, f64)| format!(" data-from='{from:.3}' data-until='{until:.3}'");
    window(report, story.index).map_or_else(String::new, data)
}

/// The window as a link to the time axis.
fn when(report: &RunReport, story: &Story) -> String {
    let link = |(from, until): (f64, f64)| {
        format!(" <a class='when' href='#time'>{} to {}</a>", seconds(from), seconds(until))
    };
    window(report, story.index).map_or_else(String::new, link)
}

fn link(target: &str) -> String {
    let shown = escape(target);
    if target.starts_with("https://") || target.starts_with("http://") {
        format!("<a href='{shown}' rel='noreferrer'>{shown}</a>")
    } else {
        shown
    }
}
