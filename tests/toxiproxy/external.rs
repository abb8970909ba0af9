//! `upstreams.*.proxy`: an existing Toxiproxy in place of the links of a region.

use std::process::{Command, Output};

use tempfile::TempDir;

/// A scenario with one region behind a Toxiproxy, and these phases and expectations.
fn scenario(server: &str, timeline: &str) -> (TempDir, String) {
    let dir = tempfile::tempdir().expect("a folder");
    let text = format!(
        "gatecrash: 1
name: behind-toxiproxy
upstreams:
  here: {{ proxy: {{ toxiproxy: \"{server}\" }} }}
buckets:
  media: {{ in: [here], public: true, objects: {{ count: 20, key: \"o/{{n}}\", size: 4KiB }} }}
load:
  readers: {{ open: {{ rate: 100/s }}, bucket: media, ops: {{ GetObject: 100% }}, timeout: 5s }}
{timeline}"
    );
    let file = dir.path().join("behind-toxiproxy.yaml");
    std::fs::write(&file, text).expect("a scenario");
    let name = file.to_str().expect("a path of plain text").to_owned();
    (dir, name)
}

fn gatecrash(dir: &TempDir, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatecrash"));
    let Output { status, stdout, stderr } =
        command.args(arguments).current_dir(dir.path()).output().expect("the binary");
    let told = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (status.code(), told)
}

#[test]
fn faults_that_are_no_toxics_are_refused_at_their_line() {
    let cases = [
        ("stall: { after: 1KiB }", "", "it knows `latency`, `bandwidth`, `slice`, `swallow` and `refuse`"),
        ("latency: { add: 5ms }", "match: { method: GET }, ", "sees no requests"),
        ("latency: { add: 5ms }", "probability: 50%, ", "knows a probability `per: connection` only"),
        ("latency: { add: 50us }", "", "takes whole milliseconds"),
    ];
    for (fault, more, why) in cases {
        let timeline = format!(
            "timeline:
  - phase: one
    for: 1s
    inject: [{{ {more}fault: {{ {fault} }} }}]
expect: [{{ check: {{ crash-free: {{}} }} }}]
"
        );
        let (dir, file) = scenario("http://127.0.0.1:8474", &timeline);
        let (code, told) = gatecrash(&dir, &["check", &file]);
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains(why) && told.contains(":12:"), "{told}");
    }
    let (dir, file) = scenario("127.0.0.1:8474", "timeline: [{ phase: one, for: 1s }]\nexpect: []\n");
    let (code, told) = gatecrash(&dir, &["check", &file]);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("expected http://host:port"), "{told}");
}

/// On a busy machine arrivals are late: what is judged here is whether the faults act.
const RUN: &str = "guards: { generator: { max-lag-p99: 2s } }
timeline:
  - { phase: calm, for: 1s }
  - phase: slow
    for: 2s
    inject: [{ name: slower, fault: { latency: { add: 300ms } } }]
  - phase: down
    for: 1s
    inject: [{ name: gone, fault: { refuse: {} } }]
  - { phase: after, for: 2s }
expect:
  - { in: calm, check: { success-rate: { min: 100% } } }
  - { in: calm, check: { latency: { p50: { max: 250ms } } } }
  - { in: slow, check: { latency: { p50: { min: 300ms } } } }
  - { in: down, after: 300ms, before: 700ms, check: { success-rate: { max: 0% } } }
  - { in: after, after: 1s, check: { success-rate: { min: 100% } } }
  - { check: { body-exact: {} } }
";

#[cfg(not(feature = "external-toxiproxy"))]
#[test]
fn a_build_without_the_feature_says_so() {
    let (dir, file) = scenario("http://127.0.0.1:8474", RUN);
    let (code, told) = gatecrash(&dir, &["run", &file]);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("--features external-toxiproxy"), "{told}");
}

#[cfg(feature = "external-toxiproxy")]
mod with_the_feature {
    use super::{RUN, gatecrash, scenario};
    use crate::http::ask;
    use crate::servers::{Server, programs};

    #[test]
    fn nobody_there_is_told() {
        let (dir, file) = scenario("http://127.0.0.1:9", RUN);
        let (code, told) = gatecrash(&dir, &["run", &file]);
        assert_eq!(code, Some(4), "{told}");
        assert!(told.contains("the Toxiproxy at 127.0.0.1:9: nobody listens"), "{told}");
    }

    #[test]
    fn a_run_through_our_own_server_passes() {
        passes(&Server::gatecrash(&[]));
    }

    #[test]
    fn a_run_through_toxiproxy_passes() {
        let Some(programs) = programs("a_run_through_toxiproxy_passes") else { return };
        passes(&Server::toxiproxy(&programs.server, &[]));
    }

    /// The faults act, checks that need attempts are inconclusive, and nothing is left behind.
    fn passes(server: &Server) {
        let url = format!("http://127.0.0.1:{}", server.port);
        let (dir, file) = scenario(&url, RUN);
        let (code, told) = gatecrash(&dir, &["run", &file]);
        assert_eq!(code, Some(0), "{told}");
        let (dir, file) = scenario(&url, &format!("{RUN}  - {{ check: {{ bounded-attempts: {{}} }} }}\n"));
        let (code, told) = gatecrash(&dir, &["run", &file]);
        assert_eq!(code, Some(3), "{told}");
        assert_eq!(ask(server.port, "GET", "/proxies", &[], None).body, "{}");
    }
}
