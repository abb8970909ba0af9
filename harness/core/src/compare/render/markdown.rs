//! `markdown`: one table of what changed, for job summaries and comments.

use super::ChangeRenderer;
use crate::compare::{Change, Changes, Weight};
use crate::report::markdown::{Sheet, cell};
use crate::report::text::ratio;

pub(super) const RENDERER: ChangeRenderer = ChangeRenderer {
    name: "markdown",
    summary: "Markdown for job summaries and comments: a table of what changed",
    render: |changes, _| render(changes).into_bytes(),
};

fn render(changes: &Changes) -> String {
    let mut sheet = Sheet::default();
    sheet.push(&format!(
        "## gatecrash: against {}\n\n{}\n\n",
        cell(&changes.was.name),
        cell(&changes.summary())
    ));
    if !changes.changes.is_empty() {
        sheet
            .push("| | case | what | | before | after | times (interval) |\n|---|---|---|---|--:|--:|---|\n");
    }
    changes.changes.iter().for_each(|change| sheet.push(&row(change)));
    if !changes.notes.is_empty() {
        sheet.push("\n");
    }
    changes.notes.iter().for_each(|note| sheet.push(&format!("- {}\n", cell(note))));
    sheet.finish()
}

fn row(change: &Change) -> String {
    let word = match change.weight {
        Weight::Regression => format!("**{}**", change.weight.word()),
        weight => weight.word().to_owned(),
    };
    let place = change.phase.as_ref().map_or_else(String::new, |phase| format!("{}: ", cell(phase)));
    let times = |value| ratio(Some(value));
    let interval = change.ratio.map(|r| format!("{} ({} to {})", times(r.of), times(r.low), times(r.high)));
    format!(
        "| {word} | {} | {place}{} | {} | {} | {} | {} |\n",
        cell(&change.case),
        cell(&change.what),
        change.word,
        cell(&change.was),
        cell(&change.is),
        interval.unwrap_or_default()
    )
}
