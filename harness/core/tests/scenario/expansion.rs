//! Variables, matrix, `--set`, fragments and options: what holds over what.

use gatecrash_core::plan::GatewayPlan;
use gatecrash_core::units::{Rate, Size, Span};

use super::{Files, RIGHT, options, plan, read, read_with, with};

fn matrix(extra: &str) -> String {
    with("name: base", &format!("name: base\nmatrix:\n  gw: [nginx, haproxy]\n  odds: [5%, 20%]\n{extra}"))
        .replace("embedded: { preset: strict }", "recipe: { name: \"${gw}\" }")
        .replace("probability: 20%", "probability: ${odds}")
}

fn cases(text: &str) -> Vec<String> {
    let loaded = read(text).unwrap_or_else(|wrong| panic!("{wrong}"));
    loaded.plans().into_iter().map(|p| p.case).collect()
}

#[test]
fn a_matrix_is_a_product() {
    let wanted = ["gw=nginx,odds=5%", "gw=nginx,odds=20%", "gw=haproxy,odds=5%", "gw=haproxy,odds=20%"];
    assert_eq!(cases(&matrix("")), wanted);
    let loaded = read(&matrix("")).expect("is right");
    let last = loaded.plans().pop().expect("four cases");
    assert_eq!(last.title(), "base[gw=haproxy,odds=20%]");
    assert!(matches!(&last.gateway, GatewayPlan::Recipe { name, .. } if name == "haproxy"));
    assert_eq!(last.faults[0].probability.to_string(), "20%");
}

#[test]
fn cases_are_excluded_and_included() {
    let text = matrix("  exclude: [{ gw: haproxy }]\n  include: [{ odds: 1%, gw: haproxy }]\n");
    assert_eq!(cases(&text), ["gw=nginx,odds=5%", "gw=nginx,odds=20%", "gw=haproxy,odds=1%"]);
    let wrong = read(&matrix("  exclude: [{ gateway: haproxy }]\n  include: [{ gw: haproxy }]\n"))
        .expect_err("is wrong");
    insta::assert_snapshot!(wrong.render(false));
    assert!(read(&matrix("  exclude: [{ gw: haproxy }, { gw: nginx }]\n")).is_err());
}

#[test]
fn a_mistake_in_every_case_is_shown_once() {
    let wrong = read(&matrix("").replace("bucket: media", "bucket: medai")).expect_err("is wrong");
    assert_eq!(wrong.len(), 1, "{wrong}");
}

#[test]
fn too_many_cases_are_refused() {
    let values = (0..17).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let text = with("name: base", &format!("name: base\nmatrix: {{ a: [{values}], b: [{values}] }}"));
    let wrong = read(&text).expect_err("is wrong");
    assert!(wrong.iter().any(|d| d.message == "too many cases"), "{wrong}");
}

#[test]
fn variables_go_anywhere_in_a_value() {
    let text = with(
        "name: base",
        "name: base\nvars: { n: 4, where: east, unit: KiB }\nabout: pay $${n} to ${where}",
    )
    .replace("us-east-1: { endpoints: 2 }", "us-east-1: { endpoints: \"${n}\" }")
    .replace("region: us-east-1", "region: \"us-${where}-1\"")
    .replace("size: 8KiB", "size: '8${unit}'");
    let plan = plan(&text);
    assert_eq!(plan.about, "pay ${n} to east");
    assert_eq!(plan.regions[0].endpoints, 4);
    assert_eq!(plan.faults[0].region, Some(0));
    assert_eq!(plan.buckets[0].size, gatecrash_core::plan::SizePlan::Fixed(Size(8192)));
}

#[test]
fn set_wins_over_matrix_over_vars() {
    let text = with("name: base", "name: base\nvars: { rate: 1/s, odds: 1% }\nmatrix: { rate: [2/s, 3/s] }")
        .replace("{ rate: 50/s }", "{ rate: \"${rate}\" }")
        .replace("probability: 20%", "probability: ${odds}");
    let rates = |set: &[(&str, &str)]| {
        let mut options = options();
        options.set = set.iter().map(|(p, v)| (p.to_string(), v.to_string())).collect();
        let loaded = read_with(&text, &Files::default(), &options).unwrap_or_else(|wrong| panic!("{wrong}"));
        loaded.plans().into_iter().map(|p| p.workloads[0].segments[0].rate).collect::<Vec<_>>()
    };
    assert_eq!(rates(&[]), [2.0, 3.0].map(Rate));
    assert_eq!(rates(&[("vars.rate", "7/s")]), [7.0].map(Rate));
    assert_eq!(rates(&[("load.readers.open.rate", "9/s")]), [9.0, 9.0].map(Rate));
    assert_eq!(
        rates(&[("load.readers.open.rate", "9/s"), ("load.readers.open.rate", "8/s")]),
        [8.0, 8.0].map(Rate)
    );
}

#[test]
fn set_reaches_lists_and_makes_mappings() {
    let mut options = options();
    let set = [
        ("timeline.during.for", "20s"),
        ("timeline.1.inject.slow.probability", "50%"),
        ("guards.generator.max-dropped", "5%"),
        ("tags", "[a, b]"),
        ("about", "a = b"),
    ];
    options.set = set.iter().map(|(p, v)| (p.to_string(), v.to_string())).collect();
    let loaded = read_with(RIGHT, &Files::default(), &options).unwrap_or_else(|wrong| panic!("{wrong}"));
    let plan = loaded.plans().remove(0);
    assert_eq!(plan.length(), Span::seconds(30));
    assert_eq!(plan.faults[0].probability.0, 0.5);
    assert_eq!(plan.guards.max_dropped.0, 0.05);
    assert_eq!(plan.tags, ["a", "b"]);
    assert_eq!(plan.about, "a = b");
    for bad in [("timeline.nowhere.for", "5s"), ("name.deeper", "x"), ("matrix.gw", "x"), ("", "x")] {
        options.set = vec![(bad.0.to_owned(), bad.1.to_owned())];
        assert!(read_with(RIGHT, &Files::default(), &options).is_err(), "{bad:?}");
    }
}

#[test]
fn seed_gateway_and_defects_of_the_command_line_hold() {
    let mut options = options();
    options.seed = Some(99);
    options.defects = vec!["zero-pad".into(), "retry-4xx".into()];
    let text = with("preset: strict", "defects: [zero-pad], params: { tries: 3 }");
    let plan = read_with(&text, &Files::default(), &options).expect("is right").plans().remove(0);
    assert_eq!(plan.seed, 99);
    let GatewayPlan::Embedded { preset, defects, params, defect_rate } = &plan.gateway else {
        panic!("embedded")
    };
    assert_eq!((preset.as_str(), params["tries"].as_str(), defect_rate.0), ("strict", "3", 1.0));
    assert_eq!(defects, &["zero-pad", "retry-4xx"]);
    options.defects.clear();
    options.gateway = Some("nginx".into());
    let plan = read_with(&text, &Files::default(), &options).expect("is right").plans().remove(0);
    assert!(
        matches!(&plan.gateway, GatewayPlan::Recipe { name, params, .. } if name == "nginx" && params.is_empty())
    );
    options.gateway = Some("embedded".into());
    let recipe = with("embedded: { preset: strict }", "recipe: { name: nginx }");
    let plan = read_with(&recipe, &Files::default(), &options).expect("is right").plans().remove(0);
    assert!(matches!(&plan.gateway, GatewayPlan::Embedded { preset, .. } if preset == "strict"));
    options.gateway = Some("nginx".into());
    let tuned = with("embedded: { preset: strict }", "recipe: { name: nginx, params: { tries: 3 } }");
    let plan = read_with(&tuned, &Files::default(), &options).expect("is right").plans().remove(0);
    assert!(matches!(&plan.gateway, GatewayPlan::Recipe { params, .. } if params["tries"] == "3"));
    options.gateway = Some("nginx@1.24".into());
    let plan = read_with(&tuned, &Files::default(), &options).expect("is right").plans().remove(0);
    let GatewayPlan::Recipe { version, params, .. } = &plan.gateway else { panic!("a recipe") };
    assert_eq!((version.as_deref(), params["tries"].as_str()), (Some("1.24"), "3"));
    options.gateway = None;
    let versioned = with("embedded: { preset: strict }", "recipe: { name: nginx, version: 1.22 }");
    let plan = read_with(&versioned, &Files::default(), &options).expect("is right").plans().remove(0);
    assert!(
        matches!(&plan.gateway, GatewayPlan::Recipe { version, .. } if version.as_deref() == Some("1.22"))
    );
}

/// `--gateway nginx --set gateway.recipe.params.tries=2` needs no recipe in the file.
#[test]
fn a_gateway_of_the_command_line_can_be_set() {
    let mut options = options();
    options.gateway = Some("nginx@1.24".into());
    options.set = vec![("gateway.recipe.params.tries".into(), "2".into())];
    let haproxy = with("embedded: { preset: strict }", "recipe: { name: haproxy, params: {} }");
    for text in [RIGHT, &haproxy, &RIGHT.replace("gateway:\n  embedded: { preset: strict }\n", "")] {
        let plan = read_with(text, &Files::default(), &options).expect("is right").plans().remove(0);
        let GatewayPlan::Recipe { name, version, params } = &plan.gateway else { panic!("a recipe") };
        assert_eq!(
            (name.as_str(), version.as_deref(), params["tries"].as_str()),
            ("nginx", Some("1.24"), "2")
        );
    }
    let tuned = with("embedded: { preset: strict }", "recipe: { name: nginx, params: { read-timeout: 2s } }");
    let plan = read_with(&tuned, &Files::default(), &options).expect("is right").plans().remove(0);
    assert!(
        matches!(&plan.gateway, GatewayPlan::Recipe { params, .. } if params.len() == 2),
        "{:?}",
        plan.gateway
    );
    options.gateway = Some("embedded".into());
    options.set = vec![("gateway.embedded.params.tries".into(), "2".into())];
    let plan = read_with(&haproxy, &Files::default(), &options).expect("is right").plans().remove(0);
    assert!(matches!(&plan.gateway, GatewayPlan::Embedded { params, .. } if params["tries"] == "2"));
}

#[test]
fn a_scenario_for_some_gateways_is_skipped_on_others() {
    let mut options = options();
    let text = with("embedded: { preset: strict }", "recipe: { name: nginx }")
        .replace("name: base\n", "name: base\nonly-on: [nginx]\n");
    assert!(read_with(&text, &Files::default(), &options).is_ok());
    for other in ["embedded", "haproxy"] {
        options.gateway = Some(other.into());
        let wrong = read_with(&text, &Files::default(), &options).expect_err("is for nginx");
        assert!(wrong.is_about_the_gateway(), "{wrong}");
    }
}

#[test]
fn parameters_can_be_set_of_the_recipe_that_the_command_line_names() {
    let mut options = options();
    options.gateway = Some("nginx@1.22".into());
    options.set = vec![("gateway.recipe.params.tries".into(), "4".into())];
    let embedded = with("preset: strict", "params: { tries: 3 }");
    let plan = read_with(&embedded, &Files::default(), &options).expect("is right").plans().remove(0);
    let GatewayPlan::Recipe { name, version, params } = &plan.gateway else { panic!("a recipe") };
    assert_eq!((name.as_str(), version.as_deref()), ("nginx", Some("1.22")));
    assert_eq!((params.len(), params["tries"].as_str()), (1, "4"));
}

#[test]
fn fragments_add_names_and_never_merge() {
    let lib = "gatecrash: 1\nbuckets: { media: { public: true }, more: {} }\nload: {}\n";
    let files = Files([("lib.yaml", lib), ("twice.yaml", lib)].into());
    let using = |list: &str| with("name: base", &format!("name: base\nuse: [{list}]"));
    let clash = read_with(&using("lib.yaml"), &files, &options()).expect_err("clashes");
    insta::assert_snapshot!("fragment_clash", clash.render(false));
    let text = using("lib.yaml").replace("media: { objects", "media: { replace: true, objects");
    let plan =
        read_with(&text, &files, &options()).unwrap_or_else(|wrong| panic!("{wrong}")).plans().remove(0);
    assert_eq!(plan.buckets.iter().map(|b| b.name.as_str()).collect::<Vec<_>>(), ["media", "more"]);
    assert_eq!((plan.buckets[0].objects, plan.buckets[0].public), (100, false));
    let two = using("lib.yaml, twice.yaml").replace("media: { objects", "media: { replace: true, objects");
    assert!(read_with(&two, &files, &options()).is_err());
    let nothing = with("media: { objects", "media: { replace: true, objects");
    insta::assert_snapshot!("nothing_to_replace", read(&nothing).expect_err("is wrong").render(false));
    let missing = read_with(&using("nowhere.yaml"), &files, &options()).expect_err("is wrong");
    insta::assert_snapshot!("fragment_missing", missing.render(false));
    let bad = Files([("lib.yaml", "gatecrash: 1\nbuckets: {}\ntimeline: []\n")].into());
    insta::assert_snapshot!(
        "fragment_wrong",
        read_with(&using("lib.yaml"), &bad, &options()).expect_err("is wrong").render(false)
    );
}

#[test]
fn a_fault_lasts_through_the_phase_it_names() {
    let plan = plan(&with("probability: 20%", "at: 4s\n        until: after"));
    assert_eq!((plan.faults[0].from, plan.faults[0].until), (Span::seconds(9), Span::seconds(20)));
}

#[test]
fn line_ends_and_byte_order_marks_do_not_matter() {
    let wanted = plan(RIGHT);
    assert_eq!(plan(&RIGHT.replace('\n', "\r\n")), wanted);
    assert_eq!(plan(&format!("\u{feff}{RIGHT}")), wanted);
    let wrong =
        read(&with("name: base", "name: base\nabout: \u{fc}\u{1f980}").replace("as: app", "as: \u{fc}"));
    let wrong = wrong.expect_err("is wrong");
    let json = wrong.to_json();
    assert_eq!((json[0]["line"].as_u64(), json[0]["column"].as_u64()), (Some(16), Some(9)));
}

#[test]
fn anchors_may_be_parked() {
    let text = with("name: base", "name: base\nx: { tight: &tight { p50: 1ms } }")
        .replace("us-east-1: { endpoints: 2 }", "us-east-1: { endpoints: 2, latency: *tight }");
    assert_eq!(plan(&text).regions[0].latency.expect("given").p99, Span::millis(1));
}
