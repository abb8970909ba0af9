//! What deciding and judging cost: one fault decision, the join, and every check over a run of 100,000
//! requests.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gatecrash_core::checks::{CHECKS, CheckSpec};
use gatecrash_core::faults::{FaultSpec, Swallow};
use gatecrash_core::golden::{Request, Story, Try, expectation};
use gatecrash_core::history::Join;
use gatecrash_core::judge::{Case, judge_run};
use gatecrash_core::rules::{Facts, Point, RuleSet};
use gatecrash_model::{Op, RequestId};

const REQUESTS: u64 = 100_000;

/// A hundred seconds of a thousand requests each; one in ten meets the fault and is tried again.
fn run() -> Story {
    let fault = FaultSpec::Swallow(Swallow {});
    let tell = |r: Request| r;
    let retried = |r: Request| r.tries([Try::silent().by(0), Try::served()]);
    let story = Story::new().fault(fault, 30_000, 60_000);
    let story = story.every(1, 0, REQUESTS / 10 * 9, tell);
    story.every(1, REQUESTS / 10 * 9, REQUESTS, retried)
}

fn decision(c: &mut Criterion) {
    let story = Story::new().fault(FaultSpec::Swallow(Swallow {}), 0, 1);
    let rules = RuleSet::new(&story.plan);
    rules.switch(0, true);
    let mut facts = Facts::connection(0, 1, 0, 7);
    facts.op = Op::GetObject;
    facts.key = "o/17";
    let mut k = 0;
    let idle = RuleSet::new(&story.plan);
    c.bench_function("fault decision, none on", |b| {
        b.iter(|| black_box(idle.decide(Point::RequestHead, black_box(&facts))));
    });
    c.bench_function("fault decision", |b| {
        b.iter(|| {
            k += 1;
            facts.attempt.request = RequestId { workload: 0, k }.pack();
            black_box(rules.decide(Point::RequestHead, black_box(&facts)))
        });
    });
}

fn joining(c: &mut Criterion) {
    let story = run();
    let mut group = c.benchmark_group("history");
    group.throughput(Throughput::Elements(REQUESTS)).sample_size(10);
    group.bench_function("join", |b| b.iter(|| black_box(Join::of(black_box(&story.history)))));
    group.finish();
}

fn checking(c: &mut Criterion) {
    let mut story = run();
    let specs = CHECKS.iter().filter_map(|info| serde_saphyr::from_str::<CheckSpec>(info.example).ok());
    story.plan.expectations = specs.map(expectation).collect();
    let case = Case::new(&story.plan, &story.profile, &story.history);
    let mut group = c.benchmark_group("checks");
    group.throughput(Throughput::Elements(REQUESTS)).sample_size(10);
    for expectation in &story.plan.expectations {
        let Some(scope) = case.scope(expectation) else { continue };
        group.bench_function(expectation.check.info().name, |b| {
            b.iter(|| black_box(expectation.check.judge(black_box(&scope))));
        });
    }
    group.bench_function("all, with guards", |b| {
        b.iter(|| black_box(judge_run(&story.plan, &story.profile, &story.history)));
    });
    group.finish();
}

criterion_group!(benches, decision, joining, checking);
criterion_main!(benches);
