//! The recorded history of a run: what was seen, in memory or read back from a run directory.
//!
//! It never contains the name of a defect: the judge cannot peek.

mod answers;
mod ids;
mod intervals;
mod join;
mod seen;
mod store;

use gatecrash_model::{
    AttemptRecord, Capabilities, ClientRecord, ConnectionRecord, Event, Evidence, FiringRecord,
    GatewaySample, Nanos, StoreEntry, StrId, Strings, TrialRecord, UpstreamRecord, VersionRecord,
};

pub use answers::Answers;
pub use ids::{IdHasher, IdMap, IdSet, Places};
pub use intervals::{Interval, Intervals};
pub use join::{Join, JoinStats};
pub use seen::Seen;
pub use store::{StoreError, decode_all, encode_header};

/// Everything that was observed.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Client requests, by intended time.
    pub clients: Vec<ClientRecord>,
    /// Attempts, by start.
    pub attempts: Vec<AttemptRecord>,
    /// The mock's journal, by time received.
    pub upstreams: Vec<UpstreamRecord>,
    /// Link connections, by time opened.
    pub connections: Vec<ConnectionRecord>,
    /// Firings, by time.
    pub firings: Vec<FiringRecord>,
    /// Versions of changing objects that clients saw, by request.
    pub versions: Vec<VersionRecord>,
    /// Raw bytes of abnormal exchanges.
    pub evidence: Vec<Evidence>,
    /// Rare entries, in order.
    pub events: Vec<Event>,
    /// Strings.
    pub strings: Strings,
    /// What the sources of this history could observe.
    pub capabilities: Capabilities,
}

impl History {
    /// Sorts all lists by time; loaders and tests call it once.
    pub fn sort(&mut self) {
        self.clients.sort_by_key(|r| (r.intended, r.workload, r.k));
        self.attempts.sort_by_key(|r| (r.start, r.attempt));
        self.upstreams.sort_by_key(|r| (r.received, r.attempt));
        self.connections.sort_by_key(|r| (r.opened, r.link, r.conn));
        self.firings.sort_by_key(|r| (r.at, r.fault, r.attempt));
        self.versions.sort_by_key(|r| r.request);
    }

    /// The text of a string id.
    pub fn text(&self, id: StrId) -> &str {
        self.strings.text(id)
    }

    /// Which versions of a changing object a client saw in the answer to a request, given its packed id.
    pub fn version(&self, request: u64) -> Option<&VersionRecord> {
        let place = self.versions.binary_search_by_key(&request, |seen| seen.request).ok()?;
        self.versions.get(place)
    }

    /// Recorded start and end of a phase; an end that was never reached is the end of the history.
    pub fn phase_window(&self, phase: u16) -> Option<(Nanos, Nanos)> {
        let from = self.events.iter().find_map(|e| match e {
            Event::PhaseStart { phase: p, at } if *p == phase => Some(*at),
            _ => None,
        })?;
        let until = self.events.iter().find_map(|e| match e {
            Event::PhaseEnd { phase: p, at } if *p == phase => Some(*at),
            _ => None,
        });
        Some((from, until.unwrap_or_else(|| self.end())))
    }

    /// Recorded intervals in which a fault was on: (on, off, confirmed by probes where it needs any).
    pub fn fault_intervals(&self, fault: u16) -> Vec<(Nanos, Nanos, bool)> {
        let mut out = Vec::new();
        let mut open: Option<(Nanos, bool)> = None;
        for event in &self.events {
            match event {
                Event::FaultOn { fault: f, at, confirmed } if *f == fault => {
                    open = Some((*at, confirmed.unwrap_or(true)))
                }
                Event::FaultOff { fault: f, at, confirmed } if *f == fault => {
                    if let Some((on, ok)) = open.take() {
                        out.push((on, *at, ok && confirmed.unwrap_or(true)));
                    }
                }
                _ => {}
            }
        }
        out.extend(open.map(|(on, ok)| (on, self.end(), ok)));
        out
    }

    /// The last instant anything was seen.
    pub fn end(&self) -> Nanos {
        let clients = self.clients.iter().map(ClientRecord::ended).max();
        let attempts = self.attempts.iter().map(AttemptRecord::ended).max();
        let edges = self.events.iter().filter_map(|e| match e {
            Event::PhaseStart { at, .. } | Event::PhaseEnd { at, .. } | Event::LoadEnd { at } => Some(*at),
            _ => None,
        });
        clients.into_iter().chain(attempts).chain(edges).max().unwrap_or(0)
    }

    /// Gateway samples in order.
    pub fn samples(&self) -> impl Iterator<Item = &GatewaySample> {
        self.events.iter().filter_map(|e| if let Event::Sample(s) = e { Some(s) } else { None })
    }

    /// When and how the gateway died by itself.
    pub fn gateway_deaths(&self) -> impl Iterator<Item = (Nanos, &str)> {
        self.events.iter().filter_map(|e| {
            if let Event::GatewayDied { at, how } = e { Some((*at, how.as_str())) } else { None }
        })
    }

    /// When and for how long the machine had no processor for us, as a thread of ours saw.
    pub fn stalls(&self) -> impl Iterator<Item = (Nanos, Nanos)> {
        self.events
            .iter()
            .filter_map(|e| if let Event::Stalled { at, lasted } = e { Some((*at, *lasted)) } else { None })
    }

    /// How many queries of the gateway a fault of the name service answered; `None` where that was not counted.
    pub fn queries_under(&self, fault: u16) -> Option<u64> {
        let counted = self.events.iter().filter_map(|e| match e {
            Event::Asked { fault: of, queries } if *of == fault => Some(*queries),
            _ => None,
        });
        counted.reduce(|a, b| a + b)
    }

    /// By which means of the system a fault was carried out, where that could differ.
    pub fn means_of(&self, fault: u16) -> Option<&str> {
        self.events.iter().find_map(|e| match e {
            Event::CarriedOut { fault: of, by } if *of == fault => Some(by.as_str()),
            _ => None,
        })
    }

    /// Packed request id and number of tries, as the gateway's own log has them.
    pub fn witnessed(&self) -> impl Iterator<Item = (u64, u32)> {
        self.events.iter().filter_map(|e| {
            if let Event::Witnessed { request, attempts } = e { Some((*request, *attempts)) } else { None }
        })
    }

    /// Trials of a capacity search, in order.
    pub fn trials(&self) -> impl Iterator<Item = &TrialRecord> {
        self.events.iter().filter_map(|e| if let Event::Trial(t) = e { Some(&**t) } else { None })
    }

    /// Packed request id and number of tries of requests that their client tried more than once.
    pub fn client_tries(&self) -> impl Iterator<Item = (u64, u32)> {
        self.events.iter().filter_map(|e| {
            if let Event::ClientTries { request, tries } = e { Some((*request, *tries)) } else { None }
        })
    }

    /// Uploads in the mock's store at the end.
    pub fn stored(&self) -> impl Iterator<Item = &StoreEntry> {
        self.events.iter().filter_map(|e| if let Event::Stored(s) = e { Some(s) } else { None })
    }
}
