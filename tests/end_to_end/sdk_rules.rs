//! The preset `app-server` tries again as the AWS SDK does: the same faults, asked once by the SDK itself through a wire that
//! only passes bytes on, and once by plain clients of the preset. `docs/sdk-retries.md` has the table.

use std::fmt::Write as _;
use std::path::Path;

use gatecrash::run_dir::RunDir;
use gatecrash_core::history::{History, Join};
use gatecrash_model::Nanos;

use crate::support::{Desk, installed, turn};

/// One failure each, in a bucket of its own: name, operation, fault, and how many attempts it takes.
const FAILURES: &[(&str, &str, &str, usize)] = &[
    ("unavailable", "GetObject", "s3-error: { code: ServiceUnavailable }", 3),
    ("internal", "PutObject", "s3-error: { code: InternalError }", 3),
    ("slow-down", "GetObject", "s3-error: { code: SlowDown }", 3),
    ("slow-head", "HeadObject", "s3-error: { code: SlowDown }", 3),
    ("request-timeout", "PutObject", "s3-error: { code: RequestTimeout }", 3),
    ("denied", "GetObject", "s3-error: { code: AccessDenied }", 1),
    ("no-key", "GetObject", "s3-error: { code: NoSuchKey }", 1),
    ("conflict", "PutObject", "s3-error: { code: OperationAborted }", 1),
    ("bare-500", "GetObject", "status: { status: 500 }", 3),
    ("bare-501", "GetObject", "status: { status: 501 }", 1),
    ("bare-502", "GetObject", "status: { status: 502 }", 3),
    ("bare-504", "DeleteObject", "status: { status: 504 }", 3),
    ("bare-429", "GetObject", "status: { status: 429 }", 1),
    ("batch", "DeleteObjects", "s3-error: { code: ServiceUnavailable }", 3),
    ("reset", "GetObject", "reset: { at: request }", 3),
    ("closed", "PutObject", "close: { at: request }", 3),
    ("cut-list", "ListObjectsV2", "truncate: { at: 200B }", 3),
    ("cut-object", "GetObject", "truncate: { at: 200B }", 1),
    ("garbage", "GetObject", "malformed: { kind: garbage-bytes }", 1),
    ("no-length", "GetObject", "malformed: { kind: cl-text }", 1),
    ("asked-to-wait", "GetObject", "s3-error: { code: SlowDown, amz-retry-after: 300ms }", 3),
];

/// More than a bucket of 500 tokens has retries for.
struct Drain {
    name: &'static str,
    fault: &'static str,
    /// Requests in a second, and for how many seconds.
    arrivals: (u64, u64),
    /// Attempts at all of them, under the rules of since 2021 and of 2026.
    attempts: [usize; 2],
}

const DRAINS: &[Drain] = &[
    Drain {
        name: "transient",
        fault: "fault: { s3-error: { code: ServiceUnavailable } }",
        arrivals: (120, 1),
        attempts: [120 + 500 / 10, 120 + 500 / 14],
    },
    // An error of the client's is no success, which would give tokens back.
    Drain {
        name: "timed-out",
        fault: "fault: { s3-error: { code: RequestTimeout } }",
        arrivals: (120, 1),
        attempts: [120 + 500 / 10, 120 + 500 / 14],
    },
    Drain {
        name: "throttled",
        fault: "fault: { s3-error: { code: SlowDown } }",
        arrivals: (120, 1),
        attempts: [120 + 500 / 5, 120 + 500 / 5],
    },
    // A retry that is well gives tokens back: without that there would be a hundred.
    Drain {
        name: "given-back",
        fault: "match: { attempt: 1 }, fault: { s3-error: { code: SlowDown } }",
        arrivals: (40, 3),
        attempts: [2 * 120, 2 * 120],
    },
];

/// How many runs are made at a time.
const AT_ONCE: usize = 10;

/// Passes bytes on in both directions and looks at none of them.
const WIRE: &str = "\
defaults
    mode tcp
    timeout connect 60s
    timeout client 60s
    timeout server 60s
frontend clients
    bind {{ listen }}
    default_backend s3
backend s3
{% for upstream in upstreams %}
    server s{{ loop.index }} {{ upstream.addr }}
{% endfor %}
";

/// Who tries again, and by which rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Side {
    sdk: bool,
    new: bool,
}

const SIDES: &[Side] = &[
    Side { sdk: true, new: false },
    Side { sdk: true, new: true },
    Side { sdk: false, new: false },
    Side { sdk: false, new: true },
];

#[test]
fn the_preset_tries_again_as_the_sdk_does() {
    if !installed("haproxy") {
        return;
    }
    let _turn = turn();
    let desk = Desk::new();
    desk.file("wire.cfg.j2", WIRE);
    let scenarios = SIDES.iter().flat_map(|side| {
        let client = side.client();
        let failures = (side.file("failures"), side.scenario(&failures(client)));
        let drains =
            DRAINS.iter().map(move |drain| (side.file(drain.name), side.scenario(&drained(drain, client))));
        std::iter::once(failures).chain(drains)
    });
    let files: Vec<_> = scenarios.map(|(file, scenario)| desk.file(&file, &scenario)).collect();
    // What the retries make of the requests is not the question; that all of them were made is. A process makes one run at a
    // time where the gateway is a command.
    for some in files.chunks(AT_ONCE) {
        let running: Vec<_> = some.iter().map(|file| desk.start(&["run", "--quiet", file])).collect();
        for run in running {
            desk.finish(run).exits(0);
        }
    }
    for side in SIDES {
        side.tried_again(&history(&desk, &side.file("failures")));
        for drain in DRAINS {
            side.ran_dry(drain, &history(&desk, &side.file(drain.name)));
        }
    }
    desk.expect_nothing_left();
}

fn history(desk: &Desk, file: &str) -> History {
    let run = desk.run_dirs().into_iter().find(|run| is_of(run, file)).expect("its run");
    RunDir::open(&run).expect("a run").history().expect("its history")
}

fn is_of(run: &Path, file: &str) -> bool {
    std::fs::read_to_string(run.join("plan.json")).is_ok_and(|plan| plan.contains(file))
}

// === impl Side ===

impl Side {
    fn file(self, what: &str) -> String {
        let who = if self.sdk { "sdk" } else { "preset" };
        format!("{what}-{who}-{}.yaml", if self.new { "2026" } else { "2021" })
    }

    fn client(self) -> &'static str {
        match (self.sdk, self.new) {
            (true, false) => "{ engine: aws-sdk, retries: standard }",
            (true, true) => "{ engine: aws-sdk, retries: standard-2026 }",
            (false, _) => "{}",
        }
    }

    fn gateway(self) -> &'static str {
        match (self.sdk, self.new) {
            (true, _) => {
                "{ command: { run: [haproxy, -db, -f, \"{{ config }}\"], template: wire.cfg.j2, \
                 ready: { http: /, within: 60s } } }"
            }
            (false, false) => "{ embedded: { preset: app-server } }",
            (false, true) => "{ embedded: { preset: app-server, params: { retry-rules: \"2026\" } } }",
        }
    }

    fn scenario(self, rest: &str) -> String {
        format!(
            "gatecrash: 1\nname: retries\ngateway: {}\nupstreams: {{ us-east-1: {{ endpoints: 1 }} }}\n{rest}\
             expect: [{{ min-samples: 1, check: {{ success-rate: {{ min: 0% }} }} }}]\n",
            self.gateway()
        )
    }

    /// Each failure took as many attempts as it should.
    fn tried_again(self, history: &History) {
        let join = Join::of(history);
        for (workload, (name, _, fault, expected)) in FAILURES.iter().enumerate() {
            let asked: Vec<_> =
                history.clients.iter().filter(|c| usize::from(c.workload) == workload).collect();
            let [client] = asked[..] else { panic!("{self:?} {name}: {} requests", asked.len()) };
            let at: Vec<_> = join.attempts(history, client.id()).map(|a| a.start).collect();
            assert_eq!(at.len(), *expected, "{self:?}: {fault}");
            if fault.contains("amz-retry-after") {
                let pauses: Vec<Nanos> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
                assert!(pauses.iter().all(|&pause| pause >= 299_000_000), "{self:?}: {pauses:?}");
            }
        }
    }

    /// The tokens were enough for as many retries as they should.
    fn ran_dry(self, drain: &Drain, history: &History) {
        let join = Join::of(history);
        let (rate, seconds) = drain.arrivals;
        assert_eq!(history.clients.len() as u64, rate * seconds, "{self:?}: {}", drain.name);
        let attempts: usize = history.clients.iter().map(|c| join.attempts(history, c.id()).count()).sum();
        assert_eq!(attempts, drain.attempts[usize::from(self.new)], "{self:?}: {}", drain.name);
    }
}

/// One request for each failure, each in its bucket.
fn failures(client: &str) -> String {
    let (mut buckets, mut load, mut faults) = (String::new(), String::new(), String::new());
    for (name, op, fault, _) in FAILURES {
        let objects = "objects: { count: 9, key: \"o/{n}\", size: 8KiB }";
        _ = writeln!(buckets, "  b-{name}: {{ in: [us-east-1], public: true, {objects} }}");
        let what = format!("bucket: b-{name}, ops: {{ {op}: 100% }}, timeout: 60s, client: {client}");
        _ = writeln!(load, "  {name}: {{ open: {{ rate: 1/s, arrivals: even }}, {what} }}");
        _ = writeln!(
            faults,
            "      - {{ name: f-{name}, match: {{ bucket: b-{name} }}, until: rest, fault: {{ {fault} }} }}"
        );
    }
    let names: Vec<_> = FAILURES.iter().map(|(name, ..)| *name).collect();
    format!("buckets:\n{buckets}load:\n{load}{}", timeline(&faults, &names, 1, 1))
}

/// Many requests for one fault.
fn drained(drain: &Drain, client: &str) -> String {
    let (rate, seconds) = drain.arrivals;
    let fault = format!("      - {{ name: broken, until: rest, {} }}\n", drain.fault);
    format!(
        "buckets: {{ media: {{ in: [us-east-1], public: true, objects: {{ count: 9, key: \"o/{{n}}\", size: 8KiB }} }} }}\n\
         load: {{ app: {{ open: {{ rate: {rate}/s, arrivals: even }}, bucket: media, ops: {{ GetObject: 100% }}, \
         timeout: 60s, client: {client} }} }}\n{}",
        timeline(&fault, &["app"], rate, seconds)
    )
}

/// The faults are in force before the first request and until the last retry.
fn timeline(faults: &str, workloads: &[&str], rate: u64, seconds: u64) -> String {
    let load = |rate: u64| {
        let each = workloads.iter().map(|name| format!("{name}: {{ rate: {rate}/s }}"));
        format!("load: {{ {} }}", each.collect::<Vec<_>>().join(", "))
    };
    let (none, some) = (load(0), load(rate));
    format!(
        "timeline:\n  - phase: ready\n    for: 500ms\n    {none}\n    inject:\n{faults}\
         \x20 - {{ phase: asked, for: {seconds}s, {some} }}\n  - {{ phase: rest, for: 5s, {none} }}\n\
         guards: {{ generator: {{ max-lag-p99: 10s }} }}\n"
    )
}
