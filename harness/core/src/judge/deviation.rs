//! Known deviations of a gateway: expected, always printed, and noticed when they stop.

use std::collections::HashSet;

use gatecrash_model::AttemptId;

use super::scope::{Case, Scope};
use crate::checks::CheckSpec;
use crate::faults::{FaultSpec, Host};
use crate::history::IdSet;
use crate::profile::{Deviation, Profile};
use crate::report::GuardNote;
use crate::rules::Point;
use crate::verdict::{Finding, Outcome, Verdict};

/// Requests that a deviation's fault must have touched before it counts as gone.
const ENOUGH: usize = 10;

/// What the deviations of a gateway leave of a failure.
#[derive(Debug)]
pub(super) enum Excuse {
    /// Nothing: this explains it, for without the requests that its faults touched the check does not fail.
    Whole(String),
    /// What fails without those requests, which show something that is not known yet.
    Part(Finding),
}

/// What is left of a failure; `None` where no deviation has to do with it.
pub(super) fn excuse(check: &CheckSpec, scope: &Scope<'_>, failure: &Finding) -> Option<Excuse> {
    let name = check.info().name;
    let of_check = scope.profile.deviations.iter().filter(|d| d.check == name);
    let known: Vec<_> =
        of_check.map(|d| (d, touched_by(d, scope))).filter(|(_, of)| !of.is_empty()).collect();
    if known.is_empty() {
        return None;
    }
    let touched: IdSet = known.iter().flat_map(|(_, of)| of.iter().copied()).collect();
    let rest = check.judge(&Scope { excused: Some(&touched), ..*scope });
    let texts: Vec<_> = known.iter().map(|(d, _)| in_words(scope.profile, d)).collect();
    let texts = texts.join("; ");
    if rest.outcome != Outcome::Fail {
        return Some(Excuse::Whole(texts));
    }
    let explained = failure.violations?.checked_sub(rest.violations?).filter(|&count| count > 0)?;
    Some(Excuse::Part(rest.detail(format!("{explained} more are known deviations: {texts}"))))
}

/// Deviations whose fault touched requests of an expectation for their check, which then held all the same. What shows
/// in several checks has stopped when it shows in none of them, and is named once;
/// what only happens sometimes never has.
pub(super) fn stopped(case: &Case<'_>, verdicts: &[Verdict]) -> Vec<GuardNote> {
    let of_check = |d: &Deviation| {
        let name = d.check.clone();
        verdicts
            .iter()
            .filter(move |v| case.plan.expectations[v.expectation as usize].check.info().name == name)
    };
    let shows = |d: &Deviation| of_check(d).any(|v| v.outcome != Outcome::Pass || v.deviation.is_some());
    let was_met = |d: &Deviation| {
        of_check(d).any(|v| {
            let Some(scope) = case.scope(&case.plan.expectations[v.expectation as usize]) else {
                return false;
            };
            let touched = touched_by(d, &scope);
            scope.clients().filter(|c| touched.contains(&c.id().pack())).count() >= ENOUGH
        })
    };
    let mut behaviours: Vec<Vec<&Deviation>> = Vec::new();
    for deviation in &case.profile.deviations {
        match behaviours.iter_mut().find(|known| is_same(known[0], deviation)) {
            Some(known) => known.push(deviation),
            None => behaviours.push(vec![deviation]),
        }
    }
    let held = |known: &&Vec<&Deviation>| {
        let is_sure = known.iter().all(|d| !d.sometimes);
        is_sure && !known.iter().any(|d| shows(d)) && known.iter().any(|d| was_met(d))
    };
    let note = |known: &Vec<&Deviation>| GuardNote {
        guard: "deviation".into(),
        spoils: false,
        text: format!("known deviation stopped happening: {}", in_words(case.profile, known[0])),
    };
    behaviours.iter().filter(held).map(note).collect()
}

/// Whether two deviations are one behaviour that two checks may see.
fn is_same(one: &Deviation, other: &Deviation) -> bool {
    (&one.fault, &one.what, &one.version) == (&other.fault, &other.what, &other.version)
}

fn in_words(profile: &Profile, deviation: &Deviation) -> String {
    let Deviation { fault, version, what, source, .. } = deviation;
    format!("{} {version} under {fault}: {what} ({source})", profile.gateway)
}

/// Faults on in the window that a deviation speaks of.
fn faults_of(deviation: &Deviation, scope: &Scope<'_>) -> Vec<u16> {
    let meant = |spec: &FaultSpec| {
        deviation.fault == "*"
            || deviation.fault == spec.name()
            || kind(spec).is_some_and(|kind| kind == deviation.fault)
    };
    let faults = scope.plan.faults.iter().enumerate().filter(|(_, f)| meant(&f.spec));
    faults.map(|(i, _)| i as u16).filter(|i| scope.intervals.active(*i, scope.from, scope.until)).collect()
}

/// Whether a fault touches what happens meanwhile, and no exchange that could be named: a handshake that fails is of no
/// request yet.
fn is_by_interval(spec: &FaultSpec) -> bool {
    match spec {
        FaultSpec::Tls(tls) => tls.kind.info().point == Point::Accept,
        spec => {
            matches!(spec.info().host, Host::Listener | Host::MockSetting | Host::Resolver | Host::Process)
        }
    }
}

fn kind(spec: &FaultSpec) -> Option<&'static str> {
    match spec {
        FaultSpec::Malformed(malformed) => Some(malformed.kind.info().name),
        FaultSpec::Http2(http2) => Some(http2.kind.info().name),
        FaultSpec::Tls(tls) => Some(tls.kind.info().name),
        _ => None,
    }
}

/// Packed ids of the requests that a deviation is about: of its operation, where a fault it speaks of changed an attempt
/// or was on meanwhile.
fn touched_by(deviation: &Deviation, scope: &Scope<'_>) -> IdSet {
    let faults: HashSet<u16> = faults_of(deviation, scope).into_iter().collect();
    if faults.is_empty() {
        return IdSet::default();
    }
    let history = scope.history;
    let changed = history.attempts.iter().filter(|a| a.fault > 0 && faults.contains(&(a.fault - 1)));
    let mut touched: IdSet = changed.map(|a| a.request).collect();
    let mut fired = IdSet::default();
    for firing in history.firings.iter().filter(|f| faults.contains(&f.fault)) {
        touched.insert(firing.request);
        fired.insert(firing.attempt);
    }
    fired.remove(&AttemptId::NONE);
    touched.extend(history.attempts.iter().filter(|a| fired.contains(&a.attempt)).map(|a| a.request));
    let wide: Vec<_> =
        faults.iter().copied().filter(|f| is_by_interval(&scope.plan.faults[usize::from(*f)].spec)).collect();
    if !wide.is_empty() {
        let overlaps = |c: &&gatecrash_model::ClientRecord| {
            wide.iter().any(|f| scope.intervals.active(*f, c.sent(), c.ended()))
        };
        touched.extend(history.clients.iter().filter(overlaps).map(|c| c.id().pack()));
    }
    match deviation.op {
        Some(op) => {
            let of_op = history.clients.iter().filter(|c| c.op == op).map(|c| c.id().pack());
            of_op.filter(|id| touched.contains(id)).collect()
        }
        None => touched,
    }
}
