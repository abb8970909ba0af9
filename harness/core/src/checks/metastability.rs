//! `metastability`: what a passing overload broke mends itself once the overload has passed.

use gatecrash_model::{Capabilities, Capability, Nanos, UpstreamRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::faults::{FaultSpec, Swallow};
#[cfg(test)]
use crate::golden::{Golden, Request, Story, Try};
use crate::judge::Scope;
use crate::stats::{Window, course, first_stretch, window};
use crate::units::{Share, Span};
use crate::verdict::Finding;

/// How near to the edge of a phase the trigger may still be going.
const EDGE: Nanos = 250_000_000;

/// From how many times the baseline's rate on a load is a spike.
const SPIKE: f64 = 1.1;

/// How far the load after the trigger may be from the load before it.
const SAME_LOAD: f64 = 0.1;

/// The least watch after which a system that is still down may be called so for good, for a trigger of any length.
const LEAST_WATCH: Nanos = 60_000_000_000;

/// A trigger comes and goes; whether the gateway comes back, and by when, at the load it bore before.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Metastability {
    /// The phase before the trigger: the load alone, at least as long as the trigger. The control.
    pub baseline: String,
    /// The phase in which the load is higher, or a fault cuts the upstream's capacity.
    pub trigger: String,
    /// The phase after the trigger, under the load of the baseline.
    pub after: String,
    /// Phases after that, each with less load than the one before: what it takes to cure a system that is still down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reduced: Vec<String>,
    /// By when all must be well again, from the end of the trigger.
    pub within: Span,
    /// Share of requests that are answered rightly, where all is well. Default: 99%.
    #[serde(default = "most")]
    pub min: Share,
    /// From the intended start, after which an answer is no use any more. Default: the workload's timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Span>,
    /// How long it has to stay well. Default: 10s.
    #[serde(default = "ten_seconds")]
    pub hold: Span,
}

/// What became of the system; the words of the verdict.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Resilient,
    Recovered,
    Slow,
    Metastable,
    Stuck,
    Down,
}

/// What was seen in each phase.
struct Seen {
    steady: Window,
    trigger: Window,
    after: Window,
    /// The course of the time after the trigger.
    watch: Vec<Window>,
}

fn most() -> Share {
    Share(0.99)
}

fn ten_seconds() -> Span {
    Span::seconds(10)
}

impl Check for Metastability {
    const INFO: CheckInfo = CheckInfo {
        name: "metastability",
        summary: "what a passing overload broke mends itself, at the load that was on before",
        doc: "A spike of load, or a dip of the upstream's capacity, comes and goes; the load before and \
              after is the same. RESILIENT: all was well throughout. RECOVERED: well again `within` the time \
              after the trigger, for `hold`. SLOW: well again, but later. METASTABLE: not well by the end of \
              the phase `after`, with attempts per request (5 % above the baseline) or the time of an \
              attempt upstream (twice the baseline's) still raised, until less load cured it: the work that \
              the outage itself makes, retries above all, keeps it going. STUCK: not even the least load of \
              `reduced` cured it, which is a plain bug, such as a peer that is never let back in. DOWN: less \
              load cured it, and nothing was seen that sustained it, or no phase had less load. The first \
              two pass. OVERLOADED, when all was not well in the baseline, is inconclusive: the load is too \
              much without any trigger; so is a trigger that did nothing or did not end. The control is the \
              phase `baseline` of the same run, so that machine, connections and caches are the same; give \
              the load back after `reduced` and expect `success-rate` there to see that it could be borne \
              all along. A retry loop can sustain itself when load x most tries exceeds the capacity, and \
              cannot when load x (1 + budget) does not. Watch for max(60 s, 10 x trigger, 20 x the longest \
              timeout); a shorter watch is said.",
        sources: &[Source::METASTABLE, Source::METASTABLE_WILD, Source::AWS_RETRIES],
        fixes: Fixes {
            nginx: "fewer tries and none after a timeout (`proxy_next_upstream error`), `max_conns`",
            haproxy: "fewer `retries` and none after a timeout (`retry-on conn-failure`), `maxconn` with a \
                      short `timeout queue`",
            envoy: "`retry_budget` and `max_pending_requests` of the `circuit_breakers`, the \
                    `admission_control` filter",
            others: "everywhere: a retry budget (Finagle has one), early shedding with a short bounded \
                     queue, timeouts longer than the upstream's queue",
        },
        example: "metastability: { baseline: steady, trigger: spike, after: watch, reduced: [relief], within: 10s }",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 30,
        rests: Rests::OnRates,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = format!("RESILIENT, or RECOVERED within {} at the same load", self.within);
        let (seen, off) = match self.seen(scope) {
            Ok(seen) => seen,
            Err((samples, why)) => return Finding::inconclusive(wanted, samples, why),
        };
        let back = self.well_from(scope, &seen.watch);
        let held = self.is_well(&seen.trigger) && seen.watch.iter().all(|w| self.is_well(w));
        let cure = if back.is_none() { self.cure(scope, seen.steady.offered()) } else { None };
        let state = match (back, cure) {
            (Some(_), _) if held => State::Resilient,
            (Some(at), _) if seen.watch[at].from <= off + self.within.0 => State::Recovered,
            (Some(_), _) => State::Slow,
            (None, Some(Ok(_))) if seen.is_sustained() => State::Metastable,
            (None, Some(Err(()))) => State::Stuck,
            (None, _) => State::Down,
        };
        let recovery = back.map(|at| {
            let (at, until) = (seen.watch[at].from, seen.watch[at].until);
            format!("{} (+-{})", seconds(at.saturating_sub(off)), seconds(until - at))
        });
        let observed = match recovery {
            Some(time) if state != State::Resilient => format!("{} after {time}", state.word()),
            _ => state.word().to_owned(),
        };
        let samples = seen.after.requests;
        let failed = scope.clients_between(seen.after.from, seen.after.until);
        Finding::judged(state.is_well(), observed, wanted, samples)
            .details(self.evidence(scope, &seen, cure))
            .exemplars(failed.filter(|c| !scope.succeeded(c)).map(|c| c.id()).take(3))
    }

    fn problem(&self) -> Option<&'static str> {
        let mut named: Vec<_> = [&self.baseline, &self.trigger, &self.after].to_vec();
        named.extend(&self.reduced);
        named.sort_unstable();
        if named.windows(2).any(|pair| pair[0] == pair[1]) {
            return Some("a different phase for each of `baseline`, `trigger`, `after` and `reduced`");
        }
        (self.hold.0 == 0).then_some("a `hold` above 0s")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = || Self {
            reduced: vec!["relief".into()],
            within: Span::seconds(3),
            hold: Span::seconds(2),
            ..serde_saphyr::from_str::<Parameters>(Self::INFO.example).expect("the example").metastability
        };
        let phases = [("steady", 0, 2000), ("spike", 2000, 3000), ("watch", 3000, 9000), ("relief", 9000, 12000)];
        let story = || Story::new().phases(&phases).every(10, 0, 2000, |r| r);
        let spiked = || story().every(4, 2000, 3000, thrice);
        let relieved = |s: Story| s.every(20, 9000, 12000, |r| r);
        let calm = |s: Story| relieved(s.every(10, 3000, 9000, |r| r));
        let back = |at| calm_from(spiked(), at);
        let swallow = FaultSpec::Swallow(Swallow {});
        let by_fault = story().fault(swallow.clone(), 2000, 3000).unguarded();
        let lasting = story().fault(swallow, 2000, 5000).unguarded();
        let half = |s: Story| s.every(20, 3000, 9000, |r| r).every(20, 9000, 12000, |r| r);
        vec![
            Golden::pass("nobody noticed the spike", check(), calm(story().every(4, 2000, 3000, |r| r))),
            Golden::pass("well after a second", check(), back(4000)),
            Golden::pass("a capacity cut, well at once", check(), calm(by_fault.every(10, 2000, 3000, thrice))),
            Golden::fail("SLOW: well after four seconds", check(), back(7000)),
            Golden::fail("METASTABLE", check(), relieved(spiked().every(10, 3000, 9000, thrice))),
            Golden::fail(
                "STUCK: not even less load helps",
                check(),
                spiked().every(10, 3000, 9000, thrice).every(20, 9000, 12000, thrice),
            ),
            Golden::fail("DOWN: and nothing to see", check(), relieved(spiked().every(10, 3000, 9000, shed))),
            Golden::inconclusive(
                "OVERLOADED before anything happened",
                check(),
                relieved(Story::new().phases(&phases).every(10, 0, 2000, shed).every(4, 2000, 9000, shed)),
            ),
            Golden::inconclusive("no trigger", check(), calm(story().every(10, 2000, 3000, |r| r))),
            Golden::inconclusive("it went on", check(), calm(lasting.every(10, 2000, 3000, thrice))),
            Golden::inconclusive("less load afterwards", check(), half(spiked())),
            Golden::inconclusive("no such phases", check(), Story::new().every(10, 0, 2000, |r| r)),
        ]
    }
}

/// As the example has it.
#[cfg(test)]
#[derive(Deserialize)]
struct Parameters {
    metastability: Metastability,
}

/// Three tries, none of which came in time.
#[cfg(test)]
fn thrice(request: Request) -> Request {
    let late = || Try::silent().took(200);
    request.tries([late(), late(), late()])
}

/// Turned away without asking anybody.
#[cfg(test)]
fn shed(request: Request) -> Request {
    request.tries([]).answer(503)
}

/// Down until then, well afterwards, also under less load.
#[cfg(test)]
fn calm_from(story: Story, at: u64) -> Story {
    story.every(10, 3000, at, thrice).every(10, at, 9000, |r| r).every(20, 9000, 12000, |r| r)
}

impl Metastability {
    /// Measures the phases, and says when the trigger was gone; or why the question was not put.
    fn seen(&self, scope: &Scope<'_>) -> Result<(Seen, Nanos), (u64, String)> {
        let (from, until) = phase(scope, &self.baseline)?;
        let (hit, gone) = phase(scope, &self.trigger)?;
        let (off, end) = phase(scope, &self.after)?;
        if until > hit || gone > off {
            return Err((0, "baseline, trigger and after are not in this order".into()));
        }
        let measure = |from, until| window(scope, from, until, self.deadline);
        let seen = Seen {
            steady: measure(from, until),
            trigger: measure(hit, gone),
            after: measure(off, end),
            watch: course(scope, off, end, self.deadline),
        };
        for (name, part) in [(&self.baseline, &seen.steady), (&self.after, &seen.after)] {
            if part.requests < scope.min_samples.max(1) {
                let why = format!("{} requests in {name}, {} needed", part.requests, scope.min_samples);
                return Err((part.requests, why));
            }
        }
        let samples = seen.after.requests;
        if !self.is_well(&seen.steady) {
            let share = seen.steady.share() * 100.0;
            let why = format!("OVERLOADED: {share:.1}% well in {} already, before any trigger", self.baseline);
            return Err((samples, why));
        }
        let short = |what: &str| Err((samples, format!("{what}: nothing was put to the test")));
        if until - from < gone - hit {
            return short("the baseline is shorter than the trigger, so it is no control");
        }
        let own = |f: u16| {
            let touches = |from, until| scope.intervals.of_fault(f).iter().any(|i| i.overlaps(from, until));
            touches(hit + EDGE.min((gone - hit) / 2), gone - 1) && !touches(from, until - 1)
        };
        let faults: Vec<u16> = (0..scope.plan.faults.len() as u16).filter(|f| own(*f)).collect();
        let growth = seen.trigger.offered() / seen.steady.offered();
        if faults.is_empty() && growth < SPIKE + chance(&seen.trigger, &seen.steady) {
            return short("no fault began with the trigger, and the load was no higher");
        }
        let lasts = |f: &&u16| scope.intervals.of_fault(**f).iter().any(|i| i.until > off + EDGE || !i.confirmed);
        if let Some(fault) = faults.iter().find(lasts) {
            let name = &scope.plan.faults[usize::from(*fault)].name;
            return Err((samples, format!("{name} was not seen to end with the trigger")));
        }
        let change = seen.after.offered() / seen.steady.offered() - 1.0;
        if change.abs() > SAME_LOAD + chance(&seen.after, &seen.steady) {
            let why = format!("the load after the trigger was not that before it ({:+.0}%)", change * 100.0);
            return Err((samples, why));
        }
        if end - off < self.hold.0 {
            return Err((samples, format!("{} is shorter than {}: it cannot show recovery", self.after, self.hold)));
        }
        Ok((seen, off))
    }

    fn is_well(&self, window: &Window) -> bool {
        window.share() + 1e-9 >= self.min.0
    }

    /// The first window of the first stretch in which all is well.
    fn well_from(&self, scope: &Scope<'_>, windows: &[Window]) -> Option<usize> {
        let whole = |from, until| window(scope, from, until, self.deadline);
        first_stretch(windows, self.hold.0, |w| self.is_well(w), whole)
    }

    /// The rate under which it was well again; `Err` when it was under none, `None` when none was tried.
    fn cure(&self, scope: &Scope<'_>, load: f64) -> Option<Result<f64, ()>> {
        let phases = self.reduced.iter().filter_map(|name| phase(scope, name).ok());
        let less = phases.map(|(from, until)| course(scope, from, until, self.deadline)).filter(|course| {
            let offered = course.iter().map(Window::offered).fold(0.0, f64::max);
            offered > 0.0 && offered < (1.0 - SAME_LOAD) * load
        });
        let tried: Vec<_> = less.collect();
        let cured = tried.iter().find_map(|c| self.well_from(scope, c).map(|at| c[at].offered()));
        cured.map(Ok).or_else(|| (!tried.is_empty()).then_some(Err(())))
    }

    fn evidence(&self, scope: &Scope<'_>, seen: &Seen, cure: Option<Result<f64, ()>>) -> Vec<String> {
        let part = |name: &str, w: &Window| {
            let tries = w.amplification().map_or(String::new(), |a| format!(", {a:.2} attempts per request"));
            let age = w.queue_age.map_or(String::new(), |age| format!(", {} upstream", millis(age)));
            let (offered, share) = (w.offered(), w.share() * 100.0);
            format!("{name}: {offered:.0}/s, {share:.1}% well, {:.0}/s of goodput{tries}{age}", w.goodput())
        };
        let mut lines = vec![
            part(&self.baseline, &seen.steady),
            part(&self.trigger, &seen.trigger),
            part(&self.after, &seen.after),
        ];
        for name in &self.reduced {
            let measured = phase(scope, name).map(|(from, until)| window(scope, from, until, self.deadline));
            lines.extend(measured.ok().filter(|w| w.requests > 0).map(|w| part(name, &w)));
        }
        let thin = seen.watch.len().div_ceil(12).max(1);
        let course = |of: &dyn Fn(&Window) -> String| {
            seen.watch.iter().step_by(thin).map(of).collect::<Vec<_>>().join(" ")
        };
        lines.push(format!("well in the windows of {}, %: {}", self.after, course(&|w| format!("{:.0}", w.share() * 100.0))));
        let tries = |w: &Window| w.amplification().map_or("-".into(), |a| format!("{a:.1}"));
        lines.push(format!("attempts per request there: {}", course(&tries)));
        if let (Some(now), Some(before)) = (served(scope, &seen.after), served(scope, &seen.steady)) {
            lines.push(format!("the upstream served {now:.0}/s there and {before:.0}/s in {}", self.baseline));
        }
        match cure {
            Some(Ok(rate)) => lines.push(format!(
                "well again at {rate:.0}/s: hysteresis {:.2} of the load that it bore before",
                rate / seen.steady.offered()
            )),
            Some(Err(())) => lines.push("no load that was tried cured it".into()),
            None => {}
        }
        let (watched, trigger) = (seen.after.until - seen.after.from, seen.trigger.until - seen.trigger.from);
        let timeout = scope.plan.workloads.iter().map(|w| w.timeout.0).max().unwrap_or(0);
        let due = LEAST_WATCH.max(10 * trigger).max(20 * timeout);
        if watched < due {
            lines.push(format!("watched for {}; {} are the rule for this trigger", seconds(watched), seconds(due)));
        }
        lines
    }
}

impl Seen {
    /// Whether retries, or the queue of the upstream, were still above what the load alone makes.
    fn is_sustained(&self) -> bool {
        let above = |now: Option<f64>, before: Option<f64>, factor: f64| {
            now.zip(before).is_some_and(|(now, before)| now > factor * before)
        };
        let age = |w: &Window| w.queue_age.map(|age| age as f64);
        above(self.after.amplification(), self.steady.amplification(), 1.05)
            || above(age(&self.after), age(&self.steady), 2.0)
    }
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Resilient => "RESILIENT",
            Self::Recovered => "RECOVERED",
            Self::Slow => "SLOW",
            Self::Metastable => "METASTABLE",
            Self::Stuck => "STUCK",
            Self::Down => "DOWN",
        }
    }

    fn is_well(self) -> bool {
        matches!(self, Self::Resilient | Self::Recovered)
    }
}

/// By how much the rates of two windows of Poisson arrivals may differ by chance, as a share: three deviations.
fn chance(a: &Window, b: &Window) -> f64 {
    let part = |w: &Window| 1.0 / w.requests.max(1) as f64;
    3.0 * (part(a) + part(b)).sqrt()
}

/// The recorded edges of a phase by name.
fn phase(scope: &Scope<'_>, name: &str) -> Result<(Nanos, Nanos), (u64, String)> {
    let window = scope.plan.phase(name).and_then(|phase| scope.history.phase_window(phase));
    window.ok_or_else(|| (0, format!("the phase {name} never began")))
}

/// Answers below 400 of the upstream per second, whoever still waited for them; `None` where nobody counted.
fn served(scope: &Scope<'_>, window: &Window) -> Option<f64> {
    let all = &scope.history.upstreams;
    let end = |u: &UpstreamRecord| u.received + u64::from(u.done) * 1000;
    let done = |u: &&UpstreamRecord| {
        (200..400).contains(&u.status) && (window.from..window.until).contains(&end(u))
    };
    let length = Span(window.until.saturating_sub(window.from).max(1));
    (!all.is_empty()).then(|| all.iter().filter(done).count() as f64 / length.as_seconds())
}

fn seconds(nanos: Nanos) -> String {
    format!("{:.1}s", Span(nanos).as_seconds())
}

fn millis(nanos: Nanos) -> String {
    format!("{:.0}ms", nanos as f64 / 1e6)
}
