//! Every match with every trigger: which of a row of exchanges a fault fires on.

use super::*;
use crate::faults::Swallow;

const MS: u64 = 1_000_000;

/// Which of twenty exchanges, 10 ms apart and every other one a PUT, are hit.
fn hit(matcher: &Matcher, trigger: Trigger, limit: Option<u64>) -> Vec<u32> {
    let plan = FaultPlan { matcher: matcher.clone(), trigger, limit, ..fault("t", reset()) };
    let rules = on(&[plan]);
    let at = |k: u32| {
        let op = if k.is_multiple_of(2) { Op::GetObject } else { Op::PutObject };
        Facts { at: u64::from(k) * 10 * MS, op, method: op.method(), ..facts(k, 1) }
    };
    (0..20).filter(|k| fires(&rules, &at(*k))).collect()
}

fn rate(above: Option<f64>, at_most: Option<f64>, burst: u32) -> Trigger {
    let limit = RateLimit { above: above.map(Rate), at_most: at_most.map(Rate), burst: Some(burst) };
    Trigger { rate: Some(limit), ..Trigger::default() }
}

#[test]
fn each_trigger_counts_what_matches() {
    let all = Matcher::default();
    let puts = Matcher { op: Some(Op::PutObject), ..Matcher::default() };
    let third = Matcher { nth: Some(3), ..Matcher::default() };
    let third_put = Matcher { nth: Some(3), ..puts.clone() };
    let first = Trigger { first: Some(3), ..Trigger::default() };
    let after = Trigger { after: Some(8), ..Trigger::default() };
    let both = Trigger { first: Some(3), after: Some(2), ..Trigger::default() };
    // 20 exchanges in 200 ms: a token each 50 ms is one for five of all, or for three PUTs.
    let above = || rate(Some(20.0), None, 1);
    let at_most = || rate(None, Some(20.0), 2);
    let table: Vec<(&Matcher, Trigger, Option<u64>, Vec<u32>)> = vec![
        (&all, first, None, vec![0, 1, 2]),
        (&puts, first, None, vec![1, 3, 5]),
        (&all, after, None, (8..20).collect()),
        (&puts, after, None, vec![17, 19]),
        (&all, both, None, vec![2, 3, 4]),
        (&puts, both, None, vec![5, 7, 9]),
        (&third, both, None, vec![4]),
        (&third, Trigger { after: Some(1), ..Trigger::default() }, None, vec![3, 6, 9, 12, 15, 18]),
        (&third_put, after, None, vec![]),
        (&puts, after, Some(1), vec![17]),
        (&all, Trigger { after: Some(20), ..Trigger::default() }, None, vec![]),
        (&all, above(), None, (0..20).filter(|k| k % 5 != 0).collect()),
        (&puts, above(), None, vec![3, 5, 9, 11, 15, 17]),
        (&all, at_most(), None, vec![0, 1, 5, 10, 15]),
        (&puts, at_most(), Some(3), vec![1, 3, 7]),
    ];
    for (matcher, trigger, limit, wanted) in table {
        assert_eq!(hit(matcher, trigger, limit), wanted, "{matcher:?} {trigger:?} {limit:?}");
    }
}

#[test]
fn a_ramp_goes_from_one_probability_to_another() {
    let ramp = |from, to, steps| {
        let ramp = Ramp { to: Share(to), over: Span::millis(100), steps };
        [0, 24, 25, 50, 99, 100, 900].map(|ms| (ramp.at(from, ms * MS) * 100.0).round())
    };
    assert_eq!(ramp(0.0, 1.0, None), [0.0, 24.0, 25.0, 50.0, 99.0, 100.0, 100.0]);
    assert_eq!(ramp(0.2, 0.6, Some(4)), [20.0, 20.0, 30.0, 40.0, 50.0, 60.0, 60.0]);
    assert_eq!(ramp(1.0, 0.0, Some(1)), [100.0, 100.0, 100.0, 100.0, 100.0, 0.0, 0.0]);
}

#[test]
fn a_ramp_counts_from_when_its_fault_came_into_force() {
    let ramp = Ramp { to: Share(1.0), over: Span::seconds(10), steps: None };
    let trigger = Trigger { ramp: Some(ramp), ..Trigger::default() };
    let rules = RuleSet::of(7, &[FaultPlan { probability: Share(0.0), trigger, ..fault("r", reset()) }]);
    rules.switch_at(0, true, 5_000 * MS);
    let of_a_thousand = |at: u64| (0..1000).filter(|k| fires(&rules, &Facts { at, ..facts(*k, 1) })).count();
    assert_eq!(of_a_thousand(5_000 * MS), 0);
    let half = of_a_thousand(10_000 * MS);
    assert!((430..570).contains(&half), "{half}");
    assert_eq!(of_a_thousand(15_000 * MS), 1000);
}

#[test]
fn queries_sizes_ages_and_statuses_are_matched() {
    let query = |name: &str, value: &str| Matcher {
        query: [(name.to_owned(), Glob(value.into()))].into(),
        ..Matcher::default()
    };
    let size = |min: Option<u64>, max: Option<u64>| Matcher {
        size: Some(SizeMatch { min: min.map(Size), max: max.map(Size) }),
        ..Matcher::default()
    };
    let age = |min: Option<u64>, max: Option<u64>| {
        let age = Some(AgeMatch { min: min.map(Span::millis), max: max.map(Span::millis) });
        Matcher {
            connection: Some(ConnectionMatch { age, ..ConnectionMatch::default() }),
            ..Matcher::default()
        }
    };
    let status = |status| Matcher { upstream_status: Some(status), ..Matcher::default() };
    let table = [
        (query("uploads", ""), true),
        (query("prefix", "a/*"), true),
        (query("prefix", "a%2F*"), false),
        (query("list type", "2"), true),
        (query("missing", "*"), false),
        (query("uploads", "?"), false),
        (size(Some(100), Some(100)), true),
        (size(Some(101), None), false),
        (size(None, Some(99)), false),
        (size(None, None), true),
        (age(Some(40), Some(40)), true),
        (age(Some(41), None), false),
        (age(None, Some(39)), false),
        (status(503), true),
        (status(200), false),
    ];
    for (matcher, wanted) in table {
        let rules = on(&[FaultPlan { matcher: matcher.clone(), ..fault("m", reset()) }]);
        let facts = Facts {
            query: "uploads&prefix=a%2Fb&list%20type=2",
            size: Some(100),
            age: 40 * MS,
            status: 503,
            ..facts(1, 1)
        };
        assert_eq!(fires(&rules, &facts), wanted, "{matcher:?}");
        if matcher.size.is_some() {
            assert!(!fires(&rules, &Facts { size: None, ..facts }), "a size that nobody knows: {matcher:?}");
        }
    }
}

#[test]
fn a_side_is_the_hosts() {
    let swallow = |side| FaultPlan { side, ..fault("s", FaultSpec::Swallow(Swallow {})) };
    for (of, asked) in [(Side::Upstream, Side::Client), (Side::Client, Side::Upstream)] {
        let rules = on(&[swallow(of)]);
        assert!(fires(&rules, &Facts { side: of, ..facts(1, 1) }));
        assert!(!fires(&rules, &Facts { side: asked, ..facts(1, 1) }));
    }
}

#[test]
fn who_signed_is_known_by_the_access_key() {
    let matcher = Matcher { identity: Some("app".into()), ..Matcher::default() };
    let rules = RuleSet::of(7, &[FaultPlan { matcher, ..fault("i", reset()) }]);
    rules.know_key("AKIDAPP", "app");
    let signer = |key: &str| rules.signer(&[("Authorization", &format!("AWS {key}:c2ln"))], "");
    assert_eq!(signer("AKIDAPP"), "", "while no rule asks");
    rules.switch(0, true);
    assert_eq!([signer("AKIDAPP"), signer("AKIDX"), rules.signer(&[], "")], ["app", "AKIDX", ""]);
}

#[test]
fn a_request_declares_its_size() {
    type Headers = &'static [(&'static str, &'static str)];
    let table: [(Headers, Option<u64>); 6] = [
        (&[("Content-Length", "12")], Some(12)),
        (&[("content-length", "99"), ("X-Amz-Decoded-Content-Length", "12")], Some(12)),
        (&[("Transfer-Encoding", "chunked"), ("x-amz-decoded-content-length", "12")], Some(12)),
        (&[("Transfer-Encoding", "chunked")], None),
        (&[("Content-Length", "many")], None),
        (&[], Some(0)),
    ];
    for (headers, wanted) in table {
        assert_eq!(declared_size(headers), wanted, "{headers:?}");
    }
}
