//! The conditions, each with the scenario that brings it about.

use gatecrash_model::Op;

use crate::faults::{HTTP2_KINDS, TLS_KINDS, malformed};

/// One condition of the upstream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Condition {
    /// Its name: that of the malformed kind, or of the fault and its point.
    pub name: String,
    /// Its group in the table.
    pub group: &'static str,
    /// The fault as a scenario has it.
    pub fault: String,
    /// Further keys of the upstream, as a scenario has them.
    pub upstream: &'static str,
}

/// Faults that are no rewritten answers: group, name, fault.
const FAULTS: &[(&str, &str, &str)] = &[
    ("connect", "refuse", "refuse: {}"),
    ("connect", "syn-drop", "connect-blackhole: {}"),
    ("connect", "accept-stall", "swallow: {}"),
    ("connect", "accept-fin", "close: { at: accept }"),
    ("connect", "accept-rst", "reset: { at: accept }"),
    ("before header", "fin-before-header", "close: { at: request }"),
    ("before header", "rst-before-header", "reset: { at: request }"),
    ("before header", "hang-before-header", "latency: { add: 20s }"),
    ("before header", "drip-header", "slow-head: { bytes: 1B, every: 100ms }"),
    ("before header", "endless-hints", "endless-head: { of: interim }"),
    ("before header", "endless-lines", "endless-head: { of: headers }"),
    ("body", "body-cut-fin", "truncate: { at: 8KiB, with: fin }"),
    ("body", "body-cut-rst", "truncate: { at: 8KiB, with: rst }"),
    ("body", "body-cut-unframed", "truncate: { at: 8KiB, with: rst, unframed: true }"),
    ("body", "body-zero-of-n", "truncate: { at: 0B, with: fin }"),
    ("body", "body-stall", "stall: { after: 8KiB }"),
    ("body", "body-drip", "slow-body: { bytes: 512B, every: 20ms }"),
    ("body", "body-slow", "bandwidth: { rate: 64KiB }"),
    ("body", "body-wrong-etag", "wrong-etag: {}"),
    ("body", "body-wrong-object", "wrong-object: {}"),
    ("body", "body-slice", "slice: { size: 100B, every: 1ms }"),
    ("body", "corrupt-body", "corrupt-body: { share: 1% }"),
    ("connection life", "close-after-reply-fin", "close-after-reply: { with: fin }"),
    ("connection life", "close-after-reply-rst", "close-after-reply: { with: rst }"),
    ("connection life", "half-close", "half-close: {}"),
    ("connection life", "close-header-ignored", "close-header-ignored: {}"),
    ("connection life", "keepalive-max", "keepalive-max: { requests: 3, announce: false }"),
    ("connection life", "late-bytes-after-reply", "late-bytes-after-reply: { after: 10ms, what: bytes }"),
    ("connection life", "late-408", "late-bytes-after-reply: { after: 10ms, what: \"408\" }"),
    ("connection life", "idle-close", "idle-close: { after: 20ms }"),
    ("connection life", "close-on-reuse-fin", "close-on-reuse: { with: fin }"),
    ("connection life", "close-on-reuse-rst", "close-on-reuse: { with: rst }"),
    ("request side", "early-reply-fin", "early-close: { then: fin }"),
    ("request side", "early-reply-rst", "early-close: { then: rst }"),
    ("request side", "half-close-reply", "early-close: { then: half-close }"),
    ("request side", "early-reply-keep", "early-close: { then: keep }"),
    ("request side", "never-read-body", "never-read-body: {}"),
    ("request side", "slow-read-body", "slow-read-body: { bytes: 2KiB, every: 20ms }"),
    ("request side", "forward-then-drop-fin", "forward-then-drop: { with: fin }"),
    ("request side", "forward-then-drop-rst", "forward-then-drop: { with: rst }"),
    ("request side", "forward-then-500", "forward-then-status: { status: 500 }"),
    ("request side", "reply-twice", "reply-twice: {}"),
    ("S3", "slow-down", "s3-error: { code: SlowDown }"),
    ("S3", "service-unavailable", "s3-error: { code: ServiceUnavailable }"),
    ("S3", "internal-error", "s3-error: { code: InternalError }"),
    ("S3", "access-denied", "s3-error: { code: AccessDenied }"),
    ("S3", "empty-503", "empty-503: {}"),
    ("S3", "status-502", "status: { status: 502 }"),
    ("S3", "status-504", "status: { status: 504 }"),
    ("S3", "status-429", "status: { status: 429 }"),
    ("S3", "redirect-301", "redirect: { status: 301 }"),
    ("S3", "redirect-307", "redirect: { status: 307 }"),
];

/// Every condition, in the order of the table.
pub fn conditions() -> Vec<Condition> {
    let plain = FAULTS.iter().map(|(group, name, fault)| Condition::new(group, name, (*fault).to_owned()));
    let tls = TLS_KINDS.iter().map(|kind| Condition {
        upstream: ", tls: true",
        ..Condition::new("TLS", kind.name, format!("tls: {{ kind: {} }}", kind.name))
    });
    let malformed = malformed::KINDS.iter().map(|kind| {
        let group = match kind.group {
            "raw" => "no HTTP at all",
            "partial" => "before header",
            "status_line" => "status line",
            group => group,
        };
        Condition::new(group, kind.name, format!("malformed: {{ kind: {} }}", kind.name))
    });
    let http2 = HTTP2_KINDS.iter().map(|kind| Condition {
        upstream: ", http: h2c",
        ..Condition::new("HTTP/2", kind.name, format!("http2: {{ kind: {} }}", kind.name))
    });
    plain.chain(tls).chain(malformed).chain(http2).collect()
}

impl Condition {
    fn new(group: &'static str, name: &str, fault: String) -> Self {
        Self { name: name.to_owned(), group, fault, upstream: "" }
    }

    /// The phases in which the condition holds, with the operation that is sent in each. One after the other, so that
    /// no operation meets what another has left on a kept connection.
    pub(super) const PHASES: [(u16, Op); 3] =
        [(2, Op::GetObject), (3, Op::PutObject), (4, Op::DeleteObjects)];
    /// The name of the fault that makes the condition.
    pub(super) const FAULT: &str = "fault";
    /// The phase after the condition.
    pub(super) const AFTER: u16 = 6;

    /// The scenario: clean traffic, the condition, a pause in which what hangs may end under it, clean traffic. The fault
    /// begins a moment before the first request that is to meet it. The rates are so low that a gateway is never short
    /// of anything.
    pub fn scenario(&self) -> String {
        let Self { name, fault, upstream, .. } = self;
        // Who has kept connections makes no new ones: they are closed before a fault of new ones begins.
        let kept = match self.group {
            "connect" | "TLS" => {
                "{ name: close-kept, until: turn, fault: { keepalive-max: { requests: 1 } } }"
            }
            _ => "",
        };
        let fault_name = Self::FAULT;
        let rest = "gets: { rate: 0/s }, puts: { rate: 0/s }, posts: { rate: 0/s }";
        format!(
            "gatecrash: 1
name: survey-{name}
seed: 1
upstreams: {{ us-east-1: {{ endpoints: 1{upstream} }} }}
buckets: {{ media: {{ objects: {{ count: 50, key: \"o/{{n}}\", size: 20000B }} }} }}
load:
  gets: {{ open: {{ rate: 20/s, arrivals: even }}, ops: {{ GetObject: 100% }}, timeout: 4s }}
  puts: {{ open: {{ rate: 20/s, arrivals: even }}, ops: {{ PutObject: 100% }}, timeout: 4s }}
  posts: {{ open: {{ rate: 20/s, arrivals: even }}, ops: {{ DeleteObjects: 100% }}, timeout: 4s }}
timeline:
  - {{ phase: before, for: 300ms, inject: [{kept}] }}
  - phase: turn
    for: 100ms
    inject: [{{ name: {fault_name}, at: 50ms, until: pause, fault: {{ {fault} }} }}]
    load: {{ {rest} }}
  - {{ phase: gets, for: 700ms, load: {{ puts: {{ rate: 0/s }}, posts: {{ rate: 0/s }} }} }}
  - {{ phase: puts, for: 700ms, load: {{ gets: {{ rate: 0/s }}, posts: {{ rate: 0/s }} }} }}
  - {{ phase: posts, for: 700ms, load: {{ gets: {{ rate: 0/s }}, puts: {{ rate: 0/s }} }} }}
  - {{ phase: pause, for: 2500ms, load: {{ {rest} }} }}
  - {{ phase: after, for: 1s }}
expect: [{{ check: {{ crash-free: {{}} }} }}]
"
        )
    }
}
