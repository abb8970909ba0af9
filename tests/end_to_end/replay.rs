//! Requests of a log and of a run, made again through the real binary.

use gatecrash::run_dir::RunDir;
use gatecrash_model::{ClientRecord, Op};

use crate::support::{Desk, turn};

const SCENARIO: &str = r#"gatecrash: 1
name: again
buckets: { media: { public: true } }
load:
  app: { from-log: { file: access.log, speed: 2x } }
timeline: [{ phase: all, for: 3s }]
guards:
  generator: { max-lag-p99: 2s, max-cpu: 100%, min-achieved: 50% }    # not what this is about
expect:
  - { check: { success-rate: { min: 100% } } }
  - { check: { body-exact: {} } }
  - { check: { upload-once: {} } }
"#;

/// Operation of the log, key, status, bytes sent, bytes of the object; ours and the status that is due.
const STORY: [(&str, &str, &str, Op, u16); 10] = [
    ("REST.GET.OBJECT", "a/1.jpg", "200 - 700 700", Op::GetObject, 200),
    ("REST.HEAD.OBJECT", "a/1.jpg", "200 - - 700", Op::HeadObject, 200),
    ("REST.GET.OBJECT", "big%2520one", "206 - 100 90000", Op::GetObject, 206),
    ("REST.GET.OBJECT", "gone", "404 NoSuchKey 300 -", Op::GetObject, 404),
    ("REST.PUT.OBJECT", "new/1", "200 - - 5000", Op::PutObject, 200),
    ("REST.POST.UPLOADS", "new/2", "200 - 300 -", Op::Unknown, 0),
    ("REST.GET.BUCKET", "-", "200 - 900 -", Op::ListObjectsV2, 200),
    ("REST.DELETE.OBJECT", "new/0", "204 - - -", Op::DeleteObject, 204),
    ("REST.GET.OBJECT", "a/2.jpg", "304 - - -", Op::GetObject, 200),
    ("REST.PUT.OBJECT", "new/1", "200 - - 300", Op::PutObject, 200),
];

/// Four rounds of the story, one each second.
fn log() -> String {
    let line = |second: usize, (operation, key, rest): (&str, &str, &str)| {
        let time = format!("[06/Feb/2026:23:59:{:02} +0000]", 56 + second);
        format!(
            "own media {time} 192.0.2.3 - 3E57 {operation} {key} \"GET /x HTTP/1.1\" {rest} 9 8 \"-\" \"app\" -\n"
        )
    };
    let rounds = (0..4).flat_map(|second| STORY.map(|(op, key, rest, ..)| line(second, (op, key, rest))));
    rounds.chain(["torn off\n".to_owned()]).collect()
}

/// Milliseconds, operation, key and status of each request, in order of their numbers.
fn told(desk: &Desk, run: &str) -> Vec<(u64, Op, String, u16)> {
    let history = RunDir::open(&desk.path().join(run)).and_then(|dir| dir.history()).expect("history");
    let mut clients: Vec<&ClientRecord> = history.clients.iter().collect();
    clients.sort_by_key(|client| client.k);
    assert!(clients.iter().zip(0..).all(|(client, k)| client.k == k), "each arrival once");
    let one = |c: &&ClientRecord| (c.intended / 1_000_000, c.op, history.text(c.key).to_owned(), c.status);
    clients.iter().map(one).collect()
}

#[test]
fn a_log_is_made_again_and_so_is_the_run() {
    let _turn = turn();
    let desk = Desk::new();
    desk.file("access.log", &log());
    let file = desk.file("again.yaml", SCENARIO);
    let said = "36 requests of access.log over 1.9s, 2 times as fast: 44.4% GetObject";
    let checked =
        desk.gatecrash(&["check", &file]).exits(0).says(said).says("left out: 4 of REST.POST.UPLOADS");
    assert!(checked.stderr.contains("1 line of `access.log` cannot be read"), "{}", checked.stderr);
    assert!(checked.stderr.contains("access.log:41: field 3 (time)"), "{}", checked.stderr);

    desk.gatecrash(&["run", &file, "--out", "first"]).exits(0).says("PASS");
    let run = std::fs::read_dir(desk.path().join("first")).expect("runs").flatten().next().expect("a run");
    let first = format!("first/{}", run.file_name().to_string_lossy());
    let wanted: Vec<_> = (0..40)
        .filter(|n| STORY[n % 10].3 != Op::Unknown)
        .map(|n| {
            let (.., key, _, op, status) = STORY[n % 10];
            let key = key.replace("%2520", " ").replace('-', "");
            // Nine requests in each second of the log, half as long here.
            let within = (0..n % 10).filter(|m| STORY[*m].3 != Op::Unknown).count() as u64;
            let at = (n as u64 / 10) * 500 + within * 1_000_000 / 9 / 2 / 1000;
            (at, op, key, status)
        })
        .collect();
    assert_eq!(told(&desk, &first), wanted);

    let again = SCENARIO.replace("file: access.log, speed: 2x", &format!("file: {first}, speed: 1"));
    let file = desk.file("once-more.yaml", &again);
    desk.gatecrash(&["run", &file, "--out", "second"]).exits(0).says("PASS");
    let run = std::fs::read_dir(desk.path().join("second")).expect("runs").flatten().next().expect("a run");
    assert_eq!(told(&desk, &format!("second/{}", run.file_name().to_string_lossy())), wanted);
    // What is stored of a run is enough to judge it again.
    desk.gatecrash(&["report", &first]).exits(0).says("PASS");
    desk.expect_nothing_left();
}
