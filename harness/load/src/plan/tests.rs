use super::*;
use crate::workload::{ByteRange, Condition, RangeLaw, Tag, Writes};

fn workload(ops: Vec<(OpPlan, f64)>) -> Workload {
    let writes = Writes::under("readers", 64).unwrap();
    Workload { index: 2, ops, writes, ..crate::testing::workload(GET) }
}

fn pool() -> Pool {
    Pool::new(7)
}

const GET: OpPlan = OpPlan::GetObject { range: None };

#[test]
fn a_request_depends_on_its_number_only() {
    let pool = pool();
    let shares = vec![(GET, 0.7), (OpPlan::PutObject, 0.2), (OpPlan::DeleteObject, 0.1)];
    let (one, two) = (Arc::new(workload(shares.clone())), Arc::new(workload(shares)));
    for k in [0, 1, 77, 4_000_000] {
        let (a, b) = (one.plan(&pool, k), two.plan(&pool, k));
        assert_eq!((a.op, &a.key, &a.payload, a.expect), (b.op, &b.key, &b.payload, b.expect));
    }
}

#[test]
fn operations_have_their_shares() {
    let workload = workload(vec![(GET, 70.0), (OpPlan::HeadObject, 0.0), (OpPlan::PutObject, 30.0)]);
    let n = 100_000;
    let puts = (0..n).filter(|k| workload.op(*k).unwrap().op() == Op::PutObject).count() as f64;
    assert!((puts - 30_000.0).abs() < 4.0 * (f64::from(n) * 0.3 * 0.7).sqrt(), "{puts}");
    assert!((0..n).all(|k| workload.op(k).unwrap().op() != Op::HeadObject));
}

#[test]
fn reads_know_the_object_they_expect() {
    let pool = pool();
    let plan = Arc::new(workload(vec![(GET, 1.0)])).plan(&pool, 3);
    let index = plan.workload.population.index(&plan.key).unwrap();
    let content = pool.content("media", &plan.key, 0);
    assert_eq!(plan.expect, Expect::Object { index, content, size: 1000 });
}

#[test]
fn ranges_are_clipped_to_the_object() {
    let ranged = |first, last| {
        let op = OpPlan::GetObject { range: Some(RangeLaw::Fixed(ByteRange { first, last })) };
        Arc::new(workload(vec![(op, 1.0)])).plan(&pool(), 0).range
    };
    assert_eq!(ranged(10, 19), Some((10, 19)));
    assert_eq!(ranged(990, 5000), Some((990, 999)));
    assert_eq!(ranged(1000, 5000), Some((1000, 5000)), "left alone: the answer is 416");
}

#[test]
fn random_ranges_lie_within_and_suffixes_at_the_end() {
    let pool = pool();
    let ranged = |law| Arc::new(workload(vec![(OpPlan::GetObject { range: Some(law) }, 1.0)]));
    let random = ranged(RangeLaw::Random(300));
    let ranges: Vec<_> = (0..200).map(|k| random.plan(&pool, k).range.unwrap()).collect();
    assert!(ranges.iter().all(|(first, last)| last - first == 299 && *last < 1000), "{ranges:?}");
    assert!(ranges.iter().any(|(first, _)| *first < 100) && ranges.iter().any(|(first, _)| *first > 600));
    assert_eq!(ranged(RangeLaw::Random(5000)).plan(&pool, 0).range, Some((0, 999)));
    let suffix = ranged(RangeLaw::Suffix(10)).plan(&pool, 0);
    assert_eq!((suffix.range, suffix.from_end), (Some((990, 999)), true));
    assert_eq!(ranged(RangeLaw::Suffix(5000)).plan(&pool, 0).range, Some((0, 999)));
    let mut empty = workload(vec![(OpPlan::GetObject { range: Some(RangeLaw::Random(9)) }, 1.0)]);
    empty.population.sizes = gatecrash_model::SizeLaw::Fixed(0);
    assert_eq!(Arc::new(empty).plan(&pool, 0).range, None, "an empty object has no part");
}

#[test]
fn conditions_say_which_answer_is_due() {
    let pool = pool();
    let plan = |of, condition| {
        let op = OpPlan::Conditional { of: Box::new(of), condition };
        Arc::new(workload(vec![(op, 1.0)])).plan(&pool, 0)
    };
    let fresh = plan(GET, Condition::IfNoneMatch(Tag::Current));
    let etag = format!("\"{}\"", fresh.workload.population.etag(&fresh.key));
    assert_eq!((fresh.op, fresh.condition), (Op::GetObject, Some(("if-none-match", etag))));
    assert_eq!(fresh.due, ClientRecord::NOT_MODIFIED_DUE);
    assert_eq!(plan(OpPlan::HeadObject, Condition::IfMatch(Tag::Other)).due, ClientRecord::PRECONDITION_DUE);
    for harmless in
        [Condition::IfMatch(Tag::Current), Condition::IfMatch(Tag::Any), Condition::IfNoneMatch(Tag::Other)]
    {
        assert_eq!(plan(GET, harmless).due, 0, "{harmless:?}");
    }
    let new = plan(OpPlan::PutObject, Condition::IfNoneMatch(Tag::Any));
    assert_eq!((new.condition, new.due), (Some(("if-none-match", "*".to_owned())), 0));
}

#[test]
fn missing_keys_do_not_exist() {
    let pool = pool();
    let mut workload = workload(vec![(GET, 1.0)]);
    workload.missing = 0.25;
    let workload = Arc::new(workload);
    let plans: Vec<RequestPlan> = (0..4000).map(|k| workload.plan(&pool, k)).collect();
    let absent = plans.iter().filter(|p| p.expect == Expect::Absent).count();
    assert!((880..=1120).contains(&absent), "{absent}");
    for plan in plans {
        assert_eq!(plan.expect == Expect::Absent, workload.population.index(&plan.key).is_none());
    }
}

#[test]
fn an_upload_has_a_key_and_a_content_of_its_own() {
    let pool = pool();
    let plan = Arc::new(workload(vec![(OpPlan::PutObject, 1.0)])).plan(&pool, 9);
    assert_eq!(plan.key, "up/readers/9");
    let version = plan.id().pack() + 1;
    let content = pool.content("media", "up/readers/9", version);
    assert_eq!(plan.payload, Payload::Object { content, len: 64 });
}

#[test]
fn deletes_name_earlier_uploads_only() {
    let pool = pool();
    let ops = vec![(OpPlan::PutObject, 0.5), (OpPlan::DeleteObject, 0.25), (GET, 0.25)];
    let workload = Arc::new(workload(ops));
    for k in 20..400 {
        let plan = workload.plan(&pool, k);
        if plan.op == Op::DeleteObject {
            let victim = workload.writes.keys.index(&plan.key).unwrap();
            assert!(victim < k);
            assert_eq!(workload.plan(&pool, victim).op, Op::PutObject);
            assert_eq!(workload.deletes(k), [plan.key]);
        }
    }
}

#[test]
fn a_batch_names_distinct_uploads() {
    let pool = pool();
    let workload =
        Arc::new(workload(vec![(OpPlan::PutObject, 0.5), (OpPlan::DeleteObjects { keys: 10 }, 0.5)]));
    let k = (200..).find(|k| workload.op(*k).unwrap().op() == Op::DeleteObjects).unwrap();
    let mut keys = workload.deletes(k);
    let plan = workload.plan(&pool, k);
    assert_eq!((keys.len(), &plan.key, plan.query.as_str()), (10, &keys[0], "delete="));
    let Payload::Document(xml) = plan.payload else { panic!("no document") };
    let xml = String::from_utf8(xml).unwrap();
    assert!(keys.iter().all(|key| xml.contains(&format!("<Key>{key}</Key>"))), "{xml}");
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 10);
}

#[test]
fn deletes_without_any_upload_are_harmless() {
    let pool = pool();
    let workload = Arc::new(workload(vec![(OpPlan::DeleteObject, 1.0)]));
    assert_eq!(workload.plan(&pool, 0).key, "up/readers/0");
    assert!(workload.plan(&pool, 1000).key.starts_with("up/readers/"));
}

#[test]
fn lists_ask_for_the_common_prefix() {
    let op = OpPlan::ListObjectsV2 { prefix: None, max_keys: 50, pages: 1 };
    let plan = Arc::new(workload(vec![(op, 1.0)])).plan(&pool(), 0);
    assert_eq!(plan.query, "list-type=2&max-keys=50&prefix=img%2F");
}
