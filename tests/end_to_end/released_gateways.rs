//! Released products under the built-in suite and their own profile. Skipped by name where they are not installed.

use std::collections::HashSet;
use std::path::Path;

use gatecrash::run_dir::RunDir;

use crate::support::{Desk, installed, installed_beside, json, turn};

#[test]
fn nginx_passes_the_built_in_suite_under_its_profile() {
    passes("nginx");
}

#[test]
fn haproxy_passes_the_built_in_suite_under_its_profile() {
    passes("haproxy");
}

/// One scenario each for the products whose suite is too long for every change; the others are for the nightly run.
#[test]
fn other_products_pass_their_scenario() {
    let _turn = turn();
    let desk = Desk::new();
    for (gateway, program, scenario) in [
        ("varnish", "varnishd", "smoke/slowdown"),
        ("caddy", "caddy", "smoke/region-outage"),
        ("apache2", "apache2", "smoke/first-crash-test"),
        ("squid", "squid", "smoke/permissions"),
        ("trafficserver", "traffic_manager", "smoke/permissions"),
        ("envoy", "envoy", "smoke/slowdown"),
        ("traefik", "traefik", "smoke/uploads"),
        ("haproxy@2.8", "haproxy", "smoke/slowdown"),
        ("caddy@2.11", "caddy", "smoke/control"),
        ("nginx-s3-gateway", "nginx", "smoke/slowdown"),
    ] {
        let found = if gateway.contains('@') { installed_beside(program) } else { installed(program) };
        if found && (gateway != "nginx-s3-gateway" || Path::new(NJS).is_file()) {
            desk.gatecrash(&["run", "--quiet", scenario, "--gateway", gateway]).exits(0);
        }
    }
    desk.expect_nothing_left();
}

/// Parameters of the recipe that takes the place of the scenario's gateway: without its cache every read is fetched.
#[test]
fn a_cache_is_held_to_what_its_profile_declares() {
    let _turn = turn();
    let desk = Desk::new();
    let cached = "gateway.recipe.params.cache=true";
    if installed("nginx") {
        desk.gatecrash(&[
            "run",
            "--quiet",
            "content-delivery/lifetimes",
            "--gateway",
            "nginx",
            "--set",
            cached,
        ])
        .exits(0);
    }
    desk.expect_nothing_left();
}

/// What passes as a known deviation fails where none is accepted.
#[test]
fn a_deviation_is_declared_and_nothing_else_is_wrong() {
    let _turn = turn();
    let desk = Desk::new();
    let run = ["run", "--quiet", "invalid/status-lines", "--case", "status-letters", "--gateway", "apache2"];
    if installed("apache2") {
        desk.gatecrash(&run).exits(0);
        desk.gatecrash(&[&run[..], &["--strict"]].concat()).exits(1);
    }
    desk.expect_nothing_left();
}

/// Faults between gateway and S3 look the same to clients that speak TLS.
#[test]
fn clients_may_speak_tls() {
    let _turn = turn();
    let desk = Desk::new();
    let plain = include_str!("../../scenarios/smoke/first-crash-test.yaml");
    let text = plain.replace("    timeout: 5s\n", "    timeout: 5s\n    client: { tls: true }\n");
    assert_ne!(text, plain);
    let scenario = desk.file("over-tls.yaml", &text);
    for gateway in ["nginx", "haproxy"].into_iter().filter(|gateway| installed(gateway)) {
        desk.gatecrash(&["run", "--quiet", &scenario, "--gateway", gateway]).exits(0);
    }
    desk.gatecrash(&["run", "--quiet", &scenario, "--gateway", "caddy"])
        .exits(2)
        .says("has no listener with TLS");
    desk.expect_nothing_left();
}

/// One connection, shared by many requests under way: that is HTTP/2, and to HTTP/1.1 it would be as many connections.
#[test]
fn clients_may_speak_http_2() {
    let _turn = turn();
    let desk = Desk::new();
    let (plain, secure) = ("{ http: 2 }", "{ http: 2, tls: true }");
    let embedded = "embedded: { params: { read-timeout: 20s, total-timeout: 40s } }";
    let mut wanted = vec![(embedded, plain), (embedded, secure)];
    let nginx = "recipe: { name: nginx, params: { read-timeout: 20s } }";
    wanted.extend(installed("nginx").then_some((nginx, secure)));
    let haproxy = "recipe: { name: haproxy, params: { read-timeout: 20s, checks: false } }";
    wanted
        .extend(installed("haproxy").then_some([(haproxy, plain), (haproxy, secure)]).into_iter().flatten());
    for (number, (gateway, client)) in wanted.iter().enumerate() {
        let text = OVER_HTTP2.replace("GATEWAY", gateway).replace("CLIENT", client);
        let scenario = desk.file(&format!("{number}.yaml"), &text);
        desk.gatecrash(&["run", "--quiet", &scenario]).exits(0);
    }
    let runs = desk.run_dirs();
    assert_eq!(runs.len(), wanted.len());
    for run in runs {
        let history = RunDir::open(&run).and_then(|dir| dir.history()).expect("history");
        let clients = &history.clients;
        assert!(clients.len() == 40 && clients.iter().all(|c| c.is_success()), "{}", run.display());
        let connections: HashSet<u32> = clients.iter().map(|c| c.conn).collect();
        assert_eq!(connections.len(), 1, "{}", run.display());
        let under_way = |at: u64| clients.iter().filter(|c| c.sent() <= at && at < c.ended()).count();
        assert!(clients.iter().any(|c| under_way(c.sent()) > 2), "they were under way together");
    }
    let text = OVER_HTTP2.replace("GATEWAY", "recipe: { name: nginx }").replace("CLIENT", plain);
    let refused = desk.gatecrash(&["run", "--quiet", &desk.file("refused.yaml", &text)]).exits(2);
    refused.says("the recipe `nginx` speaks HTTP/2 to clients over TLS only");
    desk.expect_nothing_left();
}

/// The table of gateways and checks, by a scenario of which something is known beforehand.
#[test]
fn all_gateways_are_compared_side_by_side() {
    let _turn = turn();
    let desk = Desk::new();
    let quick = desk.file("quick.yaml", QUICK);
    let done = desk.gatecrash(&["run", "--quiet", &quick, "--gateway", "all", "--report", "json:all.json"]);
    // Nothing is known of the machine here: some gateway may not keep up, and that is in the table.
    let done = if done.code == 0 { done } else { done.exits(3) };
    let comparison = &json(&desk.path().join("all.json"))["comparison"];
    if !installed("nginx") && !installed("haproxy") {
        assert!(comparison.is_null(), "{comparison}");
        return;
    }
    let gateways = comparison["gateways"].as_array().expect("gateways");
    assert!(gateways.len() >= 2 && gateways[0].as_str().is_some_and(|name| name.starts_with("reference ")));
    let row = &comparison["rows"][0];
    assert_eq!(row["check"], "statuses");
    assert_eq!(row["cells"].as_array().map(Vec::len), Some(gateways.len()));
    assert_eq!(row["cells"][0]["result"], "pass");
    done.says("cases passed");
    desk.expect_nothing_left();
}

/// The module of nginx that nginx-s3-gateway signs with.
const NJS: &str = "/usr/lib/nginx/modules/ngx_http_js_module.so";

const OVER_HTTP2: &str = "\
gatecrash: 1
name: over-http-2
gateway: { GATEWAY }
upstreams: { us-east-1: { endpoints: 1 } }
buckets: { media: { in: [us-east-1], public: true, objects: { count: 50, key: \"o/{n}\", size: 40KiB } } }
load:
  app:
    open: { rate: 80/s, arrivals: even }
    bucket: media
    ops: { GetObject: 60%, HeadObject: 20%, PutObject: 20% }
    writes: { size: 100KiB }
    timeout: 60s
    client: CLIENT
timeline: [{ phase: steady, for: 500ms, inject: [{ fault: { latency: { add: 100ms } } }] }]
expect: [{ check: { body-exact: {} } }, { check: { upload-once: {} } }, { check: { crash-free: {} } }]
";

const QUICK: &str = "\
gatecrash: 1
name: quick
upstreams: { us-east-1: { endpoints: 1 } }
buckets: { media: { in: [us-east-1], public: true, objects: { count: 10, key: \"o/{n}\", size: 1KiB } } }
load: { readers: { open: { rate: 50/s }, bucket: media, ops: { GetObject: 100% }, timeout: 5s } }
timeline: [{ phase: steady, for: 1s }]
expect: [{ check: { statuses: { allow: [200] } } }]
";

/// What each of them does when the name service misanswers, and that each fault was met by its queries.
#[test]
fn the_scenarios_about_names_pass() {
    if !installed("nginx") || !installed("haproxy") {
        return;
    }
    let _turn = turn();
    let desk = Desk::new();
    // The others are for the nightly run: `gatecrash run --tag dns`.
    desk.gatecrash(&["run", "--quiet", "dns/nginx-no-answer", "dns/haproxy-hold", "dns/dead-subset"])
        .exits(0);
    assert!(desk.run_dirs().len() >= 7);
    desk.expect_nothing_left();
}

/// What each of them does when its upstreams' TLS fails; the embedded gateway has its turn with the whole library.
#[test]
fn the_scenarios_about_tls_pass() {
    let _turn = turn();
    let desk = Desk::new();
    // The other halves are for the nightly run: `gatecrash run --tag tls --gateway ...`.
    for (gateway, half) in [("nginx", "tls/certificates"), ("haproxy", "tls/handshake")] {
        if installed(gateway) {
            desk.gatecrash(&["run", "--quiet", half, "tls/cut", "tls/mutual", "--gateway", gateway]).exits(0);
        }
    }
    desk.expect_nothing_left();
}

/// What HAProxy does when an HTTP/2 upstream misuses its frames.
#[test]
fn the_scenarios_about_http2_pass() {
    if !installed("haproxy") {
        return;
    }
    let _turn = turn();
    let desk = Desk::new();
    desk.gatecrash(&["run", "--quiet", "--tag", "http2"]).exits(0);
    assert!(desk.run_dirs().len() >= 8);
    desk.expect_nothing_left();
}

fn passes(gateway: &str) {
    if !installed(gateway) {
        return;
    }
    let _turn = turn();
    let desk = Desk::new();
    desk.gatecrash(&["run", "--gateway", gateway]).exits(0);
    for run in desk.run_dirs() {
        let result = json(&run.join("result.json"));
        assert!(
            !result["environment"]["gateway"].as_str().unwrap_or_default().is_empty(),
            "the version is probed"
        );
        let logs = std::fs::read_dir(run.join("gateway")).expect("the gateway's files");
        assert!(logs.count() >= 2, "configuration and logs are kept");
    }
    desk.expect_nothing_left();
}
