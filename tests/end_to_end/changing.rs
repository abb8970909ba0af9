//! Objects that change while a run goes on: a cache that keeps them too long, and bodies put together of two versions.

use gatecrash::run_dir::RunDir;
use gatecrash_model::BodyCheck;
use serde_json::Value;

use crate::support::{Desk, json, turn};

const CACHED: &str = "
gatecrash: 1
name: cached
gateway: { embedded: { preset: cloudfront, params: { speed: 50x, min-ttl: MIN } } }
buckets:
  site:
    public: true
    objects: { count: 4, key: 'p/{n}', size: 4KiB, cache-control: max-age=1, change-every: 400ms }
load:
  readers: { open: { rate: 50/s, arrivals: even }, ops: { GetObject: 80%, HeadObject: 20% } }
timeline: [{ phase: all, for: LASTS }]
expect:
  - { check: { stale-reads: {} } }
  - { check: { success-rate: { min: 100% } } }
  - { check: { body-exact: {} } }
  - { check: { head-and-range: {} } }
";

/// A verdict of the only run of a desk: outcome and sentences.
fn verdict(desk: &Desk, number: usize) -> (String, Vec<String>) {
    let result = json(&desk.run_dir().join("result.json"));
    let verdict = &result["verdicts"][number];
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let details = verdict["details"].as_array().expect("sentences").iter().map(text).collect();
    (text(&verdict["outcome"]), details)
}

#[test]
fn a_cache_that_keeps_versions_too_long_is_found_by_their_bytes() {
    let _turn = turn();
    let desk = Desk::new();
    desk.file("good.yaml", &CACHED.replace("MIN", "0ms").replace("LASTS", "3s"));
    desk.gatecrash(&["run", "good.yaml"]).exits(0);

    let desk = Desk::new();
    desk.file("long.yaml", &CACHED.replace("MIN", "60s").replace("LASTS", "5s"));
    desk.gatecrash(&["run", "long.yaml"]).exits(1).says("replaced");
    let outcomes: Vec<_> = (0..4).map(|number| verdict(&desk, number).0).collect();
    assert_eq!(outcomes, ["fail", "pass", "pass", "pass"], "every body is a whole one of some version");
    let (_, told) = verdict(&desk, 0);
    let sentence = |line: &String| line.contains(": version ") && line.contains("; allowed are 2.");
    assert!(told.iter().filter(|line| sentence(line)).count() == 3, "{told:?}");

    let history = RunDir::open(&desk.run_dir()).and_then(|dir| dir.history()).expect("history");
    let exemplar =
        told.iter().find(|line| sentence(line)).and_then(|line| line.split(':').next()).expect("an id");
    let explained = format!("run:{}/{exemplar}", run_id(&desk));
    desk.gatecrash(&["explain", &explained]).exits(0).says("the object changes: version ");
    assert!(history.versions.len() > 200, "{} versions seen", history.versions.len());
    desk.expect_nothing_left();
}

const RESUMING: &str = r#"
import http.client, os, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

UPSTREAM = os.environ["UPSTREAM"].rsplit(":", 1)

class Gateway(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def ask(self, start):
        headers = {n: v for n, v in self.headers.items() if n.lower() != "connection"}
        if start:
            headers["Range"] = "bytes=%d-" % start
        upstream = http.client.HTTPConnection(*UPSTREAM, timeout=5)
        upstream.request("GET", self.path, None, headers)
        answer = upstream.getresponse()
        try:
            return answer, answer.read()
        except http.client.IncompleteRead as cut:
            return answer, cut.partial

    def do_GET(self):
        answer, body = self.ask(0)
        length = int(answer.getheader("Content-Length"))
        if len(body) < length:
            time.sleep(PAUSE)
            body += self.ask(len(body))[1]
        self.send_response_only(answer.status)
        for name in ["Content-Length", "ETag", "x-gatecrash-attempt"]:
            if answer.getheader(name):
                self.send_header(name, answer.getheader(name))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

class Server(ThreadingHTTPServer):
    request_queue_size = 128

host, port = os.environ["LISTEN"].rsplit(":", 1)
Server((host, int(port)), Gateway).serve_forever()
"#;

const RESUMED: &str = "
gatecrash: 1
name: resumed
gateway:
  command:
    run: [python3, SCRIPT]
    env: { LISTEN: '{{ listen }}', UPSTREAM: '{{ upstreams[0].addr }}' }
    ready: { http: /, within: 10s }
upstreams: { us-east-1: {} }
buckets: { site: { public: true, objects: { count: 4, key: 'p/{n}', size: 16KiB, change-every: 200ms } } }
load: { readers: { open: { rate: 20/s, arrivals: even }, ops: { GetObject: 100% }, timeout: 10s } }
timeline:
  - phase: cut
    for: 2s
    inject: [{ name: cut, match: { attempt: 1 }, fault: { truncate: { at: 4KiB, with: fin } } }]
expect: [{ check: { head-and-range: {} } }, { check: { body-exact: {} } }, { check: { no-mixup: {} } }]
";

#[test]
fn a_body_resumed_as_another_version_is_told_from_other_wrong_bytes() {
    let _turn = turn();
    let desk = Desk::new();
    // Longer than a version lives: what is resumed is always another one.
    desk.file("resuming.py", &RESUMING.replace("PAUSE", "0.25"));
    let script = desk.path().join("resuming.py");
    desk.file("resumed.yaml", &RESUMED.replace("SCRIPT", &script.to_string_lossy()));
    desk.gatecrash(&["run", "resumed.yaml"]).exits(1);
    let outcomes: Vec<_> = (0..3).map(|number| verdict(&desk, number).0).collect();
    assert_eq!(outcomes, ["fail", "fail", "pass"]);
    let (_, told) = verdict(&desk, 0);
    assert!(told.iter().any(|line| line.contains("with bytes of two versions of the object")), "{told:?}");
    let history = RunDir::open(&desk.run_dir()).and_then(|dir| dir.history()).expect("history");
    let mixed = history.clients.iter().filter(|c| c.shape.body() == BodyCheck::Mixed).count();
    assert!(mixed > 10, "{mixed} of {}", history.clients.len());
    let notes =
        history.evidence.iter().filter(|e| e.note.contains("of the object up to byte 4096, then of version"));
    assert!(notes.count() > 5);
    desk.expect_nothing_left();
}

fn run_id(desk: &Desk) -> String {
    let dir = desk.run_dir();
    let name = dir.file_name().and_then(|name| name.to_str()).expect("a name");
    name.rsplit('-').next().expect("an id").to_owned()
}
