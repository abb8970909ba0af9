//! Pages as a reader sees them: opened from disk in a browser without a network, wide and narrow, light and dark. The
//! pictures are kept for people to look at, in `pages/` of the tests' folder of the target directory.

use std::path::Path;

use crate::browser::{Browser, Shown};
use crate::support::{Desk, turn};

const MEASURE: &str = include_str!("pages/measure.js");

/// One endpoint is slow, one in four throttled: bars, chips, charts and a failure.
const SCENARIO: &str = r#"
gatecrash: 1
name: page
about: Something for each part of the page.
seed: 5
upstreams:
  us-east-1: { endpoints: 2 }
buckets:
  media: { in: [us-east-1], public: true, objects: { count: 20, key: "o/{n}", size: 4KiB } }
load:
  app: { open: { rate: 120/s }, bucket: media, ops: { GetObject: 100% }, timeout: 5s }
timeline:
  - { phase: before, for: 1s }
  - phase: trouble
    for: 2s
    inject:
      - { name: slow-endpoint, target: { region: us-east-1, endpoint: 1 }, fault: { latency: { add: 40ms } } }
      - { name: slowdown, probability: 25%, fault: { s3-error: { code: SlowDown } } }
  - { phase: after, for: 1s }
expect:
  - { in: before, check: { success-rate: { min: 100% } } }
  - { in: trouble, check: { latency: { p50: { max: 1ms } } }, because: this one fails and is shown in full }
  - { in: trouble, check: { latency: { p99: { max: 900ms } } } }
"#;

#[test]
fn the_page_of_a_run_can_be_read() {
    let _turn = turn();
    if !crate::support::installed("chromium") {
        return;
    }
    let desk = Desk::new();
    let file = desk.file("page.yaml", SCENARIO);
    desk.gatecrash(&["run", "--quiet", &file]).exits(1);
    can_be_read("run", &desk.run_dir().join("report.html"));
    desk.expect_nothing_left();
}

/// Looks at a page in every way, keeps the pictures, and fails for whatever a reader would stumble over.
pub(crate) fn can_be_read(name: &str, page: &Path) {
    let Some(mut browser) = Browser::start() else { return };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    let mut wrong = Vec::new();
    for (width, dark) in [(1280, false), (1280, true), (400, false), (400, true)] {
        let shown = Shown { width, dark };
        let seen = browser.look(page, shown, MEASURE);
        let picture = folder.join(format!("{name}-{width}-{}.png", if dark { "dark" } else { "light" }));
        std::fs::write(&picture, decoded(&seen.picture)).expect("a picture");
        let measured = &seen.measured;
        assert!(measured["count"].as_u64().is_some_and(|texts| texts > 40), "hardly a page: {measured}");
        assert_eq!(measured["inner"], width, "{shown:?}");
        assert_eq!(measured["dark"], dark, "{shown:?}");
        if measured["wide"].as_u64() > Some(u64::from(width)) {
            wrong.push(format!("{shown:?}: the page is {} wide", measured["wide"]));
        }
        for (what, said) in [
            ("outside", "lies outside of the window"),
            ("faint", "has too little contrast"),
            ("small", "is too small"),
        ] {
            let found = measured[what].as_array().expect("a list");
            wrong.extend(found.iter().map(|text| format!("{shown:?}: {text} {said}")));
        }
        wrong.extend(seen.complaints.iter().map(|text| format!("{shown:?}: console: {text}")));
        let strangers =
            seen.asked.iter().filter(|url| !url.starts_with("file://") && !url.starts_with("data:"));
        wrong.extend(strangers.map(|url| format!("{shown:?}: asked for {url}")));
        assert!(seen.asked.iter().any(|url| url.starts_with("file://")), "nothing was opened");
    }
    assert!(wrong.is_empty(), "{} of {name}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Base64 of RFC 4648, section 4.
fn decoded(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        other => panic!("not base64: {other}"),
    };
    let digits: Vec<u8> = text.bytes().filter(|c| *c != b'=').map(value).collect();
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    for four in digits.chunks(4) {
        let bits =
            four.iter().fold(0u32, |bits, digit| bits << 6 | u32::from(*digit)) << (6 * (4 - four.len()));
        bytes.extend(&bits.to_be_bytes()[1..four.len()]);
    }
    bytes
}
