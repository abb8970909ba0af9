//! Workloads out of logs, and keys out of files.

use gatecrash_core::plan::{KeysPlan, Plan, SizePlan};
use gatecrash_core::units::Span;
use gatecrash_model::Op;

use super::{Files, options, read_with};

const LOG: &str = "\
o media [06/Feb/2026:00:00:10 +0000] 192.0.2.3 - 3E57 REST.GET.OBJECT a \"GET /a HTTP/1.1\" 200 - 70 70 9 8
o media [06/Feb/2026:00:00:10 +0000] 192.0.2.3 - 3E58 REST.PUT.OBJECT b \"PUT /b HTTP/1.1\" 200 - - 500 9 8
o media [06/Feb/2026:00:00:11 +0000] 192.0.2.3 - 3E59 REST.GET.OBJECT b \"GET /b HTTP/1.1\" 200 - 500 500 9 8
o media [06/Feb/2026:00:00:12 +0000] 192.0.2.3 - 3E5A REST.HEAD.OBJECT c \"HEAD /c HTTP/1.1\" 200 - - 90 9 8
o media [06/Feb/2026:00:00:12 +0000] 192.0.2.3 - 3E5B REST.POST.UPLOADS c \"POST /c HTTP/1.1\" 200 - 90 - 9 8
";

fn read(load: &str, bucket: &str) -> Result<Plan, String> {
    let text = format!(
        "gatecrash: 1\nname: x\nbuckets: {{ media: {bucket} }}\nload:\n  app: {{ {load} }}\n\
         timeline: [{{ phase: a, for: 3s }}]\nexpect: [{{ check: {{ success-rate: {{ min: 99% }} }} }}]\n"
    );
    let files = Files([("a.log", LOG), ("no.log", "{}\n"), ("hot.txt", "o/000007 3\no/000001\n")].into());
    let loaded = read_with(&text, &files, &options()).map_err(|wrong| wrong.to_string())?;
    Ok(loaded.plans().remove(0))
}

#[test]
fn a_log_says_when_what_and_what_was_there() {
    let plan = read("from-log: a.log", "{}").expect("is right");
    let load = &plan.workloads[0];
    let trace = load.trace.as_ref().expect("arrivals");
    assert_eq!(trace.instants[..], [0, 500, 1000, 2000].map(|ms| ms * 1_000_000));
    let shares: Vec<_> = load.ops.iter().map(|op| (op.op, op.share.0)).collect();
    assert_eq!(shares, [(Op::GetObject, 0.5), (Op::PutObject, 0.25), (Op::HeadObject, 0.25)]);
    assert_eq!(load.write_size, SizePlan::Listed(vec![0, 500, 0, 0].into()));
    let replay = load.replay.as_ref().expect("a log");
    assert_eq!(replay.left_out, [("REST.POST.UPLOADS".to_owned(), 1)]);
    let listed = plan.buckets[0].listed.as_ref().expect("objects of the log");
    assert_eq!(
        (Vec::from(listed.keys.clone()), plan.buckets[0].objects),
        (vec!["a".to_owned(), "c".to_owned()], 2)
    );
    assert_eq!((Vec::from(listed.sizes.clone()), listed.changed.len()), (vec![70, 90], 0));

    let stored = serde_json::to_string(&plan).expect("plain data");
    let again: Plan = serde_json::from_str(&stored).expect("as stored");
    assert_eq!(again.buckets, plan.buckets);
    assert_eq!(again.workloads[0].write_size, load.write_size);
}

#[test]
fn a_part_of_a_log_faster_and_a_bucket_of_its_own() {
    let part = "from-log: { file: a.log, skip: 500ms, for: 1s, speed: 2x, max-in-flight: 7 }";
    let plan = read(part, "{ objects: { count: 5 } }").expect("is right");
    let load = &plan.workloads[0];
    assert_eq!(load.trace.as_ref().expect("arrivals").instants[..], [0, 250_000_000]);
    assert_eq!((load.max_in_flight, load.expected(Span::seconds(3))), (7, Some(2.0)));
    assert_eq!((plan.buckets[0].objects, plan.buckets[0].listed.as_ref()), (5, None));
}

#[test]
fn keys_come_from_a_file() {
    let load = "open: { rate: 9/s }, ops: { GetObject: 100% }, keys: { from-file: hot.txt }";
    let plan = read(load, "{}").expect("is right");
    let keys = KeysPlan::FromFile { file: "hot.txt".into(), weights: vec![(7, 3.0), (1, 1.0)] };
    assert_eq!(plan.workloads[0].keys, keys);
    let few = read(load, "{ objects: { count: 5 } }").expect_err("seven is too many");
    assert!(
        few.contains("line 1: `o/000007` is no object of the bucket `media`, which has `o/000000`"),
        "{few}"
    );
}

#[test]
fn what_cannot_be_is_refused() {
    let table = [
        ("from-log: a.log, open: { rate: 1/s }", "both `from-log` and `open`"),
        ("from-log: a.log, ops: { GetObject: 100% }", "both `from-log` and `ops`"),
        ("from-log: nowhere.log", "cannot use the log `nowhere.log`"),
        ("from-log: no.log", "1 of 1 lines are none of an S3 server access log: no.log:1: field 2 (bucket)"),
        ("from-log: { file: a.log, speed: 0x }", "invalid speed"),
        ("from-log: { file: a.log, speed: fast }", "expected a factor such as 2x"),
        ("from-log: { file: a.log, limit: 0 }", "`limit` is zero"),
        ("from-log: { file: a.log, bucket: other }", "it has no request to `other`, but to media"),
        ("from-log: { file: a.log, skip: 1h }", "there is no request in it"),
    ];
    for (load, said) in table {
        let wrong = read(load, "{}").err().unwrap_or_else(|| panic!("accepted: {load}"));
        assert!(wrong.contains(said), "`{said}` is not in:\n{wrong}");
    }
}
