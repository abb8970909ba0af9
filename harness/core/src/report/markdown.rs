//! `markdown`: one table of cases, then what went wrong in folds. Below 60 kB, so that it fits job summaries
//! and comments.

use super::capacity;
use super::secrets::arguments;
use super::standing::{Standing, Tally, word};
use super::story::{Story, gateway};
use super::text::{clean, count, escape, percent, thousands};
use super::{Comparison, RenderOptions, Renderer, RunReport, Spread};

pub(super) const RENDERER: Renderer = Renderer {
    name: "markdown",
    extension: "md",
    summary: "Markdown for job summaries and comments: a table of cases, problems in folds",
    render: |report, options| render_many(std::slice::from_ref(report), options),
    render_many: Some(render_many),
};

/// Most bytes of a document; a job summary or comment that is longer would be refused whole.
const LIMIT: usize = 60_000;
/// Bytes kept free for the sentence that says what was left out.
const RESERVE: usize = 200;

fn render_many(reports: &[RunReport], _: &RenderOptions) -> Vec<u8> {
    let mut sheet = Sheet::default();
    sheet.push("## gatecrash\n\n");
    sheet.push(
        "| case | gateway | verdict | pass | warn | known | fail | inconclusive | requests | succeeded |\n",
    );
    sheet.push("|---|---|---|--:|--:|--:|--:|--:|--:|--:|\n");
    for report in reports {
        sheet.push(&row(report));
    }
    sheet.push("\n");
    if let Some(table) = Comparison::of(reports) {
        sheet.push(&format!("### Side by side\n\n{}", table.markdown()));
    }
    let repeats = Spread::all(reports);
    if !repeats.is_empty() {
        sheet.push("### Repeats\n\n");
        repeats.iter().for_each(|spread| sheet.push(&spread.markdown()));
    }
    for report in reports {
        capacity_of(report).iter().for_each(|part| sheet.push(part));
    }
    for report in reports {
        for problem in problems(report) {
            sheet.push(&problem);
        }
    }
    for report in reports {
        let command = clean(&arguments(&report.environment.reproduce));
        if !command.is_empty() {
            sheet.push(&format!("Reproduce {}:\n\n{}\n", cell(&report.plan.title()), fenced(&command)));
        }
    }
    sheet.finish().into_bytes()
}

fn row(report: &RunReport) -> String {
    let tally = Tally::of(report);
    let requests: u64 = report.phases.iter().map(|p| p.requests).sum();
    let succeeded: u64 = report.phases.iter().map(|p| p.succeeded).sum();
    let n = |standing| tally.count(standing);
    format!(
        "| {} | {} | **{}** | {} | {} | {} | {} | {} | {} | {} |\n",
        cell(&report.plan.title()),
        cell(&gateway(report)),
        word(report),
        n(Standing::Pass),
        n(Standing::Warn),
        n(Standing::Known),
        n(Standing::Fail),
        n(Standing::Inconclusive),
        thousands(requests),
        percent(succeeded, requests)
    )
}

/// A table of cases and the curve of each, for a capacity scenario.
fn capacity_of(report: &RunReport) -> Vec<String> {
    let Some(found) = &report.capacity else { return Vec::new() };
    let words = capacity::words(report);
    let mut table = format!(
        "### Capacity of {}\n\nHighest rate of {} at which this holds: {}.\n\n\
         | case | capacity | what breaks beyond | of the first case | goodput under overload | trials |\n\
         |---|---|---|---|---|--:|\n",
        cell(&report.plan.title()),
        cell(&found.workload),
        cell(&capacity::objective(found))
    );
    for case in &words {
        let texts =
            [&case.name, &case.bounds, &case.limit, &case.of_first, &case.overload].map(|text| cell(text));
        table.push_str(&format!("| {} | {} |\n", texts.join(" | "), case.trials));
    }
    table.push('\n');
    for case in &words {
        let says = case.target.iter().chain(&case.remarks);
        says.for_each(|line| table.push_str(&format!("- **{}**: {}\n", cell(&case.name), cell(line))));
    }
    let mut parts = vec![table + "\n"];
    for case in &found.cases {
        let mut curve = format!("<details><summary>Curve of {}</summary>\n\n", html(&clean(&case.name)));
        curve.push_str(&format!(
            "| {} |\n|{}\n",
            capacity::HEADS.join(" | "),
            "--:|".repeat(capacity::HEADS.len())
        ));
        let rows = case.curve.iter().map(|point| format!("| {} |\n", capacity::cells(point).join(" | ")));
        curve.extend(rows);
        parts.push(curve + "\n</details>\n\n");
    }
    parts
}

/// A fold each for what stopped the run, guards that spoke, and verdicts that are not a pass.
fn problems(report: &RunReport) -> Vec<String> {
    let title = clean(&report.plan.title());
    let mut folds = Vec::new();
    if let Some(reason) = &report.interrupted {
        let text = format!("stopped before its plan ended: {}", clean(reason));
        folds.push(fold("STOPPED", &title, &text, true));
    }
    for guard in &report.guards {
        let name = format!("{title}: guard {}", clean(&guard.guard));
        folds.push(fold(
            if guard.spoils { "GUARD" } else { "NOTE" },
            &name,
            &clean(&guard.text),
            guard.spoils,
        ));
    }
    for story in Story::all(report).iter().filter(|s| s.standing != Standing::Pass) {
        let is_open = matches!(story.standing, Standing::Fail | Standing::Inconclusive);
        let head = format!("{title}: {}", story.headline());
        folds.push(fold(story.standing.word(), &head, &story.paragraph(), is_open));
    }
    folds
}

fn fold(word: &str, head: &str, text: &str, is_open: bool) -> String {
    let open = if is_open { " open" } else { "" };
    let head: String = head.chars().take(300).collect();
    format!(
        "<details{open}><summary><b>{word}</b> {}</summary>\n\n{}\n</details>\n\n",
        html(&head),
        fenced(text)
    )
}

/// A code block whose fence is longer than any run of backticks in it.
fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{text}\n{fence}\n")
}

/// Text for a table cell or a sentence: no markup, no mentions, no break.
pub(crate) fn cell(text: &str) -> String {
    html(&clean(text))
}

/// HTML escapes, and entities for what Markdown or the host would make something of.
fn html(text: &str) -> String {
    let mut out = String::new();
    for c in escape(text).chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '@' | '!' => {
                out.push_str(&format!("&#{};", u32::from(c)))
            }
            c => out.push(c),
        }
    }
    out
}

/// A document that takes parts while they fit.
#[derive(Default)]
pub(crate) struct Sheet {
    text: String,
    left_out: u64,
}

impl Sheet {
    pub(crate) fn push(&mut self, part: &str) {
        if self.text.len() + part.len() > LIMIT - RESERVE {
            self.left_out += 1;
        } else {
            self.text.push_str(part);
        }
    }

    pub(crate) fn finish(mut self) -> String {
        if self.left_out > 0 {
            let parts = count(self.left_out, "part");
            self.text.push_str(&format!(
                "\n{parts} left out to keep this short; the other report formats have all.\n"
            ));
        }
        self.text
    }
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
        insta::assert_snapshot!("many", rendered(&[fixtures::passing(), fixtures::failing()]));
    }

    #[test]
    fn it_stays_short_and_says_what_it_left_out() {
        let many: Vec<_> = (0..200).map(|_| fixtures::hostile()).collect();
        let text = rendered(&many);
        assert!(text.len() <= LIMIT, "{}", text.len());
        assert!(text.contains("left out to keep this short"));
        assert_eq!(text.matches("<details").count(), text.matches("</details>").count());
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert!(fenced("a ```` b").starts_with("`````text\n"));
        assert!(fenced("a").starts_with("```text\n"));
    }
}
