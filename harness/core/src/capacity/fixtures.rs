//! Hand-written plans and trials for tests.

use gatecrash_model::{TrialOutcome, TrialPurpose, TrialRecord};

use crate::checks::CheckSpec;
use crate::plan::{CapacityPlan, SearchPlan};
use crate::units::{Rate, Share, Span};

/// A search from 100/s to 1600/s whose rates are decided by one second.
pub(crate) fn plan(slo: Vec<CheckSpec>) -> CapacityPlan {
    CapacityPlan {
        workload: 0,
        search: Some(SearchPlan { from: Rate(100.0), to: Rate(1600.0), grow: 2.0, precision: Share(0.2) }),
        settle: Span(0),
        measure: Span::seconds(1),
        confirm: Span::seconds(1),
        times: 1,
        exceed: Share(0.25),
        overload: true,
        slo,
        at: None,
        only: Vec::new(),
        within: Span::seconds(480),
        target: None,
        max_cpu: Share(0.85),
    }
}

/// A trial of one second.
pub(crate) fn trial(phase: u16, number: u32, rate: f64, outcome: TrialOutcome) -> TrialRecord {
    let (offered, from) = (rate as u64, u64::from(number) * 2_000_000_000);
    let good = if outcome == TrialOutcome::Good { offered } else { offered / 2 };
    TrialRecord {
        phase,
        number,
        purpose: TrialPurpose::Search,
        rate,
        from,
        until: from + 1_000_000_000,
        spent: 2_000_000_000,
        outcome,
        offered,
        good,
        dropped: 0,
        mean: Some(5_000),
        p50: Some(4_000),
        p99: Some(20_000),
        in_flight: rate * 0.005,
        stay: Some(5_000),
        attempts: Some(1.0),
        lag: 100,
        harness_cpu: 0.5,
        gateway_cpu: Some(0.4),
        fired: Vec::new(),
        failures: Vec::new(),
    }
}

/// A broken clause.
pub(crate) fn bad() -> TrialOutcome {
    TrialOutcome::Bad { clause: "latency".into(), why: "p99 900ms, wanted p99 at most 150ms".into() }
}

/// A harness that was not fit.
pub(crate) fn unfit() -> TrialOutcome {
    TrialOutcome::Discarded { why: "the harness used 1.90 of 2 cores, at most 85% allowed".into() }
}
