//! Whether the load generator was the limit: lag, drops, what was achieved, its processor, quotas on it.
//!
//! A breach makes verdicts inconclusive, naming why: a number that the generator spoilt is worse than none.

use gatecrash_model::{ClientRecord, Event, Nanos};

use super::super::scope::Case;
use crate::stats::nearest_rank;
use crate::units::{Share, Span};

/// A lag this many times the allowed one blurs windows and shares too, not only response times.
const WINDOW_LAG: u64 = 10;

/// Late arrivals of a phase that are nobody's limit yet, whatever their share.
const FEW: usize = 5;

/// Share of the sampled seconds in which a thread may use more of its core than is allowed: bursts happen.
const BUSY_SECONDS: f64 = 0.1;

/// Share of the run for which a quota may keep our threads from running.
const MAX_THROTTLED: f64 = 0.01;

/// In which way the generator was the limit.
#[derive(Clone, Debug)]
pub(super) struct Breach {
    /// One sentence.
    pub(super) text: String,
    /// Whether it blurs windows and shares too.
    pub(super) grave: bool,
}

/// Everything in which the generator of this run was the limit.
pub(super) fn breaches(case: &Case<'_>) -> Vec<Breach> {
    let found = [lag(case), dropped(case), achieved(case), cpu(case), throttled(case)];
    found.into_iter().flatten().collect()
}

fn lag(case: &Case<'_>) -> Option<Breach> {
    let sent = case.history.clients.iter().filter(|c| !c.was_dropped());
    let mut lags: Vec<_> = sent.map(|c| u64::from(c.own_lag())).collect();
    lags.sort_unstable();
    let lag = Span(nearest_rank(&lags, 0.99)? * 1000);
    let most = case.plan.guards.max_lag_p99;
    (lag > most).then(|| {
        let millis = lag.0 as f64 / 1e6;
        let text = format!("the load generator lagged: p99 {millis:.1} ms, at most {most} allowed");
        Breach { text, grave: lag.0 > most.0 * WINDOW_LAG }
    })
}

fn dropped(case: &Case<'_>) -> Option<Breach> {
    let all = case.history.clients.len();
    let count = case.history.clients.iter().filter(|c| c.was_dropped()).count();
    let most = case.plan.guards.max_dropped;
    (count as f64 / all.max(1) as f64 > most.0).then(|| {
        let text =
            format!("{count} of {all} arrivals were dropped at the in-flight cap, at most {most} allowed");
        Breach { text, grave: true }
    })
}

/// Of the arrivals that were due in a phase, some were not even sent when it ended. A closed loop has no schedule
/// that it could fall short of.
fn achieved(case: &Case<'_>) -> Option<Breach> {
    let limits = &case.plan.guards;
    let grace = limits.max_lag_p99.0 * WINDOW_LAG;
    let is_open = |c: &&ClientRecord| {
        let workload = case.plan.workloads.get(usize::from(c.workload));
        !c.was_dropped() && workload.is_none_or(|w| w.closed.is_none())
    };
    case.plan.phases.iter().enumerate().find_map(|(number, phase)| {
        let (from, until) = case.history.phase_window(number as u16)?;
        let due = case.history.clients.iter().filter(|c| from <= c.intended && c.intended < until);
        let (mut all, mut late) = (0, 0);
        for client in due.filter(is_open) {
            all += 1;
            late += usize::from(client.sent() > until + grace);
        }
        let share = (all - late) as f64 / all.max(1) as f64;
        (late >= FEW && share < limits.min_achieved.0).then(|| {
            let text = format!(
                "the load generator sent {:.1}% of the {all} arrivals of phase {} in time, at least {} needed",
                share * 100.0,
                phase.name,
                limits.min_achieved
            );
            Breach { text, grave: true }
        })
    })
}

fn cpu(case: &Case<'_>) -> Option<Breach> {
    let text = busy(case.history.events.iter(), case.plan.guards.max_cpu)?;
    Some(Breach { text, grave: false })
}

fn throttled(case: &Case<'_>) -> Option<Breach> {
    let text = held_back(case.history.events.iter())?;
    Some(Breach { text, grave: false })
}

/// That a thread of the generator used more than `most` of its core in too many of the seconds that these events sampled.
pub(crate) fn busy<'e>(events: impl Iterator<Item = &'e Event>, most: Share) -> Option<String> {
    let busiest = events.filter_map(|event| match event {
        Event::Generator { busiest, .. } => *busiest,
        _ => None,
    });
    let seconds: Vec<f64> = busiest.collect();
    let busy = seconds.iter().filter(|share| **share > most.0).count();
    (busy as f64 > seconds.len() as f64 * BUSY_SECONDS).then(|| {
        let peak = seconds.iter().copied().fold(0.0, f64::max);
        format!(
            "a thread of the load generator used more than {most} of its core in {busy} of {} seconds (up to {})",
            seconds.len(),
            percent(peak)
        )
    })
}

/// That a quota of a control group that we run in, such as the limit of a container, kept us from running between the
/// first and the last sample of these events.
pub(crate) fn held_back<'e>(events: impl Iterator<Item = &'e Event>) -> Option<String> {
    let samples = events.filter_map(|event| match event {
        Event::Throttled { at, micros, .. } => Some((*at, *micros)),
        _ => None,
    });
    let (first, last) =
        samples.fold((None, None), |(first, _), sample| (first.or(Some(sample)), Some(sample)));
    let ((from, before), (until, after)) = (first?, last?);
    let took = until.saturating_sub(from);
    let waited: Nanos = after.saturating_sub(before) * 1000;
    (took > 0 && waited as f64 > took as f64 * MAX_THROTTLED).then(|| {
        format!(
            "a CPU quota kept gatecrash from running for {:.0} ms of {:.1} s",
            waited as f64 / 1e6,
            took as f64 / 1e9
        )
    })
}

fn percent(share: f64) -> Share {
    Share((share * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::Story;
    use crate::plan::{ClosedPlan, ThinkPlan};
    use crate::profile::Profile;

    const SECOND: Nanos = 1_000_000_000;

    fn texts(story: &Story) -> Vec<(String, bool)> {
        let profile = Profile::strict("");
        let case = Case::new(&story.plan, &profile, &story.history);
        breaches(&case).into_iter().map(|breach| (breach.text, breach.grave)).collect()
    }

    fn second(story: Story, second: u64, busiest: impl Into<Option<f64>>) -> Story {
        let (at, busiest) = (second * SECOND, busiest.into());
        story.event(Event::Generator { at, in_flight: 1, cpu: 0.9, busiest })
    }

    #[test]
    fn a_busy_thread_is_a_limit_unless_it_is_a_burst() {
        let calm = (0..20).fold(Story::new(), |story, at| second(story, at, 0.3));
        assert!(texts(&calm).is_empty());
        let burst = second(second(calm, 20, 0.99), 21, 0.99);
        assert!(texts(&burst).is_empty());
        let busy = second(burst, 22, 0.97);
        let said =
            "a thread of the load generator used more than 85% of its core in 3 of 23 seconds (up to 99%)";
        assert_eq!(texts(&busy), [(said.to_owned(), false)]);
        // Histories of earlier releases do not tell.
        assert!(texts(&second(Story::new(), 1, None::<f64>)).is_empty());
    }

    #[test]
    fn a_quota_is_a_limit() {
        let at = |story: Story, at: u64, micros: u64| {
            story.event(Event::Throttled { at: at * SECOND, micros, periods: micros / 1000 })
        };
        let little = at(at(Story::new(), 1, 500_000), 3, 519_000);
        assert!(texts(&little).is_empty());
        let said = "a CPU quota kept gatecrash from running for 200 ms of 3.0 s";
        assert_eq!(texts(&at(little, 4, 700_000)), [(said.to_owned(), false)]);
    }

    #[test]
    fn what_is_sent_after_its_phase_was_not_achieved() {
        let story = |late| {
            let base = Story::new().every(10, 0, 9_900, |r| r.took(1));
            let mut story =
                base.every(10, 9_900, 10_000, move |r| if late { r.lag(600).took(1) } else { r.took(1) });
            // Lag has a guard of its own.
            story.plan.guards.max_lag_p99 = Span::millis(40);
            story
        };
        assert!(texts(&story(false)).is_empty());
        let mut late = story(true);
        late.plan.guards.min_achieved = Share(0.995);
        let said =
            "the load generator sent 99.0% of the 1000 arrivals of phase all in time, at least 99.5% needed";
        assert_eq!(texts(&late), [(said.to_owned(), true)]);
        let think = ThinkPlan::Constant(Span(0));
        late.plan.workloads[0].closed = Some(ClosedPlan { stages: Vec::new(), think });
        assert!(texts(&late).is_empty(), "a closed loop has no schedule");
    }
}
