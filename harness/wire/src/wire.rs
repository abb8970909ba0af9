//! What all parts of one link share: its place in the run, and the doors to clock, sink, rules and registry.

use std::net::SocketAddr;
use std::sync::Arc;

use gatecrash_core::plan::{LatencyPlan, Side};
use gatecrash_core::profile::ProbePattern;
use gatecrash_core::rules::{Facts, Orders, Point, RuleSet, declared_size, part_number};
use gatecrash_model::op::split_path;
use gatecrash_model::{
    AttemptContext, AttemptId, AttemptRegistry, Clock, Evidence, EvidenceSide, FiringRecord, Nanos, Op,
    RunId, Sink, printable,
};

use crate::attempts::AttemptCounter;
use crate::baseline::Baseline;
use crate::head;
use crate::tls::{Onward, Terminator};

/// One link: the chaos in front of one upstream endpoint.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// Index of the link in the plan.
    pub index: u8,
    /// Which side of the gateway it stands on. A link on the clients' side writes no attempts down and adds no line
    /// to answers; what is no HTTP it passes on as it is.
    pub side: Side,
    /// Region index.
    pub region: u16,
    /// Endpoint in its region, from 1.
    pub endpoint: u16,
    /// Where the gateway finds it; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The mock behind it.
    pub upstream: SocketAddr,
    /// TLS as the gateway meets it; plain when absent.
    pub tls: Option<Arc<Terminator>>,
    /// TLS to what is behind it; plain when absent.
    pub onward: Option<Onward>,
    /// The run: request ids of other runs are strangers.
    pub run: RunId,
    /// Latency that this endpoint always has, drawn per attempt.
    pub baseline: Option<LatencyPlan>,
    /// How the gateway's health probes look.
    pub probes: Vec<ProbePattern>,
}

impl LinkConfig {
    /// A link that stands alone: plain on both sides, of no run.
    pub fn between(listen: SocketAddr, upstream: SocketAddr) -> Self {
        Self {
            index: 0,
            side: Side::Upstream,
            region: 0,
            endpoint: 1,
            listen,
            upstream,
            tls: None,
            onward: None,
            run: RunId(0),
            baseline: None,
            probes: Vec::new(),
        }
    }
}

/// What the links of a run share.
#[derive(Clone)]
#[expect(missing_docs, reason = "one door each, named after its type")]
pub struct Shared {
    pub clock: Arc<dyn Clock>,
    pub sink: Arc<dyn Sink>,
    pub rules: Arc<RuleSet>,
    pub registry: Arc<AttemptRegistry>,
    pub attempts: Arc<AttemptCounter>,
}

/// A link's configuration and doors.
pub(crate) struct Wire {
    pub(crate) config: LinkConfig,
    pub(crate) shared: Shared,
    pub(crate) baseline: Option<Baseline>,
}

/// An exchange, as the rules are asked about it.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) wire: &'a Wire,
    pub(crate) conn: u32,
    /// When the connection was accepted.
    pub(crate) opened: Nanos,
    pub(crate) ordinal: u16,
    pub(crate) http2: bool,
    pub(crate) context: AttemptContext,
    pub(crate) op: Op,
    /// The raw request head; empty before there is one.
    pub(crate) head: &'a [u8],
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("rules", &self.rules).finish_non_exhaustive()
    }
}

// === impl Wire ===

impl Wire {
    pub(crate) fn new(config: LinkConfig, shared: Shared) -> Self {
        let baseline = config.baseline.map(|plan| Baseline::new(plan, shared.rules.seed()));
        Self { config, shared, baseline }
    }

    pub(crate) fn now(&self) -> Nanos {
        self.shared.clock.now()
    }

    /// Keeps the raw beginning of something abnormal, as long as the run's budget lasts.
    pub(crate) fn keep_evidence(&self, context: AttemptContext, head: &[u8], note: String) {
        if self.shared.attempts.claim_evidence() {
            self.shared.sink.evidence(Evidence {
                side: EvidenceSide::Upstream,
                request: context.request,
                attempt: context.attempt,
                head: printable(head),
                body: String::new(),
                mismatch: None,
                note,
            });
        }
    }
}

// === impl Case ===

impl Case<'_> {
    /// Asks the rules, and writes down what fired.
    pub(crate) fn decide(&self, point: Point, status: u16) -> Orders {
        self.ask(point, status, None)
    }

    /// Asks them about an answer and its body.
    pub(crate) fn decide_answer(&self, status: u16, size: Option<u64>) -> Orders {
        self.ask(Point::ResponseHead, status, Some(size))
    }

    fn ask(&self, point: Point, status: u16, answer: Option<Option<u64>>) -> Orders {
        let rules = &self.wire.shared.rules;
        if !rules.any_active() {
            return Orders::default();
        }
        let config = &self.wire.config;
        let now = self.wire.now();
        let facts = Facts {
            at: now,
            side: config.side,
            age: now.saturating_sub(self.opened),
            ordinal: self.ordinal,
            http2: self.http2,
            tls: config.tls.is_some(),
            attempt: self.context,
            ..Facts::connection(config.region, config.endpoint, config.index, self.conn)
        };
        let orders = match head::parse(self.head) {
            None => rules.decide(point, &facts),
            Some(parsed) => {
                let (bucket, key) = place(parsed.target);
                let query = parsed.target.split_once('?').map_or("", |(_, query)| query);
                let identity = rules.signer(&parsed.headers, query);
                rules.decide(
                    point,
                    &Facts {
                        op: self.op,
                        method: parsed.method,
                        bucket: &bucket,
                        key: &key,
                        headers: &parsed.headers,
                        query,
                        part: part_number(query),
                        size: answer.unwrap_or_else(|| declared_size(&parsed.headers)),
                        identity: &identity,
                        status,
                        ..facts
                    },
                )
            }
        };
        for fired in &orders.fired {
            self.wire.shared.sink.firing(FiringRecord {
                at: self.wire.now(),
                attempt: if config.side.is_upstream() { self.context.attempt } else { AttemptId::NONE },
                request: self.context.request,
                draw: fired.draw,
                conn: self.conn,
                fault: fired.fault,
                link: config.index,
                number: self.context.number,
            });
        }
        orders
    }
}

/// Bucket and key of a path-style target, decoded.
pub(crate) fn place(target: &str) -> (String, String) {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    let (bucket, key) = split_path(path);
    let decoded = |text| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    (decoded(bucket), decoded(key))
}
