mod live;
mod triggers;

use gatecrash_model::{AttemptId, RequestId};

use super::*;
use crate::faults::{
    AppliedButLost, CloseOnReuse, ErrorIn200, FailFirst, FaultSpec, FirstOf, Latency, Order, Reset, ResetAt,
    SlowBody, StaleRead, StsDown, Swallow, Throttle, With,
};
use crate::plan::Per;
use crate::units::{Rate, Share, Size, Span};

fn fault(name: &str, spec: FaultSpec) -> FaultPlan {
    FaultPlan {
        name: name.into(),
        spec,
        matcher: Matcher::default(),
        region: None,
        endpoint: None,
        probability: Share(1.0),
        per: Per::Attempt,
        limit: None,
        trigger: Trigger::default(),
        side: Side::Upstream,
        from: Span(0),
        until: Span(0),
        line: 1,
    }
}

fn latency(millis: u64) -> FaultSpec {
    FaultSpec::Latency(Latency { add: Span::millis(millis), jitter: None })
}

fn reset() -> FaultSpec {
    FaultSpec::Reset(Reset { at: ResetAt::Request })
}

fn facts(k: u32, number: u8) -> Facts<'static> {
    let request = RequestId { workload: 0, k }.pack();
    let attempt = AttemptId { link: 1, conn: k, ordinal: 0 }.pack();
    Facts {
        attempt: AttemptContext { attempt, request, number },
        op: Op::GetObject,
        method: "GET",
        bucket: "media",
        key: "img/1.bin",
        headers: &[("Range", "bytes=0-9")],
        ..Facts::connection(0, 1, 1, k)
    }
}

fn on(faults: &[FaultPlan]) -> RuleSet {
    let rules = RuleSet::of(7, faults);
    (0..faults.len() as u16).for_each(|i| rules.switch(i, true));
    rules
}

fn fires(rules: &RuleSet, facts: &Facts<'_>) -> bool {
    !rules.decide(Point::RequestHead, facts).fired.is_empty()
}

#[test]
fn what_is_off_does_nothing() {
    let rules = RuleSet::of(7, &[fault("r", reset())]);
    assert!(!rules.any_active());
    assert_eq!(rules.decide(Point::RequestHead, &facts(1, 1)), Orders::default());
    rules.switch(0, true);
    assert!(rules.any_active() && fires(&rules, &facts(1, 1)));
    rules.switch(0, false);
    assert!(!fires(&rules, &facts(1, 1)));
    rules.switch(9, true);
    assert_eq!(rules.fired(0), 1);
}

#[test]
fn delays_add_and_pacing_takes_the_slowest() {
    let pace = |bytes, ms| FaultSpec::SlowBody(SlowBody { bytes: Size(bytes), every: Span::millis(ms) });
    let rules = on(&[
        fault("a", latency(30)),
        fault("b", latency(12)),
        fault("c", pace(100, 1)),
        fault("d", pace(10, 1)),
    ]);
    let orders = rules.decide(Point::RequestHead, &facts(1, 1));
    assert_eq!((orders.delay, orders.terminal, orders.fired.len()), (42_000_000, None, 2));
    let orders = rules.decide(Point::ResponseHead, &facts(1, 1));
    assert_eq!(orders.body_pace, Some(Pace { bytes: 10, every: 1_000_000 }));
}

#[test]
fn the_first_terminal_order_wins_and_only_it_fires() {
    let rules = on(&[
        fault("hold", latency(5)),
        fault("first", reset()),
        fault("second", FaultSpec::Swallow(Swallow {})),
    ]);
    let orders = rules.decide(Point::RequestHead, &facts(1, 1));
    assert_eq!(orders.terminal, Some((1, Terminal::Close(With::Rst))));
    assert_eq!(orders.fired.iter().map(|f| f.fault).collect::<Vec<_>>(), [0, 1]);
    assert_eq!((rules.fired(0), rules.fired(1), rules.fired(2)), (1, 1, 0));
}

#[test]
fn every_nth_counts_only_exchanges_on_which_the_fault_could_act() {
    let third = Matcher { nth: Some(3), ..Matcher::default() };
    let rules = on(&[FaultPlan { matcher: third, ..fault("n", reset()) }]);
    let fired: Vec<_> = (0..9)
        .filter(|k| {
            let facts = facts(*k, 1);
            let before = rules.decide(Point::Accept, &facts).fired.len();
            let at = rules.decide(Point::RequestHead, &facts).fired.len();
            let after = rules.decide(Point::ResponseHead, &facts).fired.len();
            assert_eq!((before, after), (0, 0));
            at > 0
        })
        .collect();
    assert_eq!(fired, [2, 5, 8]);
}

#[test]
fn a_limit_holds_however_many_ask_at_once() {
    let rules = on(&[FaultPlan { limit: Some(5), ..fault("l", reset()) }]);
    let fired: usize = std::thread::scope(|scope| {
        let asks = |from: u32| (from..from + 500).filter(|k| fires(&rules, &facts(*k, 1))).count();
        let threads: Vec<_> = (0..4).map(|t| scope.spawn(move || asks(t * 500))).collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    assert_eq!((fired, rules.fired(0)), (5, 5));
}

#[test]
fn matches_are_conjunctions() {
    let table = [
        (Matcher { op: Some(Op::GetObject), ..Matcher::default() }, true),
        (Matcher { op: Some(Op::PutObject), ..Matcher::default() }, false),
        (
            Matcher { bucket: Some("media".into()), key: Some(Glob("img/*".into())), ..Matcher::default() },
            true,
        ),
        (
            Matcher { bucket: Some("other".into()), key: Some(Glob("img/*".into())), ..Matcher::default() },
            false,
        ),
        (Matcher { prefix: Some("doc/".into()), ..Matcher::default() }, false),
        (Matcher { method: Some("get".into()), ..Matcher::default() }, true),
        (Matcher { attempt: Some(2), ..Matcher::default() }, false),
        (
            Matcher { header: [("range".to_owned(), Glob("bytes=*".into()))].into(), ..Matcher::default() },
            true,
        ),
        (
            Matcher { header: [("range".to_owned(), Glob("lines=*".into()))].into(), ..Matcher::default() },
            false,
        ),
        (Matcher { header: [("absent".to_owned(), Glob("*".into()))].into(), ..Matcher::default() }, false),
        (connection(Some(true), None), false),
        (connection(Some(false), Some(1)), true),
    ];
    for (matcher, wanted) in table {
        let rules = on(&[FaultPlan { matcher: matcher.clone(), ..fault("m", reset()) }]);
        assert_eq!(fires(&rules, &facts(1, 1)), wanted, "{matcher:?}");
    }
}

fn connection(reused: Option<bool>, nth: Option<u16>) -> Matcher {
    Matcher { connection: Some(ConnectionMatch { reused, nth, age: None }), ..Matcher::default() }
}

#[test]
fn a_target_is_a_region_and_an_endpoint() {
    let here = FaultPlan { region: Some(0), endpoint: Some(1), ..fault("t", reset()) };
    for (region, endpoint, wanted) in [(0, 1, true), (1, 1, false), (0, 2, false), (0, 0, true)] {
        let facts = Facts { region, endpoint, ..facts(1, 1) };
        assert_eq!(fires(&on(std::slice::from_ref(&here)), &facts), wanted, "{region} {endpoint}");
    }
}

#[test]
fn the_unit_of_a_probability_decides_what_shares_a_draw() {
    let draw = |per, facts: &Facts<'_>| FaultPlan { per, ..fault("p", reset()) }.draw(7, 99, facts);
    let first = facts(1, 1);
    let retry = Facts { conn: 40, ..facts(1, 2) };
    let other_key = Facts { key: "img/2.bin", ..first };
    let elsewhere = Facts { conn: 41, ..first };
    assert_ne!(draw(Per::Attempt, &first), draw(Per::Attempt, &retry));
    assert_eq!(draw(Per::Attempt, &first), draw(Per::Attempt, &elsewhere));
    assert_eq!(draw(Per::Request, &first), draw(Per::Request, &retry));
    assert_ne!(draw(Per::Request, &first), draw(Per::Request, &facts(2, 1)));
    assert_eq!(draw(Per::Connection, &first), draw(Per::Connection, &other_key));
    assert_ne!(draw(Per::Connection, &first), draw(Per::Connection, &elsewhere));
    assert_eq!(draw(Per::Key, &first), draw(Per::Key, &facts(9, 3)));
    assert_ne!(draw(Per::Key, &first), draw(Per::Key, &other_key));
}

#[test]
fn connections_without_a_request_draw_one_by_one() {
    let half = FaultPlan {
        probability: Share(0.5),
        ..fault("half", FaultSpec::Reset(Reset { at: ResetAt::Accept }))
    };
    let rules = on(&[half]);
    let at = |conn| Facts {
        attempt: AttemptContext {
            attempt: AttemptId { link: 1, conn, ordinal: 0 }.pack(),
            ..AttemptContext::STRANGER
        },
        ..Facts::connection(0, 1, 1, conn)
    };
    let fired = (0..1000).filter(|conn| !rules.decide(Point::Accept, &at(*conn)).fired.is_empty()).count();
    assert!((400..600).contains(&fired), "{fired}");
}

#[test]
fn a_seed_replays_whatever_the_order() {
    let third = || on(&[FaultPlan { probability: Share(0.3), ..fault("third", reset()) }]);
    let (forth, back) = (third(), third());
    let a: Vec<_> = (0..500).filter(|k| fires(&forth, &facts(*k, 1))).collect();
    let mut b: Vec<_> = (0..500).rev().filter(|k| fires(&back, &facts(*k, 1))).collect();
    b.reverse();
    assert_eq!(a, b);
}

#[test]
fn close_on_reuse_spares_the_first_exchange() {
    let rules = on(&[fault("c", FaultSpec::CloseOnReuse(CloseOnReuse { with: With::Fin }))]);
    assert!(!fires(&rules, &facts(1, 1)));
    assert!(fires(&rules, &Facts { ordinal: 1, ..facts(1, 1) }));
}

fn s3(spec: FaultSpec) -> RuleSet {
    on(&[fault("s3", spec)])
}

fn fails(rules: &RuleSet, facts: &Facts<'_>) -> bool {
    rules.decide(Point::MockHandle, facts).terminal.is_some()
}

#[test]
fn the_first_tries_fail_and_the_next_ones_do_not() {
    let first = |of| s3(FaultSpec::FailFirst(FailFirst { n: 2, of, code: "InternalError".into() }));
    let by_request = first(FirstOf::Request);
    assert!(fails(&by_request, &facts(1, 1)) && fails(&by_request, &facts(1, 2)));
    assert!(!fails(&by_request, &facts(1, 3)) && fails(&by_request, &facts(2, 1)));
    let by_key = first(FirstOf::Key);
    let other = |k| Facts { key: "img/2.bin", ..facts(k, 1) };
    assert_eq!((1..=4).map(|k| fails(&by_key, &facts(k, 1))).collect::<Vec<_>>(), [true, true, false, false]);
    assert!(fails(&by_key, &other(5)) && fails(&by_key, &other(6)) && !fails(&by_key, &other(7)));
    let by_invocation = first(FirstOf::Invocation);
    let called = |id: &'static [(&'static str, &'static str)]| Facts { headers: id, ..facts(1, 1) };
    let (a, b) = (called(&[("Amz-Sdk-Invocation-Id", "a")]), called(&[("amz-sdk-invocation-id", "b")]));
    assert_eq!([&a, &a, &a, &b].map(|facts| fails(&by_invocation, facts)), [true, true, false, true]);
    assert_eq!(by_invocation.fired(0), 3);
}

#[test]
fn a_throttle_counts_what_matches_and_nothing_else() {
    let throttle = FaultSpec::Throttle(Throttle {
        reads: Rate(10.0),
        writes: Rate(10.0),
        prefix_depth: 1,
        burst: Span::millis(200),
        retry_after: None,
        amz_retry_after: None,
    });
    let gets = Matcher { method: Some("GET".into()), ..Matcher::default() };
    let rules = on(&[FaultPlan { matcher: gets, ..fault("t", throttle) }]);
    let at = |ms: u64, method| Facts { at: ms * 1_000_000, method, ..facts(1, 1) };
    assert!(!fails(&rules, &at(0, "GET")) && !fails(&rules, &at(0, "HEAD")) && !fails(&rules, &at(0, "GET")));
    assert!(fails(&rules, &at(0, "GET")) && fails(&rules, &at(99, "GET")) && !fails(&rules, &at(100, "GET")));
    assert!(fails(&rules, &at(100, "GET")) && !fails(&rules, &at(100, "HEAD")));
}

#[test]
fn parts_and_identities_are_matched() {
    let matcher = Matcher { part: Some(3), identity: Some("app".into()), ..Matcher::default() };
    let error = FaultSpec::FailFirst(FailFirst { n: 9, of: FirstOf::Request, code: "SlowDown".into() });
    let rules = on(&[FaultPlan { matcher, ..fault("p", error) }]);
    for (part, identity, wanted) in [(3, "app", true), (2, "app", false), (3, "guest", false), (0, "", false)]
    {
        assert_eq!(fails(&rules, &Facts { part, identity, ..facts(1, 1) }), wanted, "{part} {identity}");
    }
    let queries =
        [("partNumber=3&uploadId=x", 3), ("uploadId=x&partNumber=12", 12), ("", 0), ("partNumber=x", 0)];
    for (query, part) in queries {
        assert_eq!(part_number(query), part, "{query}");
    }
}

#[test]
fn faults_of_an_operation_leave_the_others_alone() {
    let acts = |spec: &FaultSpec, point: Point, op: Op| {
        spec.order(point, &Facts { op, method: op.method(), ..facts(1, 1) }, 0) != Order::Continue
    };
    let of = |spec: FaultSpec| {
        let points = spec.info().points;
        let ops = Op::ALL.iter().filter(|op| points.iter().any(|point| acts(&spec, *point, **op)));
        ops.map(|op| op.name()).collect::<Vec<_>>()
    };
    let early = ErrorIn200 { code: None, every: Span::millis(1), r#for: Span(0) };
    assert_eq!(of(FaultSpec::ErrorIn200(early)), ["CopyObject", "UploadPartCopy", "CompleteMultipartUpload"]);
    assert_eq!(of(FaultSpec::StaleRead(StaleRead { by: Span::seconds(1) })), ["GetObject", "HeadObject"]);
    assert_eq!(of(FaultSpec::StsDown(StsDown {})), ["QueryApi"]);
    let lost = of(FaultSpec::AppliedButLost(AppliedButLost::default()));
    assert!(lost.contains(&"PutObject") && lost.contains(&"UploadPart") && !lost.contains(&"GetObject"));
}
