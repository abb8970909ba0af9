//! `github`: workflow commands that put each change at the line of its expectation.

use super::ChangeRenderer;
use crate::compare::{Change, Changes, Weight};
use crate::report::github::{Annotation, Level, commands};
use crate::report::text::clean;

pub(super) const RENDERER: ChangeRenderer = ChangeRenderer {
    name: "github",
    summary: "GitHub annotations: an error for each thing that got worse",
    render: |changes, _| {
        let all: Vec<_> = changes.changes.iter().map(|change| annotation(changes, change)).collect();
        commands(&all).into_bytes()
    },
};

fn annotation(changes: &Changes, change: &Change) -> Annotation {
    let level = match change.weight {
        Weight::Regression => Level::Error,
        Weight::Warning => Level::Warning,
        Weight::Better | Weight::Different => Level::Notice,
    };
    let why = change.why.as_ref().map_or_else(String::new, |why| format!("\nonly a warning: {}", clean(why)));
    Annotation {
        level,
        file: clean(&change.source),
        line: change.line.max(1),
        title: format!(
            "{} {}: against {}",
            change.weight.word(),
            clean(&change.case),
            clean(&changes.was.name)
        ),
        message: format!("{}{why}", change.sentence()),
    }
}
