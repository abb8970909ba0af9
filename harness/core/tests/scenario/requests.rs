//! What workloads ask for: the laws and details of requests, and what is refused of them.

use std::collections::BTreeMap;

use gatecrash_core::plan::{
    ConditionPlan, KeysPlan, OpPlan, PartsPlan, Plan, RangeLaw, RangePlan, SignPlan, SizePlan, TagPlan,
};
use gatecrash_core::units::{Share, Size, Span};
use gatecrash_model::Op;

use super::{Files, options, read, read_with, with};

const OPS: &str = "ops: { GetObject: 100% }";

/// The plan of the right file with a piece replaced; the file `sizes.txt` is there.
fn plan(from: &str, to: &str) -> Plan {
    let files = Files(BTreeMap::from([("sizes.txt", "# seen last week\n16KiB 90\n\n1000 10 # bytes\n")]));
    let loaded = read_with(&with(from, to), &files, &options());
    loaded.unwrap_or_else(|wrong| panic!("{}", wrong.render(false))).plans().remove(0)
}

#[test]
fn operations_take_details_and_lists_of_them() {
    let plan = plan(
        OPS,
        "ops:
      GetObject: [{ share: 30%, range: { random: 64KiB } }, { share: 10%, if-none-match: current }]
      HeadObject: { share: 10%, if-match: other }
      ListObjectsV2: { share: 20%, pages: 3 }
      PutObject: [{ share: 20% }, { share: 10%, parts: 4 }]",
    );
    let get = |share| OpPlan::plain(Op::GetObject, Share(share));
    let law = RangePlan::Law(RangeLaw::Random(Size(64 << 10)));
    let condition = |condition| Some(condition);
    let parts = Some(PartsPlan { count: 4, size: Size(5 << 20) });
    let put = |share| OpPlan::plain(Op::PutObject, Share(share));
    let wanted = [
        OpPlan { range: Some(law), ..get(0.3) },
        OpPlan { condition: condition(ConditionPlan::IfNoneMatch(TagPlan::Current)), ..get(0.1) },
        OpPlan {
            condition: condition(ConditionPlan::IfMatch(TagPlan::Other)),
            ..OpPlan::plain(Op::HeadObject, Share(0.1))
        },
        OpPlan { pages: 3, ..OpPlan::plain(Op::ListObjectsV2, Share(0.2)) },
        put(0.2),
        OpPlan { parts, ..put(0.1) },
    ];
    assert_eq!(plan.workloads[0].ops, wanted);
    assert_eq!(plan.workloads[0].stride(), 7, "create, four parts, complete, abort");
    let stored = serde_json::to_string(&plan).expect("plain data");
    assert_eq!(serde_json::from_str::<Plan>(&stored).expect("loads"), plan);
}

#[test]
fn keys_and_sizes_follow_laws() {
    let hot = plan("bucket: media", "bucket: media\n    keys: { hot-set: { keys: 1%, share: 90% } }");
    assert_eq!(hot.workloads[0].keys, KeysPlan::HotSet { keys: Share(0.01), share: Share(0.9) });
    let lognormal = plan("size: 8KiB", "size: { lognormal: { median: 24KiB, p99: 1MiB } }");
    let (median, p99, max) = (Size(24 << 10), Size(1 << 20), Size(4 << 20));
    assert_eq!(lognormal.buckets[0].size, SizePlan::Lognormal { median, p99, max });
    let listed = plan("size: 8KiB", "size: { from-file: sizes.txt }");
    let wanted = vec![(Size(16 << 10), Share(0.9)), (Size(1000), Share(0.1))];
    assert_eq!(listed.buckets[0].size, SizePlan::Weighted(wanted));
}

#[test]
fn objects_change_as_often_as_the_bucket_says() {
    let plan = plan("size: 8KiB", "size: 8KiB, change-every: 2s");
    assert_eq!(plan.buckets[0].change_every, Some(Span::seconds(2)));
    let population = plan.buckets[0].population(plan.seed).expect("a pattern");
    assert_eq!(population.change_every, Some(2_000_000_000));
    let asks = |condition: &str| {
        let changing = with("size: 8KiB", "size: 8KiB, change-every: 2s");
        let ops = format!("ops: {{ GetObject: {{ share: 100%, {condition} }} }}");
        read(&changing.replace(OPS, &ops)).map(|_| ()).map_err(|wrong| wrong.render(false))
    };
    assert_eq!(asks("if-none-match: previous"), Ok(()));
    assert_eq!(asks("if-match: other"), Ok(()));
    let shown = asks("if-match: current").expect_err("either answer is right");
    assert!(shown.contains("200 and 412 would both be right"), "{shown}");
}

#[test]
fn links_have_a_validity_and_an_age() {
    let sign = |text: &str| plan("as: app", &format!("as: app\n    sign: {text}")).workloads[0].sign;
    let presigned =
        |expires, age| SignPlan::Presigned { expires: Span::seconds(expires), age: Span::seconds(age) };
    assert_eq!(sign("presigned"), presigned(900, 0));
    assert_eq!(sign("{ presigned: { expires: 60s, age: 5s } }"), presigned(60, 5));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let get = |detail: &str| (OPS, format!("ops: {{ GetObject: {{ share: 100%, {detail} }} }}"));
    let put = |detail: &str| (OPS, format!("ops: {{ PutObject: {{ share: 100%, {detail} }} }}"));
    let size = |law: &str| ("size: 8KiB", format!("size: {law}"));
    let keys = |law: &str| ("bucket: media", format!("bucket: media\n    keys: {law}"));
    let sign = |law: &str| ("as: app", format!("as: app\n    sign: {law}"));
    let table = [
        (get("parts: 3"), "only PutObject takes it"),
        (get("pages: 3"), "only ListObjectsV2 takes it"),
        (get("if-match: other, if-none-match: any"), "two conditions"),
        (get("if-match: mine"), "mine"),
        (get("if-none-match: previous"), "expected `change-every` at the objects of the bucket"),
        (("size: 8KiB", "size: 8KiB, change-every: 10ms".to_owned()), "expected at least 100ms"),
        (put("range: 0-9"), "only GetObject takes it"),
        (put("parts: 0"), "expected 1 to 10000"),
        (put("parts: 2, part-size: 1MiB"), "S3 wants at least 5MiB of every part but the last"),
        (put("part-size: 5MiB"), "expected `parts` beside it"),
        (put("if-match: current"), "a condition that no upload meets"),
        ((OPS, "ops: { UploadPart: 100% }".to_owned()), "write `PutObject: { share: 10%, parts: 3 }`"),
        (size("{ lognormal: { median: 0B, p99: 1KiB } }"), "the median is zero"),
        (size("{ lognormal: { median: 2KiB, p99: 1KiB } }"), "`p99` is below the median"),
        (size("{ lognormal: { median: 1KiB, p99: 4KiB, max: 2KiB } }"), "`max` is below `p99`"),
        (size("{ from-file: gone.txt }"), "cannot read `gone.txt`"),
        (keys("{ hot-set: { keys: 0%, share: 90% } }"), "no key is hot"),
        (sign("{ presigned: { expires: 200h } }"), "at most 7 days"),
        (sign("{ presigned: { expires: 1500ms } }"), "expected whole seconds"),
    ];
    for ((from, to), why) in table {
        let wrong = read(&with(from, &to)).err().unwrap_or_else(|| panic!("`{to}` was accepted"));
        let shown = wrong.render(false);
        assert!(shown.contains(why), "{to}: {shown}");
    }
}
