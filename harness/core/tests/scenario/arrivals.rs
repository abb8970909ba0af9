//! When requests begin: ramps, steps, users and traces over the phases.

use gatecrash_core::plan::{Plan, SegmentPlan, ThinkPlan, UsersPlan};
use gatecrash_core::units::Span;

use super::{Files, options, read_with};

const TRACE: &str = "seconds,op\n0.5,GET\n2,GET\n1,PUT\n";

fn text(load: &str, phases: &str) -> String {
    format!(
        "gatecrash: 1\nname: x\nload:\n  app:\n    {load}\n    ops: {{ GetObject: 100% }}\n\
         timeline: [{phases}]\nexpect: [{{ check: {{ success-rate: {{ min: 99% }} }} }}]\n"
    )
}

fn read(load: &str, phases: &str) -> Result<Plan, String> {
    let files = Files([("day.csv", TRACE)].into());
    let loaded = read_with(&text(load, phases), &files, &options()).map_err(|wrong| wrong.to_string())?;
    Ok(loaded.plans().remove(0))
}

#[track_caller]
fn plan(load: &str, phases: &str) -> Plan {
    read(load, phases).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// (from, until, level at the start, level at the end) in seconds and requests per second.
fn rates(load: &str, phases: &str) -> Vec<(f64, f64, f64, f64)> {
    let in_seconds = |s: &SegmentPlan| (s.from.as_seconds(), s.until.as_seconds(), s.rate.0, s.end().0);
    plan(load, phases).workloads[0].segments.iter().map(in_seconds).collect()
}

const THREE: &str = "{ phase: a, for: 4s }, { phase: b, for: 4s }, { phase: c, for: 2s }";

#[test]
fn a_ramp_spans_phases_until_one_says_otherwise() {
    let ramp = "open: { rate: 100/s, ramp: { to: 200/s, over: 5s } }";
    let through = [(0.0, 4.0, 100.0, 180.0), (4.0, 5.0, 180.0, 200.0), (5.0, 8.0, 200.0, 200.0)];
    assert_eq!(rates(ramp, THREE), [&through[..], &[(8.0, 10.0, 200.0, 200.0)]].concat());
    let rests = THREE.replace("phase: b, for: 4s", "phase: b, for: 4s, load: { app: { rate: 0/s } }");
    let rested = [(0.0, 4.0, 100.0, 180.0), (4.0, 8.0, 0.0, 0.0), (8.0, 10.0, 200.0, 200.0)];
    assert_eq!(rates(ramp, &rests), rested);
}

#[test]
fn a_phase_ramps_from_where_the_one_before_was() {
    let own = "phase: b, for: 4s, load: { app: { ramp: { to: 10/s, over: 1s } } }";
    let phases = THREE.replace("phase: b, for: 4s", own);
    let levels = rates("open: { rate: 50/s }", &phases);
    assert_eq!(levels[1..3], [(4.0, 5.0, 50.0, 10.0), (5.0, 8.0, 10.0, 10.0)]);
    assert_eq!(levels[3], (8.0, 10.0, 50.0, 50.0), "what the workload says holds again");
    let own = "phase: b, for: 4s, load: { app: { rate: 20/s, ramp: { to: 40/s } } }";
    let levels = rates("open: { rate: 50/s }", &THREE.replace("phase: b, for: 4s", own));
    assert_eq!(levels[1], (4.0, 8.0, 20.0, 40.0));
}

#[test]
fn steps_share_the_time_that_is_left() {
    let steps = "open: { steps: [10/s, { rate: 20/s, for: 4s }, 30/s] }";
    let levels = rates(steps, "{ phase: a, for: 10s }");
    assert_eq!(levels, [(0.0, 3.0, 10.0, 10.0), (3.0, 7.0, 20.0, 20.0), (7.0, 10.0, 30.0, 30.0)]);
}

#[test]
fn users_come_and_go() {
    let phases = "{ phase: a, for: 2s }, { phase: b, for: 2s, load: { app: { users: 20 } } },
      { phase: c, for: 2s, load: { app: { ramp: { to: 0 } } } }, { phase: d, for: 2s, load: { app: { steps: [1, 2] } } }";
    let plan = plan("closed: { users: 8, think: 20ms }", phases);
    let load = &plan.workloads[0];
    let closed = load.closed.as_ref().expect("closed");
    assert_eq!((closed.think, load.segments.len()), (ThinkPlan::Constant(Span::millis(20)), 0));
    let stage = |from, until, users, to: Option<u32>| UsersPlan {
        from: Span::seconds(from),
        until: Span::seconds(until),
        users,
        to,
    };
    let wanted = [
        stage(0, 2, 8, None),
        stage(2, 4, 20, None),
        stage(4, 6, 20, Some(0)),
        stage(6, 7, 1, None),
        stage(7, 8, 2, None),
    ];
    assert_eq!(closed.stages, wanted);
    let law = read("closed: { users: 1, think: { mean: 1s } }", "{ phase: a, for: 1s }").expect("is right");
    let think = law.workloads[0].closed.as_ref().map(|closed| closed.think);
    assert_eq!(think, Some(ThinkPlan::Exponential(Span::seconds(1))));
}

#[test]
fn a_trace_lists_arrivals() {
    let load = &plan("open: { trace: day.csv }", "{ phase: a, for: 3s }").workloads[0];
    let trace = load.trace.as_ref().expect("a trace");
    assert_eq!((trace.arrivals, &trace.instants[..]), (3, &[500_000_000, 1_000_000_000, 2_000_000_000][..]));
    assert_eq!((load.rate_at(1_500_000_000), load.expected(Span::seconds(3))), (Some(1.0), Some(3.0)));
    let fast = "open: { trace: { file: day.csv, speed: 2, repeat: 1500ms } }";
    let load = &plan(fast, "{ phase: a, for: 3s }").workloads[0];
    assert_eq!(load.expected(Span::seconds(3)), Some(6.0));
}

#[test]
fn what_cannot_be_is_refused() {
    let one = "{ phase: a, for: 4s }";
    let phase = |own: &str| format!("{{ phase: a, for: 4s, load: {{ app: {own} }} }}");
    let (open, closed) = ("open: { rate: 9/s }", "closed: { users: 8 }");
    let table = [
        ("bucket: media", one.to_owned(), "nothing says when requests of `app` begin"),
        ("open: { rate: 9/s }\n    closed: { users: 1 }", one.to_owned(), "both `open` and `closed`"),
        ("open: { max-in-flight: 3 }", one.to_owned(), "expected `rate`, such as 150/s"),
        ("closed: { think: 1s }", one.to_owned(), "expected `users`, such as 8"),
        ("closed: { users: 0 }", one.to_owned(), "no users"),
        ("closed: { users: 20000 }", one.to_owned(), "20000 users are too many"),
        ("open: { rate: 1/s, ramp: { to: 5/s, over: 5s } }", one.to_owned(), "the ramp does not end in time"),
        ("open: { rate: 1/s, ramp: { to: 5 } }", one.to_owned(), "expected a rate, such as 150/s"),
        ("open: { rate: 1/s, steps: [1/s] }", one.to_owned(), "both `rate` and `steps`"),
        ("open: { steps: [{ rate: 1/s, for: 5s }] }", one.to_owned(), "the steps do not fit"),
        ("open: { steps: [{ for: 3s }, 9/s] }", one.to_owned(), "a step without its level"),
        (open, phase("{ users: 3 }"), "the workload is open: expected `rate`"),
        (closed, phase("{ rate: 3/s }"), "the workload is closed: expected `users`"),
        (closed, phase("{}"), "nothing changes"),
        (open, phase("{ ramp: { to: 9, over: 1s } }"), "expected a rate, such as 150/s"),
        ("open: { trace: nowhere.csv }", one.to_owned(), "cannot use the trace `nowhere.csv`"),
        ("open: { trace: day.csv, rate: 1/s }", one.to_owned(), "both `trace` and `rate`"),
        ("open: { trace: day.csv }", phase("{ rate: 3/s }"), "the trace spans the run"),
        ("open: { trace: { file: day.csv, repeat: 1s } }", one.to_owned(), "starts over before it ends"),
        ("open: { trace: { file: day.csv, speed: 0.01 } }", one.to_owned(), "no arrival of the trace"),
        ("open: { trace: { file: day.csv, speed: 0 } }", one.to_owned(), "invalid speed"),
    ];
    for (load, phases, said) in table {
        let wrong = read(load, &phases).err().unwrap_or_else(|| panic!("accepted: {load} {phases}"));
        assert!(wrong.contains(said), "`{said}` is not in:\n{wrong}");
    }
}
