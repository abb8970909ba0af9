//! Journeys: which steps users take, and what the engine that moves them cannot do.

use super::Cx;
use crate::plan::{
    ClientPlan, ClosedPlan, EnginePlan, JourneyPlan, JourneysPlan, OpPlan, StepPlan, ThinkPlan,
};
use crate::scenario::decode::Spanned;
use crate::scenario::file::{Engine, File, Journey, JourneyStep as Step, Workload};
use crate::units::{Share, Span};

const SECOND: u64 = 1_000_000_000;
const MILLISECOND: u64 = 1_000_000;

impl Cx<'_> {
    /// The journeys of a workload, where it has some; with the operations that they come to.
    pub(super) fn journeys(
        &mut self,
        name: &Spanned<String>,
        workload: &Workload,
        closed: Option<&ClosedPlan>,
    ) -> Option<(JourneysPlan, Vec<OpPlan>)> {
        let Some(journeys) = &workload.journeys else {
            if let Some(rules) = &workload.thresholds {
                self.error("thresholds without journeys", rules.place, "expectations judge all else");
            }
            return None;
        };
        if journeys.value.is_empty() {
            self.error("no journeys", journeys.place, "expected at least one, by name");
        }
        if let Some(ops) = &workload.ops {
            self.error("both `ops` and `journeys`", ops.place, "the steps of journeys say what is sent");
        }
        if workload.closed.is_none() {
            let label = "expected `closed: { users: 8 }`, since users walk journeys";
            self.error(format!("nobody walks the journeys of `{}`", name.value), journeys.place, label);
        }
        let pause = self.pause(workload, closed);
        let mut each = Vec::new();
        for (name, journey) in journeys.value.iter() {
            self.name("journey name", name);
            each.push(self.journey(name, journey, pause));
        }
        let thresholds = workload
            .thresholds
            .as_ref()
            .map_or_else(Vec::new, |rules| rules.value.iter().map(|rule| rule.value.clone()).collect());
        let ops = operations(&each);
        Some((JourneysPlan { each, thresholds }, ops))
    }

    fn journey(&mut self, name: &Spanned<String>, journey: &Journey, pause: Span) -> JourneyPlan {
        if let Some(none) = journey.weight.filter(|weight| weight.value == 0) {
            self.error("the weight is zero", none.place, "expected at least 1");
        }
        if journey.steps.value.is_empty() {
            self.error("no steps", journey.steps.place, "expected at least one, such as `get`");
        }
        if let Some(think) = journey.think {
            self.whole_milliseconds(think);
        }
        let mut put = false;
        let mut steps = Vec::new();
        for step in &journey.steps.value {
            put |= matches!(step.value, Step::Put | Step::Multipart(_));
            steps.extend(self.step(step, put));
            put &= !matches!(step.value, Step::Delete);
        }
        JourneyPlan {
            name: name.value.clone(),
            weight: journey.weight.map_or(1, |weight| weight.value),
            think: journey.think.map_or(pause, |think| think.value),
            steps,
        }
    }

    fn step(&mut self, step: &Spanned<Step>, put: bool) -> Option<StepPlan> {
        Some(match &step.value {
            Step::Put => StepPlan::Put,
            Step::Multipart(upload) => StepPlan::Multipart(self.parts_of(upload.parts, upload.part_size)),
            Step::Head => StepPlan::Head,
            Step::Get => StepPlan::Get,
            Step::Range(range) => {
                let place = self.within(step.place, &["range"]);
                StepPlan::Range(self.range(range, place)?)
            }
            Step::List => StepPlan::List,
            Step::Delete if put => StepPlan::Delete,
            Step::Delete => {
                self.error(
                    "nothing to delete",
                    step.place,
                    "expected a `put` or `multipart` before it in the journey",
                );
                return None;
            }
        })
    }

    /// The pause that `closed` asks for, as far as goose can make it: always as long, in milliseconds.
    fn pause(&mut self, workload: &Workload, closed: Option<&ClosedPlan>) -> Span {
        let place = workload.closed.as_ref().map(|closed| closed.place);
        let (Some(closed), Some(place)) = (closed, place) else { return Span(0) };
        let think = self.within(place, &["think"]);
        match closed.think {
            ThinkPlan::Constant(pause) => {
                self.whole_milliseconds(Spanned { value: pause, place: think });
                pause
            }
            ThinkPlan::Exponential(_) => {
                self.error("journeys pause always as long", think, "expected a time, such as 100ms");
                Span(0)
            }
        }
    }

    fn whole_milliseconds(&mut self, pause: Spanned<Span>) {
        if !pause.value.0.is_multiple_of(MILLISECOND) {
            self.error(format!("think time {}", pause.value), pause.place, "expected whole milliseconds");
        }
    }

    /// Who carries a workload's requests; journeys are goose's, said or not.
    pub(super) fn carrier(&mut self, name: &Spanned<String>, workload: &Workload) -> ClientPlan {
        let client = workload.client.as_ref();
        let plan = self.client(client, &format!("workloads.{}", name.value));
        if workload.journeys.is_none() {
            return plan;
        }
        let given = client.and_then(|client| client.engine);
        if let Some(other) = given.filter(|engine| engine.value != Engine::Goose) {
            self.error("journeys through another engine", other.place, "expected `goose`");
        }
        ClientPlan { engine: EnginePlan::Goose, ..plan }
    }

    /// The engine of journeys moves users at whole seconds, and there is one of it.
    pub(super) fn walkable(&mut self, file: &File, workloads: &[crate::plan::WorkloadPlan]) {
        let all = file.load.value.iter().zip(workloads);
        let walked = all.filter(|(_, plan)| plan.client.engine == EnginePlan::Goose);
        for (number, ((name, workload), plan)) in walked.enumerate() {
            if workload.journeys.is_none() {
                let label = "expected `journeys`, since goose walks nothing else";
                self.error(format!("nothing to walk for `{}`", name.value), name.place, label);
            }
            if number > 0 {
                let label = "put all journeys into one workload";
                self.error("goose walks the journeys of one workload", name.place, label);
            }
            let stages = plan.closed.iter().flat_map(|closed| closed.stages.windows(2));
            let changes = stages.filter(|pair| {
                let level = pair[0].to.unwrap_or(pair[0].users);
                level != pair[1].users || pair[0].to.is_some() || pair[1].to.is_some()
            });
            let odd = changes.map(|pair| pair[1].from).find(|at| !at.0.is_multiple_of(SECOND));
            if let Some(at) = odd {
                let message = format!("the users of `{}` change at {at}", name.value);
                self.error(message, name.place, "expected whole seconds, since goose counts in them");
            }
        }
    }
}

/// The operations of all journeys, with the share each has among their steps by weight.
fn operations(journeys: &[JourneyPlan]) -> Vec<OpPlan> {
    let weights: f64 = journeys.iter().map(|journey| f64::from(journey.weight)).sum();
    let mut ops: Vec<OpPlan> = Vec::new();
    for journey in journeys {
        let share = f64::from(journey.weight) / weights / journey.steps.len() as f64;
        for step in &journey.steps {
            let sent = step.sends(Share(share));
            let what = |op: &OpPlan| (op.op, op.range, op.parts);
            match ops.iter_mut().find(|known| what(known) == what(&sent)) {
                Some(known) => known.share.0 += share,
                None => ops.push(sent),
            }
        }
    }
    ops
}
