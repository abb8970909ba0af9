//! Client requests joined with the attempts they caused and the attempts that fed them.
//!
//! Many-to-many: a cached or coalesced response names an attempt that another request originated.

use std::collections::{HashMap, HashSet};

use gatecrash_model::{AttemptId, AttemptRecord, ClientRecord, RequestId, UpstreamRecord};

use super::History;

/// Indexes from a request or an attempt into the lists of a [`History`].
#[derive(Debug, Default)]
pub struct Join {
    by_request: HashMap<u64, Vec<u32>>,
    by_attempt: HashMap<u64, u32>,
    upstream_by_attempt: HashMap<u64, u32>,
    client_by_request: HashMap<u64, u32>,
    witnessed: HashMap<u64, u32>,
    /// What could not be joined.
    pub stats: JoinStats,
}

/// How complete the join is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct JoinStats {
    /// Client requests that were sent.
    pub sent: u64,
    /// Attempts that are no probes.
    pub attempts: u64,
    /// Attempts without a request id of this run (and with a head), unless they follow an early answer on its
    /// connection: then they may be made of body bytes, which `no-request-desync` judges.
    pub strangers: u64,
    /// Attempts whose request id names no client request.
    pub orphans: u64,
    /// Responses that name an attempt nobody recorded.
    pub dangling: u64,
}

impl Join {
    /// Joins a history. O(n).
    pub fn of(history: &History) -> Self {
        let mut join = Self::default();
        for (index, client) in history.clients.iter().enumerate() {
            join.client_by_request.insert(client.id().pack(), index as u32);
            join.stats.sent += u64::from(!client.was_dropped());
        }
        let mut out_of_step = HashSet::new();
        for (index, attempt) in history.attempts.iter().enumerate() {
            let connection = attempt.id().map(|id| (id.link, id.conn));
            if attempt.is_answered_early() {
                out_of_step.insert(connection);
            }
            join.by_attempt.insert(attempt.attempt, index as u32);
            if attempt.has(AttemptRecord::PROBE) {
                continue;
            }
            join.stats.attempts += 1;
            if attempt.request == RequestId::NONE {
                let known = attempt.has(AttemptRecord::NO_HEAD) || out_of_step.contains(&connection);
                join.stats.strangers += u64::from(!known);
            } else {
                join.by_request.entry(attempt.request).or_default().push(index as u32);
                join.stats.orphans += u64::from(!join.client_by_request.contains_key(&attempt.request));
            }
        }
        join.witnessed = history.witnessed().collect();
        for (index, upstream) in history.upstreams.iter().enumerate() {
            if upstream.attempt != AttemptId::NONE {
                join.upstream_by_attempt.insert(upstream.attempt, index as u32);
            }
        }
        let named = history.clients.iter().filter(|c| c.attempt != AttemptId::NONE);
        join.stats.dangling = named.filter(|c| !join.by_attempt.contains_key(&c.attempt)).count() as u64;
        join
    }

    /// The attempts a request originated, by start.
    pub fn attempts<'h>(
        &self,
        history: &'h History,
        request: RequestId,
    ) -> impl Iterator<Item = &'h AttemptRecord> + use<'h, '_> {
        let list = self.by_request.get(&request.pack()).map_or(&[][..], Vec::as_slice);
        list.iter().map(|i| &history.attempts[*i as usize])
    }

    /// How often the gateway's own log says a request was tried.
    pub fn witnessed(&self, request: RequestId) -> Option<u32> {
        self.witnessed.get(&request.pack()).copied()
    }

    /// The attempt a response named.
    pub fn fed_by<'h>(&self, history: &'h History, client: &ClientRecord) -> Option<&'h AttemptRecord> {
        self.by_attempt.get(&client.attempt).map(|i| &history.attempts[*i as usize])
    }

    /// What the mock wrote down for an attempt.
    pub fn upstream<'h>(&self, history: &'h History, attempt: &AttemptRecord) -> Option<&'h UpstreamRecord> {
        self.upstream_by_attempt.get(&attempt.attempt).map(|i| &history.upstreams[*i as usize])
    }

    /// The client request of an id.
    pub fn client<'h>(&self, history: &'h History, request: RequestId) -> Option<&'h ClientRecord> {
        self.client_by_request.get(&request.pack()).map(|i| &history.clients[*i as usize])
    }

    /// Share of attempts and responses that could not be joined.
    pub fn unjoined_share(&self) -> f64 {
        let bad = self.stats.strangers + self.stats.orphans + self.stats.dangling;
        let all = self.stats.attempts + self.stats.sent;
        if all == 0 { 0.0 } else { bad as f64 / all as f64 }
    }
}
