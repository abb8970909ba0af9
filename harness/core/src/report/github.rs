//! `github`: workflow commands that put annotations at the expectation's line.
//!
//! GitHub keeps ten errors, ten warnings and ten notices of a step and drops the rest without a word, so the
//! last one kept says how many follow.

use super::story::Story;
use super::text::clean;
use super::{RenderOptions, Renderer, RunReport, Standing};

pub(super) const RENDERER: Renderer = Renderer {
    name: "github",
    extension: "txt",
    summary: "GitHub annotations at the lines of the expectations",
    render: |report, options| render_many(std::slice::from_ref(report), options),
    render_many: Some(render_many),
};

/// Annotations of one level that GitHub keeps per step.
const KEPT: usize = 10;

/// How loud an annotation is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Error,
    Warning,
    Notice,
}

/// One annotation. All text is clean.
pub(crate) struct Annotation {
    pub(crate) level: Level,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) title: String,
    pub(crate) message: String,
}

fn render_many(reports: &[RunReport], _: &RenderOptions) -> Vec<u8> {
    commands(&reports.iter().flat_map(annotations).collect::<Vec<_>>()).into_bytes()
}

/// As workflow commands, as many of each level as GitHub keeps.
pub(crate) fn commands(all: &[Annotation]) -> String {
    let mut out = String::new();
    for level in [Level::Error, Level::Warning, Level::Notice] {
        let mut of_level: Vec<_> = all.iter().filter(|a| a.level == level).collect();
        let dropped = of_level.len().saturating_sub(KEPT);
        of_level.truncate(KEPT);
        for (i, annotation) in of_level.iter().enumerate() {
            let is_last = dropped > 0 && i + 1 == KEPT;
            out.push_str(&annotation.command(if is_last { dropped } else { 0 }));
        }
    }
    out
}

fn annotations(report: &RunReport) -> Vec<Annotation> {
    let (file, title) = (clean(&report.plan.source), clean(&report.plan.title()));
    let on_run = |level, message: String| Annotation {
        level,
        file: file.clone(),
        line: 1,
        title: format!("gatecrash: {title}"),
        message,
    };
    let mut all = Vec::new();
    all.extend(
        report
            .interrupted
            .as_ref()
            .map(|r| on_run(Level::Error, format!("stopped before its plan ended: {}", clean(r)))),
    );
    for guard in &report.guards {
        let level = if guard.spoils { Level::Warning } else { Level::Notice };
        all.push(on_run(level, format!("guard {}: {}", clean(&guard.guard), clean(&guard.text))));
    }
    for story in Story::all(report) {
        let level = match story.standing {
            Standing::Fail | Standing::Inconclusive => Level::Error,
            Standing::Warn => Level::Warning,
            Standing::Known | Standing::Info => Level::Notice,
            Standing::Pass => continue,
        };
        let expectation = report.plan.expectations.get(report.verdicts[story.index].expectation as usize);
        all.push(Annotation {
            level,
            file: file.clone(),
            line: expectation.map_or(1, |e| e.line.max(1)),
            title: format!("{} {} ({title})", story.standing.word(), story.label),
            message: story.paragraph(),
        });
    }
    all
}

impl Annotation {
    fn command(&self, more: usize) -> String {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
        };
        let mut message = data(&self.message);
        if more > 0 {
            message.push_str(&format!("%0A({more} more of this level are not shown here)"));
        }
        format!(
            "::{level} file={},line={},title={}::{message}\n",
            property(&self.file),
            self.line,
            property(&self.title)
        )
    }
}

/// Escapes the message of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    fn rendered(reports: &[RunReport]) -> String {
        String::from_utf8(render_many(reports, &RenderOptions::default())).unwrap()
    }

    #[test]
    fn snapshots() {
        for (name, report) in fixtures::all() {
            insta::assert_snapshot!(name, rendered(&[report]));
        }
    }

    #[test]
    fn every_line_is_one_command() {
        for (name, report) in fixtures::all() {
            for line in rendered(&[report]).lines() {
                let (head, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
                let (level, properties) = head.split_once(' ').unwrap();
                assert!(["error", "warning", "notice"].contains(&level), "{name}: {line}");
                let keys: Vec<_> = properties.split(',').map(|p| p.split_once('=').unwrap().0).collect();
                assert_eq!(keys, ["file", "line", "title"], "{name}: {line}");
                assert!(!message.is_empty(), "{name}: {line}");
            }
        }
    }

    #[test]
    fn at_most_ten_of_a_level_and_the_last_says_so() {
        let many: Vec<_> = (0..13).map(|_| fixtures::failing()).collect();
        let text = rendered(&many);
        let errors: Vec<_> = text.lines().filter(|l| l.starts_with("::error ")).collect();
        let dropped =
            rendered(&[fixtures::failing()]).lines().filter(|l| l.starts_with("::error ")).count() * 13 - 10;
        assert_eq!(errors.len(), 10);
        assert!(errors[9].ends_with(&format!("%0A({dropped} more of this level are not shown here)")));
        assert!(!errors[8].contains("not shown here"));
    }
}
