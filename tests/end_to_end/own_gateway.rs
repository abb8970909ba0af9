//! The worked example of a gateway without a recipe, as `docs/your-own-gateway.md` tells it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use gatecrash_wire::tls::Authority;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::support::{Desk, json, turn};

#[test]
fn the_example_of_an_own_gateway_passes_its_scenario() {
    let _turn = turn();
    let desk = Desk::new();
    example_into(&desk);
    desk.gatecrash(&["run", "own-gateway.yaml"]).exits(0);
    let result = json(&desk.run_dir().join("result.json"));
    for fault in result["faults"].as_array().expect("faults") {
        let met = fault["fired"].as_u64().is_none_or(|fired| fired > 0);
        assert!(met, "the fault met no request: {fault}");
    }
    desk.expect_nothing_left();
}

fn example_into(desk: &Desk) {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/own-gateway");
    for file in ["gateway.py", "own-gateway.yaml"] {
        // The copy may be run as its original may.
        std::fs::copy(example.join(file), desk.path().join(file)).expect("a file of the example");
    }
}

/// The last command of that page: what the gateway cannot speak is a row with the reason, and a comparison is about the
/// conditions that were asked for.
#[test]
fn the_example_of_an_own_gateway_is_surveyed() {
    let _turn = turn();
    let desk = Desk::new();
    example_into(&desk);
    desk.file("before.json", BEFORE);
    let some = ["--only", "accept-fin", "--only", "tls-cert-expired", "--compare", "before.json"];
    let survey = [&["survey", "--quiet", "--scenario", "own-gateway.yaml"][..], &some].concat();
    let done = desk.gatecrash(&survey).exits(6).says("skipped: no upstream of its scenario speaks TLS");
    let line = |condition: &str| {
        let lines = done.stdout.lines().filter(|line| line.trim_start().starts_with(condition));
        lines.map(str::to_owned).collect::<Vec<_>>().join("\n")
    };
    assert!(line("accept-fin").contains("502"), "{}", done.stdout);
    assert!(line("accept-fin").contains("not surveyed -> surveyed"), "{}", done.stdout);
    assert_eq!(line("refuse"), "", "nobody asked for it");

    let by_url = own_by_url(&desk);
    let blind = desk.gatecrash(&["survey", "--scenario", &by_url, "--only", "refuse"]).exits(2);
    blind.says("--upstream-port 9100");
    desk.expect_nothing_left();
}

fn own_by_url(desk: &Desk) -> String {
    desk.file("by-url.yaml", &format!("{ELSEWHERE}gateway: {{ url: {{ base: \"http://127.0.0.1:1\" }} }}\n"))
}

/// A survey of a gateway under one other condition.
const BEFORE: &str = r#"{ "version": 1, "gateway": "before", "gatecrash": "0.1.0", "started": "", "rows": [
    { "condition": "refuse", "group": "connect", "run": "00000000", "cells": [], "after": 0, "recovered": 0 }
] }"#;

const ELSEWHERE: &str = "\
gatecrash: 1
name: elsewhere
about: A gateway that runs elsewhere.
buckets: { media: { in: [us-east-1], public: true, objects: { count: 9, key: \"o/{n}\", size: 4KiB } } }
load: { app: { open: { rate: 50/s }, ops: { GetObject: 90%, PutObject: 10% } } }
timeline: [{ phase: steady, for: 2s }]
expect: [{ check: { success-rate: { min: 100% } } }, { check: { body-exact: {} } }]
";

/// A gateway that somebody else runs behind TLS; here one that passes bytes to the only upstream.
#[test]
fn a_gateway_elsewhere_is_spoken_to_over_tls() {
    let _turn = turn();
    let desk = Desk::new();
    let authority = Authority::new(now_in_seconds()).expect("an authority");
    desk.file("ca.pem", &authority.root_pem());
    let free = std::net::TcpListener::bind("127.0.10.1:0").expect("a port").local_addr().expect("an address");
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = built.expect("a runtime");
    let port = runtime.block_on(terminate(&authority, free));

    let url =
        |ca: &str| format!("{ELSEWHERE}gateway: {{ url: {{ base: \"https://localhost:{port}\"{ca} }} }}\n");
    let upstream = free.port().to_string();
    let trusting = desk.file("trusting.yaml", &url(", ca: ca.pem"));
    desk.gatecrash(&["run", &trusting, "--upstream-port", &upstream]).exits(0);
    let clients = json(&desk.run_dir().join("result.json"));
    assert_eq!(clients["plan"]["workloads"][0]["client"]["tls"], true, "the load speaks TLS");

    let wary = desk.file("wary.yaml", &url(""));
    desk.gatecrash(&["run", &wary, "--upstream-port", &upstream])
        .exits(4)
        .says("no TLS with the gateway at localhost:")
        .says("ca: FILE");
    let plain = desk.file("plain.yaml", &url(", ca: ca.pem").replace("https://", "http://"));
    desk.gatecrash(&["check", &plain]).exits(2).says("`ca` without TLS");
    runtime.shutdown_background();
}

/// Takes TLS connections on a free port of its own, as `localhost`, and passes their bytes on.
async fn terminate(authority: &Authority, upstream: SocketAddr) -> u16 {
    let identity = authority.server_of(&["localhost".to_owned()]).expect("a certificate");
    let chain =
        CertificateDer::pem_slice_iter(identity.certificates.as_bytes()).map(|c| c.expect("PEM")).collect();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("PEM");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a key that fits");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("localhost:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let Ok(mut server) = TcpStream::connect(upstream).await else { return };
                _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    port
}

fn now_in_seconds() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    now.as_secs() as i64
}
