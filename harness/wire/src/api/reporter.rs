//! What one proxy tells, as lines of the journal under its name.

use std::sync::Arc;

use gatecrash_core::faults::With;
use gatecrash_core::rules::RuleSet;
use gatecrash_model::{
    AttemptRecord, ClientRecord, ConnectionRecord, Event, Evidence, FiringRecord, Sink, StrId,
    UpstreamRecord, VersionRecord,
};

use super::journal::Journal;
use super::json::{Object, array, quoted};
use crate::proxy::{ClosedConnection, EndedBy, ProxyEvent, ProxyEvents, Traffic};

/// The ears of one proxy: of its connections, and of the exchanges on them where it understands HTTP.
pub(crate) struct Reporter {
    pub(crate) proxy: String,
    pub(crate) journal: Arc<Journal>,
    pub(crate) rules: Arc<RuleSet>,
}

impl Reporter {
    fn tell(&self, kind: &str, members: impl FnOnce(Object) -> Object) {
        self.journal.add(kind, |json| members(json.text("proxy", &self.proxy)));
    }
}

impl ProxyEvents for Reporter {
    fn event(&self, event: ProxyEvent) {
        match event {
            ProxyEvent::Opened { conn, peer, .. } => {
                self.tell("connection-opened", |json| {
                    json.raw("connection", conn).text("client", &peer.to_string())
                });
            }
            ProxyEvent::DialFailed { conn, error, .. } => {
                self.tell("dial-failed", |json| json.raw("connection", conn).text("error", &error));
            }
            ProxyEvent::ToxicFired { conn, toxic, .. } => {
                self.tell("toxic-fired", |json| json.raw("connection", conn).text("toxic", &toxic));
            }
            ProxyEvent::Closed(closed) => self.tell("connection-closed", |json| ended(json, &closed)),
        }
    }
}

/// Directions are named as toxics' streams are.
pub(crate) fn traffic(json: Object, upstream: Traffic, downstream: Traffic) -> Object {
    let of = |t: Traffic| Object::new().raw("received", t.received).raw("sent", t.sent).finish();
    json.raw("upstream", of(upstream)).raw("downstream", of(downstream))
}

fn ended(json: Object, closed: &ClosedConnection) -> Object {
    let (by, toxic) = match &closed.ended_by {
        EndedBy::Client => ("client", None),
        EndedBy::Upstream => ("upstream", None),
        EndedBy::Toxic(name) => ("toxic", Some(name)),
        EndedBy::Proxy => ("proxy", None),
        EndedBy::DialFailed => ("dial-failed", None),
    };
    let with = match closed.with {
        With::Fin => "fin",
        With::Rst => "rst",
    };
    let json = json
        .raw("connection", closed.conn)
        .text("client", &closed.peer.to_string())
        .raw("opened_ns", closed.opened)
        .raw("closed_ns", closed.closed);
    let json = traffic(json, closed.upstream, closed.downstream).text("ended_by", by);
    let json = match toxic {
        Some(name) => json.text("toxic", name),
        None => json,
    };
    json.text("with", with).raw("fired", array(closed.fired.iter().map(|name| quoted(name))))
}

impl Sink for Reporter {
    fn attempt(&self, record: AttemptRecord) {
        self.tell("exchange", |json| {
            json.text("attempt", &format!("{:016x}", record.attempt))
                .text("op", record.op.name())
                .raw("started_ns", record.start)
                .raw("took_us", record.done)
                .raw("status", record.status)
                .raw("request_bytes", record.request_bytes)
                .raw("response_bytes", record.response_bytes)
                .text("ending", record.ending.name())
                .text("ended_by", record.ended_by.name())
        });
    }

    fn firing(&self, record: FiringRecord) {
        let rule = self.rules.list().into_iter().find(|rule| rule.number == record.fault);
        let name = rule.map_or_else(|| record.fault.to_string(), |rule| rule.plan.name);
        self.tell("rule-fired", |json| {
            json.text("rule", &name)
                .text("attempt", &format!("{:016x}", record.attempt))
                .raw("draw", record.draw)
        });
    }

    fn client(&self, _: ClientRecord) {}

    fn upstream(&self, _: UpstreamRecord) {}

    /// The engine tells of connections.
    fn connection(&self, _: ConnectionRecord) {}

    fn version(&self, _: VersionRecord) {}

    fn evidence(&self, _: Evidence) {}

    fn event(&self, _: Event) {}

    /// Keys are not told: a table of them would grow for ever.
    fn intern(&self, _: &str) -> StrId {
        StrId::default()
    }
}
