use std::io::Cursor;

use super::*;
use crate::golden::{Request, Story};
use crate::plan::SizePlan;
use crate::units::Size;

/// A line at a second, with what stands behind the key.
fn line(bucket: &str, second: u64, operation: &str, key: &str, rest: &str) -> String {
    let uri = "\"GET /x HTTP/1.1\"";
    format!(
        "own {bucket} [06/Feb/2026:00:00:{second:02} +0000] 192.0.2.3 - 3E57 {operation} {key} {uri} {rest}\n"
    )
}

fn get(second: u64, key: &str) -> String {
    line("media", second, "REST.GET.OBJECT", key, "200 - 700 700 1 1")
}

const ALL: Bounds<'_> = Bounds {
    bucket: None,
    own: "media",
    workload: None,
    skip: 0,
    length: u64::MAX,
    limit: usize::MAX,
    speed: 1.0,
};

fn read(text: &str, bounds: &Bounds<'_>) -> Result<Rebuilt, RebuildError> {
    rebuild(texts(vec![("access.log", text.to_owned())]), bounds)
}

fn texts(all: Vec<(&'static str, String)>) -> Log {
    let open = |(name, text): (&str, String)| {
        let text: Box<dyn BufRead> = Box::new(Cursor::new(text));
        (name.to_owned(), Ok(text))
    };
    Log::Texts(Box::new(all.into_iter().map(open)))
}

/// Of each request milliseconds, operation and key.
fn told(rebuilt: &Rebuilt) -> Vec<(u64, Kind, String)> {
    let script = &rebuilt.script;
    let kind = |place: u32| script.kinds[place as usize].clone();
    let key = |place: u32| script.keys.at(place).expect("a key").to_owned();
    let all = rebuilt.instants.iter().zip(&script.requests);
    all.map(|(at, (k, n))| (at / 1_000_000, kind(*k), key(*n))).collect()
}

#[test]
fn requests_of_one_second_are_spread_over_it_in_their_order() {
    let text = [get(12, "c"), get(10, "b"), get(10, "a"), get(10, "b"), get(10, "d")].concat();
    let rebuilt = read(&text, &ALL).expect("a log");
    let get = |at, key: &str| (at, Kind::Get, key.to_owned());
    assert_eq!(told(&rebuilt), [get(0, "b"), get(250, "a"), get(500, "b"), get(750, "d"), get(2000, "c")]);
    let fast = read(&text, &Bounds { speed: 2.0, ..ALL }).expect("a log");
    assert_eq!(fast.instants, [0, 125, 250, 375, 1000].map(|ms| ms * 1_000_000));
    let part = Bounds { skip: 500_000_000, length: SECOND, limit: 2, ..ALL };
    assert_eq!(told(&read(&text, &part).expect("a log")), [get(0, "b"), get(250, "d")]);
    let one = Bounds { limit: 1, ..part };
    assert_eq!(read(&text, &one).expect("a log").script.keys.len(), 1);
}

#[test]
fn what_was_read_before_it_was_written_was_there() {
    let text = [
        line("media", 1, "REST.HEAD.OBJECT", "head", "200 - - 90 1 1"),
        line("media", 1, "REST.GET.OBJECT", "part", "206 - 10 5000 1 1"),
        line("media", 2, "REST.PUT.OBJECT", "part", "200 - - 60 1 1"),
        line("media", 3, "REST.GET.OBJECT", "part", "200 - 9999 9999 1 1"),
        line("media", 3, "REST.PUT.OBJECT", "new", "200 - - 30 1 1"),
        line("media", 4, "REST.GET.OBJECT", "new", "200 - 30 30 1 1"),
        line("media", 4, "REST.GET.OBJECT", "none", "404 NoSuchKey 200 - 1 1"),
        line("media", 5, "REST.GET.OBJECT", "fresh", "304 - - - 1 1"),
        line("media", 5, "REST.DELETE.OBJECT", "new", "204 - - 30 1 1"),
    ];
    let rebuilt = read(&text.concat(), &ALL).expect("a log");
    let objects: Vec<_> = rebuilt.objects.iter().map(|(key, size)| (key.as_ref(), *size)).collect();
    assert_eq!(objects, [("fresh", None), ("head", Some(90)), ("part", Some(5000))]);
    assert_eq!(rebuilt.uploads, [0, 0, 60, 0, 30, 0, 0, 0, 0]);
    let changed: std::collections::BTreeSet<_> = rebuilt.script.changed().collect();
    assert_eq!(changed.into_iter().collect::<Vec<_>>(), ["new", "part"]);
}

#[test]
fn what_is_left_out_is_counted_by_name() {
    let uploads = line("media", 1, "REST.POST.UPLOADS", "a", "200 - 1 - 1 1");
    let copy = line("media", 1, "REST.COPY.OBJECT", "a", "200 - 1 - 1 1");
    let text = [uploads.as_str(), "cut off\n", &copy, "\n", &get(1, "a"), &uploads].concat();
    let rebuilt = read(&text, &ALL).expect("a log");
    let wanted = [("REST.POST.UPLOADS", 2), ("REST.COPY.OBJECT", 1)];
    assert_eq!(rebuilt.left_out, wanted.map(|(name, count)| (name.to_owned(), count)));
    assert_eq!((rebuilt.malformed, rebuilt.instants.len()), (1, 1));
    assert_eq!(rebuilt.shown, ["access.log:2: field 3 (time): expected more fields, found ``"]);
    let none = read(&[uploads, copy].concat(), &ALL).expect_err("nothing to replay").to_string();
    assert!(none.ends_with("only 1 of REST.COPY.OBJECT, 1 of REST.POST.UPLOADS"), "{none}");
}

#[test]
fn a_bucket_is_chosen() {
    let other = line("other", 1, "REST.GET.OBJECT", "o", "200 - 1 1 1 1");
    let third = line("third", 1, "REST.GET.OBJECT", "t", "200 - 1 1 1 1");
    let keys = |text: &str, bounds: &Bounds<'_>| read(text, bounds).map(|r| Vec::from(r.script.keys));
    let two = [get(1, "m"), other.clone()].concat();
    assert_eq!(keys(&two, &ALL).expect("its own"), ["m"]);
    assert_eq!(keys(&two, &Bounds { bucket: Some("other"), ..ALL }).expect("named"), ["o"]);
    assert_eq!(keys(&other, &ALL).expect("the only one"), ["o"]);
    let several = keys(&[other, third].concat(), &ALL).expect_err("which?").to_string();
    assert!(several.contains("the buckets other, third: name one, `bucket: other`"), "{several}");
    let wrong = keys(&two, &Bounds { bucket: Some("x"), ..ALL }).expect_err("none").to_string();
    assert_eq!(wrong, "it has no request to `x`, but to media, other");
}

#[test]
fn what_is_no_log_is_refused() {
    let json = read("{\"a\": 1}\n{\"b\": 2}\n", &ALL).expect_err("no log").to_string();
    assert!(
        json.starts_with("2 of 2 lines are none of an S3 server access log: access.log:1: field 3"),
        "{json}"
    );
    let packed = read("\u{1f}", &ALL).expect_err("no log");
    assert!(matches!(packed, RebuildError::NoLog { .. }));
    let gzip: Box<dyn BufRead> = Box::new(Cursor::new(vec![0x1f, 0x8b, 8, 0]));
    let log = Log::Texts(Box::new(std::iter::once(("a.gz".to_owned(), Ok(gzip)))));
    let said = rebuild(log, &ALL).expect_err("packed").to_string();
    assert_eq!(said, "a.gz is compressed: unpack it first");
    assert!(read("", &ALL).is_err());
}

#[test]
fn long_lines_are_cut_and_files_follow_each_other() {
    let long = get(2, "b").replace('\n', &format!(" {}\n", "x".repeat(200_000)));
    let log =
        texts(vec![("1", get(1, "a") + &long + &get(3, "c")), ("2", get(3, "d").trim_end().to_owned())]);
    let rebuilt = rebuild(log, &ALL).expect("a log");
    let keys: Vec<_> = told(&rebuilt).into_iter().map(|(at, _, key)| (at, key)).collect();
    let wanted = [(0, "a"), (1000, "b"), (2000, "c"), (2500, "d")];
    assert_eq!(keys, wanted.map(|(at, key)| (at, key.to_owned())));
}

#[test]
fn a_run_is_made_again_as_it_was_due() {
    let at = |ms: u64| Request::at(ms);
    let mut story = Story::new()
        .with(at(10).key("o/7"))
        .with(at(35).key("o/7").answer(206))
        .with(at(20).key("up/1").op(gatecrash_model::Op::PutObject))
        .with(at(40).op(gatecrash_model::Op::DeleteObjects));
    story.plan.workloads[0].write_size = SizePlan::Fixed(Size(77));
    let run = || Log::Run(Box::new((story.plan.clone(), story.history.clone())));
    let rebuilt = rebuild(run(), &ALL).expect("a run");
    let told: Vec<_> = told(&rebuilt).into_iter().map(|(at, kind, key)| (at, kind.op(), key)).collect();
    let (get, put) = (gatecrash_model::Op::GetObject, gatecrash_model::Op::PutObject);
    let wanted = [(0, get, "o/7"), (10, put, "up/1"), (25, get, "o/7")];
    assert_eq!(told, wanted.map(|(at, op, key)| (at, op, key.to_owned())));
    assert_eq!(rebuilt.uploads, [0, 77, 0]);
    assert_eq!(rebuilt.left_out, [("DeleteObjects".to_owned(), 1)]);
    assert_eq!(rebuilt.objects.len(), 1);
    assert!(rebuild(run(), &Bounds { workload: Some("other"), ..ALL }).is_err());
}
