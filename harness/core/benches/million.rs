//! Judging a run of a million requests: seconds and memory of the join, of each check, and of the whole judge.
//!
//! `cargo bench -p gatecrash-core --bench million`. Not statistics but one measurement of each step, because the goal is a
//! bound: the whole judge within 2 s and the process within 500 MiB, history included. A machine without a processor to
//! spare costs more, because failures are then judged twice.

use std::hint::black_box;
use std::time::{Duration, Instant};

use gatecrash_core::checks::{CHECKS, CheckSpec};
use gatecrash_core::faults::{FaultSpec, Swallow};
use gatecrash_core::golden::{Request, Story, Try, expectation};
use gatecrash_core::judge::{Case, judge_run};
use gatecrash_model::Event;

/// Requests, one each millisecond; one in ten meets the fault and is tried again.
const REQUESTS: u64 = 1_000_000;

fn main() {
    // `cargo test` runs benches, too: nothing is measured then.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let mut story = run();
    let specs = CHECKS.iter().filter_map(|info| serde_saphyr::from_str::<CheckSpec>(info.example).ok());
    story.plan.expectations = specs.map(expectation).collect();
    println!("{:<24} {:>9} {:>9}", "step", "seconds", "peak MiB");
    report("history", Duration::ZERO);
    let case = timed("case", || Case::new(&story.plan, &story.profile, &story.history));
    for expectation in &story.plan.expectations {
        let Some(scope) = case.scope(expectation) else { continue };
        timed(expectation.check.info().name, || expectation.check.judge(&scope));
    }
    drop(case);
    timed("the whole judge", || judge_run(&story.plan, &story.profile, &story.history));
    let story = starved(story);
    timed("the same, starved", || judge_run(&story.plan, &story.profile, &story.history));
}

/// A machine that had no processor for 100 ms of each second: what fails is judged again without what that explains.
fn starved(story: Story) -> Story {
    let stall = |second| Event::Stalled { at: second * 1_000_000_000, lasted: 100_000_000 };
    (1..REQUESTS / 1000).fold(story, |story, second| story.event(stall(second)))
}

/// A hundred seconds of faults in the middle of a thousand.
fn run() -> Story {
    let fault = FaultSpec::Swallow(Swallow {});
    let retried = |r: Request| r.tries([Try::silent().by(0), Try::served()]);
    let (from, until) = (REQUESTS / 10 * 4, REQUESTS / 10 * 5);
    let story = Story::new().fault(fault, from, until);
    let story = story.every(1, 0, from, |r| r).every(1, from, until, retried);
    story.every(1, until, REQUESTS, |r| r)
}

fn timed<T>(what: &str, step: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = black_box(step());
    report(what, began.elapsed());
    done
}

fn report(what: &str, took: Duration) {
    println!("{what:<24} {:>9.3} {:>9.0}", took.as_secs_f64(), peak_mib());
}

/// The most memory this process ever held (Linux; 0 elsewhere).
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()).and_then(|n| n.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}
