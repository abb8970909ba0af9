//! What a capacity scenario found, case by case, ready to be shown: computed from plan and history alone.

use gatecrash_model::{TrialOutcome, TrialPurpose, TrialRecord};
use serde::{Deserialize, Serialize};

use super::{Bound, CaseResult, Ended, Little, Usl, UslFit, bend, fleet, headroom};
use crate::checks::CheckSpec;
use crate::faults::FaultSpec;
use crate::history::History;
use crate::plan::{CapacityPlan, FaultPlan, Plan};
use crate::stats::nearest_rank;
use crate::units::Rate;

/// Share of all cores above which the machine itself was full.
const FULL: f64 = 0.95;

/// The results of a capacity scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CapacityReport {
    /// Version of this structure, 1.
    pub version: u32,
    /// The workload whose rate varied.
    pub workload: String,
    /// The clauses of the objective, in words.
    pub objective: Vec<String>,
    /// The rate that is planned for, requests per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    /// One entry for each case that began, in order of the file.
    pub cases: Vec<CaseReport>,
}

/// What was found for one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CaseReport {
    /// Its name.
    pub name: String,
    /// Highest rate within the objective, requests per second.
    pub lower: Option<f64>,
    /// Lowest rate beyond it.
    pub upper: Option<f64>,
    /// Goodput that the lower bound stands for, requests per second (conditional throughput, RFC 9971).
    pub throughput: Option<f64>,
    /// The clause that broke at the upper bound.
    pub limited_by: Option<String>,
    /// How the search ended.
    pub ended: Ended,
    /// Whether the harness or the machine, not the gateway, may have been the limit.
    pub harness_limited: bool,
    /// What to know about these numbers, one sentence each, gravest first.
    pub remarks: Vec<String>,
    /// The region or endpoint that its faults take away.
    pub removes: Option<String>,
    /// Its capacity as a share of the first case's: lowest and highest, by the bounds of both.
    pub of_first: Option<(f64, f64)>,
    /// What is left of the target: lower / target - 1.
    pub headroom: Option<f64>,
    /// Gateways like this one that carry the target.
    pub instances: Option<u32>,
    /// The rate at which the 99th percentile bends (Kneedle); for information.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knee: Option<f64>,
    /// The Universal Scalability Law through the rates that were carried; for information.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub law: Option<UslFit>,
    /// What was left of the capacity when more was offered: (multiple, goodput as a share of the capacity).
    pub retention: Vec<(f64, f64)>,
    /// Offered rate against what came of it, by rate.
    pub curve: Vec<CurvePoint>,
    /// Every trial, in order.
    pub trials: Vec<TrialRecord>,
}

/// All trials at one rate, discarded ones apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CurvePoint {
    /// Offered, requests per second.
    pub offered: f64,
    /// Whole and correct answers per second.
    pub goodput: f64,
    /// Median of the trials' medians, ms.
    pub p50_ms: Option<f64>,
    /// Median of the trials' 99th percentiles, ms.
    pub p99_ms: Option<f64>,
    /// Mean number of requests under way.
    pub in_flight: f64,
    /// The number that Little's law makes of it: requests sent per second x mean time of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<f64>,
    /// Arrivals that were not sent, because too many requests were under way.
    #[serde(default)]
    pub dropped: u64,
    /// Upstream attempts per request.
    pub attempts: Option<f64>,
    /// Trials that kept the objective, and all.
    pub good: (u32, u32),
}

// === impl CapacityReport ===

impl CapacityReport {
    /// Reads the results of a run; `None` for one that searched nothing.
    pub fn of(plan: &Plan, history: &History, cores: u32) -> Option<Self> {
        let capacity = plan.capacity.as_ref()?;
        let mut cases: Vec<CaseReport> = Vec::new();
        for (phase, window) in plan.phases.iter().enumerate() {
            let Some(result) = CaseResult::of(plan, history, phase as u16) else { continue };
            let faults = plan.faults.iter().filter(|f| window.from <= f.from && f.from < window.until);
            let mut case = CaseReport::of(capacity, &window.name, result, cores);
            case.removes = faults.filter_map(|f| removed(plan, f)).next();
            case.of_first = cases.first().and_then(|first| share(&case, first));
            cases.push(case);
        }
        Some(Self {
            version: 1,
            workload: plan
                .workloads
                .get(usize::from(capacity.workload))
                .map_or_else(String::new, |w| w.name.clone()),
            objective: capacity.slo.iter().map(clause_in_words).collect(),
            target: capacity.target.map(|t| t.0),
            cases,
        })
    }

    /// Whether every case came to an answer: bounds, or a class for each rate that was asked for.
    pub fn is_conclusive(&self) -> bool {
        !self.cases.is_empty()
            && self.cases.iter().all(|case| !matches!(case.ended, Ended::TimeUp | Ended::GeneratorLimited(_)))
    }
}

// === impl CaseReport ===

impl CaseReport {
    fn of(plan: &CapacityPlan, name: &str, result: CaseResult, cores: u32) -> Self {
        let CaseResult { bounds, trials, stopped, .. } = &result;
        let lower = bounds.lower.as_ref();
        let rate = |bound: Option<&Bound>| bound.map(|b| b.rate);
        let capacity = rate(lower);
        let target = plan.target.map(|t| t.0).zip(capacity);
        let full = bounds.upper.as_ref().and_then(|upper| machine_full(trials, upper.rate, cores));
        let limited = matches!(bounds.ended, Ended::GeneratorLimited(_));
        let mut remarks = Vec::new();
        if let Ended::GeneratorLimited(why) = &bounds.ended {
            remarks.push(format!("The harness was the limit, not the gateway: {why}."));
        }
        remarks.extend(stopped.iter().map(|why| format!("The search was stopped: {why}.")));
        remarks.extend(result.unfired.iter().map(|fault| format!("The fault {fault} never fired.")));
        remarks.extend(full.clone());
        remarks.extend(ended_in_words(plan, &bounds.ended));
        let discarded = trials.iter().filter(|t| matches!(t.outcome, TrialOutcome::Discarded { .. })).count();
        if discarded > 0 && !limited {
            remarks.push(format!(
                "{discarded} of {} trials were discarded: the harness was not fit.",
                trials.len()
            ));
        }
        let curve = curve(trials);
        let (knee, law) = (p99_bends(&curve), scaling(&curve));
        remarks.extend(explained(knee, law.as_ref()));
        remarks.extend(plausible(&curve));
        Self {
            name: name.to_owned(),
            lower: capacity,
            upper: rate(bounds.upper.as_ref()),
            throughput: lower.and_then(|b| b.throughput),
            limited_by: bounds.upper.as_ref().and_then(|b| b.broken.clone()),
            ended: bounds.ended.clone(),
            harness_limited: limited || full.is_some(),
            remarks,
            removes: None,
            of_first: None,
            headroom: target.map(|(target, capacity)| headroom(capacity, target)),
            instances: target
                .and_then(|(target, capacity)| fleet(target, capacity, 1))
                .map(|fleet| fleet.carrying),
            knee,
            law,
            retention: capacity.map_or_else(Vec::new, |capacity| retention(trials, capacity)),
            curve,
            trials: trials.clone(),
        }
    }

    /// `400/s to 480/s`, `at least 1600/s`, `below 100/s`, `not known`.
    pub fn bounds(&self) -> String {
        match (self.lower, self.upper) {
            (Some(lower), Some(upper)) => format!("{} to {}", Rate(lower), Rate(upper)),
            (Some(lower), None) => format!("at least {}", Rate(lower)),
            (None, Some(upper)) => format!("below {}", Rate(upper)),
            (None, None) => "not known".into(),
        }
    }

    /// The first trial that broke the objective at the upper bound, in words.
    pub fn limit(&self) -> Option<String> {
        let upper = self.upper?;
        let mut at = self.trials.iter().filter(|t| t.rate == upper && t.purpose != TrialPurpose::Overload);
        at.find_map(|t| match &t.outcome {
            TrialOutcome::Bad { clause, why } if Some(clause) == self.limited_by.as_ref() => {
                Some(format!("{clause}: {why}"))
            }
            _ => None,
        })
    }
}

/// Where the 99th percentile bends over the offered rate.
fn p99_bends(curve: &[CurvePoint]) -> Option<f64> {
    bend(&curve.iter().filter_map(|p| Some((p.offered, p.p99_ms?))).collect::<Vec<_>>())
}

/// The scalability law through what was carried: beyond, the number under way says how long the queue got.
fn scaling(curve: &[CurvePoint]) -> Option<UslFit> {
    let carried = curve.iter().filter(|p| p.good.0 == p.good.1 && p.in_flight > 0.0);
    Usl::fit(&carried.map(|p| (p.in_flight, p.goodput)).collect::<Vec<_>>(), 1)
}

/// What the explanations say, in words; nothing is judged by them.
fn explained(knee: Option<f64>, law: Option<&UslFit>) -> Vec<String> {
    let bends = knee.map(|rate| format!("The p99 bends at about {} (Kneedle).", Rate(rate)));
    let scales = law.map(|fit| {
        format!(
            "Scalability law through the carried rates: {:.0}/s for each request under way, {:.1}% waits in line, \
             {:.2}% for each pair (explains {:.0}% of the variance).",
            fit.law.single,
            fit.law.contention * 100.0,
            fit.law.coherency * 100.0,
            fit.r_squared * 100.0
        )
    });
    bends.into_iter().chain(scales).collect()
}

/// Whether the numbers of the rates that were carried fit each other; nothing is judged by it.
fn plausible(curve: &[CurvePoint]) -> Option<String> {
    let carried = curve.iter().filter(|p| p.good.0 == p.good.1);
    let laws = carried.filter_map(|p| {
        let little = Little { in_flight: p.in_flight, expected: p.expected? };
        (little.expected > 0.0).then_some((p.offered, little))
    });
    let (offered, worst) = laws.max_by(|(_, a), (_, b)| a.off().abs().total_cmp(&b.off().abs()))?;
    let off = worst.off() * 100.0;
    Some(match worst.holds() {
        true => format!(
            "Little's law holds at each rate that was carried: under way is rate x time, to {:.1}%.",
            off.abs()
        ),
        false => format!(
            "Little's law is off by {off:+.1}% at {}: {:.1} under way, where rate x time makes {:.1}. That load was \
             not steady, or a number is wrong.",
            Rate(offered),
            worst.in_flight,
            worst.expected
        ),
    })
}

fn ended_in_words(plan: &CapacityPlan, ended: &Ended) -> Option<String> {
    if plan.search.is_none() {
        return Some("No search: only the rates that were asked for were tried.".into());
    }
    Some(match ended {
        Ended::Converged | Ended::GeneratorLimited(_) => return None,
        Ended::AtMaximum => "The highest rate of the range is carried: capacity is at least that.".into(),
        Ended::AtMinimum => "Not even the lowest rate of the range is carried.".into(),
        Ended::TimeUp => "The time was over before the bounds came near each other.".into(),
    })
}

/// Whether gateway and harness together used the whole machine at a rate: then it is the machine's capacity.
fn machine_full(trials: &[TrialRecord], rate: f64, cores: u32) -> Option<String> {
    let at = trials.iter().filter(|t| t.rate == rate && t.purpose != TrialPurpose::Overload);
    let busiest = at.max_by(|a, b| used(a).total_cmp(&used(b)))?;
    (cores > 0 && used(busiest) > f64::from(cores) * FULL).then(|| {
        format!(
            "The machine was full at the upper bound: the harness used {:.2} and the gateway {:.2} of {cores} cores; \
             with a machine of its own the gateway may carry more.",
            busiest.harness_cpu,
            busiest.gateway_cpu.unwrap_or(0.0)
        )
    })
}

fn used(trial: &TrialRecord) -> f64 {
    trial.harness_cpu + trial.gateway_cpu.unwrap_or(0.0)
}

/// Goodput under overload as a share of the capacity (Google SRE Book, ch. 22: load test until it breaks, and on).
fn retention(trials: &[TrialRecord], capacity: f64) -> Vec<(f64, f64)> {
    let over = trials.iter().filter(|t| t.purpose == TrialPurpose::Overload);
    let fit = over.filter(|t| !matches!(t.outcome, TrialOutcome::Discarded { .. }));
    fit.map(|t| ((t.rate / capacity * 100.0).round() / 100.0, t.goodput() / capacity)).collect()
}

fn curve(trials: &[TrialRecord]) -> Vec<CurvePoint> {
    let fit = || trials.iter().filter(|t| !matches!(t.outcome, TrialOutcome::Discarded { .. }));
    let mut rates: Vec<f64> = fit().map(|t| t.rate).collect();
    rates.sort_by(f64::total_cmp);
    rates.dedup();
    rates.into_iter().map(|rate| point(rate, &fit().filter(|t| t.rate == rate).collect::<Vec<_>>())).collect()
}

fn point(rate: f64, trials: &[&TrialRecord]) -> CurvePoint {
    let seconds: f64 = trials.iter().map(|t| t.seconds()).sum();
    let weighed = |of: fn(&TrialRecord) -> f64| {
        trials.iter().map(|t| of(t) * t.seconds()).sum::<f64>() / seconds.max(1e-9)
    };
    let median = |of: fn(&TrialRecord) -> Option<u64>| {
        let mut all: Vec<u64> = trials.iter().filter_map(|t| of(t)).collect();
        all.sort_unstable();
        nearest_rank(&all, 0.5).map(|micros| micros as f64 / 1e3)
    };
    let good = trials.iter().filter(|t| t.outcome == TrialOutcome::Good).count() as u32;
    let stays = trials.iter().map(|t| Some(t.stay? as f64 / 1e6 * (t.offered - t.dropped) as f64));
    CurvePoint {
        offered: rate,
        goodput: weighed(TrialRecord::goodput),
        p50_ms: median(|t| t.p50),
        p99_ms: median(|t| t.p99),
        in_flight: weighed(|t| t.in_flight),
        expected: stays.sum::<Option<f64>>().map(|all| all / seconds.max(1e-9)),
        dropped: trials.iter().map(|t| t.dropped).sum(),
        attempts: trials.iter().find_map(|t| t.attempts),
        good: (good, trials.len() as u32),
    }
}

/// The lowest and the highest share that the bounds of both cases allow.
fn share(of: &CaseReport, to: &CaseReport) -> Option<(f64, f64)> {
    Some((of.lower? / to.upper?, of.upper? / to.lower?))
}

/// What a fault takes away for good: nobody can connect there.
fn removed(plan: &Plan, fault: &FaultPlan) -> Option<String> {
    let away =
        matches!(fault.spec, FaultSpec::Refuse(_) | FaultSpec::Swallow(_) | FaultSpec::ConnectBlackhole(_));
    let region =
        plan.regions.get(usize::from(fault.region?)).filter(|_| away && fault.probability.0 >= 1.0)?;
    Some(match fault.endpoint {
        Some(endpoint) => format!("endpoint {endpoint} of {}", region.name),
        None => format!("region {}", region.name),
    })
}

/// `success-rate min 99%`, `latency p99 max 250ms`.
fn clause_in_words(clause: &CheckSpec) -> String {
    fn words(value: &serde_json::Value) -> String {
        match value {
            serde_json::Value::Object(map) => {
                let parts = map.iter().map(|(key, value)| format!("{key} {}", words(value)));
                parts.collect::<Vec<_>>().join(", ")
            }
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
    serde_json::to_value(clause).map_or_else(|_| clause.info().name.to_owned(), |value| words(&value))
}

#[cfg(test)]
mod tests {
    use gatecrash_model::Event;

    use super::*;
    use crate::capacity::fixtures::{bad, plan, trial, unfit};
    use crate::golden::Story;
    use crate::units::Share;

    fn report(trials: Vec<TrialRecord>, target: Option<f64>) -> CapacityReport {
        let mut story = Story::new();
        let slo = vec![crate::checks::SuccessRate { min: Some(Share(0.9)), max: None }.into()];
        story.plan.capacity = Some(CapacityPlan { target: target.map(Rate), ..plan(slo) });
        story.history.events.extend(trials.into_iter().map(|t| Event::Trial(Box::new(t))));
        CapacityReport::of(&story.plan, &story.history, 2).expect("a capacity scenario")
    }

    fn found() -> Vec<TrialRecord> {
        let mut over = trial(0, 3, 800.0, bad());
        (over.purpose, over.good) = (TrialPurpose::Overload, 380);
        vec![trial(0, 1, 400.0, TrialOutcome::Good), trial(0, 2, 480.0, bad()), over]
    }

    #[test]
    fn a_case_says_bounds_limit_and_what_follows() {
        let report = report(found(), Some(1000.0));
        let case = &report.cases[0];
        assert_eq!((case.bounds().as_str(), &case.ended), ("400/s to 480/s", &Ended::Converged));
        assert_eq!(case.limited_by.as_deref(), Some("latency"));
        assert!(case.limit().is_some_and(|l| l.starts_with("latency: p99 900ms")));
        assert_eq!((case.instances, case.headroom), (Some(3), Some(-0.6)));
        assert_eq!(case.retention, [(2.0, 0.95)]);
        assert_eq!(case.curve.iter().map(|p| p.offered).collect::<Vec<_>>(), [400.0, 480.0, 800.0]);
        assert_eq!(report.objective, ["success-rate min 90%"]);
        assert!(report.is_conclusive() && !case.harness_limited, "{:?}", case.remarks);
    }

    #[test]
    fn numbers_that_do_not_fit_each_other_are_told() {
        let said = |in_flight: f64| {
            let mut trials = found();
            trials[0].in_flight = in_flight;
            let case = report(trials, None).cases.remove(0);
            case.remarks.into_iter().find(|r| r.contains("Little")).expect("a remark")
        };
        assert_eq!(
            said(2.02),
            "Little's law holds at each rate that was carried: under way is rate x time, to 1.0%."
        );
        assert!(
            said(2.4).starts_with("Little's law is off by +20.0% at 400/s: 2.4 under way"),
            "{}",
            said(2.4)
        );
    }

    #[test]
    fn it_says_when_harness_or_machine_were_the_limit() {
        let limited = report((1..=3).map(|n| trial(0, n, 100.0, unfit())).collect(), None);
        assert!(!limited.is_conclusive());
        assert!(limited.cases[0].harness_limited);
        assert!(limited.cases[0].remarks[0].starts_with("The harness was the limit"), "{limited:?}");
        let mut trials = found();
        (trials[1].harness_cpu, trials[1].gateway_cpu) = (1.1, Some(0.85));
        let full = report(trials, None);
        assert!(full.cases[0].harness_limited && full.cases[0].remarks[0].contains("machine was full"));
    }
}
