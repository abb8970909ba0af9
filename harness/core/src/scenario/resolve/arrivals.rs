//! When requests begin: rates and numbers of users over the phases.
//!
//! Both models have a level, arrivals per second or users, that stays, changes linearly (`ramp`) or by `steps`. A
//! workload's own law spans the run; a phase that says otherwise replaces it for its time.

use super::Cx;
use crate::diagnostics::Place;
use crate::plan::{ClosedPlan, PhasePlan, SegmentPlan, ThinkPlan, TracePlan, UsersPlan};
use crate::scenario::decode::Spanned;
use crate::scenario::file::{Amount, Closed, Either, File, Offered, Open, PhaseLoad, Ramp, Step, Workload};
use crate::units::{Rate, Span};

/// Highest rate of one workload.
const MAX_RATE: Rate = Rate(1e6);
/// Most users of one workload: each has a connection.
const MAX_USERS: u32 = 10_000;

/// When the requests of a workload begin, by one of three.
#[derive(Debug, Default)]
pub(super) struct Begin {
    pub(super) segments: Vec<SegmentPlan>,
    pub(super) closed: Option<ClosedPlan>,
    pub(super) trace: Option<TracePlan>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Model {
    Open,
    Closed,
}

/// What a workload or a phase says of the level.
#[derive(Clone, Copy)]
struct Law<'a> {
    /// The rate or the number of users it begins with.
    start: Option<Spanned<f64>>,
    ramp: Option<&'a Spanned<Ramp>>,
    steps: Option<&'a Spanned<Vec<Spanned<Step>>>>,
    place: Place,
}

/// A stretch of time with its level at both ends.
#[derive(Clone, Copy)]
struct Level {
    from: Span,
    until: Span,
    start: f64,
    end: f64,
    place: Place,
}

impl Cx<'_> {
    /// When a workload's requests begin.
    pub(super) fn begin(
        &mut self,
        file: &File,
        name: &Spanned<String>,
        workload: &Workload,
        phases: &[PhasePlan],
    ) -> Begin {
        let own: Vec<_> = file
            .timeline
            .value
            .iter()
            .map(|phase| {
                phase.load.iter().find(|(n, _)| n.value == name.value).map(|(n, load)| (n.place, load))
            })
            .collect();
        let begin = match (&workload.open, &workload.closed) {
            (Some(open), None) => match &open.value.trace {
                Some(trace) => self.traced(&open.value, trace, &own, phases),
                None => self.open(file, open, name, &own, phases),
            },
            (None, Some(closed)) => self.closed(closed, name, &own, phases),
            (Some(_), Some(both)) => {
                self.error("both `open` and `closed`", both.place, "expected one of the two");
                None
            }
            (None, None) => {
                let message = format!("nothing says when requests of `{}` begin", name.value);
                let label = "expected `open: { rate: 150/s }` or `closed: { users: 8 }`";
                self.error(message, name.place, label);
                None
            }
        };
        begin.unwrap_or_default()
    }

    fn open(
        &mut self,
        file: &File,
        open: &Spanned<Open>,
        name: &Spanned<String>,
        own: &[Option<(Place, &PhaseLoad)>],
        phases: &[PhasePlan],
    ) -> Option<Begin> {
        let Open { rate, ramp, steps, .. } = &open.value;
        let rate = rate.map(|rate| offered(file, rate));
        if let Some(zero) = rate.filter(|rate| rate.value.0 <= 0.0 && ramp.is_none()) {
            self.error("the rate is zero", zero.place, "expected more than 0/s; a phase may rest with 0/s");
        }
        let start = rate.map(|rate| Spanned { value: rate.value.0, place: rate.place });
        let law = Law { start, ramp: ramp.as_ref(), steps: steps.as_ref(), place: open.place };
        let levels = self.levels(Model::Open, law, own, phases)?;
        let segments = levels.iter().enumerate().map(|(number, level)| {
            self.took(format!("workloads.{}.segments.{number}.rate", name.value), level.place);
            let to = (level.start.to_bits() != level.end.to_bits()).then_some(Rate(level.end));
            SegmentPlan { from: level.from, until: level.until, rate: Rate(level.start), to }
        });
        Some(Begin { segments: segments.collect(), ..Begin::default() })
    }

    fn closed(
        &mut self,
        closed: &Spanned<Closed>,
        name: &Spanned<String>,
        own: &[Option<(Place, &PhaseLoad)>],
        phases: &[PhasePlan],
    ) -> Option<Begin> {
        let Closed { users, ramp, steps, think } = &closed.value;
        if let Some(zero) = users.filter(|users| users.value == 0 && ramp.is_none()) {
            self.error("no users", zero.place, "expected at least 1; a phase may rest with 0");
        }
        let start = users.map(|users| Spanned { value: f64::from(users.value), place: users.place });
        let law = Law { start, ramp: ramp.as_ref(), steps: steps.as_ref(), place: closed.place };
        let levels = self.levels(Model::Closed, law, own, phases)?;
        let stages = levels.iter().enumerate().map(|(number, level)| {
            self.took(format!("workloads.{}.closed.stages.{number}.users", name.value), level.place);
            let (users, end) = (level.start.round() as u32, level.end.round() as u32);
            UsersPlan { from: level.from, until: level.until, users, to: (end != users).then_some(end) }
        });
        let stages = stages.collect();
        let think = think.as_ref().map(|think| Spanned {
            value: match think.value {
                Either::Short(pause) => ThinkPlan::Constant(pause),
                Either::Long(law) => ThinkPlan::Exponential(law.mean),
            },
            place: think.place,
        });
        let think =
            self.or(format!("workloads.{}.closed.think", name.value), think, ThinkPlan::Constant(Span(0)));
        Some(Begin { closed: Some(ClosedPlan { stages, think }), ..Begin::default() })
    }

    fn traced(
        &mut self,
        open: &Open,
        trace: &Spanned<Either<String, crate::scenario::file::Trace>>,
        own: &[Option<(Place, &PhaseLoad)>],
        phases: &[PhasePlan],
    ) -> Option<Begin> {
        let others = [
            ("rate", open.rate.map(|rate| rate.place)),
            ("ramp", open.ramp.as_ref().map(|ramp| ramp.place)),
            ("steps", open.steps.as_ref().map(|steps| steps.place)),
            ("arrivals", open.arrivals.map(|arrivals| arrivals.place)),
        ];
        for (key, place) in others.into_iter().filter_map(|(key, place)| Some((key, place?))) {
            self.error(format!("both `trace` and `{key}`"), place, "the trace says when requests start");
        }
        for (place, _) in own.iter().flatten() {
            self.error("a phase changes a workload that follows a trace", *place, "the trace spans the run");
        }
        let length = phases.last().map_or(Span(0), |phase| phase.until);
        Some(Begin { trace: Some(self.trace(trace, length)?), ..Begin::default() })
    }

    /// The levels of all phases; each phase begins a new stretch.
    fn levels(
        &mut self,
        model: Model,
        law: Law<'_>,
        own: &[Option<(Place, &PhaseLoad)>],
        phases: &[PhasePlan],
    ) -> Option<Vec<Level>> {
        if law.start.is_none() && law.steps.is_none() {
            let label = match model {
                Model::Open => "expected `rate`, such as 150/s, or `steps` or `trace`",
                Model::Closed => "expected `users`, such as 8, or `steps`",
            };
            self.error("no load", law.place, label);
            return None;
        }
        let end = phases.last().map_or(Span(0), |phase| phase.until);
        let run = self.shape(model, law, 0.0, (Span(0), end));
        let mut levels: Vec<Level> = Vec::new();
        for (own, phase) in own.iter().zip(phases) {
            match own {
                None => levels.extend(run.iter().filter_map(|level| level.clipped(phase.from, phase.until))),
                Some((place, own)) => {
                    let before = levels.last().map(|level| level.end);
                    let before = before.or(run.first().map(|level| level.start)).unwrap_or_default();
                    let law = self.of_phase(model, own, *place);
                    levels.extend(self.shape(model, law, before, (phase.from, phase.until)));
                }
            }
        }
        Some(levels)
    }

    /// What a phase says, where it says it in the terms of the workload's model.
    fn of_phase<'l>(&mut self, model: Model, own: &'l PhaseLoad, place: Place) -> Law<'l> {
        let rate = own.rate.map(|rate| Spanned { value: rate.value.0, place: rate.place });
        let users = own.users.map(|users| Spanned { value: f64::from(users.value), place: users.place });
        let (start, strange, label) = match model {
            Model::Open => (rate, users, "the workload is open: expected `rate`"),
            Model::Closed => (users, rate, "the workload is closed: expected `users`"),
        };
        if let Some(strange) = strange {
            self.error("of the other load model", strange.place, label);
        } else if start.is_none() && own.ramp.is_none() && own.steps.is_none() {
            self.error("nothing changes", place, "expected `rate` or `users`, `ramp` or `steps`");
        }
        Law { start, ramp: own.ramp.as_ref(), steps: own.steps.as_ref(), place }
    }

    /// The stretches of one law from one offset to another.
    fn shape(&mut self, model: Model, law: Law<'_>, before: f64, (from, until): (Span, Span)) -> Vec<Level> {
        if let (Some(start), Some(steps)) = (law.start, law.steps) {
            let key = if model == Model::Open { "rate" } else { "users" };
            self.error(format!("both `{key}` and `steps`"), start.place, "the steps say it all");
            return self.shape(model, Law { start: None, steps: Some(steps), ..law }, before, (from, until));
        }
        if let Some(start) = law.start {
            self.bounded(model, start);
        }
        let start = law.start.map_or(before, |start| start.value);
        let place = law.start.map_or(law.place, |start| start.place);
        let stays = |from, level, place| Level { from, until, start: level, end: level, place };
        match (law.ramp, law.steps) {
            (Some(ramp), Some(_)) => {
                self.error("both `ramp` and `steps`", ramp.place, "expected one of the two");
                Vec::new()
            }
            (Some(ramp), None) => {
                let Some(to) = self.amount(model, ramp.value.to) else { return Vec::new() };
                let over = ramp.value.over.map_or(Span(until.0 - from.0), |over| over.value);
                self.positive("over", ramp.value.over);
                let top = Span(from.0.saturating_add(over.0));
                if let Some(long) = ramp.value.over.filter(|_| top > until) {
                    let label = format!("it has {}", Span(until.0 - from.0));
                    self.error("the ramp does not end in time", long.place, label);
                }
                let rise = Level { from, until: top.min(until), start, end: to, place };
                let rest = (top < until).then(|| stays(top, to, ramp.value.to.place));
                std::iter::once(rise).chain(rest).collect()
            }
            (None, Some(steps)) => self.steps(model, steps, (from, until)),
            (None, None) => vec![stays(from, start, place)],
        }
    }

    fn steps(
        &mut self,
        model: Model,
        steps: &Spanned<Vec<Spanned<Step>>>,
        (from, until): (Span, Span),
    ) -> Vec<Level> {
        let lasts = |step: &Spanned<Step>| match &step.value {
            Either::Long(detail) => detail.r#for,
            Either::Short(_) => None,
        };
        for step in &steps.value {
            self.positive("for", lasts(step));
        }
        let given: u64 = steps.value.iter().filter_map(lasts).map(|lasts| lasts.value.0).sum();
        let open = steps.value.iter().filter(|step| lasts(step).is_none()).count() as u64;
        let length = until.0 - from.0;
        if steps.value.is_empty() || given > length || (open > 0 && given == length) {
            let label = format!("{} within {}", Span(given), Span(length));
            self.error("the steps do not fit", steps.place, label);
            return Vec::new();
        }
        let part = (length - given).checked_div(open).unwrap_or(0);
        let mut levels: Vec<Level> = Vec::new();
        let mut at = from;
        for (number, step) in steps.value.iter().enumerate() {
            let amount = match &step.value {
                Either::Short(amount) => Some(Spanned { value: *amount, place: step.place }),
                Either::Long(detail) => {
                    let rate = detail.rate.map(|r| Spanned { value: Amount::Rate(r.value), place: r.place });
                    let users =
                        detail.users.map(|u| Spanned { value: Amount::Users(u.value), place: u.place });
                    rate.xor(users)
                }
            };
            let Some(amount) = amount else {
                self.error("a step without its level", step.place, "expected one of `rate` and `users`");
                continue;
            };
            let Some(level) = self.amount(model, amount) else { continue };
            let last = number + 1 == steps.value.len();
            let end = Span(at.0 + lasts(step).map_or(part, |lasts| lasts.value.0));
            let end = if last { until } else { end };
            levels.push(Level { from: at, until: end, start: level, end: level, place: amount.place });
            at = end;
        }
        levels
    }

    /// A level in the terms of the model.
    fn amount(&mut self, model: Model, amount: Spanned<Amount>) -> Option<f64> {
        let value = match (model, amount.value) {
            (Model::Open, Amount::Rate(rate)) => rate.0,
            (Model::Closed, Amount::Users(users)) => f64::from(users),
            (Model::Open, Amount::Users(_)) => {
                self.error("of the other load model", amount.place, "expected a rate, such as 150/s");
                return None;
            }
            (Model::Closed, Amount::Rate(_)) => {
                self.error("of the other load model", amount.place, "expected a number of users, such as 8");
                return None;
            }
        };
        self.bounded(model, Spanned { value, place: amount.place });
        Some(value)
    }

    fn bounded(&mut self, model: Model, level: Spanned<f64>) {
        if model == Model::Open && level.value > MAX_RATE.0 {
            let message = format!("rate {} too high", Rate(level.value));
            self.error(message, level.place, format!("expected at most {MAX_RATE}"));
        }
        if model == Model::Closed && level.value > f64::from(MAX_USERS) {
            let message = format!("{} users are too many", level.value);
            self.error(message, level.place, format!("expected at most {MAX_USERS}"));
        }
    }
}

/// A rate; of a workload that is searched, where the search begins.
fn offered(file: &File, offered: Spanned<Offered>) -> Spanned<Rate> {
    let search = || file.capacity.as_ref().and_then(|capacity| capacity.value.search);
    let value = match offered.value {
        Offered::At(rate) => rate,
        Offered::Search => search().map_or(Rate(1.0), |search| search.value.from.value),
    };
    Spanned { value, place: offered.place }
}

// === impl Level ===

impl Level {
    /// What of it lies between two offsets.
    fn clipped(&self, from: Span, until: Span) -> Option<Self> {
        let (begin, end) = (self.from.max(from), self.until.min(until));
        let at = |at: Span| {
            let part = (at.0 - self.from.0) as f64 / (self.until.0 - self.from.0) as f64;
            self.start + (self.end - self.start) * part
        };
        (begin < end).then(|| Self { from: begin, until: end, start: at(begin), end: at(end), ..*self })
    }
}
