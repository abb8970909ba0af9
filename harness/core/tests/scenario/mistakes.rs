//! Every kind of mistake, as it is shown. The snapshots are the reference of the messages.

use gatecrash_core::diagnostics::Level;

use super::{Files, RIGHT, options, read, read_with, with};

/// Shows what is wrong with the right file once a piece of it is replaced.
#[track_caller]
fn shown(from: &str, to: &str) -> String {
    let text = with(from, to);
    let wrong = read(&text).err().unwrap_or_else(|| panic!("`{to}` was accepted"));
    wrong.render(false)
}

macro_rules! mistakes {
    ($($name:ident: $from:literal => $to:literal;)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(shown($from, $to));
        }
    )*};
}

mistakes! {
    // The shape of the file.
    unknown_key: "probability: 20%" => "probablity: 20%";
    unknown_key_at_the_top: "gateway:\n  embedded: { preset: strict }" => "gatway: { embedded: {} }";
    missing_key: "- { phase: before, for: 5s }" => "- { phase: before }";
    duplicate_key: "    bucket: media\n" => "    bucket: media\n    bucket: other\n";
    wrong_version: "gatecrash: 1" => "gatecrash: 2";
    no_version: "gatecrash: 1\n" => "";
    list_instead_of_mapping: "us-east-1: { endpoints: 2 }" => "us-east-1: [2]";
    two_keys_where_one_belongs: "{ latency: { add: 100ms } }" => "{ latency: { add: 100ms }, swallow: {} }";
    fault_without_parameters: "{ latency: { add: 100ms } }" => "swallow";
    bad_indentation: "    as: app" => "   as: app";
    variable_in_braces: "{ rate: 50/s }" => "{ rate: ${rate} }";
    block_marker: "{ min: 99% }" => "{ min: >= 99% }";
    comma_in_braces: "check: { body-complete: {} }" => "check: { body-complete: {} }, because: first, and last";
    glob_read_as_alias: "{ op: GetObject }" => "{ key: *.bin }";

    // Quantities.
    bare_number: "for: 10s" => "for: 10";
    share_as_fraction: "probability: 20%" => "probability: 0.2";
    bare_rate: "rate: 50/s" => "rate: 50";
    size_without_unit: "size: 8KiB" => "size: 8192";
    word_for_number: "endpoints: 2 }" => "endpoints: two }";
    number_too_large: "endpoint: 2 }" => "endpoint: 70000 }";

    // Names that lead nowhere.
    unknown_bucket: "bucket: media" => "bucket: medai";
    unknown_region: "region: us-east-1" => "region: us-est-1";
    unknown_phase: "in: during" => "in: druing";
    unknown_identity: "as: app" => "as: apt";
    unknown_operation: "GetObject: 100%" => "GetObjct: 100%";
    unknown_preset: "preset: strict" => "preset: stict";
    unknown_defect: "preset: strict" => "defects: [zero-padd]";
    unknown_recipe: "embedded: { preset: strict }" => "recipe: { name: ngnix }";
    unknown_parameter: "embedded: { preset: strict }" => "recipe: { name: nginx, params: { try: 3 } }";
    unknown_variable: "rate: 50/s" => "rate: \"${rate}\"";
    no_such_endpoint: "endpoint: 2" => "endpoint: 3";
    unknown_identity_in_a_fault: "{ latency: { add: 100ms } }" => "{ rotate-key: { identity: ap } }";

    // Numbers that cannot be.
    shares_below_100: "GetObject: 100%" => "GetObject: 60%, HeadObject: 30%";
    fault_that_never_fires: "probability: 20%" => "probability: 0%";
    fault_longer_than_its_phase: "probability: 20%" => "for: 11s";
    fault_after_its_phase: "probability: 20%" => "at: 10s";
    fault_ends_before_it_begins: "probability: 20%" => "until: before";
    expectation_after_its_phase: "after: 1s" => "after: 10s";
    before_not_after_after: "after: 1s" => "after: 5s\n    before: 4s";
    bounds_reversed: "{ min: 99% }" => "{ min: 99%, max: 9% }";
    bounds_missing: "{ min: 99% }" => "{}";
    bounds_that_say_nothing: "success-rate: { min: 99% }" => "statuses: {}";
    bounds_out_of_range: "success-rate: { min: 99% }" => "amplification: { max: 0 }";
    zero_endpoints: "endpoints: 2" => "endpoints: 0";
    bad_key_pattern: "o/{n:04}" => "o/{number}";
    key_pattern_without_number: "o/{n:04}" => "o/x";
    bad_bucket_name: "  media: {" => "  Media: {";
    bad_range: "GetObject: 100%" => "GetObject: { share: 100%, range: 9-1 }";
    bad_zipf: "bucket: media" => "bucket: media\n    keys: { zipf: 0 }";
    deadline_before_the_end: "name: base" => "name: base\nguards: { deadline: 10s }";
    nothing_expected:
        "  - in: during\n    after: 1s\n    check: { success-rate: { min: 99% } }\n\
        \x20 - { check: { body-complete: {} } }\n"
        => "  []\n";

    // Things that do not go together.
    probability_of_an_interval: "{ latency: { add: 100ms } }" => "{ refuse: {} }";
    request_at_accept:
        "probability: 20%\n        fault: { latency: { add: 100ms } }"
        => "per: request\n        fault: { reset: { at: accept } }";
    upstream_status_before_the_answer: "{ op: GetObject }" => "{ upstream-status: 500 }";
    attempt_in_an_expectation: "after: 1s" => "match: { attempt: 1 }";
    signing_without_identity:
        "identities:\n  app: { allow: { actions: [\"s3:*\"], resources: [\"*\"] } }\nload:\n\
        \x20 readers:\n    open: { rate: 50/s }\n    as: app"
        => "load:\n  readers:\n    open: { rate: 50/s }\n    sign: client";
    identity_but_nobody_signs: "as: app" => "as: app\n    sign: none";
    dial_to_nowhere: "{ latency: { add: 100ms } }" => "{ routing-dial: { shares: { us-west-9: 100% } } }";
    dials_all_at_zero: "{ latency: { add: 100ms } }" => "{ routing-dial: { shares: { us-east-1: 0% } } }";
    replication_of_what_is_not_replicated:
        "{ latency: { add: 100ms } }" => "{ replication: { bucket: media, mode: pause } }";
    replication_changes_nothing: "{ latency: { add: 100ms } }" => "{ replication: { bucket: media } }";
    redirect_with_another_status: "{ latency: { add: 100ms } }" => "{ redirect: { status: 302 } }";
    identity_of_nobody: "{ op: GetObject }" => "{ identity: apt }";
    age_in_the_mock:
        "match: { op: GetObject }\n        probability: 20%\n        fault: { latency: { add: 100ms } }"
        => "match: { connection: { age: { min: 1s } } }\n        fault: { s3-error: { code: SlowDown } }";
    size_of_nothing: "{ op: GetObject }" => "{ size: { min: 2KiB, max: 1KiB } }";
    size_in_an_expectation: "after: 1s" => "match: { size: { min: 2KiB } }";
    query_in_an_expectation: "after: 1s" => "match: { query: { uploads: \"*\" } }";
    ramp_from_nowhere: "probability: 20%" => "ramp: { to: 50%, over: 5s }";
    ramp_to_where_it_begins: "probability: 20%" => "probability: 20%\n        ramp: { to: 20%, over: 5s }";
    rate_both_ways: "probability: 20%" => "rate: { above: 5/s, at-most: 5/s }";
    rate_of_nothing: "probability: 20%" => "rate: { at-most: 0/s }";
    no_first: "probability: 20%" => "first: 0";
    rate_of_an_interval: "probability: 20%\n        fault: { latency: { add: 100ms } }"
        => "rate: { at-most: 5/s }\n        fault: { refuse: {} }";
    region_of_the_clients: "endpoint: 2 }" => "side: client }";
    refusal_on_the_clients_side: "{ region: us-east-1, endpoint: 2 }\n        match: { op: GetObject }\n        probability: 20%\n        fault: { latency: { add: 100ms } }"
        => "{ side: client }\n        fault: { reset: { at: accept } }";
    garbage_on_the_clients_side: "{ region: us-east-1, endpoint: 2 }\n        match: { op: GetObject }\n        probability: 20%\n        fault: { latency: { add: 100ms } }"
        => "{ side: client }\n        fault: { malformed: { kind: status-000 } }";
    slow_request_on_the_upstreams_side: "{ latency: { add: 100ms } }" => "{ slow-request: { bytes: 1B, every: 1s } }";
    part_in_an_expectation: "after: 1s" => "match: { part: 1 }";
    bucket_policy_changes_nothing: "{ latency: { add: 100ms } }" => "{ bucket-policy: { bucket: media } }";
    two_phases_of_one_name: "phase: after" => "phase: before";
    two_faults_of_one_name:
        "  - { phase: after, for: 5s }"
        => "  - { phase: after, for: 5s, inject: [{ name: slow, fault: { swallow: {} } }] }";
    no_primary_region: "us-east-1: { endpoints: 2 }" => "us-east-1: { endpoints: 2, role: standby }";

    // Policies.
    unknown_policy_key:
        "media: { objects:"
        => "media: { policy: { Statement: [{ Effect: Allow, Principle: \"*\", Action: \"s3:*\",\x20\
        Resource: \"*\" }] }, objects:";
    bad_policy_effect:
        "media: { objects:"
        => "media: { policy: { Statement: [{ Effect: Permit, Principal: \"*\", Action: \"s3:*\",\x20\
        Resource: \"*\" }] }, objects:";
    unknown_condition_operator:
        "media: { objects:"
        => "media: { policy: { Statement: [{ Effect: Deny, Principal: \"*\", Action: \"s3:*\",\x20\
        Resource: \"*\", Condition: { StringNotEqual: { \"aws:SourceVpce\": \"vpce-1\" } } }] }, objects:";

    // Not yet.
    replication_lag_not_yet: "media: { objects:" => "media: { replication-lag: 2s, objects:";
    nothing_sent: "    ops: { GetObject: 100% }\n" => "";
    journeys_without_users: "    ops: { GetObject: 100% }"
        => "    journeys: { a: { weight: 0, steps: [delete, { range: 9-1 }] }, b: { steps: [], think: 1us } }";
    journeys_and_operations: "    ops: { GetObject: 100% }"
        => "    ops: { GetObject: 100% }\n    journeys: { a: { steps: [get] } }\n    client: { engine: native }";
    journeys_are_gooses: "    ops: { GetObject: 100% }"
        => "    ops: { GetObject: 100% }\n    client: { engine: goose }\n    thresholds: [p95<1s]";
    users_change_at_whole_seconds: "    open: { rate: 50/s }\n    as: app\n    bucket: media\n    ops: { GetObject: 100% }"
        => "    closed: { users: 2, think: { mean: 1s }, ramp: { to: 8, over: 2500ms } }\n    journeys: { a: { steps: [get] } }";
    parts_of_a_step: "    open: { rate: 50/s }\n    as: app\n    bucket: media\n    ops: { GetObject: 100% }"
        => "    closed: { users: 2 }\n    journeys: { a: { steps: [{ multipart: { parts: 0, part-size: 1MiB } }, { multipart: { parts: 2, part-size: 1MiB } }] } }";
    no_connections: "bucket: media" => "bucket: media\n    client: { keep-alive: false, connections: 0 }";
    native_retries: "bucket: media" => "bucket: media\n    client: { retries: standard-2026, addressing: virtual-host }";
    sdk_connections: "bucket: media" => "bucket: media\n    client: { engine: aws-sdk, connections: 8 }";
    http2_through_the_sdk: "bucket: media" => "bucket: media\n    client: { engine: aws-sdk, http: 2 }";
    http2_without_sharing: "bucket: media" => "bucket: media\n    client: { http: 2, keep-alive: false }";
    expectations_over_http2: "bucket: media" => "bucket: media\n    client: { http: 2, expect-continue: 1s }";
    expectations_of_the_sdk: "bucket: media" => "bucket: media\n    client: { engine: aws-sdk, expect-continue: 1s }";
    http_3: "bucket: media" => "bucket: media\n    client: { http: 3 }";
    abort_when_not_yet: "name: base" => "name: base\nguards: { abort-when: {} }";
    preset_not_yet: "preset: strict" => "preset: cloudfront";
    operation_not_yet: "GetObject: 100%" => "GetObject: 50%, ListBuckets: 50%";
}

#[test]
fn unknown_faults_and_checks_are_told_by_name() {
    let table = [
        ("{ latency: { add: 100ms } }", "{ swalow: {} }", "unknown fault `swalow`"),
        ("{ success-rate: { min: 99% } }", "{ succes-rate: {} }", "unknown check `succes-rate`"),
    ];
    for (from, to, message) in table {
        let wrong = read(&with(from, to)).expect_err("is wrong");
        let messages: Vec<_> = wrong.iter().map(|d| d.message.as_str()).collect();
        assert_eq!(messages, [message]);
    }
    let wrong = read(&with("{ latency: { add: 100ms } }", "{ swalow: {} }")).expect_err("is wrong");
    assert_eq!(wrong.iter().next().map(|d| d.label.as_str()), Some("did you mean `swallow`?"));
}

#[test]
fn not_everything_on_the_clients_side_speaks_http_2() {
    let over_http2 = with("bucket: media", "bucket: media\n    client: { http: 2 }");
    assert!(read(&over_http2).is_ok());
    let refused = |from: &str, to: &str| read(&over_http2.replace(from, to)).expect_err("is wrong");
    let by_haproxy = refused("embedded: { preset: strict }", "recipe: { name: haproxy }");
    assert!(by_haproxy.is_about_the_gateway(), "another gateway could run it");
    insta::assert_snapshot!(by_haproxy.render(false));
    insta::assert_snapshot!(refused("embedded: { preset: strict }", "recipe: { name: nginx }").render(false));
    let on_clients = refused("{ region: us-east-1, endpoint: 2 }", "{ side: client }");
    insta::assert_snapshot!(on_clients.render(false));
    let to_nginx = over_http2
        .replace("{ http: 2 }", "{ http: 2, tls: true }")
        .replace("embedded: { preset: strict }", "recipe: { name: nginx }");
    assert!(read(&to_nginx).is_ok());
}

#[test]
fn the_gateway_has_to_be_able_to_do_what_is_asked() {
    let text = with("embedded: { preset: strict }", "recipe: { name: haproxy }")
        .replace("as: app", "as: app\n    sign: gateway")
        .replace("        match: { op: GetObject }\n        probability: 20%\n", "")
        .replace("{ latency: { add: 100ms } }", "{ misconfigure: { bucket: no-such } }");
    let wrong = read(&text).expect_err("is wrong");
    assert!(wrong.is_about_the_gateway(), "another gateway could run it");
    insta::assert_snapshot!(wrong.render(false));
    let mut options = options();
    options.gateway = Some("embedded".into());
    assert!(read_with(&text, &Files::default(), &options).is_ok());
    options.gateway = Some("haproxy".into());
    let both = text.replace("bucket: media", "bucket: medai");
    assert!(!read_with(&both, &Files::default(), &options).expect_err("is wrong").is_about_the_gateway());
}

/// Ten mistakes in one file, shown together.
#[test]
fn ten_at_once() {
    let text = RIGHT
        .replace("preset: strict", "preset: stict")
        .replace("endpoints: 2 }", "endpoints: 20 }")
        .replace("o/{n:04}", "o/{}")
        .replace("bucket: media", "bucket: medai")
        .replace("GetObject: 100%", "GetObject: 90%")
        .replace("as: app", "as: ap")
        .replace("region: us-east-1", "region: eu-east-1")
        .replace("probability: 20%", "probability: 0%")
        .replace("in: during", "in: druing")
        .replace("{ min: 99% }", "{ min: 99%, max: 98% }");
    let wrong = read(&text).expect_err("is wrong");
    assert_eq!(wrong.errors(), 10, "{wrong}");
    insta::assert_snapshot!(wrong.render(false));
}

/// Names are looked up beside mistakes of shape, too; what was cut out with those is not missed.
#[test]
fn names_and_shapes_at_once() {
    let text = RIGHT
        .replace("GetObject: 100%", "GetObjet: 100%")
        .replace("{ latency: { add: 100ms } }", "{ latancy: { add: 100ms } }")
        .replace("success-rate: { min", "sucess-rate: { min");
    let wrong = read(&text).expect_err("is wrong");
    let messages: Vec<_> = wrong.iter().map(|d| d.message.as_str()).collect();
    let three = ["unknown operation `GetObjet`", "unknown fault `latancy`", "unknown check `sucess-rate`"];
    assert_eq!(messages, three, "{wrong}");

    // The phase `during` goes with its length, and the expectation of it is no second mistake.
    let text = RIGHT.replace("GetObject: 100%", "GetObject: 90%").replace("for: 10s", "for: 10");
    let wrong = read(&text).expect_err("is wrong");
    let messages: Vec<_> = wrong.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(messages.len(), 2, "{wrong}");
    assert!(messages[0].contains("sum to 90%") && messages[1].contains("`10`"), "{wrong}");
}

/// A mistake deep in a file has no echo around it.
#[test]
fn one_mistake_is_one_message() {
    let table = [
        ("{ add: 100ms }", "{ add: 100 }"),
        ("{ add: 100ms }", "{ ad: 100ms }"),
        ("{ latency: { add: 100ms } }", "{ malformed: { kind: nonsense } }"),
        ("{ latency: { add: 100ms } }", "{ reset: { at: { bytes: 5 } } }"),
        ("{ latency: { add: 100ms } }", "{}"),
        ("{ latency: { add: 100ms } }", "[]"),
        ("{ min: 99% }", "{ min: 0.99 }"),
        ("size: 8KiB", "size: { weighted: { 8KiB: 1 } }"),
        ("size: 8KiB", "size: { weihgted: { 8KiB: 100% } }"),
        ("size: 8KiB", "size: {}"),
        ("GetObject: 100%", "GetObject: { share: 1 }"),
        ("bucket: media", "bucket: media\n    keys: { zipf: steep }"),
        ("bucket: media", "bucket: media\n    keys: unifrom"),
        ("preset: strict", "preset: { strict: 1 }"),
        ("- { phase: before, for: 5s }", "- { phase: before, fro: 5s }"),
        (
            "allow: { actions: [\"s3:*\"], resources: [\"*\"] }",
            "allow: { actions: \"s3:*\", resources: [\"*\"] }",
        ),
        ("allow: { actions: [\"s3:*\"], resources: [\"*\"] }", "allow: all"),
    ];
    for (from, to) in table {
        let wrong = read(&with(from, to)).err().unwrap_or_else(|| panic!("`{to}` was accepted"));
        assert_eq!(wrong.len(), 1, "`{to}`: {wrong}");
    }
}

/// A file that is wrong all over does not flood the terminal.
#[test]
fn fifty_are_enough() {
    let fault = "      - { fault: { latency: { add: 1 } } }\n";
    let text = with("  - { phase: after, for: 5s }\n", &fault.repeat(80));
    assert_eq!(read(&text).expect_err("is wrong").len(), 50);
}

/// Mistakes in the shape of a file are shown together too.
#[test]
fn several_of_shape() {
    let text = RIGHT
        .replace("endpoints: 2 }", "endpionts: 2 }")
        .replace("count: 100", "count: many")
        .replace("rate: 50/s", "rate: 50")
        .replace("- { phase: before, for: 5s }", "- { phase: before, lasts: 5s }")
        .replace("probability: 20%", "probability: 0.2")
        .replace("after: 1s", "after: 1");
    insta::assert_snapshot!(read(&text).expect_err("is wrong").render(false));
}

#[test]
fn options_of_the_command_line_are_shown_too() {
    let mut options = options();
    options.set = vec![
        ("load.readers.open.rate".into(), "50".into()),
        ("load.readers.open.speed".into(), "5/s".into()),
        ("vars.rate".into(), "5/s".into()),
    ];
    let wrong = read_with(RIGHT, &Files::default(), &options).expect_err("is wrong");
    insta::assert_snapshot!("set_variable", wrong.render(false));
    options.set.pop();
    let wrong = read_with(RIGHT, &Files::default(), &options).expect_err("is wrong");
    insta::assert_snapshot!("set_path", wrong.render(false));
    options.set.clear();
    options.defects = vec!["zero-pad".into(), "nonsense".into()];
    options.gateway = Some("nginx".into());
    let wrong = read_with(RIGHT, &Files::default(), &options).expect_err("is wrong");
    insta::assert_snapshot!("defect_on_nginx", wrong.render(false));
    options.defects.clear();
    options.gateway = Some("ngnix".into());
    let wrong = read_with(RIGHT, &Files::default(), &options).expect_err("is wrong");
    insta::assert_snapshot!("unknown_gateway", wrong.render(false));
}

#[test]
fn warnings_do_not_stop_a_run() {
    let text = RIGHT
        .replace("name: base", "name: base\nvars: { rate: 5/s }")
        .replace("identities:\n", "identities:\n  other: {}\n")
        .replace("buckets:\n", "buckets:\n  spare: {}\n")
        .replace("{ op: GetObject }", "{ op: DeleteObject }");
    let loaded = read(&text).expect("is right");
    assert!(loaded.warnings.iter().all(|d| d.level == Level::Warning));
    insta::assert_snapshot!(loaded.warnings.render(false));
}

#[test]
fn json_has_the_place() {
    let wrong = read(&with("probability: 20%", "probablity: 20%")).expect_err("is wrong");
    let json = wrong.to_json();
    assert_eq!(json[0]["file"], "scenarios/x.yaml");
    assert_eq!(json[0]["line"], 26);
    assert_eq!(json[0]["column"], 9);
    assert_eq!(json[0]["level"], "error");
    assert_eq!(json[0]["message"], "unknown key `probablity`");
    assert_eq!(json[0]["label"], "did you mean `probability`?");
}

#[test]
fn colour_is_a_choice() {
    let wrong = read(&with("probability: 20%", "probablity: 20%")).expect_err("is wrong");
    assert!(wrong.render(true).contains('\u{1b}'));
    assert!(!wrong.render(false).contains('\u{1b}'));
}

/// Where the pieces come from that a careless hand puts into a file.
const PIECES: [&str; 16] = [
    "\n",
    "  ",
    ":",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "${",
    "\u{fc}\u{1f980}",
    "*x",
    "&x ",
    "99999999999999999999h",
    "\t",
];

mod any_text {
    use proptest::prelude::*;

    use super::{PIECES, RIGHT, read};

    /// Where, how many bytes, and what stands there instead.
    fn edit() -> impl Strategy<Value = (prop::sample::Index, usize, &'static str)> {
        (any::<prop::sample::Index>(), 0usize..12, prop::sample::select(&PIECES[..]))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

        /// Whatever stands in a file, it is read or explained; nothing panics.
        #[test]
        fn is_read_or_explained(
            edits in proptest::collection::vec(edit(), 1..4),
        ) {
            let mut text = RIGHT.to_owned();
            for (at, len, piece) in edits {
                let start = text.floor_char_boundary(at.index(text.len() + 1));
                let end = text.floor_char_boundary((start + len).min(text.len()));
                text.replace_range(start..end, piece);
            }
            if let Err(wrong) = read(&text) {
                prop_assert!(wrong.errors() > 0);
                prop_assert!(wrong.render(false).contains("error: "));
                prop_assert!(wrong.to_json().as_array().is_some_and(|list| list.len() == wrong.len()));
            }
        }
    }
}
