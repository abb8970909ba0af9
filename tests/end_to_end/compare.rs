//! Repeats, labels, baselines: silence where nothing changed, exit 6 and the name of what did.

use crate::support::{Desk, json, turn};

/// Bodies are cut short; `recompute-length` makes them look whole, which here only warns.
const CUT: &str = r#"
gatecrash: 1
name: cut
about: Bodies end early.
seed: 7
upstreams:
  us-east-1: {}
buckets:
  media: { in: [us-east-1], public: true, objects: { count: 20, key: "o/{n}", size: 16KiB } }
load:
  app: { open: { rate: 80/s }, bucket: media, ops: { GetObject: 100% }, timeout: 5s }
timeline:
  - { phase: before, for: 500ms }
  - phase: cut
    for: 1s
    inject:
      - { name: cut-body, probability: 50%, per: attempt, fault: { truncate: { at: 4KiB, with: fin } } }
expect:
  - { in: before, check: { success-rate: { min: 100% } } }
  - { in: cut, check: { body-complete: {} }, severity: warning }
"#;

#[test]
fn what_changed_is_named_and_noise_is_not() {
    let _turn = turn();
    let desk = Desk::new();
    let file = desk.file("cut.yaml", CUT);
    let done = desk
        .gatecrash(&[
            "run",
            "-q",
            &file,
            "--repeat",
            "3",
            "--label",
            "last-green",
            "--report",
            "json:all.json",
        ])
        .exits(0)
        .says("3 runs, all verdicts equal");
    assert!(done.stdout.contains("3 of 3 runs passed"), "{}", done.stdout);
    let repeats = &json(&desk.path().join("all.json"))["repeats"];
    assert_eq!(
        (repeats[0]["runs"].as_u64(), repeats[0]["exits"].as_array().map(Vec::len)),
        (Some(3), Some(3))
    );
    let label = json(&desk.path().join("runs/labels/last-green.json"));
    assert_eq!(label["runs"].as_array().map(Vec::len), Some(3));

    // The same again: no change, and the label moves on.
    let again = ["run", "-q", &file, "--repeat", "3", "--baseline", "last-green", "--label", "last-green"];
    let done = desk.gatecrash(&again).exits(0).says("nothing changed beyond noise");
    assert!(!done.stdout.contains("WORSE") && !done.stdout.contains("BETTER"), "{}", done.stdout);
    assert_ne!(json(&desk.path().join("runs/labels/last-green.json"))["runs"], label["runs"]);
    let done = desk.gatecrash(&["compare", "last-green", "last-green"]).exits(0);
    assert_eq!(done.stdout, "");

    // A defect: the run itself only warns, and the label stays.
    let label = json(&desk.path().join("runs/labels/last-green.json"));
    let defect = ["--defect", "recompute-length", "--baseline", "last-green", "--label", "last-green"];
    let done = desk.gatecrash(&[&["run", "-q", &file, "--out", "runs"][..], &defect].concat()).exits(6);
    let line = done.stdout.lines().find(|line| line.contains("WORSE") && line.contains("body-complete"));
    assert!(line.is_some_and(|line| line.contains("pass 3 -> warn")), "{}", done.stdout);
    assert!(done.stdout.contains("complete, but short"), "{}", done.stdout);
    assert!(done.stderr.contains("the label last-green stays"), "{}", done.stderr);
    let listed = desk.gatecrash(&["history"]).exits(0).stdout;
    assert_eq!((listed.lines().count(), listed.matches("[last-green]").count()), (7, 3), "{listed}");
    assert_eq!(json(&desk.path().join("runs/labels/last-green.json")), label);
}

#[test]
fn a_baseline_takes_turns_and_stored_runs_compare_in_every_format() {
    let _turn = turn();
    let desk = Desk::new();
    let file = desk.file("cut.yaml", CUT);
    let done = desk
        .gatecrash(&[
            "run",
            "-q",
            &file,
            "--defect",
            "recompute-length",
            "--against",
            "embedded",
            "--repeat",
            "2",
        ])
        .exits(6)
        .says("WORSE");
    assert_eq!(done.stderr.matches("(baseline): pass").count(), 2, "{}", done.stderr);
    let runs = desk.run_dirs();
    let plain = |run: &std::path::Path| json(&run.join("result.json"))["verdicts"][1]["outcome"] == "pass";
    let name = |good| {
        let run = runs.iter().find(|run| plain(run) == good).expect("a run");
        run.to_string_lossy().into_owned()
    };
    let (good, bad) = (name(true), name(false));
    desk.gatecrash(&["compare", &good, &bad, "--report", "json:changes.json", "--report", "junit"])
        .exits(6)
        .says("<failure");
    let changes = json(&desk.path().join("changes.json"));
    assert_eq!(changes["regressed"], true);
    let mut named = changes["changes"].as_array().expect("changes").iter();
    assert!(named.any(|c| c["what"] == "body-complete in cut" && c["weight"] == "regression"), "{changes:#}");
    desk.gatecrash(&["compare", &bad, &good]).exits(0).says("BETTER");

    desk.gatecrash(&["compare", &good, "no-such-label"]).exits(2).says("no label");
    desk.gatecrash(&["compare", &good, &bad, "--report", "html"]).exits(2).says("formats:");
    desk.gatecrash(&["run", &file, "--baseline", "no-such-label"]).exits(2).says("no label");
    std::fs::write(std::path::Path::new(&bad).join("plan.json"), "{").expect("damaged");
    desk.gatecrash(&["compare", &good, &bad]).exits(4).says("damaged");
}
