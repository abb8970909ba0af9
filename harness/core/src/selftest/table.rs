//! A score for people: on the terminal, and as the page in the repository.

use super::row::Kind;
use super::score::{Group, Score, Showing};
use crate::units::Share;

/// The table with its totals, for a terminal.
pub fn terminal(score: &Score) -> String {
    let rates = score.rates();
    let mut text = String::new();
    for group in score.groups() {
        match group.kind {
            Kind::Defect => {
                text.push_str(&format!("{:>2} {:<24}", group.number, group.gateway));
                for rate in &rates {
                    let cell = group.showing(*rate).map_or_else(String::new, |s| s.in_words());
                    text.push_str(&format!("  {rate:>4}: {cell:<14}"));
                }
                text = text.trim_end().to_owned();
                text.push_str(&alarms(&group));
            }
            Kind::Correct | Kind::Benign => {
                text.push_str(&format!(
                    "   {:<24}  {} runs{}",
                    group.gateway,
                    group.rows.len(),
                    alarms(&group)
                ));
            }
        }
        text.push('\n');
    }
    text.push('\n');
    for rate in &rates {
        text.push_str(&Totals::of(score, *rate).in_words(*rate));
        text.push('\n');
    }
    let clean = score.groups().into_iter().filter(|g| g.kind != Kind::Defect);
    let (mut runs, mut unsure) = (0, 0);
    for group in clean {
        runs += group.rows.len();
        unsure += group.inconclusive().len();
    }
    let alarms: usize = score.rows.iter().map(|r| r.false_alarms.len()).sum();
    text.push_str(&format!(
        "{alarms} false alarms in {} runs; {unsure} inconclusive in {runs} runs of correct gateways\n",
        score.rows.len()
    ));
    for why in &score.again {
        text.push_str(&format!("made again: {why}\n"));
    }
    text
}

/// The page, with the command that writes it.
pub fn markdown(score: &Score) -> String {
    let rates = score.rates();
    let mut text = format!(
        "# What the judge finds\n\nWritten by `{}` (gatecrash {}, {}); do not edit.\n\nEvery defect of the \
         reference gateway runs under its scenario, at each share of requests it touches and with each seed. \
         *detected*: every check of its must set failed, at 100 % in each run, below in at least one. *too few*: \
         silent, and chance explains it, with the requests that could show it and how many of them the defect \
         touches on average. *within the bound*: the check judges a rate or a quantile, which so small a share \
         does not move far enough. *missed*: silent though it had to speak.\n\n",
        score.command, score.gatecrash, score.started
    );
    text.push_str("| # | defect | scenario |");
    rates.iter().for_each(|rate| text.push_str(&format!(" {rate} |")));
    text.push_str(" false alarms |\n|---|---|---|");
    rates.iter().for_each(|_| text.push_str("---|"));
    text.push_str("---|\n");
    let groups = score.groups();
    for group in groups.iter().filter(|g| g.kind == Kind::Defect) {
        let scenario = group.rows.first().map_or("", |r| r.trial.scenario.as_str());
        text.push_str(&format!("| {} | `{}` | `{scenario}` |", group.number, group.gateway));
        for rate in &rates {
            let cell = group.showing(*rate).map_or_else(String::new, |s| s.in_words());
            text.push_str(&format!(" {cell} |"));
        }
        text.push_str(&format!(" {} |\n", listed(&group.false_alarms())));
    }
    text.push('\n');
    for rate in &rates {
        text.push_str(&format!("- {}\n", Totals::of(score, *rate).in_words(*rate)));
    }
    text.push_str("\n| gateway without a defect | runs | false alarms | inconclusive |\n|---|---|---|---|\n");
    for group in groups.iter().filter(|g| g.kind != Kind::Defect) {
        text.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            group.gateway,
            group.rows.len(),
            listed(&group.false_alarms()),
            listed(&group.inconclusive())
        ));
    }
    if !score.again.is_empty() {
        text.push_str("\nRuns that the environment broke off, and that were made again:\n\n");
        score.again.iter().for_each(|why| text.push_str(&format!("- {why}\n")));
    }
    text
}

/// How many defects showed at a rate.
struct Totals {
    detected: usize,
    within: usize,
    few: usize,
    missed: usize,
}

impl Totals {
    fn of(score: &Score, rate: Share) -> Self {
        let mut totals = Self { detected: 0, within: 0, few: 0, missed: 0 };
        for group in score.groups() {
            match group.showing(rate) {
                Some(Showing::Detected) => totals.detected += 1,
                Some(Showing::WithinBound(_)) => totals.within += 1,
                Some(Showing::TooFew(..)) => totals.few += 1,
                Some(Showing::Missed(_)) => totals.missed += 1,
                None => {}
            }
        }
        totals
    }

    fn in_words(&self, rate: Share) -> String {
        let Self { detected, within, few, missed } = self;
        let all = detected + within + few + missed;
        let mut text = format!("at {rate} of requests {detected} of {all} defects detected, {missed} missed");
        if few + within > 0 {
            text.push_str(&format!(", {few} with too few requests to show, {within} within the bound"));
        }
        text
    }
}

impl Showing {
    fn in_words(&self) -> String {
        match self {
            Self::Detected => "detected".into(),
            Self::WithinBound(checks) => format!("within the bound: {}", checks.join(", ")),
            Self::TooFew(checks, power) => {
                format!(
                    "too few: {} ({:.1} expected of {})",
                    checks.join(", "),
                    power.expected,
                    power.requests
                )
            }
            Self::Missed(checks) => format!("MISSED: {}", checks.join(", ")),
        }
    }
}

fn alarms(group: &Group<'_>) -> String {
    let of = |what: &str, checks: Vec<&str>| match checks.is_empty() {
        true => String::new(),
        false => format!("  {what}: {}", listed(&checks)),
    };
    of("FALSE ALARM", group.false_alarms()) + &of("INCONCLUSIVE", group.inconclusive())
}

/// `no-leak, 2 x backoff`: each once, with its count.
fn listed(checks: &[&str]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for check in checks {
        match counts.iter_mut().find(|(c, _)| c == check) {
            Some((_, count)) => *count += 1,
            None => counts.push((check, 1)),
        }
    }
    let text = |(check, count): (&str, usize)| match count {
        1 => check.to_owned(),
        n => format!("{n} x {check}"),
    };
    counts.into_iter().map(text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::score::tests::{row, score};
    use super::*;

    #[test]
    fn both_tables_tell_silence_by_chance_from_a_miss() {
        let mut rows = vec![row(1.0, 1, true, Some(80)), row(0.01, 1, false, Some(0))];
        rows[1].false_alarms = vec!["no-leak".into(), "backoff".into(), "no-leak".into()];
        let score = score(rows);
        let (text, page) = (terminal(&score), markdown(&score));
        assert!(text.contains("100%: detected"), "{text}");
        assert!(text.contains("too few: status-map (0.8 expected of 80)"), "{text}");
        assert!(text.contains("FALSE ALARM: 2 x no-leak, backoff"), "{text}");
        assert!(
            text.contains("at 1% of requests 0 of 1 defects detected, 0 missed, 1 with too few"),
            "{text}"
        );
        assert!(page.contains("Written by `gatecrash selftest` (gatecrash 0.1.0, 2026-11-21T18:00:00Z)"));
        let line = "| 15 | `all-404` | `selftest/upstream-errors` | detected | too few: status-map (0.8 \
                    expected of 80) | 2 x no-leak, backoff |";
        assert!(page.contains(line), "{page}");
    }
}
