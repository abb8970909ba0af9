//! What faults cost and what the retries did: two tables.

use super::tables::{section, table};
use super::text;
use crate::report::text::{ratio, thousands};
use crate::report::{Consequences, Effort, RunReport, Timing};
use crate::stats::LITTLE;
use crate::units::Share;

pub(super) fn resilience(report: &RunReport) -> String {
    let found = &report.resilience;
    if found.is_empty() {
        return String::new();
    }
    let mut content = String::new();
    if !found.faults.is_empty() {
        let heads = [
            ("fault", ""),
            ("detected", "n"),
            ("failed over", "n"),
            ("failed until then", "n"),
            ("recovered", "n"),
            ("failed back", "n"),
            ("failed in all", "n"),
            ("of a month's error budget", "n"),
        ];
        let rows: String = found.faults.iter().map(|of| fault(of, found.slo)).collect();
        content.push_str(&table(&heads, &rows));
        content.push_str(&format!(
            "<p class='hint'>Times are read off windows of a second or 30 requests, and known to ± one of them; \
             &gt; means that it did not come while it was watched. Failed over: the share of successes held that the \
             scenario asks for, or {slo} where it asks for none; the error budget is that of {slo}.</p>\n",
            slo = found.slo
        ));
    }
    let heads = [
        ("phase", ""),
        ("attempts per request at most", "n"),
        ("retries", "n"),
        ("spread of their pauses", "n"),
        ("wasted attempts", "n"),
        ("under way", "n"),
        ("against Little's law", "n"),
    ];
    let rows: String = found.phases.iter().map(phase).collect();
    content.push_str(&table(&heads, &rows));
    content.push_str(
        "<p class='hint'>Wasted: given up by the gateway, or done after its client was answered or gone. The \
         spread is standard deviation over mean: 0 for a fixed pause. Under way and throughput times latency \
         differ by more than 5% (*) where a queue grows or drains.</p>\n",
    );
    section("resilience", "What the faults cost", &content)
}

fn fault(found: &Consequences, slo: Share) -> String {
    let timing = |t: &Option<Timing>| t.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    let failover = match &found.failover {
        Some(timing) => format!("{timing} at {}", found.level(slo)),
        None => timing(&None),
    };
    format!(
        "<tr><th scope='row'>{}</th><td class='n'>{}</td><td class='n'>{}</td><td class='n'>{} ({:.1} s of load)\
         </td><td class='n'>{}</td><td class='n'>{}</td><td class='n'>{}</td><td class='n'>{:.2}%</td></tr>",
        text(&found.fault),
        text(&timing(&found.detect)),
        text(&failover),
        thousands(found.lost),
        found.lost_seconds,
        text(&timing(&found.recover)),
        text(&timing(&found.failback)),
        thousands(found.failed),
        found.budget_cost * 100.0,
    )
}

fn phase(found: &Effort) -> String {
    let share = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |s| format!("{:.1}%", s * 100.0));
    let little = found.little.map_or_else(
        || "-".to_owned(),
        |off| format!("{:+.1}%{}", off * 100.0, if off.abs() > LITTLE { " *" } else { "" }),
    );
    format!(
        "<tr><th scope='row'>{}</th><td class='n'>{}</td><td class='n'>{}</td><td class='n'>{}</td>\
         <td class='n'>{}</td><td class='n'>{:.1}</td><td class='n'>{little}</td></tr>",
        text(&found.phase),
        ratio(found.amplification_max),
        thousands(found.retries),
        found.spacing.map_or_else(|| "-".to_owned(), |cv| format!("{cv:.2}")),
        share(found.wasted),
        found.under_way,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;
    use crate::report::{Resilience, Timing};

    #[test]
    fn both_tables_are_filled_and_names_are_harmless() {
        let mut report = fixtures::passing();
        assert_eq!(resilience(&report), "");
        let timing = |after| Some(Timing { after, resolution: 1.0, watched: 12.0, held: 5.0 });
        report.resilience = Resilience {
            slo: Share(0.999),
            faults: vec![Consequences {
                fault: "<b>outage".into(),
                detect: timing(Some(2.0)),
                level: None,
                failover: None,
                recover: timing(None),
                failback: None,
                lost: 120,
                lost_seconds: 3.0,
                failed: 480,
                budget_cost: 0.0046,
            }],
            phases: vec![Effort {
                phase: "watch".into(),
                amplification: vec![(0.0, 2.5)],
                amplification_max: Some(2.5),
                wasted: Some(0.25),
                retries: 1500,
                spacing: Some(0.58),
                under_way: 12.3,
                little: Some(0.2),
            }],
        };
        let page = resilience(&report);
        for part in
            ["&lt;b&gt;outage", "2.0s (±1.0s)", "&gt;12.0s", "0.46%", "2.50x", "1,500", "25.0%", "+20.0% *"]
        {
            assert!(page.contains(part), "{part} is not in {page}");
        }
    }
}
