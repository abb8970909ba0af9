//! What our server knows beyond Toxiproxy's: toxics and rules from the start, rules, connections, events, state,
//! metrics that move while connections live, mistakes pointed at.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use serde_json::{Value, json};

use crate::api::{Api, text};
use crate::http::ask;
use crate::upstream::{connect, echo, http, there_and_back};

/// The answer to one request through a proxy; nothing where it was cut.
fn fetch(listen: &str) -> String {
    let mut stream = connect(listen);
    stream.write_all(b"GET /bucket/key HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        answer.extend_from_slice(&buffer[..count]);
        if answer.ends_with(b"hello") {
            break;
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn listen(proxy: &Value) -> String {
    proxy["listen"].as_str().expect("an address").to_owned()
}

/// Events of a kind, once there are enough of them.
fn events(api: &Api, kind: &str, least: usize) -> Vec<Value> {
    let until = std::time::Instant::now() + crate::upstream::PATIENCE;
    loop {
        let page = api.get("/events?since=0");
        let of_kind =
            page["events"].as_array().expect("events").iter().filter(|event| event["event"] == kind);
        let found: Vec<Value> = of_kind.cloned().collect();
        if found.len() >= least {
            return found;
        }
        assert!(std::time::Instant::now() < until, "{kind}: {page}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn toxics_come_with_their_proxy() {
    let api = Api::start(&[]);
    let toxic = json!({"type": "limit_data", "attributes": {"bytes": 4}});
    let body = json!({"name": "p", "listen": "127.0.0.1:0", "upstream": echo(), "toxics": [toxic]});
    let proxy = api.create("/proxies", &body);
    assert_eq!(proxy["toxics"][0]["name"], "limit_data_downstream");
    let mut stream = connect(&listen(&proxy));
    stream.write_all(b"too long").expect("sent");
    let mut back = Vec::new();
    _ = stream.read_to_end(&mut back);
    assert_eq!(back, b"too ");
    let twice = json!([{"type": "noop"}, {"type": "noop"}]);
    let body = json!({"name": "q", "listen": "127.0.0.1:0", "upstream": echo(), "toxics": twice});
    let (status, answer) = api.ask("POST", "/proxies", &body);
    assert_eq!((status, &answer["error"]), (409, &json!("toxic already exists")));
    assert_eq!(api.ask("GET", "/proxies/q", &Value::Null).0, 404);
}

#[test]
fn rules_act_on_http_and_change_at_once() {
    let api = Api::start(&[]);
    let rule = json!({"name": "busy", "fault": {"forward-then-status": {"status": 503}}});
    let body =
        json!({"name": "p", "listen": "127.0.0.1:0", "upstream": http(), "http": true, "rules": [rule]});
    let proxy = api.create("/proxies", &body);
    assert_eq!(proxy["http"], true);
    let place = listen(&proxy);
    assert!(fetch(&place).starts_with("HTTP/1.1 503 "), "{}", fetch(&place));
    let rules = api.get("/proxies/p/rules");
    assert_eq!((&rules[0]["name"], &rules[0]["fired"]), (&json!("busy"), &json!(1)));
    assert_eq!(events(&api, "rule-fired", 1)[0]["rule"], "busy");

    let changed = api.ask(
        "PATCH",
        "/proxies/p/rules/busy",
        &json!({"fault": {"forward-then-status": {"status": 500}}}),
    );
    assert_eq!(changed.0, 200, "{}", changed.1);
    assert!(fetch(&place).starts_with("HTTP/1.1 500 "));
    api.delete("/proxies/p/rules/busy");
    assert!(fetch(&place).ends_with("hello"));
    assert_eq!(api.get("/proxies/p/rules"), json!([]));

    let created = api.create(
        "/proxies/p/rules",
        &json!({"name": "again", "fault": {"forward-then-status": {"status": 503}}}),
    );
    assert_eq!(created["fired"], 0);
    let same = api.ask("POST", "/proxies/p/rules", &created);
    assert_eq!((same.0, &same.1["error"]), (409, &json!("rule already exists")));
    assert_eq!(api.ask("POST", "/reset", &Value::Null).0, 204);
    assert_eq!(api.get("/proxies/p/rules"), json!([]));
    assert!(fetch(&place).ends_with("hello"));
}

#[test]
fn rules_are_refused_with_a_reason() {
    let api = Api::start(&[]);
    api.create("/proxies", &json!({"name": "tcp", "listen": "127.0.0.1:0", "upstream": echo()}));
    let (status, answer) = api.ask("GET", "/proxies/tcp/rules", &Value::Null);
    assert_eq!(status, 409);
    assert!(answer["error"].as_str().is_some_and(|why| why.contains("\"http\": true")), "{answer}");
    let (status, _) = api.ask("PATCH", "/proxies/tcp", &json!({"http": true}));
    assert_eq!(status, 200);
    let mistakes = [
        json!({"fault": {"nonsense": {}}}),
        json!({"fault": {"forward-then-status": {"status": 503}}, "probability": "200%"}),
        json!({"name": "x"}),
        json!([]),
        json!("x"),
    ];
    for mistake in mistakes {
        let (status, answer) = api.ask("POST", "/proxies/tcp/rules", &mistake);
        assert_eq!(status, 400, "{mistake}: {answer}");
        assert!(answer["error"].as_str().is_some_and(|why| why.starts_with("invalid rule: ")), "{answer}");
    }
    for (method, path) in [("GET", "/proxies/tcp/rules/no"), ("DELETE", "/proxies/tcp/rules/no")] {
        assert_eq!(api.ask(method, path, &Value::Null).1["error"], "rule not found");
    }
}

#[test]
fn connections_events_and_counters_are_live() {
    let api = Api::start(&["-proxy-metrics", "-runtime-metrics=true"]);
    let proxy = api.create("/proxies", &json!({"name": "p", "listen": "127.0.0.1:0", "upstream": echo()}));
    let mut stream = connect(&listen(&proxy));
    assert_eq!(there_and_back(&mut stream, &[5; 1000]).len(), 1000);
    let open = api.get("/proxies/p/connections");
    assert_eq!(open[0]["client"], stream.local_addr().expect("an address").to_string());
    assert_eq!(
        (&open[0]["upstream"]["received"], &open[0]["downstream"]["sent"]),
        (&json!(1000), &json!(1000))
    );
    assert_eq!(api.get("/connections"), open);
    let metrics = ask(api.server.port, "GET", "/metrics", &[], None).body;
    let upstream = proxy["upstream"].as_str().expect("an address");
    for (what, direction) in [("received", "upstream"), ("sent", "downstream")] {
        let place = listen(&proxy);
        let line = format!(
            "toxiproxy_proxy_{what}_bytes_total{{direction=\"{direction}\",listener=\"{place}\",proxy=\"p\",upstream=\"{upstream}\"}} 1000\n"
        );
        assert!(metrics.contains(&line), "{metrics}");
    }
    assert!(metrics.contains("\nprocess_resident_memory_bytes "), "{metrics}");
    drop(stream);
    let closed = &events(&api, "connection-closed", 1)[0];
    assert_eq!(
        (&closed["proxy"], &closed["ended_by"], &closed["with"]),
        (&json!("p"), &json!("client"), &json!("fin"))
    );
    assert_eq!(closed["upstream"], json!({"received": 1000, "sent": 1000}));
    let newest = api.get("/events")["newest"].as_u64().expect("a number");
    let page = api.get(&format!("/events?since={newest}"));
    assert_eq!((&page["events"], &page["forgotten"]), (&json!([]), &json!(0)));
    assert_eq!(api.ask("GET", "/events?since=x", &Value::Null).0, 400);
}

#[test]
fn state_is_there_again_after_a_restart() {
    let dir = tempfile::tempdir().expect("a folder");
    let (state, journal) = (dir.path().join("state.json"), dir.path().join("events.ndjson"));
    let options = ["--state", text(&state), "--journal", text(&journal)];
    let api = Api::start(&options);
    let body = json!({"name": "p", "listen": "127.0.0.1:0", "upstream": http(), "http": true});
    let proxy = api.create("/proxies", &body);
    api.create(
        "/proxies/p/toxics",
        &json!({"type": "latency", "stream": "UPSTREAM", "attributes": {"latency": 1}}),
    );
    api.create(
        "/proxies/p/rules",
        &json!({"name": "busy", "match": {"method": "GET"}, "fault": {"forward-then-status": {"status": 503}}}),
    );
    api.create("/proxies", &json!({"name": "off", "upstream": "127.0.0.1:1", "enabled": false}));
    assert!(fetch(&listen(&proxy)).starts_with("HTTP/1.1 503 "));
    let before = (api.get("/proxies"), api.get("/proxies/p/rules/busy")["match"].clone());
    assert_eq!(api.interrupt(), Some(0));
    let lines = std::fs::read_to_string(&journal).expect("a journal");
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{lines}");
    assert!(lines.contains("\"event\":\"rule-fired\""), "{lines}");

    let api = Api::start(&options);
    assert_eq!((api.get("/proxies"), api.get("/proxies/p/rules/busy")["match"].clone()), before);
    assert!(fetch(&listen(&proxy)).starts_with("HTTP/1.1 503 "));
    api.delete("/proxies/p");
    let kept: Value = serde_json::from_slice(&std::fs::read(&state).expect("the state")).expect("JSON");
    assert_eq!(kept.as_array().map(|proxies| proxies.len()), Some(1));
}

#[test]
fn a_configuration_is_taken_and_its_mistakes_are_pointed_at() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("proxies.json");
    let write = |text: &str| std::fs::write(&file, text).expect("a file");
    write(
        r#"[{"name": "p", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:1", "toxics": [{"type": "noop"}]}]"#,
    );
    let api = Api::start(&["-config", text(&file)]);
    assert_eq!(api.get("/proxies/p")["toxics"][0]["name"], "noop_downstream");
    let taken = api.server.port;
    let port = taken.to_string();
    let cases = [
        ("[\n  {\"name\": \"p\",\n   \"upstream\": 5}\n]", 2, "proxies.json:3:16", "cannot unmarshal number"),
        ("[\n  {\"name\" \"p\"}\n]", 2, "proxies.json:2:11", "after object key"),
        ("[{\"name\": \"p\"}]", 2, "proxies.json:1:2", "missing required field: upstream at proxy 1"),
        (
            "[{\"name\": \"p\", \"upstream\": \"u:1\", \"toxics\": [{\"type\": \"x\"}]}]",
            2,
            "proxies.json:1:46",
            "invalid toxic type",
        ),
    ];
    for (text_of_file, code, place, why) in cases {
        write(text_of_file);
        let (exit, told) = run(&["--config", text(&file), "--port", "0"]);
        assert_eq!(exit, Some(code), "{told}");
        assert!(told.contains(place) && told.contains(why), "{told}");
    }
    write(&format!(r#"[{{"name": "p", "listen": "127.0.0.1:{taken}", "upstream": "u:1"}}]"#));
    let (exit, told) = run(&["--config", text(&file), "--port", "0"]);
    assert_eq!(exit, Some(4), "{told}");
    assert!(told.contains("address already in use"), "{told}");
    let (exit, told) = run(&["-host", "127.0.0.1", "-port", &port]);
    assert_eq!(exit, Some(4), "{told}");
    assert!(TcpStream::connect(("127.0.0.1", taken)).is_ok());
    assert_eq!(run(&["-config", "/nowhere/proxies.json"]).0, Some(2));
    let (exit, told) = run(&["-version"]);
    assert_eq!(exit, Some(0));
    assert!(told.starts_with("toxiproxy-server version 2.12.0"), "{told}");
}

/// Runs `serve proxy` to its end; its exit code and all it said.
fn run(options: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatecrash"));
    let done = command.args(["serve", "proxy"]).args(options).output().expect("the binary");
    let told = [done.stdout, done.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (done.status.code(), told.concat())
}
