//! Released products under the built-in suite and their own profile. Skipped by name where they are not installed.

use crate::support::{Desk, installed, json, turn};

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
    ] {
        if installed(program) {
            desk.gatecrash(&["run", "--quiet", scenario, "--gateway", gateway]).exits(0);
        }
    }
    desk.expect_nothing_left();
}

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
