//! `capacity`: the highest rate that keeps the objective.

use gatecrash_model::Capabilities;
#[cfg(test)]
use gatecrash_model::TrialOutcome;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, CheckInfo, Fixes, Rests, Source};
use crate::capacity::{CaseResult, Class};
#[cfg(test)]
use crate::golden::{Golden, Story};
use crate::judge::Scope;
use crate::units::Rate;
use crate::verdict::Finding;

/// The highest rate at which the objective of the scenario's `capacity` section holds. Without `search` there this
/// rate alone is tried.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Capacity {
    /// At least.
    pub min: Rate,
}

impl Check for Capacity {
    const INFO: CheckInfo = CheckInfo {
        name: "capacity",
        summary: "highest rate within the objective",
        doc: "A rate is carried when trials at it keep every clause of the objective (`slo`) for all but the \
              allowed share of the deciding time, and is not when they break one for longer: the classes of \
              RFC 9971, which one bad second cannot turn. The check passes where a rate of at least `min` is \
              carried, fails where one of at most `min` is not, and is inconclusive in between, or where the \
              harness was the limit. Without it a gateway that slowed down is noticed at the next peak.",
        sources: &[Source::rfc(9971, "", "Multiple Loss Ratio Search"), Source::SRE_CASCADING],
        fixes: Fixes {
            nginx: "`worker_processes`, `worker_connections`, `keepalive` to the upstreams",
            haproxy: "`nbthread`, `maxconn`, `http-reuse always`",
            envoy: "`--concurrency`, `max_connections` and `max_pending_requests` of the `circuit_breakers`",
            others: "",
        },
        example: "capacity: { min: 1500/s }",
        needs: Capabilities::of(&[]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = format!("at least {}", self.min);
        if scope.plan.capacity.is_none() {
            return Finding::inconclusive(wanted, 0, "nothing was searched");
        }
        let phases = scope.phase.map_or(0..scope.plan.phases.len() as u16, |phase| phase..phase + 1);
        let results: Vec<_> = phases
            .filter_map(|phase| Some((phase, CaseResult::of(scope.plan, scope.history, phase)?)))
            .collect();
        let trials = results.iter().map(|(_, result)| result.trials.len() as u64).sum();
        // Of several cases the worst one counts.
        let rank = |class: Class| [Class::Upper, Class::Undecided, Class::Lower].iter().position(|c| *c == class);
        let worst = results.iter().min_by_key(|(_, result)| rank(result.class_of(self.min.0)));
        let Some((phase, result)) = worst.filter(|(_, result)| !result.trials.is_empty()) else {
            return Finding::inconclusive(wanted, 0, "no trial was made");
        };
        let name = scope.plan.phases.get(usize::from(*phase)).map_or("?", |p| p.name.as_str());
        let observed = bounds_in_words(result);
        let finding = match result.class_of(self.min.0) {
            Class::Lower => Finding::judged(true, observed, wanted, trials),
            Class::Upper => Finding::judged(false, observed, wanted, trials),
            Class::Undecided => {
                let finding = Finding::inconclusive(wanted, trials, result.doubt());
                Finding { observed, ..finding }
            }
        };
        let broken = result.bounds.upper.as_ref().and_then(|upper| Some((upper.rate, upper.broken.clone()?)));
        let broken = broken.map(|(rate, clause)| format!("at {rate}/s what broke is {clause}"));
        finding.detail(format!("case {name}: {} trials", result.trials.len())).details(broken)
    }

    fn problem(&self) -> Option<&'static str> {
        (self.min.0 <= 0.0).then_some("a rate above 0/s")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = |min| Self { min: Rate(min) };
        vec![
            Golden::pass("carried at 400/s", check(400.0), searched(&[(0, 400.0)])),
            Golden::pass("and so at less", check(300.0), searched(&[(0, 400.0)])),
            Golden::fail("800/s break it", check(800.0), searched(&[(0, 400.0)])),
            Golden::inconclusive("between the bounds", check(450.0), searched(&[(0, 400.0)])),
            Golden::inconclusive("the harness was the limit", check(100.0), limited()),
            Golden::inconclusive("nothing was searched", check(100.0), Story::new()),
        ]
    }
}

/// `400/s to 480/s`, `at least 1600/s`, `below 100/s`, `not known`.
pub(super) fn bounds_in_words(result: &CaseResult) -> String {
    match (&result.bounds.lower, &result.bounds.upper) {
        (Some(lower), Some(upper)) => format!("{} to {}", Rate(lower.rate), Rate(upper.rate)),
        (Some(lower), None) => format!("at least {}", Rate(lower.rate)),
        (None, Some(upper)) => format!("below {}", Rate(upper.rate)),
        (None, None) => "not known".into(),
    }
}

/// A story of cases (by number of the phase) that carry up to a rate and break 1.2 times it.
#[cfg(test)]
pub(super) fn searched(cases: &[(u16, f64)]) -> Story {
    let mut story = cases_of(cases.len());
    for (phase, rate) in cases {
        let good = crate::capacity::fixtures::trial(*phase, 1, *rate, TrialOutcome::Good);
        let bad = crate::capacity::fixtures::trial(*phase, 2, rate * 1.2, crate::capacity::fixtures::bad());
        story = story.event(trial_event(good)).event(trial_event(bad));
    }
    story
}

/// A story in which every trial had to be discarded.
#[cfg(test)]
pub(super) fn limited() -> Story {
    (1..=3).fold(cases_of(1), |story, number| {
        story.event(trial_event(crate::capacity::fixtures::trial(0, number, 100.0, crate::capacity::fixtures::unfit())))
    })
}

#[cfg(test)]
fn cases_of(count: usize) -> Story {
    let mut story = Story::new();
    story.plan.capacity = Some(crate::capacity::fixtures::plan(Vec::new()));
    for number in 1..count as u16 {
        let mut phase = story.plan.phases[0].clone();
        phase.name = format!("case-{number}");
        story.plan.phases.push(phase);
        story = story
            .event(gatecrash_model::Event::PhaseStart { phase: number, at: 0 })
            .event(gatecrash_model::Event::PhaseEnd { phase: number, at: 10_000_000_000 });
    }
    story
}

#[cfg(test)]
fn trial_event(trial: gatecrash_model::TrialRecord) -> gatecrash_model::Event {
    gatecrash_model::Event::Trial(Box::new(trial))
}
