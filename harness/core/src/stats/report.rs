//! Everything a renderer needs, out of a stored run alone.

use gatecrash_model::{RequestId, RunId};

use super::{lag_of, summarise};
use crate::capacity::CapacityReport;
use crate::explain::{self, Waterfall};
use crate::history::History;
use crate::judge::{Case, judge_case, with_survival};
use crate::plan::Plan;
use crate::profile::Profile;
use crate::report::{Environment, RunReport};
use crate::verdict::{Outcome, Verdict};

/// Why a run ended before its plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interruption {
    /// The exit code it asks for: 4 environment, 5 aborted by a guard, 130 or 143 by a signal.
    pub exit: u8,
    /// One sentence.
    pub why: String,
}

/// Judges and summarises a run. For strict mode, hand in [`Profile::without_deviations`].
pub fn run_report(
    plan: &Plan,
    profile: &Profile,
    history: &History,
    environment: Environment,
    run: RunId,
    interrupted: Option<Interruption>,
) -> RunReport {
    let plan = &*with_survival(plan, history);
    let case = Case::new(plan, profile, history);
    let judgement = judge_case(&case);
    let (phases, faults, series) = summarise(plan, history, &case.join);
    let capacity = CapacityReport::of(plan, history, environment.cores);
    // A search that came to no bounds has found nothing out, whatever was expected of it.
    let open = capacity.as_ref().is_some_and(|c| plan.expectations.is_empty() && !c.is_conclusive());
    let outcome = match judgement.outcome {
        Outcome::Pass if open => Outcome::Inconclusive,
        outcome => outcome,
    };
    let exit = exit_code(outcome, interrupted.as_ref());
    RunReport {
        version: 1,
        ok: exit == 0,
        exit,
        run: run.to_string(),
        plan: plan.clone(),
        profile: profile.clone(),
        phases,
        faults,
        requests: drawn(&case, &judgement.verdicts),
        verdicts: judgement.verdicts,
        resilience: super::resilience::resilience(&case),
        guards: judgement.guards,
        series,
        lag: lag_of(history),
        environment,
        interrupted: interrupted.map(|i| i.why),
        capacity,
    }
}

/// The exemplars of verdicts that did not pass, each once.
fn drawn(case: &Case<'_>, verdicts: &[Verdict]) -> Vec<Waterfall> {
    let open = verdicts.iter().filter(|v| v.outcome != Outcome::Pass || v.deviation.is_some());
    let mut ids: Vec<RequestId> = Vec::new();
    for id in open.flat_map(|v| &v.exemplars).filter_map(|e| RequestId::parse(e)) {
        if ids.len() < explain::MOST && !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids.into_iter().filter_map(|id| Waterfall::of(case.history, &case.join, case.plan, id)).collect()
}

/// One code of several: a signal, then 4 environment, 1 failed, 5 aborted, 3 inconclusive.
fn exit_code(outcome: Outcome, interrupted: Option<&Interruption>) -> u8 {
    match (outcome, interrupted.map(|i| i.exit)) {
        (_, Some(exit @ (4 | 70 | 130 | 143))) => exit,
        (Outcome::Fail, _) => 1,
        (_, Some(exit)) => exit,
        (Outcome::Inconclusive, None) => 3,
        (Outcome::Pass, None) => 0,
    }
}

#[cfg(test)]
mod tests {
    use gatecrash_model::{Capability, Event};

    use super::*;
    use crate::checks::CrashFree;
    use crate::golden::{Story, expectation};

    #[test]
    fn a_death_is_a_failure_that_nobody_has_to_expect() {
        let died = Event::GatewayDied { at: 40_000_000, how: "signal 9".into() };
        let story = Story::new().every(10, 0, 50, |r| r).event(died);
        let report = |story: &Story| {
            run_report(&story.plan, &story.profile, &story.history, Environment::default(), RunId(1), None)
        };
        let failed = report(&story);
        let lines = |report: &RunReport| report.verdicts.iter().map(|v| v.outcome).collect::<Vec<_>>();
        assert_eq!((lines(&failed), failed.exit), (vec![Outcome::Fail], 1));
        assert_eq!(failed.plan.expectations[0].name, "crash-free (implied)");
        assert_eq!(failed.verdicts[0].details, ["the gateway's process died at +0.04s: signal 9"]);
        let mut asked = story.clone();
        asked.plan.expectations.push(expectation(CrashFree {}.into()));
        assert_eq!(lines(&report(&asked)), [Outcome::Fail], "once");
        let unseen = report(&story.without(Capability::Process));
        assert_eq!((lines(&unseen), unseen.exit), (vec![], 0));
    }

    #[test]
    fn the_gravest_code_wins() {
        let by = |exit| Some(Interruption { exit, why: String::new() });
        let table = [
            (Outcome::Pass, None, 0),
            (Outcome::Fail, None, 1),
            (Outcome::Inconclusive, None, 3),
            (Outcome::Fail, by(5), 1),
            (Outcome::Inconclusive, by(5), 5),
            (Outcome::Fail, by(4), 4),
            (Outcome::Pass, by(130), 130),
        ];
        for (outcome, interrupted, exit) in table {
            assert_eq!(exit_code(outcome, interrupted.as_ref()), exit, "{outcome:?} {interrupted:?}");
        }
    }
}
