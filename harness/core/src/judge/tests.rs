//! What guards and deviations make of findings.

use gatecrash_model::{
    BodyCheck, Capability, ClientRecord, Ending, Event, FiringRecord, JourneyCount, JourneyThreshold, Op,
    RequestId,
};

use super::*;
use crate::checks::{
    BodyExact, BoundedAttempts, BoundedTime, CheckSpec, ConnectionsReleased, CrashFree, Latency, SpanBounds,
    StatusMap, SuccessRate,
};
use crate::faults::{FaultSpec, Refuse, Swallow};
use crate::golden::{Story, Try, expectation};
use crate::plan::{ExpectationPlan, FaultPlan, Side};
use crate::profile::Deviation;
use crate::rules::Facts;
use crate::units::{Share, Span};

fn judged(story: &Story, checks: &[CheckSpec]) -> Judgement {
    let mut plan = story.plan.clone();
    plan.expectations = checks.iter().cloned().map(expectation).collect();
    judge_run(&plan, &story.profile, &story.history)
}

fn most_succeed() -> CheckSpec {
    SuccessRate { min: Some(Share(0.9)), max: None }.into()
}

fn swallow() -> FaultSpec {
    FaultSpec::Swallow(Swallow {})
}

fn outcomes(judgement: &Judgement) -> Vec<Outcome> {
    judgement.verdicts.iter().map(|v| v.outcome).collect()
}

fn spoken(judgement: &Judgement) -> Vec<(&str, bool)> {
    judgement.guards.iter().map(|g| (g.guard.as_str(), g.spoils)).collect()
}

/// 20 ms of lag are allowed: 50 blur response times, 300 blur shares too, and what was delivered stays a fact.
#[test]
fn a_late_generator_takes_back_what_it_blurs() {
    let slow = || Latency {
        p50: Some(SpanBounds { max: Some(Span::millis(500)), min: None }),
        ..Latency::default()
    };
    let checks = [most_succeed(), BodyExact {}.into(), slow().into()];
    let late = |ms| Story::new().every(10, 0, 400, move |r| r.lag(ms));
    let little = judged(&late(50), &checks);
    assert_eq!(outcomes(&little), [Outcome::Pass, Outcome::Pass, Outcome::Inconclusive]);
    assert_eq!(spoken(&little), [("generator", true)]);
    assert_eq!(little.outcome, Outcome::Inconclusive);
    let much = judged(&late(300), &checks);
    assert_eq!(outcomes(&much), [Outcome::Inconclusive, Outcome::Pass, Outcome::Inconclusive]);
    let bad = late(300).every(10, 400, 600, |r| r.lag(300).body(BodyCheck::Wrong));
    let bad = judged(&bad, &checks[..2]);
    assert_eq!(outcomes(&bad), [Outcome::Inconclusive, Outcome::Fail]);
}

/// A stall of 200 ms explains what took no longer than it can have held up: errors of timeouts, and late answers. It
/// explains no wrong byte, nothing that took longer, and nothing that happened elsewhere.
#[test]
fn starvation_explains_what_it_can_have_done_and_no_more() {
    let all = || CheckSpec::from(SuccessRate { min: Some(Share(1.0)), max: None });
    let max = SpanBounds { max: Some(Span::millis(100)), min: None };
    let quick = || CheckSpec::from(Latency { max: Some(max), ..Latency::default() });
    let stalled = |tell: fn(crate::golden::Request) -> crate::golden::Request| {
        let calm = Story::new().every(10, 0, 1000, |r| r).every(10, 2000, 3000, |r| r);
        calm.event(Event::Stalled { at: 1_300_000_000, lasted: 200_000_000 }).every(10, 1200, 1250, tell)
    };
    let outcome = |check: CheckSpec, story: &Story| judged(story, &[check]).verdicts[0].outcome;
    let timed_out = stalled(|r| r.answer(504).took(700));
    assert_eq!(outcome(all(), &timed_out), Outcome::Inconclusive);
    let said = &judged(&timed_out, &[all()]).verdicts[0].details[0];
    assert!(said.starts_with("the machine had no processor for us (stalls of up to 200 ms)"), "{said}");
    assert_eq!(outcome(quick(), &stalled(|r| r.took(300))), Outcome::Inconclusive);

    assert_eq!(outcome(all(), &stalled(|r| r.answer(504).took(1500))), Outcome::Fail);
    assert_eq!(outcome(quick(), &stalled(|r| r.took(900))), Outcome::Fail);
    assert_eq!(outcome(BodyExact {}.into(), &stalled(|r| r.body(BodyCheck::Wrong))), Outcome::Fail);
    let elsewhere = timed_out.every(10, 2500, 2550, |r| r.answer(504).took(700));
    assert_eq!(outcome(all(), &elsewhere), Outcome::Fail);
    let short = Story::new().every(10, 0, 1000, |r| r).every(10, 1200, 1250, |r| r.answer(504).took(700));
    let short = short.event(Event::Stalled { at: 1_300_000_000, lasted: 100_000_000 });
    assert_eq!(outcome(all(), &short), Outcome::Fail, "no timeout of half a second runs out in that");
}

/// What the gateway held long after its clients had left was not held by a stall that could have kept a client waiting.
#[test]
fn what_is_held_on_to_is_explained_by_stalls_of_that_time_only() {
    let released = || CheckSpec::from(ConnectionsReleased { within: Span::millis(500), spare: 5 });
    let held = |ms| {
        let left = move |r: crate::golden::Request| {
            r.tries([Try::silent().by(0).took(ms)]).ending(Ending::Hang).took(700)
        };
        let story = Story::new().fault(swallow(), 500, 1000);
        let story = story.every(100, 0, 500, |r| r).every(100, 500, 1000, left).every(100, 1000, 5000, |r| r);
        story.event(Event::Stalled { at: 900_000_000, lasted: 400_000_000 })
    };
    let outcome = |ms| judged(&held(ms), &[released()]).verdicts[0].outcome;
    assert_eq!(outcome(900), Outcome::Pass);
    assert_eq!(outcome(1500), Outcome::Inconclusive, "less than four times the stall");
    assert_eq!(outcome(3000), Outcome::Fail);
}

/// A history whose engine counted other requests than it recorded proves nothing, neither way.
#[test]
fn counts_of_journeys_have_to_agree_with_the_records() {
    let counted = |ok, failed| {
        let mut story = Story::new().every(10, 0, 400, |r| r);
        let count = JourneyCount { op: gatecrash_model::Op::GetObject, ok, failed };
        let rule = |rule: &str, passed| JourneyThreshold {
            rule: rule.to_owned(),
            observed: "7ms".to_owned(),
            passed,
        };
        let thresholds = vec![rule("p95<8ms", true), rule("p50<1ms", false)];
        let journeys = Event::Journeys { workload: 0, counts: vec![count], thresholds };
        story.history.events.push(journeys);
        story
    };
    let requests = counted(0, 0).history.clients.len() as u64;
    let checks = [most_succeed(), BodyExact {}.into()];
    let agreed = judged(&counted(requests - 2, 2), &checks);
    assert_eq!(outcomes(&agreed), [Outcome::Pass, Outcome::Pass]);
    assert_eq!(spoken(&agreed), [("journeys", false), ("journeys", false)]);
    assert!(agreed.guards[1].text.contains("p50<1ms did not hold: 7ms"), "{:?}", agreed.guards);
    let missed = judged(&counted(requests - 2, 1), &checks);
    assert_eq!(outcomes(&missed), [Outcome::Inconclusive, Outcome::Inconclusive]);
    let told = format!("GetObject: {} counted, {requests} recorded", requests - 1);
    assert!(missed.guards[0].spoils && missed.guards[0].text.contains(&told), "{:?}", missed.guards);
}

#[test]
fn dropped_arrivals_are_the_generators_fault_too() {
    let story = Story::new()
        .every(10, 0, 400, |r| r)
        .every(10, 400, 500, |r| r.ending(gatecrash_model::Ending::Dropped));
    let judgement = judged(&story, &[most_succeed()]);
    assert_eq!(outcomes(&judgement), [Outcome::Inconclusive]);
    assert!(judgement.guards[0].text.contains("10 of 50 arrivals"), "{:?}", judgement.guards);
}

#[test]
fn a_fault_that_never_fired_is_no_test() {
    let story = Story::new().fault(swallow(), 100, 300).every(10, 0, 400, |r| r);
    let judgement = judged(&story, &[most_succeed()]);
    assert_eq!(outcomes(&judgement), [Outcome::Inconclusive]);
    assert!(
        judgement.guards[0].text.contains("never fired (20 exchanges matched)"),
        "{:?}",
        judgement.guards
    );
    let mut unguarded = story;
    unguarded.plan.guards.fault_fired = false;
    assert_eq!(outcomes(&judged(&unguarded, &[most_succeed()])), [Outcome::Pass]);
}

#[test]
fn a_phase_before_the_fault_is_not_spoilt_by_it() {
    let mut story = Story::new().fault(swallow(), 5000, 6000).every(10, 0, 400, |r| r);
    story.plan.phases[0].until = Span::millis(4000);
    story.plan.expectations = vec![expectation(most_succeed())];
    story.plan.expectations[0].phase = Some(0);
    let judgement = judge_run(&story.plan, &story.profile, &story.history);
    assert_eq!(outcomes(&judgement), [Outcome::Pass]);
}

#[test]
fn a_connect_fault_nobody_saw_is_no_test() {
    let mut story = Story::new().fault(FaultSpec::Refuse(Refuse {}), 100, 300).every(10, 0, 400, |r| r);
    for event in &mut story.history.events {
        if let Event::FaultOn { confirmed, .. } = event {
            *confirmed = Some(false);
        }
    }
    let judgement = judged(&story, &[most_succeed()]);
    assert_eq!(outcomes(&judgement), [Outcome::Inconclusive]);
    assert!(judgement.guards[0].text.contains("not confirmed"), "{:?}", judgement.guards);
}

#[test]
fn a_setting_that_was_not_changed_is_no_test() {
    let limit = FaultSpec::Descriptors(crate::faults::Descriptors { limit: 64 });
    let mut story = Story::new().fault(limit, 100, 300).every(10, 0, 400, |r| r);
    for event in &mut story.history.events {
        if let Event::FaultOn { confirmed, .. } = event {
            *confirmed = Some(false);
        }
    }
    let judgement = judged(&story, &[most_succeed()]);
    assert_eq!(outcomes(&judgement), [Outcome::Inconclusive]);
    assert!(judgement.guards[0].text.contains("was not put in force"), "{:?}", judgement.guards);
}

/// A story whose fault fires on half of the attempts, exactly as its draws say.
fn half() -> Story {
    let plan = |story: &Story| FaultPlan { probability: Share(0.5), ..story.plan.faults[0].clone() };
    let frame = Story::new().fault(swallow(), 100, 9000);
    let (seed, fault) = (frame.plan.seed, plan(&frame));
    let hash = gatecrash_model::hash::bytes(fault.name.as_bytes());
    let fires = |k: u32| {
        let mut facts = Facts::connection(0, 1, 0, 0);
        facts.attempt.request = RequestId { workload: 0, k }.pack();
        gatecrash_model::draw::fires(fault.draw(seed, hash, &facts), 0.5)
    };
    let mut story = frame;
    story.plan.faults[0] = fault.clone();
    for k in 0..100 {
        let at = 200 + u64::from(k) * 10;
        story = story.every(10, at, at + 1, |r| if fires(k) { r.tries([Try::silent().by(0)]) } else { r });
    }
    story
}

#[test]
fn draws_are_recomputed_and_compared() {
    let story = half();
    let fired = story.history.firings.len() as u64;
    assert!((30..70).contains(&fired), "{fired}");
    let case = Case::new(&story.plan, &story.profile, &story.history);
    let delivery = &deliveries(&case)[0];
    assert_eq!((delivery.fired, delivery.eligible), (Some(fired), Some(100)));
    assert_eq!((&delivery.undelivered, &delivery.remark), (&None, &None));
}

#[test]
fn missing_and_unplanned_firings_are_listed() {
    let mut story = half();
    let lost = story.history.firings.remove(3);
    let fired = story.history.firings.len() + 1;
    let innocent = story.history.attempts.iter().find(|a| a.fault == 0).unwrap();
    let strange = FiringRecord { attempt: innocent.attempt, at: innocent.start, ..lost };
    story.history.firings.push(strange);
    let case = Case::new(&story.plan, &story.profile, &story.history);
    let remark = deliveries(&case).remove(0).remark.unwrap();
    assert!(remark.starts_with(&format!("1 of {fired} planned firings are missing (attempts ")), "{remark}");
    assert!(remark.contains(", 1 were not planned (attempts "), "{remark}");
    let judgement = judged(&story, &[StatusMap {}.into()]);
    assert_eq!(spoken(&judgement), [("fault-fired", false)]);
    assert_eq!(outcomes(&judgement), [Outcome::Pass]);
}

#[test]
fn strangers_spoil_what_rests_on_attempts() {
    let mut story = Story::new().every(10, 0, 400, |r| r);
    story.history.attempts.iter_mut().take(10).for_each(|a| a.request = RequestId::NONE);
    let judgement = judged(&story, &[most_succeed(), BoundedAttempts {}.into()]);
    assert_eq!(outcomes(&judgement), [Outcome::Pass, Outcome::Inconclusive]);
    assert_eq!(spoken(&judgement), [("join", true)]);
}

#[test]
fn a_death_fails_the_run_whatever_was_expected() {
    let died = Event::GatewayDied { at: 1, how: "exit code 1".into() };
    let story = Story::new().every(10, 0, 400, |r| r).event(died);
    let judgement = judged(&story, &[most_succeed()]);
    assert_eq!((outcomes(&judgement), judgement.outcome), (vec![Outcome::Pass], Outcome::Fail));
    assert_eq!(spoken(&judgement), [("crash", false)]);
}

#[test]
fn a_phase_cut_short_passes_nothing() {
    let mut story = Story::new().every(10, 0, 400, |r| r);
    story.history.events.retain(|e| !matches!(e, Event::PhaseEnd { .. }));
    assert_eq!(outcomes(&judged(&story, &[most_succeed()])), [Outcome::Inconclusive]);
    let bad = story.every(10, 400, 800, |r| r.answer(502));
    assert_eq!(outcomes(&judged(&bad, &[most_succeed()])), [Outcome::Fail]);
}

#[test]
fn what_was_not_observed_is_named() {
    let story = Story::new().every(10, 0, 400, |r| r).without(Capability::Framing);
    let judgement = judged(&story, &[CrashFree {}.into()]);
    assert_eq!(judgement.verdicts[0].details, ["this run could not observe: client framing"]);
}

#[test]
fn warnings_do_not_fail_the_run() {
    let mut story = Story::new().every(10, 0, 400, |r| r.answer(502));
    story.plan.expectations = vec![expectation(most_succeed())];
    story.plan.expectations[0].severity = Severity::Warning;
    let judgement = judge_run(&story.plan, &story.profile, &story.history);
    assert_eq!((outcomes(&judgement), judgement.outcome), (vec![Outcome::Fail], Outcome::Pass));
}

fn hangs_on_swallow() -> Deviation {
    Deviation {
        check: "status-map".into(),
        fault: "swallow".into(),
        op: None,
        sometimes: false,
        version: "1.22".into(),
        what: "answers 502 instead of 504".into(),
        source: "measured".into(),
    }
}

fn swallowed(status: u16) -> Story {
    Story::new()
        .fault(swallow(), 295, 5000)
        .every(10, 0, 300, |r| r)
        .every(10, 300, 400, move |r| r.tries([Try::silent().by(0)]).answer(status))
        .profile(|p| p.deviations = vec![hangs_on_swallow()])
}

#[test]
fn a_known_deviation_is_expected_and_said() {
    let judgement = judged(&swallowed(502), &[StatusMap {}.into()]);
    assert_eq!(outcomes(&judgement), [Outcome::Pass]);
    let text = judgement.verdicts[0].deviation.as_deref().unwrap();
    assert_eq!(text, "reference 1.22 under swallow: answers 502 instead of 504 (measured)");
    let strict = swallowed(502).profile(|p| *p = p.without_deviations());
    assert_eq!(outcomes(&judged(&strict, &[StatusMap {}.into()])), [Outcome::Fail]);
}

#[test]
fn a_deviation_excuses_only_what_its_fault_touched() {
    let story = swallowed(502).every(10, 400, 420, |r| r.tries([Try::reset()]).answer(404));
    let judgement = judged(&story, &[StatusMap {}.into()]);
    assert_eq!(outcomes(&judgement), [Outcome::Fail]);
    // What is shown is what is not known yet.
    let verdict = &judgement.verdicts[0];
    let whole = &judged(&swallowed(502).profile(|p| *p = p.without_deviations()), &[StatusMap {}.into()]);
    let known = whole.verdicts[0].violations.unwrap();
    assert!(known > 0 && verdict.violations.is_some_and(|rest| rest > 0 && rest < known), "{verdict:?}");
    let said = format!("{known} more are known deviations: reference 1.22 under swallow");
    assert!(verdict.details.iter().any(|detail| detail.starts_with(&said)), "{verdict:?}");
    assert!(verdict.details[0].contains("answered 404"), "{verdict:?}");
}

#[test]
fn a_deviation_that_stopped_is_noticed() {
    let judgement = judged(&swallowed(504), &[StatusMap {}.into()]);
    assert_eq!(outcomes(&judgement), [Outcome::Pass]);
    assert_eq!(spoken(&judgement), [("deviation", false)]);
    assert!(
        judgement.guards[0].text.starts_with("known deviation stopped happening"),
        "{:?}",
        judgement.guards
    );
}

/// The 504 is as it should be, so that the check of statuses has nothing to show; the other check still has.
#[test]
fn a_deviation_that_shows_in_another_check_has_not_stopped() {
    let also = Deviation { check: "bounded-time".into(), ..hangs_on_swallow() };
    let hangs = |r: crate::golden::Request| r.tries([Try::silent().by(0)]).answer(504).took(30_000);
    let story = Story::new()
        .fault(swallow(), 295, 5000)
        .every(10, 0, 300, |r| r)
        .every(10, 300, 400, hangs)
        .profile(move |p| p.deviations = vec![hangs_on_swallow(), also.clone()]);
    let both = judged(&story, &[StatusMap {}.into(), BoundedTime {}.into()]);
    assert_eq!(spoken(&both), []);
    assert!(both.verdicts[1].deviation.is_some());
    let lone = judged(&story, &[StatusMap {}.into()]);
    assert_eq!(spoken(&lone), [("deviation", false)]);
    let now_and_then = story.profile(|p| p.deviations.iter_mut().for_each(|d| d.sometimes = true));
    assert_eq!(spoken(&judged(&now_and_then, &[StatusMap {}.into()])), []);
}

#[test]
fn a_deviation_of_one_operation_says_nothing_of_others() {
    let of = |op| {
        let known = Deviation { op: Some(op), ..hangs_on_swallow() };
        swallowed(502).profile(move |p| p.deviations = vec![known.clone()])
    };
    let outcome_for = |op| outcomes(&judged(&of(op), &[StatusMap {}.into()]));
    assert_eq!(outcome_for(Op::GetObject), [Outcome::Pass]);
    assert_eq!(outcome_for(Op::HeadObject), [Outcome::Fail]);
    let well = swallowed(504).profile(|p| {
        p.deviations = vec![Deviation { op: Some(Op::HeadObject), ..hangs_on_swallow() }];
    });
    assert_eq!(spoken(&judged(&well, &[StatusMap {}.into()])), []);
}

#[test]
fn failures_come_with_a_lead() {
    let leak = |r: crate::golden::Request| r.answer(502).flag(ClientRecord::LEAK).tries([Try::silent()]);
    let story = Story::new().every(10, 0, 400, leak);
    let verdict = judged(&story, &[most_succeed()]).verdicts.remove(0);
    assert_eq!(
        verdict.likely.as_deref(),
        Some("the upstream did not answer; the gateway gave up after 1.00 s (its read timeout)")
    );
    assert_eq!(verdict.exemplars, ["0-0", "0-1", "0-2"]);
}

#[test]
fn requests_on_the_edge_of_a_phase_belong_to_neither() {
    let story = Story::new()
        .fault(swallow(), 1000, 2000)
        .every(10, 0, 990, |r| r)
        .every(10, 990, 1000, |r| r.tries([Try::silent().pause(15).by(0)]))
        .every(10, 1000, 1100, |r| r.tries([Try::silent().by(0)]));
    let mut story = first_second(story);
    let all = SuccessRate { min: Some(Share(1.0)), max: None };
    story.plan.expectations = vec![expectation(all.into())];
    story.plan.expectations[0].phase = Some(0);
    let judgement = judge_run(&story.plan, &story.profile, &story.history);
    assert_eq!(outcomes(&judgement), [Outcome::Pass]);
    assert_eq!(judgement.verdicts[0].samples, 95);
}

/// The fault goes at 1000 ms, which the generator's lag and the way upstream hide from a request's due time.
#[test]
fn a_request_that_met_the_upstream_after_the_fault_does_not_belong_to_its_phase() {
    let swallowed = |r: crate::golden::Request| r.tries([Try::silent().by(0)]);
    let story = Story::new().fault(swallow(), 0, 1000).every(10, 0, 900, swallowed);
    let all_fail = || SuccessRate { min: None, max: Some(Share(0.0)) }.into();
    let judged = |story: Story| {
        let mut story = first_second(story.patient());
        story.plan.faults[0].until = story.plan.phases[0].until;
        story.plan.expectations = vec![expectation(all_fail())];
        story.plan.expectations[0].phase = Some(0);
        let judgement = judge_run(&story.plan, &story.profile, &story.history);
        (judgement.verdicts[0].outcome, judgement.verdicts[0].samples)
    };
    let sent_late = story.clone().every(10, 900, 950, |r| r.lag(120));
    assert_eq!(judged(sent_late), (Outcome::Pass, 90));
    let arrived_late = story.clone().every(10, 900, 950, |r| r.tries([Try::served().pause(120)]));
    assert_eq!(judged(arrived_late), (Outcome::Pass, 90));
    let answered = story.every(10, 900, 940, |r| r);
    assert_eq!(judged(answered), (Outcome::Fail, 94));
}

/// Waiting for a connection is the fault's work: who waited it out was in its phase all the same.
#[test]
fn a_request_that_waited_out_a_connect_fault_belongs_to_its_phase() {
    let refuse = FaultSpec::Refuse(Refuse {});
    let waited = |r: crate::golden::Request| r.tries([Try::served().pause(120)]);
    let story = Story::new().fault(refuse, 0, 1000).every(10, 900, 940, waited);
    let mut story = first_second(story);
    story.plan.faults[0].until = story.plan.phases[0].until;
    let all = SuccessRate { min: Some(Share(1.0)), max: None };
    story.plan.expectations = vec![expectation(all.into())];
    story.plan.expectations[0].phase = Some(0);
    story.plan.expectations[0].min_samples = Some(4);
    let judgement = judge_run(&story.plan, &story.profile, &story.history);
    assert_eq!((judgement.verdicts[0].outcome, judgement.verdicts[0].samples), (Outcome::Pass, 4));
}

#[test]
fn offsets_into_a_phase_count_from_when_its_faults_were_in_force() {
    let swallowed = |r: crate::golden::Request| r.tries([Try::silent().by(0)]);
    let story =
        Story::new().fault(swallow(), 300, 1000).every(10, 0, 300, |r| r).every(10, 300, 900, swallowed);
    let mut story = first_second(story);
    story.plan.faults[0].from = story.plan.phases[0].from;
    let all_fail = SuccessRate { min: None, max: Some(Share(0.0)) };
    story.plan.expectations = vec![expectation(all_fail.into())];
    story.plan.expectations[0].phase = Some(0);
    story.plan.expectations[0].after = Some(Span::millis(100));
    let verdict = judge_run(&story.plan, &story.profile, &story.history).verdicts.remove(0);
    assert_eq!((verdict.outcome, verdict.samples), (Outcome::Pass, 50));
}

/// A story whose only phase ends after a second.
fn first_second(mut story: Story) -> Story {
    story.history.events.retain(|e| !matches!(e, Event::PhaseEnd { .. }));
    story.history.events.push(Event::PhaseEnd { phase: 0, at: 1_000_000_000 });
    story.plan.phases[0].until = Span::millis(1000);
    story
}

#[test]
fn what_a_client_spoilt_itself_is_nobody_elses_failure() {
    let story = |side| {
        let mut story = Story::new().fault(swallow(), 0, 1000).every(10, 0, 400, |r| r);
        story.plan.faults[0].side = side;
        story = story.every(10, 400, 600, |r| r.ending(gatecrash_model::Ending::CutRst));
        let broken = story.history.clients.iter().filter(|c| c.ending == gatecrash_model::Ending::CutRst);
        let firings: Vec<_> = broken
            .map(|c| FiringRecord {
                at: c.sent(),
                fault: 0,
                request: c.id().pack(),
                ..FiringRecord::default()
            })
            .collect();
        assert_eq!(firings.len(), 20);
        story.history.firings.extend(firings);
        judged(&story, &[most_succeed()])
    };
    let of_clients = story(Side::Client);
    assert_eq!(outcomes(&of_clients), [Outcome::Pass]);
    assert_eq!(of_clients.verdicts[0].samples, 40);
    assert_eq!(outcomes(&story(Side::Upstream)), [Outcome::Fail]);
}

#[test]
fn what_no_client_did_was_not_tested() {
    let mut story = Story::new().fault(swallow(), 0, 1000).every(10, 0, 400, |r| r);
    story.plan.faults[0].side = Side::Client;
    let judgement = judged(&story, &[most_succeed()]);
    assert_eq!(outcomes(&judgement), [Outcome::Inconclusive]);
    assert!(judgement.guards[0].text.contains("never fired"), "{:?}", judgement.guards);
}

/// A change of the configuration that is seen in force 8 s after it was begun, in a phase planned for 2 s, and is gone
/// 6 s after its end: what was asked meanwhile is the work of neither configuration.
#[test]
fn what_was_asked_while_the_configuration_changed_is_not_judged() {
    let wrong: FaultSpec = serde_saphyr::from_str("misconfigure: { endpoint: \"127.0.0.1:1\" }").unwrap();
    let story = |seen_at: u64, phase_end: u64, gone_at: u64| {
        let switching = |fault, from: u64, until: u64| Event::Switching {
            fault,
            from: from * 1_000_000,
            until: until * 1_000_000,
        };
        let phases =
            [("right", 0, 1000), ("wrong", 1000, phase_end), ("rolled-back", gone_at, gone_at + 2000)];
        let story = Story::new().phases(&phases).fault(wrong.clone(), 1000, gone_at);
        let story = story.event(switching(0, 1000, seen_at)).event(switching(0, phase_end, gone_at));
        let story =
            story.every(20, 0, seen_at, |r| r.took(5)).every(20, seen_at, gone_at, |r| r.tries([]).took(5));
        story.every(20, gone_at, gone_at + 2000, |r| r.took(5))
    };
    let bites = |after: Option<Span>, story: &Story| {
        let mut plan = story.plan.clone();
        let none = SuccessRate { min: None, max: Some(Share(0.1)) };
        plan.expectations = vec![ExpectationPlan { phase: Some(1), after, ..expectation(none.into()) }];
        let judgement = judge_run(&plan, &story.profile, &story.history);
        (judgement.verdicts[0].outcome, judgement.verdicts[0].samples, judgement.guards)
    };
    let slow = story(9000, 9010, 15_000);
    for after in [None, Some(Span::millis(500))] {
        let (outcome, _, notes) = bites(after, &slow);
        assert_eq!(outcome, Outcome::Inconclusive, "{after:?}");
        let notes: Vec<_> = notes.iter().filter(|n| n.guard == "change").map(|n| n.text.as_str()).collect();
        assert_eq!(
            notes,
            [
                "misconfigure-0 took the gateway 8.0 s to come into force: no phase judges that time",
                "misconfigure-0 took the gateway 6.0 s to be taken back: no phase judges that time",
            ]
        );
    }
    let prompt = story(1100, 4000, 4100);
    assert_eq!(bites(None, &prompt).0, Outcome::Pass);
    let (outcome, samples, _) = bites(Some(Span::millis(500)), &prompt);
    assert_eq!((outcome, samples), (Outcome::Pass, 120), "from 1.6 s, when it had been in force for 0.5 s");
}
