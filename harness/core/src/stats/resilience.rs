//! What faults cost, how fast they were noticed and got over, and what the retries did meanwhile.
//!
//! Every time is read off windows (`course.rs`) and known to the length of one: its resolution. What did not come
//! in the time that was watched is censored, `>12s`, never left out.

use gatecrash_model::{AttemptId, AttemptRecord, ClientRecord, EndedBy, Ending, Nanos};

use super::course::{WINDOW, WINDOW_REQUESTS};
use super::{Window, course, first_stretch, little_mismatch, mean_under_way, tiles, variation, window};
use crate::checks::CheckSpec;
use crate::judge::{Case, Scope};
use crate::plan::Plan;
use crate::report::{Consequences, Effort, Resilience, Timing};
use crate::rules::Matcher;
use crate::units::{Share, Span};

/// The service level that budgets are counted against, and failover where the scenario asks for none.
const SLO: Share = Share(0.999);

/// What an error budget is for: thirty days.
const MONTH: f64 = 30.0 * 86_400.0;

/// How long a failover has to hold.
const FAILOVER_HOLDS: Nanos = 5_000_000_000;

/// How long a recovery has to hold.
const RECOVERY_HOLDS: Nanos = 10_000_000_000;

/// What is well again after a fault: goodput, 99th percentile and attempts per request, each beside the baseline's.
const WELL_AGAIN: (f64, f64, f64) = (0.95, 1.2, 1.05);

/// By how much a 99th percentile may differ all the same, microseconds: a fifth of a millisecond or two is nothing, and
/// a busy machine lets a thread wait for some milliseconds.
const JITTER: f64 = 10_000.0;

/// By how much an attempt may seem to begin before the one it follows was written down as over; what overlaps
/// by more was sent side by side (hedging) and is no retry.
const OVERLAP: Nanos = 5_000_000;

/// Everything about one case.
pub(super) fn resilience(case: &Case<'_>) -> Resilience {
    let everything = Matcher::default();
    let scope = case.everything(&everything);
    let faults = (0..case.plan.faults.len()).filter_map(|fault| consequences(&scope, fault as u16)).collect();
    let phase = |(index, phase): (usize, &crate::plan::PhasePlan)| {
        let (from, until) = case.history.phase_window(index as u16)?;
        effort(&scope, &phase.name, from, until)
    };
    let phases = case.plan.phases.iter().enumerate().filter_map(phase).collect();
    Resilience { slo: SLO, faults, phases }
}

/// What one fault did; `None` when it was never on, or when there was no load before any fault to compare with.
fn consequences(scope: &Scope<'_>, fault: u16) -> Option<Consequences> {
    let on = scope.intervals.of_fault(fault);
    let hit = on.first()?.from;
    let end = scope.history.clients.last()?.intended;
    let off = on.last()?.until.min(end);
    let calm = scope.intervals.all().map(|(_, i)| i.from).min()?;
    let before = window(scope, 0, calm, None);
    if before.requests < WINDOW_REQUESTS as u64 || hit >= end {
        return None;
    }
    let next = scope.intervals.all().map(|(_, i)| i.from).filter(|from| *from >= off).min();
    let quiet = next.unwrap_or(end).min(end);
    let part = Part::of(scope, fault, calm);
    let level = level_asked_for(scope.plan, fault);
    let failover = failover(scope, hit, off, level.unwrap_or(SLO));
    let recover = recover(scope, off, quiet, &before);
    let passed = |timing: &Option<Timing>| timing.as_ref().map(|t| t.after.unwrap_or(t.watched));
    let lost_until = hit + passed(&failover).map_or(0, in_nanos);
    let bad_until = off + passed(&recover).map_or(0, in_nanos);
    let failed = |from, until| {
        let whole = window(scope, from, until, None);
        whole.requests - whole.good
    };
    let (lost, bad) = (failed(hit, lost_until), failed(hit, bad_until));
    let seconds = |requests: u64| requests as f64 / before.offered().max(f64::MIN_POSITIVE);
    Some(Consequences {
        fault: scope.plan.faults[usize::from(fault)].name.clone(),
        detect: part.as_ref().and_then(|part| part.detected(scope, hit, off)),
        level,
        failover,
        recover,
        failback: part.as_ref().and_then(|part| part.failed_back(scope, hit, off, quiet)),
        lost,
        lost_seconds: seconds(lost),
        failed: bad,
        budget_cost: seconds(bad) / (MONTH * (1.0 - SLO.0)),
    })
}

/// The strictest share of successes that is expected of all requests in a phase with the fault on, or in the whole run.
fn level_asked_for(plan: &Plan, fault: u16) -> Option<Share> {
    let fault = &plan.faults[usize::from(fault)];
    let meets = |phase: u16| {
        let phase = plan.phases.get(usize::from(phase));
        phase.is_some_and(|phase| phase.from < fault.until && fault.from < phase.until)
    };
    let of_all = plan.expectations.iter().filter(|e| e.matcher == Matcher::default());
    let meant = of_all.filter(|e| e.phase.is_none_or(meets));
    let least = meant.filter_map(|e| match &e.check {
        CheckSpec::SuccessRate(rate) => rate.min,
        _ => None,
    });
    least.max_by(|a, b| a.0.total_cmp(&b.0))
}

/// From when on the service level held while the fault was on.
fn failover(scope: &Scope<'_>, hit: Nanos, off: Nanos, level: Share) -> Option<Timing> {
    let windows = course(scope, hit, off, None);
    let hold = FAILOVER_HOLDS.min(off.saturating_sub(hit) / 2);
    let well = |w: &Window| w.share() + 1e-9 >= level.0;
    timing(scope, &windows, hit, off, hold, well)
}

/// From when on all was as before the fault.
fn recover(scope: &Scope<'_>, off: Nanos, quiet: Nanos, before: &Window) -> Option<Timing> {
    let windows = course(scope, off, quiet, None);
    let hold = RECOVERY_HOLDS.min(quiet.saturating_sub(off) / 2);
    let (good, slow, tries) = WELL_AGAIN;
    let well = |w: &Window| {
        let most = |now: Option<f64>, before: Option<f64>, factor: f64, slack: f64| {
            now.zip(before).is_none_or(|(now, before)| now <= (factor * before).max(before + slack))
        };
        let p99 = |w: &Window| w.p99.map(|micros| micros as f64);
        w.share() >= good * before.share()
            && most(p99(w), p99(before), slow, JITTER)
            && most(w.amplification(), before.amplification(), tries, 0.0)
    };
    timing(scope, &windows, off, quiet, hold, well)
}

fn timing(
    scope: &Scope<'_>,
    windows: &[Window],
    from: Nanos,
    until: Nanos,
    hold: Nanos,
    well: impl Fn(&Window) -> bool,
) -> Option<Timing> {
    let first = windows.first()?;
    let found = first_stretch(windows, hold, well, |from, until| window(scope, from, until, None));
    let found = found.map(|at| &windows[at]);
    Some(Timing {
        after: found.map(|w| in_seconds(w.from - from)),
        resolution: in_seconds(found.map_or(first.until - first.from, |w| w.until - w.from)),
        watched: in_seconds(until - from),
        held: in_seconds(hold),
    })
}

/// Share of the requests of a fault whose tries have to be known.
const MOST_TOLD: f64 = 0.9;

/// Tries from one instant on: how many went to the part, and how many there were.
#[derive(Clone, Copy, Debug)]
struct Asked {
    at: Nanos,
    own: u64,
    all: u64,
}

fn share_of(asked: &[Asked]) -> Option<f64> {
    let sum = |of: fn(&Asked) -> u64| asked.iter().map(of).sum::<u64>();
    let (own, all) = (sum(|a| a.own), sum(|a| a.all));
    (all > 0).then(|| own as f64 / all as f64)
}

/// The part of the upstream that a fault hits, where others are left, and its share of the attempts before.
struct Part {
    links: Vec<u8>,
    share: f64,
}

impl Part {
    fn of(scope: &Scope<'_>, fault: u16, calm: Nanos) -> Option<Self> {
        let all = scope.plan.links();
        let part = Self { links: Self::links_of(scope.plan, fault).collect(), share: 0.0 };
        let share = share_of(&part.asked(scope, 0, calm))?;
        (part.links.len() < all.len() && share > 0.0).then_some(Self { share, ..part })
    }

    /// Each attempt that links saw begin in this time.
    fn asked(&self, scope: &Scope<'_>, from: Nanos, until: Nanos) -> Vec<Asked> {
        let attempts = attempts(scope, from, until);
        let of =
            |a: &&AttemptRecord| Asked { at: a.start, own: self.links.contains(&a.link()).into(), all: 1 };
        attempts.iter().map(of).collect()
    }

    /// Each request of this time with its tries, as the gateway's own log has them: those that no link saw went where a
    /// fault kept them from being seen. `None` without such a log, or where that may be elsewhere, too.
    fn witnessed(&self, scope: &Scope<'_>, from: Nanos, until: Nanos) -> Option<Vec<Asked>> {
        let only_here = |fault: u16| Self::links_of(scope.plan, fault).all(|link| self.links.contains(&link));
        if !scope.profile.witness || !scope.hiding_between(from, until).all(only_here) {
            return None;
        }
        let asked = |client: &ClientRecord| {
            let (all, seen) = (scope.tries(client)?, scope.attempts(client).count());
            let met = scope.attempts(client).filter(|a| self.links.contains(&a.link())).count();
            Some(Asked { at: client.sent(), own: (all - seen + met) as u64, all: all as u64 })
        };
        let clients: Vec<_> = scope.clients_between(from, until).collect();
        let mut told: Vec<_> = clients.iter().filter_map(|client| asked(client)).collect();
        told.sort_by_key(|asked| asked.at);
        (told.len() as f64 >= MOST_TOLD * clients.len() as f64).then_some(told)
    }

    fn links_of(plan: &Plan, fault: u16) -> impl Iterator<Item = u8> + use<> {
        let (region, endpoint) =
            (plan.faults[usize::from(fault)].region, plan.faults[usize::from(fault)].endpoint);
        let hit = move |(link, (r, e)): (usize, (u16, u16))| {
            (region.is_none_or(|own| own == r) && endpoint.is_none_or(|own| own == e)).then_some(link as u8)
        };
        plan.links().into_iter().enumerate().filter_map(hit)
    }

    /// The first window that fits.
    fn first(asked: &[Asked], from: Nanos, until: Nanos, fits: impl Fn(f64) -> bool) -> Option<Timing> {
        let starts: Vec<_> = asked.iter().map(|asked| asked.at).collect();
        let tiles = tiles(&starts, WINDOW, WINDOW_REQUESTS);
        let length = |t: &std::ops::Range<usize>| in_seconds(starts[t.end - 1] - starts[t.start]);
        let found = tiles.iter().find(|t| share_of(&asked[(*t).clone()]).is_some_and(&fits));
        Some(Timing {
            after: found.map(|t| in_seconds(starts[t.start] - from)),
            resolution: found.or(tiles.first()).map(length)?,
            watched: in_seconds(until - from),
            held: 0.0,
        })
    }

    /// A tenth of its share at most: the gateway has noticed. Not known where tries went unseen and unwitnessed.
    fn detected(&self, scope: &Scope<'_>, hit: Nanos, off: Nanos) -> Option<Timing> {
        let asked = match scope.hides_attempts_between(hit, off) {
            true => self.witnessed(scope, hit, off)?,
            false => self.asked(scope, hit, off),
        };
        Self::first(&asked, hit, off, |share| share <= 0.1 * self.share)
    }

    /// Nine tenths of its share again, where it had lost it.
    fn failed_back(&self, scope: &Scope<'_>, hit: Nanos, off: Nanos, quiet: Nanos) -> Option<Timing> {
        let kept = share_of(&self.asked(scope, hit, off))?;
        if kept > 0.5 * self.share {
            return None;
        }
        Self::first(&self.asked(scope, off, quiet), off, quiet, |share| share >= 0.9 * self.share)
    }
}

/// Attempts of requests that began in this time, by start.
fn attempts<'a>(scope: &Scope<'a>, from: Nanos, until: Nanos) -> Vec<&'a AttemptRecord> {
    let sent = scope.history.clients.iter().filter(|c| !c.was_dropped() && scope.includes(c));
    let begun = |a: &&AttemptRecord| (from..until).contains(&a.start);
    let mut attempts: Vec<_> = sent.flat_map(|c| scope.attempts(c)).filter(begun).collect();
    attempts.sort_unstable_by_key(|a| (a.start, a.attempt));
    attempts
}

/// What the requests of a phase asked of the upstream; `None` of a phase without requests.
fn effort(scope: &Scope<'_>, phase: &str, from: Nanos, until: Nanos) -> Option<Effort> {
    let clients: Vec<_> = scope.clients_between(from, until).collect();
    if clients.is_empty() {
        return None;
    }
    let tried: Vec<_> = clients.iter().flat_map(|c| scope.attempts(c).map(move |a| (*c, a))).collect();
    let wasted = tried.iter().filter(|(c, a)| is_wasted(scope, c, a)).count();
    let pauses: Vec<f64> =
        clients.iter().flat_map(|c| pauses(scope.attempts(c))).map(|pause| pause as f64).collect();
    let windows = course(scope, from, until, None);
    let series: Vec<_> =
        windows.iter().filter_map(|w| Some((in_seconds(w.from), w.amplification()?))).collect();
    let all: Vec<_> = scope.clients_between(0, until).collect();
    Some(Effort {
        phase: phase.to_owned(),
        amplification_max: series.iter().map(|(_, a)| *a).max_by(f64::total_cmp),
        amplification: series,
        wasted: (!tried.is_empty()).then(|| wasted as f64 / tried.len() as f64),
        retries: pauses.len() as u64,
        spacing: variation(&pauses),
        under_way: mean_under_way(all.iter().copied(), from, until),
        little: little_mismatch(&all, from, until),
    })
}

/// Whether the upstream's work was for nobody: the gateway had given it up, or the client was answered or gone before
/// it was done.
fn is_wasted(scope: &Scope<'_>, client: &ClientRecord, attempt: &AttemptRecord) -> bool {
    if client.attempt != AttemptId::NONE && client.attempt == attempt.attempt {
        return false;
    }
    let given_up = attempt.ending != Ending::Complete && attempt.ended_by == EndedBy::Gateway;
    let done = scope
        .join
        .upstream(scope.history, attempt)
        .map_or(attempt.ended(), |u| u.received + u64::from(u.done) * 1_000);
    given_up || done > client.ended()
}

/// From the end of each attempt to the start of the next one of its request; side by side is no retry.
fn pauses<'h>(attempts: impl Iterator<Item = &'h AttemptRecord>) -> Vec<Nanos> {
    let attempts: Vec<_> = attempts.collect();
    let in_turn = attempts.windows(2).filter(|pair| pair[0].ended() <= pair[1].start + OVERLAP);
    in_turn.map(|pair| pair[1].start.saturating_sub(pair[0].ended())).collect()
}

fn in_seconds(nanos: Nanos) -> f64 {
    Span(nanos).as_seconds()
}

fn in_nanos(seconds: f64) -> Nanos {
    (seconds * 1e9) as Nanos
}

#[cfg(test)]
mod tests {
    use gatecrash_model::{Event, RequestId};

    use super::*;
    use crate::checks::SuccessRate;
    use crate::faults::{FaultSpec, Refuse, Swallow};
    use crate::golden::{Story, Try, expectation};
    use crate::plan::ExpectationPlan;

    fn told(story: &Story) -> Resilience {
        resilience(&Case::new(&story.plan, &story.profile, &story.history))
    }

    /// Five seconds without `a`: two until the gateway has noticed, and one more after the end.
    fn outage() -> Story {
        let swallow = FaultSpec::Swallow(Swallow {});
        let silent = |r: crate::golden::Request| r.tries([Try::silent().took(5).by(0)]);
        let moved = |r: crate::golden::Request| r.tries([Try::served().link(1)]);
        Story::new()
            .standby("b")
            .fault(swallow, 4000, 9000)
            .unguarded()
            .every(10, 0, 4000, |r| r)
            .every(10, 4000, 6000, silent)
            .every(10, 6000, 10000, moved)
            .every(10, 10000, 30000, |r| r)
    }

    #[test]
    fn an_outage_has_its_times_and_its_cost() {
        let found = told(&outage());
        let outage = &found.faults[0];
        let told = |timing: &Option<Timing>| timing.as_ref().map(ToString::to_string).unwrap_or_default();
        assert_eq!(told(&outage.detect), "2.0s (±1.0s)");
        assert_eq!(told(&outage.failover), "2.0s (±1.0s)");
        assert_eq!(told(&outage.recover), "0.0s (±1.0s)");
        assert_eq!(told(&outage.failback), "1.0s (±1.0s)");
        assert_eq!((outage.lost, outage.lost_seconds, outage.failed), (200, 2.0, 200));
        let month = 30.0 * 86_400.0 * 0.001;
        assert!((outage.budget_cost - 2.0 / month).abs() < 1e-6, "{outage:?}");
        assert_eq!(outage.recover.as_ref().unwrap().held, 10.0);
    }

    /// The tries of the first two seconds went to `a` first, where no link could see them.
    #[test]
    fn the_gateways_own_log_tells_when_a_refusing_part_was_noticed() {
        let moved = |r: crate::golden::Request| r.tries([Try::served().link(1)]);
        let story = Story::new().standby("b").fault(FaultSpec::Refuse(Refuse {}), 4000, 9000);
        let story = story.every(10, 0, 4000, |r| r).every(10, 4000, 9000, moved).every(10, 9000, 9100, |r| r);
        let log = |story: Story, requests: std::ops::Range<u32>, attempts| {
            requests.fold(story, |story, k| {
                let request = RequestId { workload: 0, k }.pack();
                story.event(Event::Witnessed { request, attempts })
            })
        };
        let story = log(log(story, 400..600, 2), 600..900, 1);
        let detect = |story: &Story| told(story).faults[0].detect.as_ref().map(ToString::to_string);
        assert_eq!(detect(&story), None, "a log that may not be believed");
        let story = story.profile(|profile| profile.witness = true);
        assert_eq!(detect(&story).as_deref(), Some("2.0s (±1.0s)"));
        let mut elsewhere = story.fault(FaultSpec::Refuse(Refuse {}), 5000, 6000);
        elsewhere.plan.faults[1].region = None;
        assert_eq!(detect(&elsewhere), None, "they may have gone to either");
    }

    #[test]
    fn the_level_to_get_back_to_is_the_scenarios_own() {
        let at_least = |min, phase| ExpectationPlan {
            phase,
            ..expectation(SuccessRate { min: Some(Share(min)), max: None }.into())
        };
        let asking = |expectations: Vec<ExpectationPlan>| {
            let swallow = FaultSpec::Swallow(Swallow {});
            let phases = [("before", 0, 1000), ("during", 1000, 5000), ("after", 5000, 8000)];
            let story = Story::new().phases(&phases).fault(swallow, 1000, 5000).unguarded();
            let story = story.every(10, 0, 1000, |r| r).every(10, 5000, 8000, |r| r);
            let story = story.every(100, 1000, 5000, |r| r.answer(503));
            let mut story = (1..10).fold(story, |story, n| story.every(100, 1000 + 10 * n, 5000, |r| r));
            story.plan.expectations = expectations;
            let fault = told(&story).faults.remove(0);
            (fault.level.map(|level| level.0), fault.failover.and_then(|timing| timing.after))
        };
        assert_eq!(asking(vec![at_least(1.0, Some(0))]), (None, None), "99.9 % of no phase with the fault");
        assert_eq!(asking(vec![at_least(0.5, None), at_least(0.85, Some(1))]), (Some(0.85), Some(0.0)));
        assert_eq!(asking(vec![at_least(0.95, Some(1))]), (Some(0.95), None));
    }

    #[test]
    fn what_never_came_is_censored() {
        let swallow = FaultSpec::Swallow(Swallow {});
        let down = Story::new().fault(swallow, 1000, 2000).unguarded().every(10, 0, 1000, |r| r);
        let found = told(&down.every(10, 1000, 8010, |r| r.answer(503)));
        let recover = found.faults[0].recover.clone().unwrap();
        assert_eq!((recover.after, recover.watched), (None, 6.0));
        assert_eq!(recover.to_string(), ">6.0s");
        assert_eq!(found.faults[0].failed, 700);
        assert_eq!(found.faults[0].detect, None, "there is nobody else to ask");
    }

    #[test]
    fn a_machine_that_jitters_is_well_again_and_a_slow_gateway_is_not() {
        let after = |ms: u64| {
            let swallow = FaultSpec::Swallow(Swallow {});
            let down = Story::new().fault(swallow, 1000, 2000).unguarded().every(10, 0, 1000, |r| r.took(2));
            let down = down.every(10, 1000, 2000, |r| r.answer(503));
            told(&down.every(10, 2000, 8010, |r| r.took(ms))).faults.remove(0).recover.unwrap().after
        };
        assert_eq!(after(2), Some(0.0));
        assert_eq!(after(11), Some(0.0), "9 ms more are the machine's doing");
        assert_eq!(after(13), None, "11 ms more are not");
    }

    #[test]
    fn sixty_seconds_of_outage_cost_two_percent_of_a_month() {
        let swallow = FaultSpec::Swallow(Swallow {});
        let story = Story::new().phases(&[("all", 0, 100_000)]).fault(swallow, 10_000, 70_000).unguarded();
        let story = story.every(100, 0, 10_000, |r| r).every(100, 10_000, 70_000, |r| r.answer(503));
        let found = told(&story.every(100, 70_000, 100_010, |r| r));
        assert!((found.faults[0].budget_cost - 0.0231).abs() < 0.0002, "{:?}", found.faults[0]);
    }

    #[test]
    fn a_retry_storm_has_its_height_its_waste_and_its_rhythm() {
        let late = || Try::silent().took(200).pause(10);
        let story = Story::new()
            .every(10, 0, 3000, |r| r)
            .every(10, 3000, 6000, |r| r.tries([late(), late(), Try::served().pause(10)]));
        let effort = told(&story).phases.into_iter().next().unwrap();
        assert_eq!((effort.amplification_max, effort.retries), (Some(3.0), 600));
        assert_eq!(effort.wasted, Some(0.5), "600 of 1,200 attempts were given up");
        assert_eq!(effort.spacing, Some(0.0), "each pause alike");
    }
}
