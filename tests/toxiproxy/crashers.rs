//! What ends or hangs Toxiproxy, and must not do so here; by the numbers of its issues.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api::Api;
use crate::upstream::{connect, echo, there_and_back};

/// Far more than a removal takes, far less than Toxiproxy's 25 seconds.
const SOON: Duration = Duration::from_secs(5);

/// A server with a proxy in front of an echo, and where that listens.
fn proxied() -> (Api, String) {
    let api = Api::start(&[]);
    let proxy = api.create("/proxies", &json!({"name": "p", "listen": "127.0.0.1:0", "upstream": echo()}));
    let listen = proxy["listen"].as_str().expect("an address").to_owned();
    (api, listen)
}

fn refused(api: &Api, toxic: &Value) -> String {
    let (status, answer) = api.ask("POST", "/proxies/p/toxics", toxic);
    assert_eq!(status, 400, "{answer}");
    answer["error"].as_str().expect("an error").to_owned()
}

#[test]
fn a_slicer_of_zero_slices_nothing_541() {
    let (mut api, listen) = proxied();
    api.create("/proxies/p/toxics", &json!({"type": "slicer"}));
    let bytes: Vec<u8> = (0..100_000u32).map(|n| n as u8).collect();
    assert!(there_and_back(&mut connect(&listen), &bytes) == bytes);
    assert!(api.server.lives());
}

#[test]
fn a_negative_bandwidth_is_refused_764() {
    let (mut api, listen) = proxied();
    let why = refused(&api, &json!({"type": "bandwidth", "attributes": {"rate": -1}}));
    assert_eq!(why, "invalid attributes: attribute rate must not be negative, it is -1");
    api.create("/proxies/p/toxics", &json!({"type": "bandwidth", "attributes": {"rate": 1000}}));
    let (status, _) =
        api.ask("PATCH", "/proxies/p/toxics/bandwidth_downstream", &json!({"attributes": {"rate": -5}}));
    assert_eq!(status, 400);
    assert_eq!(there_and_back(&mut connect(&listen), b"word"), b"word");
    assert!(api.server.lives());
}

#[test]
fn a_variation_above_the_average_is_refused_770() {
    let (mut api, listen) = proxied();
    let attributes = json!({"average_size": 10, "size_variation": 10});
    let why = refused(&api, &json!({"type": "slicer", "attributes": attributes}));
    assert!(why.contains("size_variation must be less than average_size"), "{why}");
    api.create(
        "/proxies/p/toxics",
        &json!({"type": "slicer", "attributes": {"average_size": 10, "size_variation": 9}}),
    );
    assert_eq!(there_and_back(&mut connect(&listen), &[7; 5000]), [7; 5000]);
    assert!(api.server.lives());
}

#[test]
fn removal_never_hangs_558() {
    // Each holds data for as long as it is there; the last reads nothing at all from its client.
    let stuck = [
        json!({"type": "latency", "attributes": {"latency": 3_600_000}}),
        json!({"type": "bandwidth", "attributes": {"rate": 0}}),
        json!({"type": "slicer", "attributes": {"average_size": 1, "delay": 3_600_000_000_u64}}),
        json!({"type": "timeout", "attributes": {"timeout": 0}}),
        json!({"type": "reset_peer", "attributes": {"timeout": 3_600_000}}),
        json!({"type": "slow_close", "attributes": {"delay": 3_600_000}}),
    ];
    for toxic in stuck {
        let (api, listen) = proxied();
        let mut held: Vec<_> = (0..8).map(|_| connect(&listen)).collect();
        for stream in &mut held {
            assert_eq!(there_and_back(stream, b"through"), b"through");
        }
        api.create("/proxies/p/toxics", &toxic);
        for stream in &mut held {
            // More than all buffers take: nobody reads what comes back.
            stream.set_nonblocking(true).expect("a socket");
            while stream.write(&[1; 64 * 1024]).is_ok() {}
        }
        let begun = Instant::now();
        let name = format!("{}_downstream", toxic["type"].as_str().expect("a type"));
        api.delete(&format!("/proxies/p/toxics/{name}"));
        assert!(begun.elapsed() < SOON, "{name} took {:?}", begun.elapsed());
        let begun = Instant::now();
        api.delete("/proxies/p");
        assert!(begun.elapsed() < SOON, "the proxy took {:?}", begun.elapsed());
    }
}

#[test]
fn requests_that_are_none_end_nothing() {
    let mut api = Api::start(&[]);
    let heads: [&[u8]; 5] = [
        b"\0\0\0\0\r\n\r\n",
        b"GET /proxies HTTP/9.9\r\n\r\n",
        b"POST /proxies HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /proxies HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /proxies HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{",
    ];
    for head in heads {
        let mut stream = connect(&format!("127.0.0.1:{}", api.server.port));
        stream.write_all(head).expect("sent");
        stream.shutdown(std::net::Shutdown::Write).expect("half-closed");
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => {}
            Err(why) => assert_eq!(why.kind(), ErrorKind::ConnectionReset, "no end"),
        }
    }
    let deep = format!("{{\"name\":{}", "[".repeat(1_000_000));
    let reply = crate::http::ask(api.server.port, "POST", "/proxies", &[], Some(deep.as_bytes()));
    assert_eq!(reply.status, "400 Bad Request");
    assert_eq!(api.get("/proxies"), json!({}));
    assert!(api.server.lives());
}
