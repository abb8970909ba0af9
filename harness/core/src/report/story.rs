//! One verdict as a paragraph: the number, the bound, the samples, the place, the reason, the upstream's
//! side, a lead, and the command that tells more. Every format shows these words.

use super::RunReport;
use super::standing::{Standing, standing};
use super::text::{clean, count};
use crate::explain::Waterfall;
use crate::plan::{ExpectationPlan, Plan};
use crate::rules::Matcher;
use crate::verdict::Verdict;

/// A verdict in words. All text is clean.
#[derive(Clone, Debug)]
pub(super) struct Story {
    /// Index of the verdict in the report.
    pub(super) index: usize,
    pub(super) standing: Standing,
    /// `success-rate in recovery after 2s`.
    pub(super) label: String,
    /// `99.42%`.
    pub(super) observed: String,
    /// `at least 100%`.
    pub(super) wanted: String,
    pub(super) samples: u64,
    /// `scenarios/retry/slowdown.yaml:40`.
    pub(super) place: String,
    pub(super) because: Option<String>,
    pub(super) details: Vec<String>,
    pub(super) likely: Option<String>,
    pub(super) deviation: Option<String>,
    pub(super) runbook: Option<String>,
    /// `gatecrash explain run:9f2c41aa/0-4410`.
    pub(super) explain: Option<String>,
    /// Exemplars after the first.
    pub(super) also: Vec<String>,
    /// Exemplars as waterfalls, where they were drawn.
    pub(super) falls: Vec<Waterfall>,
}

/// ` --out DIR` where the run directory is not in the place that the command looks in by itself.
fn elsewhere(report: &RunReport) -> String {
    let directory = clean(&report.environment.directory);
    match directory.rsplit_once('/') {
        Some(("runs", _)) | None => String::new(),
        Some((out, _)) => format!(" --out {out}"),
    }
}

impl Story {
    /// All verdicts of a report, worst standing first, in order of the file otherwise.
    pub(super) fn all(report: &RunReport) -> Vec<Self> {
        let mut stories: Vec<_> = report
            .verdicts
            .iter()
            .enumerate()
            .map(|(index, verdict)| Self::of(report, index, verdict))
            .collect();
        stories.sort_by_key(|story| story.standing);
        stories
    }

    fn of(report: &RunReport, index: usize, verdict: &Verdict) -> Self {
        let expectation = report.plan.expectations.get(verdict.expectation as usize);
        let some = |text: Option<&String>| text.map(|t| clean(t)).filter(|t| !t.is_empty());
        let mut exemplars = verdict.exemplars.iter().map(|e| clean(e));
        Self {
            index,
            standing: standing(report, verdict),
            label: expectation
                .map_or_else(|| format!("expectation {}", verdict.expectation), |e| label(&report.plan, e)),
            observed: clean(&verdict.observed),
            wanted: clean(&verdict.wanted),
            samples: verdict.samples,
            place: expectation
                .map_or_else(String::new, |e| format!("{}:{}", clean(&report.plan.source), e.line)),
            because: some(expectation.and_then(|e| e.because.as_ref())),
            details: verdict.details.iter().map(|d| clean(d)).collect(),
            likely: some(verdict.likely.as_ref()),
            deviation: some(verdict.deviation.as_ref()),
            runbook: some(expectation.and_then(|e| e.runbook.as_ref())),
            explain: exemplars
                .next()
                .map(|e| format!("gatecrash explain run:{}/{e}{}", clean(&report.run), elsewhere(report))),
            also: exemplars.collect(),
            falls: report
                .requests
                .iter()
                .filter(|f| verdict.exemplars.contains(&f.request))
                .cloned()
                .collect(),
        }
    }

    /// `success-rate in recovery after 2s: 99.42% on 1,201 samples, wanted at least 100%`.
    pub(super) fn headline(&self) -> String {
        let Self { label, observed, wanted, .. } = self;
        match wanted.as_str() {
            // Nothing was asked of the run: what the check needs was not seen.
            "" => format!("{label}: {observed}"),
            _ => format!("{label}: {observed} on {}, wanted {wanted}", count(self.samples, "sample")),
        }
    }

    /// Everything after the headline, a line each; `place` first.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.place.is_empty() {
            let because = self.because.iter().map(|because| format!("   because: {because}"));
            lines.push(self.place.clone() + &because.collect::<String>());
        }
        lines.extend(self.details.iter().cloned());
        lines.extend(self.deviation.iter().map(|d| format!("known deviation: {d}")));
        lines.extend(self.likely.iter().map(|l| format!("likely: {l}")));
        lines.extend(self.runbook.iter().map(|r| format!("runbook: {r}")));
        lines.extend(self.explain.iter().map(|e| match self.also.as_slice() {
            [] => e.clone(),
            also => format!("{e}   (also {})", also.join(", ")),
        }));
        lines
    }

    /// Headline and lines as plain text.
    pub(super) fn paragraph(&self) -> String {
        let mut text = format!("{} {}", self.standing.word(), self.headline());
        for line in self.lines() {
            text.push_str("\n  ");
            text.push_str(&line);
        }
        text
    }
}

/// An expectation for people: check, phase, window, match.
pub(super) fn label(plan: &Plan, expectation: &ExpectationPlan) -> String {
    let mut text = String::from(expectation.check.info().name);
    if let Some(phase) = expectation.phase {
        let name = plan.phases.get(usize::from(phase)).map_or("?", |p| p.name.as_str());
        text.push_str(&format!(" in {}", clean(name)));
    }
    text.extend(expectation.after.map(|span| format!(" after {span}")));
    text.extend(expectation.before.map(|span| format!(" before {span}")));
    let parts = match_words(&expectation.matcher);
    if !parts.is_empty() {
        text.push_str(&format!(" for {}", parts.join(", ")));
    }
    text
}

fn match_words(matcher: &Matcher) -> Vec<String> {
    let mut words = Vec::new();
    words.extend(matcher.op.map(|op| op.name().to_string()));
    words.extend(matcher.method.as_deref().map(|m| format!("method {}", clean(m))));
    words.extend(matcher.bucket.as_deref().map(|b| format!("bucket {}", clean(b))));
    words.extend(matcher.key.as_ref().map(|k| format!("key {}", clean(&k.0))));
    words.extend(matcher.prefix.as_deref().map(|p| format!("prefix {}", clean(p))));
    words.extend(matcher.header.keys().map(|name| format!("header {}", clean(name))));
    words.extend(matcher.upstream_status.map(|s| format!("upstream status {s}")));
    words
}

/// `nginx 1.26.3`, from what was probed and what was planned.
pub(crate) fn gateway(report: &RunReport) -> String {
    let (name, probed) = (report.profile.gateway.trim(), report.environment.gateway.trim());
    let shown = match (name, probed) {
        (name, "") => format!("{name} {}", report.profile.version),
        (name, probed) if probed.to_lowercase().contains(&name.to_lowercase()) => probed.to_string(),
        (name, probed) => format!("{name} {probed}"),
    };
    clean(shown.trim())
}
