//! One case: trials until the search is done, calm in between, overload at the end.

use std::sync::Arc;
use std::time::Duration;

use gatecrash_core::capacity::{
    Bounds, Effort, Ended, Goal, Measured, Search, Step, Window, as_trial, goal, judge_trial,
};
use gatecrash_core::plan::Plan;
use gatecrash_core::profile::Profile;
use gatecrash_core::units::Rate;
use gatecrash_model::{Capabilities, Clock, Event, Nanos, Sink, TrialOutcome, TrialPurpose, TrialRecord};

use super::Survey;
use super::offer::{Offer, Offered, Stage};
use super::sink::TrialSink;
use crate::environment;
use crate::exit::{Exit, Failure};
use crate::run::Stop;
use crate::side_by_side::off_the_timers;
use crate::topology::{Ground, Topology};

/// What is offered under overload, as multiples of the capacity.
const OVERLOAD: [f64; 2] = [1.5, 2.0];
/// A calm gateway is asked at most so often, and for so long at a time.
const CALM_RATE: f64 = 40.0;
const CALM_FOR: Nanos = 500_000_000;
/// So often it is asked whether it is calm again, before a trial begins all the same.
const CALM_TRIES: u32 = 20;
/// Calm: the median is at most so many times what it was before the first trial, and this much more.
const CALM_FACTOR: u64 = 2;
const CALM_SLACK: u64 = 5_000;

/// A case under way.
pub(super) struct Searching<'a, 's> {
    pub(super) survey: &'a Survey<'s>,
    pub(super) phase: u16,
    pub(super) topology: &'a Topology,
    pub(super) ground: &'a Ground,
    pub(super) sink: &'a Arc<TrialSink>,
    pub(super) next: &'a mut Vec<u64>,
    pub(super) capabilities: Capabilities,
    pub(super) profile: Profile,
}

impl Searching<'_, '_> {
    /// Makes all trials of the case. Returns why the whole search has to end, if it has to.
    pub(super) async fn all(mut self) -> Result<Option<Stop>, Failure> {
        let begun = self.survey.clock.now();
        let calm = self.median_at_rest().await?;
        let mut count = 0;
        let goal = goal(self.survey.capacity);
        let asked = self.survey.plan.asked_rates(self.phase);
        let bounds = match self.survey.capacity.search {
            Some(_) => self.walk(goal, TrialPurpose::Search, begun, calm, &mut count).await?,
            None => {
                let mut last = None;
                for rate in asked {
                    let one = goal.clone().at(rate.0);
                    last = self.walk(one, TrialPurpose::Asked, begun, calm, &mut count).await?;
                    if last.is_none() {
                        break;
                    }
                }
                last
            }
        };
        let Some(bounds) = bounds else { return Ok(self.died()) };
        self.survey.live.note(&format!("{}: {}", self.name(), in_words(&bounds)));
        if let Some(lower) = bounds.lower.filter(|_| bounds.ended == Ended::Converged) {
            self.overload(lower.rate, calm, &mut count).await?;
        }
        Ok(self.died())
    }

    /// Trials until a search is done; `None` where the gateway died of it.
    async fn walk(
        &mut self,
        goal: Goal,
        purpose: TrialPurpose,
        begun: Nanos,
        calm: Option<u64>,
        count: &mut u32,
    ) -> Result<Option<Bounds>, Failure> {
        let left = goal.max_time.saturating_sub(self.survey.clock.now() - begun);
        let mut search =
            Search::new(Goal { max_time: left, ..goal }).map_err(|e| Failure::usage(e.to_string()))?;
        loop {
            let (rate, duration) = match search.next() {
                Step::Measure { rate, duration } => (rate, duration),
                Step::Done(bounds) => return Ok(Some(bounds)),
            };
            let trial = self.trial(rate, duration, purpose, calm, count).await?;
            search.record(as_trial(&trial));
            self.say(&trial, &search.so_far());
            if self.topology.gateway.exited().is_some() {
                return Ok(None);
            }
        }
    }

    /// What is left of the capacity when more than it is offered.
    async fn overload(&mut self, capacity: f64, calm: Option<u64>, count: &mut u32) -> Result<(), Failure> {
        if !self.survey.capacity.overload {
            return Ok(());
        }
        for factor in OVERLOAD {
            let duration = self.survey.capacity.confirm.0.max(self.survey.capacity.measure.0);
            // To a tenth, so that a person can read it back.
            let rate = (capacity * factor * 10.0).round() / 10.0;
            let trial = self.trial(rate, duration, TrialPurpose::Overload, calm, count).await?;
            let goodput = trial.goodput();
            self.survey.live.note(&format!(
                "{}: {factor} times the capacity: {goodput:.0}/s of {:.0}/s answered well",
                self.name(),
                trial.rate
            ));
            if self.topology.gateway.exited().is_some() {
                break;
            }
        }
        Ok(())
    }

    /// One trial: offered, judged, written down, calm again.
    async fn trial(
        &mut self,
        rate: f64,
        measure: Nanos,
        purpose: TrialPurpose,
        calm: Option<u64>,
        count: &mut u32,
    ) -> Result<TrialRecord, Failure> {
        *count += 1;
        let begun = self.survey.clock.now();
        let settle = self.survey.capacity.settle.0;
        let offered = self.stage().offer(Offer { rate, settle, measure }).await?;
        let measured = self.judged(&offered).await?;
        if measured.outcome != TrialOutcome::Good {
            self.wait_for_calm(calm).await?;
        }
        let trial = TrialRecord {
            phase: self.phase,
            number: *count,
            purpose,
            rate,
            from: offered.from,
            until: offered.until,
            spent: self.survey.clock.now() - begun,
            outcome: measured.outcome,
            offered: measured.offered,
            good: measured.good,
            dropped: measured.dropped,
            mean: measured.mean,
            p50: measured.p50,
            p99: measured.p99,
            in_flight: measured.in_flight,
            stay: measured.stay,
            attempts: measured.attempts,
            lag: measured.lag,
            harness_cpu: offered.harness_cpu,
            gateway_cpu: offered.gateway_cpu,
            fired: measured.fired,
            failures: measured.failures,
        };
        self.sink.event(Event::Trial(Box::new(trial.clone())));
        if let Some(failure) = self.survey.recorder.failure() {
            return Err(
                Failure::environment(failure).hint("free some space, or choose another place with --out DIR")
            );
        }
        Ok(trial)
    }

    /// Judges what came since the last time, where no timer waits for it.
    async fn judged(&self, offered: &Offered) -> Result<Measured, Failure> {
        let mut history = self.sink.take(self.capabilities);
        let workload = self.survey.capacity.workload;
        history.clients.retain(|c| u16::from(c.workload) == workload);
        let (plan, capacity, profile) =
            (self.survey.plan.clone(), self.survey.capacity.clone(), self.profile.clone());
        let window = Window { from: offered.from, until: offered.until };
        let effort = Effort { cores: environment::cores(), harness: offered.harness_cpu };
        off_the_timers(move || judge_trial(&plan, &capacity, &profile, &history, window, effort)).await
    }

    /// The median response time of a gateway that has next to nothing to do; also what warms it up.
    async fn median_at_rest(&mut self) -> Result<Option<u64>, Failure> {
        let rate = self.calm_rate();
        let offered = self.stage().offer(Offer { rate, settle: CALM_FOR, measure: CALM_FOR }).await?;
        Ok(self.judged(&offered).await?.p50)
    }

    /// Waits until the gateway answers again as it did before the first trial; not for ever.
    async fn wait_for_calm(&mut self, calm: Option<u64>) -> Result<(), Failure> {
        let Some(calm) = calm else { return Ok(()) };
        for _ in 0..CALM_TRIES {
            if self.topology.gateway.exited().is_some() {
                break;
            }
            let rate = self.calm_rate();
            let offered = self.stage().offer(Offer { rate, settle: 0, measure: CALM_FOR }).await?;
            let seen = self.judged(&offered).await?;
            let most = (calm * CALM_FACTOR).max(calm + CALM_SLACK);
            // A case that fails some requests by design never answers all of them.
            if seen.p50.is_some_and(|p50| p50 <= most) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    fn calm_rate(&self) -> f64 {
        self.survey.capacity.search.map_or(CALM_RATE, |search| search.from.0.min(CALM_RATE))
    }

    fn stage(&mut self) -> Stage<'_> {
        Stage {
            plan: self.survey.plan,
            topology: self.topology,
            ground: self.ground,
            clock: self.survey.clock,
            workload: usize::from(self.survey.capacity.workload),
            next: self.next,
        }
    }

    /// The gateway died by itself: a finding, and the end of the case.
    fn died(&self) -> Option<Stop> {
        let how = self.topology.gateway.exited()?;
        let why = format!("the gateway's process died: {how}");
        self.sink.event(Event::GatewayDied { at: self.survey.clock.now(), how });
        self.sink.event(Event::SearchStopped { phase: self.phase, why: why.clone() });
        Some(Stop { exit: Exit::Failed, why })
    }

    fn name(&self) -> String {
        case_name(self.survey.plan, self.phase)
    }

    fn say(&self, trial: &TrialRecord, so_far: &Bounds) {
        let (number, rate, name) = (trial.number, Rate(trial.rate), self.name());
        let verdict = match &trial.outcome {
            TrialOutcome::Good => "good".to_owned(),
            TrialOutcome::Bad { clause, why } => format!("bad ({clause}: {why})"),
            TrialOutcome::Discarded { why } => format!("discarded ({why})"),
        };
        let millis =
            |micros: Option<u64>| micros.map_or("-".into(), |us| format!("{:.1} ms", us as f64 / 1e3));
        let seconds = trial.seconds();
        self.survey.live.note(&format!(
            "{name} {number:>3}: {rate} for {seconds:.0} s: {verdict}, p50 {}, p99 {}; {}",
            millis(trial.p50),
            millis(trial.p99),
            bounds_in_words(so_far)
        ));
    }
}

fn case_name(plan: &Plan, phase: u16) -> String {
    plan.phases.get(usize::from(phase)).map_or_else(|| "?".to_owned(), |p| p.name.clone())
}

fn bounds_in_words(bounds: &Bounds) -> String {
    match (&bounds.lower, &bounds.upper) {
        (Some(lower), Some(upper)) => format!("capacity {} to {}", Rate(lower.rate), Rate(upper.rate)),
        (Some(lower), None) => format!("capacity at least {}", Rate(lower.rate)),
        (None, Some(upper)) => format!("capacity below {}", Rate(upper.rate)),
        (None, None) => "no bound yet".into(),
    }
}

fn in_words(bounds: &Bounds) -> String {
    let ended = match &bounds.ended {
        Ended::Converged => "found".to_owned(),
        Ended::AtMaximum => "the whole range is carried".to_owned(),
        Ended::AtMinimum => "not even the lowest rate is carried".to_owned(),
        Ended::TimeUp => "the time is over".to_owned(),
        Ended::GeneratorLimited(why) => format!("the harness was the limit: {why}"),
    };
    format!("{} ({ended})", bounds_in_words(bounds))
}
