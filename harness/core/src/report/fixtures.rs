//! Reports that renderers are tested on: each outcome, each oddity, and text that means harm.

mod capacity;

pub(crate) use self::capacity::capacity;
use super::{Environment, FaultSummary, GuardNote, LagSummary, PhaseSummary, Resilience, RunReport, Second};
use crate::plan::Plan;
use crate::profile::Profile;
use crate::verdict::{Outcome, Verdict};

/// Every fixture by name.
pub(crate) fn all() -> Vec<(&'static str, RunReport)> {
    vec![
        ("passing", passing()),
        ("failing", failing()),
        ("inconclusive", inconclusive()),
        ("interrupted", interrupted()),
        ("deviating", deviating()),
        ("hostile", hostile()),
        ("empty", empty()),
    ]
}

/// Throttling that the gateway rides out.
pub(crate) fn passing() -> RunReport {
    let phases = vec![
        phase("baseline", 0.0, 10.0, (1_503, 1_503), (8.2, 31.4), 1.0, &[(200, 1_503)]),
        phase("throttled", 10.0, 40.0, (4_489, 4_450), (9.1, 212.0), 1.241, &[(200, 4_450), (503, 39)]),
        phase("recovery", 40.0, 50.0, (1_498, 1_498), (8.3, 33.0), 1.0, &[(200, 1_498)]),
    ];
    RunReport {
        version: 1,
        ok: true,
        exit: 0,
        run: "9f2c41aa".into(),
        plan: plan(),
        profile: Profile::strict("nginx"),
        phases,
        faults: vec![FaultSummary {
            name: "slowdown".into(),
            kind: "s3-error".into(),
            intervals: vec![(10.0, 40.0)],
            fired: Some(1_118),
            eligible: Some(5_571),
        }],
        verdicts: vec![
            verdict(0, Outcome::Pass, "99.13%", "at least 99%", 4_489),
            verdict(1, Outcome::Pass, "100%", "at least 100%", 1_201),
            verdict(2, Outcome::Pass, "no short body", "every body whole", 7_451),
            verdict(3, Outcome::Pass, "100%", "at least 99.9%", 1_503),
        ],
        resilience: Resilience::default(),
        guards: Vec::new(),
        series: series(50),
        environment: Environment {
            gatecrash: "0.1.0".into(),
            gateway: "nginx/1.26.3".into(),
            system: "Linux 6.12.0 x86_64".into(),
            cores: 2,
            processor: String::new(),
            started: "2026-11-21T08:00:00Z".into(),
            reproduce: "gatecrash run scenarios/retry/slowdown.yaml --gateway nginx --seed 7".into(),
            directory: "runs/slowdown-9f2c41aa".into(),
        },
        interrupted: None,
        capacity: None,
        lag: Some(LagSummary {
            requests: 7_490,
            p50_ms: 0.081,
            p99_ms: 0.4,
            max_ms: 1.9,
            histogram: vec![(0.1, 5_321), (0.2, 2_011), (0.5, 101), (1.0, 55), (2.0, 2)],
        }),
        requests: Vec::new(),
    }
}

/// A failure with its evidence, and a warning.
pub(crate) fn failing() -> RunReport {
    let mut report = passing();
    (report.ok, report.exit) = (false, 1);
    report.phases[2].succeeded = 1_489;
    report.phases[2].statuses = vec![(200, 1_489), (502, 7), (0, 2)];
    report.verdicts[1] = Verdict {
        details: vec![
            "7 x 502 at +3.1s..+9.8s, all on us-east-1/2; upstream saw no attempt for 6 of them".into(),
            "2 answers were cut: 8,192 of 16,384 bytes, then RST".into(),
        ],
        exemplars: vec!["0-4410".into(), "0-4502".into(), "0-4619".into()],
        likely: Some("peer still ejected after throttling (fail timeout)".into()),
        ..verdict(1, Outcome::Fail, "99.25%", "at least 100%", 1_201)
    };
    report.verdicts[3] = Verdict {
        details: vec!["9 of 1,503 requests did not succeed".into()],
        ..verdict(3, Outcome::Fail, "99.4%", "at least 99.9%", 1_503)
    };
    for second in &mut report.series[43..49] {
        second.good = second.offered - 1;
        second.classes = [second.offered - 1, 0, 0, 1, 0];
    }
    report
}

/// The generator lagged and a fault never fired.
pub(crate) fn inconclusive() -> RunReport {
    let mut report = passing();
    (report.ok, report.exit) = (false, 3);
    report.faults[0] = FaultSummary { fired: Some(0), eligible: Some(12), ..report.faults[0].clone() };
    report.verdicts[0] = Verdict {
        details: vec!["12 requests, 30 needed".into()],
        ..verdict(0, Outcome::Inconclusive, "not known", "at least 99%", 12)
    };
    report.guards = vec![
        guard("generator", true, "schedule lag p99 was 14ms, at most 5ms is allowed"),
        guard("fault-fired", true, "slowdown never fired on 12 eligible attempts"),
        guard("join", false, "3 attempts could not be joined with a request (0.05%)"),
    ];
    report
}

/// Ctrl-C in the second phase.
pub(crate) fn interrupted() -> RunReport {
    let mut report = passing();
    (report.ok, report.exit) = (false, 130);
    report.phases.truncate(2);
    report.phases[1].until = 17.25;
    report.faults[0].intervals = vec![(10.0, 17.25)];
    report.series.truncate(18);
    report.verdicts[1] = Verdict {
        details: vec!["the phase never began".into()],
        ..verdict(1, Outcome::Inconclusive, "not known", "at least 100%", 0)
    };
    report.interrupted = Some("SIGINT after 17.25s".into());
    report
}

/// A failure that this version of the gateway is known for, two regions, and a fault that is an interval.
pub(crate) fn deviating() -> RunReport {
    let mut report = passing();
    report.plan.regions.push(report.plan.regions[0].clone());
    report.plan.regions[1].name = "us-west-2".into();
    report.plan.regions[1].primary = false;
    report.faults.push(FaultSummary {
        name: "outage".into(),
        kind: "refuse".into(),
        intervals: vec![(12.0, 20.0), (25.0, 30.0)],
        fired: None,
        eligible: None,
    });
    report.verdicts[2] = Verdict {
        details: vec!["31 bodies ended short under a 200".into()],
        exemplars: vec!["0-2001".into()],
        deviation: Some("forwards a cut body as whole on HTTP/1.0 clients (upstream ticket 1234)".into()),
        ..verdict(2, Outcome::Pass, "31 short bodies", "every body whole", 7_451)
    };
    for (i, second) in report.series.iter_mut().enumerate() {
        let there = if (12..20).contains(&i) || (25..30).contains(&i) { second.offered } else { 0 };
        second.attempts = vec![second.offered - there, there];
    }
    report
}

/// Every string is an attack or an accident.
pub(crate) fn hostile() -> RunReport {
    let mut report = failing();
    let nasty =
        "</script><script>alert(1)</script> ]]> \x1b[2J\0\u{202e}\r\n::error:: | `` ``` <b>&amp; @all 語π";
    report.plan.name = format!("name {nasty}");
    report.plan.about = nasty.into();
    report.plan.source = format!("dir, with:odd%name/{nasty}.yaml");
    report.plan.phases[1].name = nasty.into();
    report.phases[1].name = nasty.into();
    report.phases[1].p99_ms = Some(f64::MAX);
    report.phases[1].attempts_per_request = None;
    report.faults[0].name = nasty.into();
    report.plan.faults[0].name = nasty.into();
    report.plan.expectations[1].name = nasty.into();
    report.plan.expectations[1].because = Some(nasty.into());
    report.verdicts[1].details = vec![nasty.into(), "::warning::taken".into(), "##[group]taken".into()];
    report.verdicts[1].details.extend(["x".repeat(9_000), "word ".repeat(400)]);
    report.verdicts[1].observed = nasty.into();
    report.verdicts[1].likely = Some(nasty.into());
    report.verdicts.push(verdict(99, Outcome::Fail, "an expectation", "that is not in the plan", 1));
    report.guards = vec![guard(nasty, true, nasty)];
    report.environment.gateway = nasty.into();
    report.environment.reproduce = format!("gatecrash run '{nasty}'");
    report.series[3].attempts = vec![1, 2, 3];
    report.series[4] = Second { at: 4, ..Second::default() };
    report
}

/// A gateway that was never ready: nothing was sent.
pub(crate) fn empty() -> RunReport {
    let mut report = passing();
    (report.ok, report.exit) = (false, 4);
    report.phases.clear();
    report.faults[0] = FaultSummary { intervals: Vec::new(), fired: Some(0), ..report.faults[0].clone() };
    report.verdicts.clear();
    report.series.clear();
    report.environment.gateway.clear();
    report.interrupted = Some("the gateway was not ready within 10s".into());
    report
}

fn guard(name: &str, spoils: bool, text: &str) -> GuardNote {
    GuardNote { guard: name.into(), spoils, text: text.into() }
}

fn verdict(expectation: u32, outcome: Outcome, observed: &str, wanted: &str, samples: u64) -> Verdict {
    Verdict {
        expectation,
        outcome,
        observed: observed.into(),
        wanted: wanted.into(),
        samples,
        violations: None,
        details: Vec::new(),
        exemplars: Vec::new(),
        likely: None,
        deviation: None,
    }
}

fn phase(
    name: &str,
    from: f64,
    until: f64,
    (requests, succeeded): (u64, u64),
    (p50, p99): (f64, f64),
    attempts: f64,
    statuses: &[(u16, u64)],
) -> PhaseSummary {
    PhaseSummary {
        name: name.into(),
        from,
        until,
        requests,
        succeeded,
        p50_ms: Some(p50),
        p99_ms: Some(p99),
        attempts_per_request: Some(attempts),
        client_tries_per_request: None,
        statuses: statuses.to_vec(),
        service_p50_ms: Some(p50),
        service_p99_ms: Some(p99),
        lag_p99_ms: Some(0.4),
        attempts: Vec::new(),
        endings: Vec::new(),
        settled: None,
    }
}

/// A made-up but plausible course: noise from a small generator, trouble while the fault is on.
fn series(length: u32) -> Vec<Second> {
    let noise = |i: u32, n: u32| u64::from(gatecrash_model::hash::mix(u64::from(i * 7 + n)) as u32 % 1_000);
    let one = |at: u32| {
        let is_throttled = (10..40).contains(&at);
        let offered = 140 + noise(at, 1) / 50;
        let failed = if is_throttled { noise(at, 2) / 400 } else { 0 };
        let retries = if is_throttled { offered / 5 + noise(at, 3) / 100 } else { 0 };
        let slow = if is_throttled { 150.0 } else { 24.0 };
        Second {
            at,
            offered,
            good: offered - failed,
            p50_ms: Some(8.0 + noise(at, 4) as f64 / 600.0),
            p99_ms: Some(slow + noise(at, 5) as f64 / 16.0),
            classes: [offered - failed, 0, 0, failed, 0],
            attempts: vec![offered + retries],
        }
    };
    (0..length).map(one).collect()
}

fn plan() -> Plan {
    serde_json::from_value(serde_json::json!({
        "name": "slowdown-20pct-get",
        "about": "S3 throttles one GET in five; clients behind the gateway should barely notice.",
        "case": "odds=20%",
        "tags": ["retry", "ci"],
        "source": "scenarios/retry/slowdown.yaml",
        "seed": 7,
        "gateway": { "recipe": { "name": "nginx", "params": { "tries": "3", "read-timeout": "2s" } } },
        "regions": [{
            "name": "us-east-1", "primary": true, "endpoints": 3, "latency": { "p50": "4ms", "p99": "25ms" }
        }],
        "buckets": [{
            "name": "media", "regions": [["us-east-1", "media"]], "public": false, "policy": null,
            "objects": 2000, "key": "img/{n:06}.bin",
            "size": { "weighted": [["16KiB", "90%"], ["1MiB", "10%"]] }
        }],
        "identities": [{ "name": "app", "account": "000000000001", "allow": [], "deny": [] }],
        "workloads": [{
            "name": "readers",
            "segments": [{ "from": "0s", "until": "50s", "rate": "150/s" }],
            "poisson": true, "max-in-flight": 400, "bucket": "media",
            "ops": [{ "op": "GetObject", "share": "100%", "range": null }],
            "keys": { "zipf": 1.1 }, "missing": "0%", "write-key": "up/{n}",
            "write-size": { "fixed": "16KiB" },
            "sign": "client", "identity": 0, "timeout": "5s"
        }],
        "phases": [
            { "name": "baseline", "from": "0s", "until": "10s" },
            { "name": "throttled", "from": "10s", "until": "40s" },
            { "name": "recovery", "from": "40s", "until": "50s" }
        ],
        "faults": [{
            "name": "slowdown", "spec": { "s3-error": { "code": "SlowDown" } },
            "matcher": { "op": "GetObject" },
            "region": null, "endpoint": null, "probability": "20%", "per": "attempt", "limit": null,
            "from": "10s", "until": "40s", "line": 33
        }],
        "expectations": [
            expectation("success-rate/throttled", Some(1), None, "success-rate", "99%", "error",
                Some("three independent tries all fail in 0.8 % of requests"), 38),
            expectation("success-rate/recovery", Some(2), Some("2s"), "success-rate", "100%", "error",
                None, 40),
            {
                "name": "body-complete", "phase": null, "after": null, "before": null, "matcher": {},
                "check": { "body-complete": {} }, "severity": "error", "because": null, "min-samples": null,
                "runbook": null, "line": 41
            },
            expectation("success-rate/baseline/GetObject", Some(0), None, "success-rate", "99.9%", "warning",
                Some("the fault-free part should be clean"), 43),
        ],
        "guards": { "deadline": "105s", "max-lag-p99": "5ms", "max-dropped": "0.1%", "fault-fired": true }
    }))
    .unwrap()
}

#[expect(clippy::too_many_arguments, reason = "one line per expectation reads best")]
fn expectation(
    name: &str,
    phase: Option<u16>,
    after: Option<&str>,
    check: &str,
    min: &str,
    severity: &str,
    because: Option<&str>,
    line: u32,
) -> serde_json::Value {
    let matcher = if name.ends_with("GetObject") {
        serde_json::json!({ "op": "GetObject" })
    } else {
        serde_json::json!({})
    };
    serde_json::json!({
        "name": name, "phase": phase, "after": after, "before": null, "matcher": matcher,
        "check": { check: { "min": min } }, "severity": severity, "because": because, "min-samples": null,
        "runbook": null, "line": line
    })
}
