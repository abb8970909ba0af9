//! `terminal`: a line per phase, a paragraph per problem, and how to see it again.

use unicode_width::UnicodeWidthStr;

use super::capacity::{self, CaseWords};
use super::secrets::arguments;
use super::standing::{Standing, Tally, word};
use super::story::{Story, gateway};
use super::text::{attempts, clean, count, millis, percent, seconds, thousands};
use super::{FaultSummary, PhaseSummary, RenderOptions, Renderer, RunReport};

pub(super) const RENDERER: Renderer = Renderer {
    name: "terminal",
    extension: "txt",
    summary: "compact text for a terminal: a line per phase, a paragraph per problem",
    render: |report, options| render(report, None, options).into_bytes(),
    render_many: Some(render_many),
};

/// Indent of everything below a title.
const INDENT: &str = "  ";
/// Indent of what belongs to a paragraph.
const HANG: &str = "       ";

fn render_many(reports: &[RunReport], options: &RenderOptions) -> Vec<u8> {
    let mut out = String::new();
    let mut tally = Tally::default();
    let mut words: Vec<(&str, usize)> = Vec::new();
    for (i, report) in reports.iter().enumerate() {
        out.push_str(&render(report, Some((i + 1, reports.len())), options));
        out.push('\n');
        tally += Tally::of(report);
        match words.iter_mut().find(|(w, _)| *w == word(report)) {
            Some((_, n)) => *n += 1,
            None => words.push((word(report), 1)),
        }
    }
    let pen = Pen { colour: options.colour };
    let cases: Vec<_> = words.iter().map(|(w, n)| format!("{n} {}", pen.word(w))).collect();
    let total = count(reports.len() as u64, "case");
    let verdicts = tally_words(&tally, pen);
    out.push_str(&format!("{total}: {}   expectations: {verdicts}\n", cases.join(", ")));
    out.into_bytes()
}

fn render(report: &RunReport, case: Option<(usize, usize)>, options: &RenderOptions) -> String {
    let page = Page { pen: Pen { colour: options.colour }, width: options.width.max(40), full: options.full };
    let mut out = page.title(report, case);
    match &report.capacity {
        Some(_) => page.capacity(report, &mut out),
        None => page.phases(report, &mut out),
    }
    page.costs(report, &mut out);
    page.guards(report, &mut out);
    for story in Story::all(report).iter().filter(|s| options.full || s.standing != Standing::Pass) {
        page.story(story, &mut out);
    }
    if options.full {
        page.environment(report, &mut out);
    }
    page.foot(report, &mut out);
    out.lines().map(|line| defused(line) + "\n").collect()
}

/// CI systems take lines that begin with `::` and anything after `##[` on standard output for commands to
/// them; text from the wire must not command.
pub(super) fn defused(line: &str) -> String {
    let line = line.replace("##[", "##\\[");
    if line.trim_start().starts_with("::") { line.replacen("::", "\\::", 1) } else { line }
}

struct Page {
    pen: Pen,
    width: usize,
    full: bool,
}

impl Page {
    fn title(&self, report: &RunReport, case: Option<(usize, usize)>) -> String {
        let mut parts = vec![
            self.pen.bold(&clean(&report.plan.title())),
            gateway(report),
            format!("seed {}", report.plan.seed),
            format!("run {}", clean(&report.run)),
        ];
        parts.extend(case.map(|(i, n)| format!("case {i}/{n}")));
        parts.join("  ") + "\n"
    }

    fn phases(&self, report: &RunReport, out: &mut String) {
        let widest = |cell: fn(&PhaseSummary) -> String| {
            report.phases.iter().map(|p| cell(p).width()).max().unwrap_or_default()
        };
        let name: fn(&PhaseSummary) -> String = |p| clean(&p.name);
        let length: fn(&PhaseSummary) -> String = |p| seconds(p.until - p.from);
        let requests: fn(&PhaseSummary) -> String = |p| thousands(p.requests);
        let (name_width, length_width, requests_width) = (widest(name), widest(length), widest(requests));
        for (i, phase) in report.phases.iter().enumerate() {
            let line = format!(
                "{}  {:>length_width$}  {:>requests_width$} req  {:<7}  p99 {:<7}  {}",
                padded(&name(phase), name_width),
                length(phase),
                requests(phase),
                percent(phase.succeeded, phase.requests),
                millis(phase.p99_ms),
                attempts(phase),
            );
            self.wrapped(&line, &fault_words(report, i), out);
            if self.full {
                out.push_str(&format!(
                    "{HANG}p50 {}   service p50 {} p99 {}   lag p99 {}   {}\n",
                    millis(phase.p50_ms),
                    millis(phase.service_p50_ms),
                    millis(phase.service_p99_ms),
                    millis(phase.lag_p99_ms),
                    status_words(phase)
                ));
            }
        }
    }

    /// A line for each case, with what follows from it below.
    fn capacity(&self, report: &RunReport, out: &mut String) {
        let words = capacity::words(report);
        let widest =
            |cell: fn(&CaseWords) -> &str| words.iter().map(|w| cell(w).width()).max().unwrap_or_default();
        let (name_width, bounds_width) = (widest(|w| &w.name), widest(|w| &w.bounds));
        for case in &words {
            let (name, bounds) = (padded(&case.name, name_width), padded(&case.bounds, bounds_width));
            let mut parts = vec![format!("{name}  {}", self.pen.bold(&bounds))];
            let given =
                [("beyond it", &case.limit), ("", &case.of_first), ("under overload", &case.overload)];
            let given = given.into_iter().filter(|(_, text)| *text != "-");
            parts.extend(given.map(|(what, text)| format!("{what} {text}").trim_start().to_owned()));
            self.hanging(&format!("{}   ({} trials)", parts.join("   "), case.trials), out);
            for line in case.target.iter().chain(&case.remarks) {
                out.push_str(HANG);
                out.push_str(&wrap(line, self.width, HANG.len()));
                out.push('\n');
            }
        }
        for case in report.capacity.iter().flat_map(|c| &c.cases).filter(|_| self.full) {
            out.push_str(&format!("{INDENT}{}\n", clean(&case.name)));
            let line = |cells: &[String]| {
                let cells: Vec<_> = cells.iter().map(|cell| format!("{cell:>11}")).collect();
                format!("{INDENT}{}\n", cells.join(" "))
            };
            out.push_str(&line(&capacity::HEADS.map(str::to_owned)));
            case.curve.iter().for_each(|point| out.push_str(&line(&capacity::cells(point))));
        }
    }

    /// A phase line with what its faults did behind it, or below it where the line would get too long.
    fn wrapped(&self, line: &str, faults: &[String], out: &mut String) {
        out.push_str(INDENT);
        out.push_str(line);
        let mut used = INDENT.len() + line.width();
        for fault in faults {
            if used + 3 + fault.width() > self.width {
                out.push_str(&format!("\n{HANG}"));
                used = HANG.len();
            } else {
                out.push_str("   ");
                used += 3;
            }
            let shown = wrap(fault, self.width, used);
            out.push_str(&self.pen.dim(&shown));
            used += fault.width();
        }
        out.push('\n');
    }

    /// What the faults cost, where requests failed for it or a part of the upstream had to be avoided.
    fn costs(&self, report: &RunReport, out: &mut String) {
        let found = &report.resilience;
        for fault in
            found.faults.iter().filter(|f| f.failed > 0 || f.detect.is_some() || f.failback.is_some())
        {
            let words = format!("{}: {}", clean(&fault.fault), fault.in_words(found.slo));
            self.hanging(&self.pen.dim(&words), out);
        }
    }

    fn guards(&self, report: &RunReport, out: &mut String) {
        if let Some(reason) = &report.interrupted {
            self.hanging(
                &format!("{} before its plan ended: {}", self.pen.word("STOPPED"), clean(reason)),
                out,
            );
        }
        for guard in &report.guards {
            let kind = if guard.spoils { self.pen.word("GUARD") } else { self.pen.dim("NOTE") };
            self.hanging(&format!("{kind} {}: {}", clean(&guard.guard), clean(&guard.text)), out);
        }
    }

    fn story(&self, story: &Story, out: &mut String) {
        self.hanging(&format!("{} {}", self.pen.word(story.standing.word()), story.headline()), out);
        if story.standing != Standing::Pass {
            for line in story.lines() {
                out.push_str(HANG);
                out.push_str(&wrap(&line, self.width, HANG.len()));
                out.push('\n');
            }
        }
    }

    fn hanging(&self, text: &str, out: &mut String) {
        out.push_str(INDENT);
        out.push_str(&wrap(text, self.width, INDENT.len()));
        out.push('\n');
    }

    fn environment(&self, report: &RunReport, out: &mut String) {
        let env = &report.environment;
        let line = format!(
            "gatecrash {} on {}, {}, started {}, {}",
            clean(&env.gatecrash),
            clean(&env.system),
            count(u64::from(env.cores), "core"),
            clean(&env.started),
            clean(&env.directory)
        );
        self.hanging(&self.pen.dim(&line), out);
    }

    fn foot(&self, report: &RunReport, out: &mut String) {
        let verdicts = tally_words(&Tally::of(report), self.pen);
        let command = clean(&arguments(&report.environment.reproduce));
        let fits = visible(&verdicts) + command.width() + 16 <= self.width;
        if fits {
            out.push_str(&format!("{INDENT}{verdicts}   reproduce: {command}\n"));
        } else {
            self.hanging(&verdicts, out);
            out.push_str(&format!("{INDENT}reproduce: {command}\n"));
        }
    }
}

/// What the faults of a phase did, one sentence each. A fault speaks in the first phase it was on in.
fn fault_words(report: &RunReport, phase: usize) -> Vec<String> {
    report.faults.iter().filter(|f| first_phase(report, f) == Some(phase)).map(fault_sentence).collect()
}

fn first_phase(report: &RunReport, fault: &FaultSummary) -> Option<usize> {
    let (from, until) = match fault.intervals.first() {
        Some(interval) => *interval,
        None => {
            let plan = report.plan.faults.iter().find(|f| f.name == fault.name)?;
            (plan.from.as_seconds(), plan.until.as_seconds())
        }
    };
    let middle = |p: &PhaseSummary| from < p.until && until > p.from && (from >= p.from || p.from == 0.0);
    let overlaps = |p: &PhaseSummary| from < p.until && until > p.from;
    report.phases.iter().position(middle).or_else(|| report.phases.iter().position(overlaps))
}

/// `slowdown fired 1,118 of 5,571 attempts (20.07%)`, `outage on for 30s`.
pub(super) fn fault_sentence(fault: &FaultSummary) -> String {
    let name = clean(&fault.name);
    let on: f64 = fault.intervals.iter().map(|(from, until)| until - from).sum();
    match (fault.fired, fault.eligible) {
        _ if fault.intervals.is_empty() => format!("{name} never switched on"),
        (Some(fired), Some(eligible)) => format!(
            "{name} fired {} of {} ({})",
            thousands(fired),
            count(eligible, "attempt"),
            percent(fired, eligible)
        ),
        (Some(fired), None) => format!("{name} fired {}", count(fired, "time")),
        (None, _) => format!("{name} on for {}", seconds(on)),
    }
}

fn status_words(phase: &PhaseSummary) -> String {
    let one = |(status, n): &(u16, u64)| match status {
        0 => format!("no status x {}", thousands(*n)),
        status => format!("{status} x {}", thousands(*n)),
    };
    let words: Vec<_> = phase.statuses.iter().map(one).collect();
    if words.is_empty() { "no answers".into() } else { words.join("   ") }
}

/// `PASS 5   WARN 0   FAIL 1   INCONCLUSIVE 0`; rarer standings only when there are any.
fn tally_words(tally: &Tally, pen: Pen) -> String {
    let shown = [
        (Standing::Pass, true),
        (Standing::Warn, true),
        (Standing::Known, false),
        (Standing::Info, false),
        (Standing::Fail, true),
        (Standing::Inconclusive, true),
    ];
    let words = shown.into_iter().filter_map(|(standing, always)| {
        let n = tally.count(standing);
        let word = if n == 0 { standing.word().to_string() } else { pen.word(standing.word()) };
        (always || n > 0).then(|| format!("{word} {n}"))
    });
    words.collect::<Vec<_>>().join("   ")
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// Breaks at spaces; continuation lines hang below the text. Words longer than a line (commands, paths) stay
/// whole.
fn wrap(text: &str, width: usize, indent: usize) -> String {
    let hang = HANG.len();
    let mut out = String::new();
    let mut used = indent;
    for (i, part) in text.split(' ').enumerate() {
        let needed = visible(part) + usize::from(i > 0);
        if i > 0 && used + needed > width && !part.is_empty() {
            out.truncate(out.trim_end_matches(' ').len());
            out.push_str(&format!("\n{}", " ".repeat(hang)));
            used = hang + needed - 1;
        } else {
            if i > 0 {
                out.push(' ');
            }
            used += needed;
        }
        out.push_str(part);
    }
    out
}

/// Columns of a text that may hold our own colour codes.
fn visible(text: &str) -> usize {
    let mut parts = text.split('\x1b');
    let head = parts.next().map_or(0, UnicodeWidthStr::width);
    head + parts.map(|part| part.split_once('m').map_or(0, |(_, rest)| rest.width())).sum::<usize>()
}

/// Colours, when wanted.
#[derive(Clone, Copy)]
struct Pen {
    colour: bool,
}

impl Pen {
    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.into() }
    }

    fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn word(self, word: &str) -> String {
        let code = match word {
            "PASS" => "32",
            "WARN" => "33",
            "KNOWN" | "INFO" => "36",
            "INCONCLUSIVE" | "GUARD" => "1;35",
            _ => "1;31",
        };
        self.paint(code, word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    fn plain(report: &RunReport) -> String {
        render(report, None, &RenderOptions::default())
    }

    #[test]
    fn snapshots() {
        for (name, report) in fixtures::all() {
            insta::assert_snapshot!(name, plain(&report));
        }
        let full = RenderOptions { full: true, ..RenderOptions::default() };
        insta::assert_snapshot!("failing_full", render(&fixtures::failing(), None, &full));
        let many = [fixtures::passing(), fixtures::failing(), fixtures::inconclusive()];
        let text = String::from_utf8(render_many(&many, &RenderOptions::default())).unwrap();
        insta::assert_snapshot!("many", text);
    }

    #[test]
    fn colour_changes_nothing_but_colour() {
        let coloured = RenderOptions { colour: true, ..RenderOptions::default() };
        for (_, report) in fixtures::all() {
            let mut text = render(&report, None, &coloured);
            assert!(text.contains('\x1b'));
            for code in ["0", "1", "2", "32", "33", "36", "1;31", "1;35"] {
                text = text.replace(&format!("\x1b[{code}m"), "");
            }
            assert_eq!(text, plain(&report));
        }
    }

    #[test]
    fn lines_keep_to_the_width_but_words_stay_whole() {
        for width in [40, 72, 110, 200] {
            let text =
                render(&fixtures::failing(), None, &RenderOptions { width, ..RenderOptions::default() });
            for line in text.lines().skip(1).filter(|l| !l.contains(" req ") && !l.contains("reproduce:")) {
                let breakable = line.trim().split(' ').any(|w| w.width() + HANG.len() > width);
                assert!(line.width() <= width || breakable, "{width}: {line}");
            }
        }
    }

    #[test]
    fn nothing_from_outside_reaches_the_terminal_raw() {
        let text = plain(&fixtures::hostile());
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert!(text.lines().all(|line| !line.trim().starts_with("::") && !line.contains("##[")), "{text}");
        assert!(text.contains("\\::warning::") && text.contains("##\\[group]"), "{text}");
    }
}
