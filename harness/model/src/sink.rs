//! The one door through which every part writes what it saw.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::ids::StrId;
use crate::op::Op;
use crate::records::{
    AttemptRecord, ClientRecord, ConnectionRecord, Evidence, FiringRecord, UpstreamRecord, VersionRecord,
};
use crate::time::Nanos;
use crate::trial::TrialRecord;

/// Takes observations. Cheap and never blocking for long: hosts call it between two packets.
pub trait Sink: Send + Sync {
    /// A finished client request.
    fn client(&self, record: ClientRecord);
    /// A finished attempt.
    fn attempt(&self, record: AttemptRecord);
    /// A request the mock served.
    fn upstream(&self, record: UpstreamRecord);
    /// A closed link connection.
    fn connection(&self, record: ConnectionRecord);
    /// A fault that fired.
    fn firing(&self, record: FiringRecord);
    /// Versions of a changing object that a client saw.
    fn version(&self, record: VersionRecord);
    /// Raw bytes of an abnormal exchange.
    fn evidence(&self, evidence: Evidence);
    /// Something rare: an edge, a sample, an object at the end.
    fn event(&self, event: Event);
    /// The id of a string, the same for the same text during a run.
    fn intern(&self, text: &str) -> StrId;
}

/// The rare entries of a history, one JSON line each.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A phase began.
    PhaseStart {
        /// Index in the plan.
        phase: u16,
        /// When.
        at: Nanos,
    },
    /// A phase ended.
    PhaseEnd {
        /// Index in the plan.
        phase: u16,
        /// When.
        at: Nanos,
    },
    /// A fault was switched on, and everywhere in force from `at`.
    FaultOn {
        /// Index in the plan.
        fault: u16,
        /// When.
        at: Nanos,
        /// Connect faults: whether our own probe saw it. Other faults: absent.
        #[serde(default)]
        confirmed: Option<bool>,
    },
    /// A fault was switched off.
    FaultOff {
        /// Index in the plan.
        fault: u16,
        /// When.
        at: Nanos,
        /// Connect faults: whether our own probe could connect again.
        #[serde(default)]
        confirmed: Option<bool>,
    },
    /// A fault that has to be seen to be believed was coming into force, or going: meanwhile it may bite or not.
    Switching {
        /// Index in the plan.
        fault: u16,
        /// When the change was begun.
        from: Nanos,
        /// When it was seen to be in force.
        until: Nanos,
    },
    /// How often the gateway met a fault of the name service while it was on.
    Asked {
        /// Index in the plan.
        fault: u16,
        /// Queries it was answered under.
        queries: u64,
    },
    /// By which means of the system a fault on the gateway's process was carried out.
    CarriedOut {
        /// Index in the plan.
        fault: u16,
        /// In words.
        by: String,
    },
    /// The gateway's process tree, sampled.
    Sample(GatewaySample),
    /// The gateway's process ended before we stopped it.
    GatewayDied {
        /// When it was noticed.
        at: Nanos,
        /// Exit code or signal, in words.
        how: String,
    },
    /// The load generator's own health over the last second.
    Generator {
        /// End of the second.
        at: Nanos,
        /// Requests under way.
        in_flight: u32,
        /// Share of one core the whole harness process used, 1.0 = one core.
        cpu: f64,
        /// Share of one core that the busiest thread of the generator used. Absent where the system does not
        /// tell, and in histories of earlier releases.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        busiest: Option<f64>,
    },
    /// How long control groups with a CPU quota have kept our processes from running since the run began, as a sample.
    Throttled {
        /// When.
        at: Nanos,
        /// Of all our groups the one that waited longest, us. Summed over its threads.
        micros: u64,
        /// Periods in which a group had used up its quota.
        periods: u64,
    },
    /// A thread of ours or of the gateway was ready to run and got no processor: one of ours that only sleeps woke up
    /// late, or one of those whose waiting the kernel counts had waited that long since it was last looked at.
    Stalled {
        /// When it was noticed.
        at: Nanos,
        /// How long it waited, ns.
        lasted: Nanos,
    },
    /// What the gateway's own log says of a request during a connect fault, whose tries no link can see.
    Witnessed {
        /// Packed request id.
        request: u64,
        /// Upstream tries, failed connects included.
        attempts: u32,
    },
    /// A trial of a capacity search ended.
    Trial(Box<TrialRecord>),
    /// The search of a case was given up before its end, and why.
    SearchStopped {
        /// The case: its index among the phases of the plan.
        phase: u16,
        /// In words.
        why: String,
    },
    /// How often a client that retries by itself tried one request; once where nothing is told.
    ClientTries {
        /// Packed request id.
        request: u64,
        /// Its tries.
        tries: u32,
    },
    /// One object of the mock's store at the end, uploads only.
    Stored(StoreEntry),
    /// What the engine that walked the journeys of a workload counted for itself.
    Journeys {
        /// Workload index.
        workload: u8,
        /// Its requests by operation.
        counts: Vec<JourneyCount>,
        /// What became of its thresholds.
        #[serde(default)]
        thresholds: Vec<JourneyThreshold>,
    },
    /// The last arrival was due and every request had ended (or was given up).
    LoadEnd {
        /// When.
        at: Nanos,
    },
}

/// The gateway's process tree at one instant.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub struct GatewaySample {
    /// When.
    pub at: Nanos,
    /// User and system time so far, us.
    pub cpu_micros: u64,
    /// Resident memory, bytes.
    pub resident: u64,
    /// Open file descriptors.
    pub descriptors: u32,
    /// Of those, sockets.
    pub sockets: u32,
    /// Processes.
    pub processes: u32,
}

/// Requests of one operation as the engine of a workload's journeys counted them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JourneyCount {
    /// Operation.
    pub op: Op,
    /// Right answers.
    pub ok: u64,
    /// All others.
    pub failed: u64,
}

/// What became of a threshold of the engine of a workload's journeys.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JourneyThreshold {
    /// The rule as it was given.
    pub rule: String,
    /// What was observed, in the engine's words.
    pub observed: String,
    /// Whether it held.
    pub passed: bool,
}

/// An uploaded object as the mock holds it at the end of a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StoreEntry {
    /// Region name.
    pub region: String,
    /// Bucket name in the scenario.
    pub bucket: String,
    /// Object key.
    pub key: String,
    /// Bytes.
    pub length: u64,
    /// [`crate::hash::Hash64`] of the bytes.
    pub hash: u64,
    /// How often it was written in this region.
    pub writes: u32,
}

/// Keeps everything in memory, for tests and small tools.
#[derive(Default, Debug)]
pub struct MemorySink {
    kept: Mutex<Kept>,
}

/// What a [`MemorySink`] holds.
#[derive(Default, Debug, Clone)]
#[expect(missing_docs, reason = "one list per record kind, named after it")]
pub struct Kept {
    pub clients: Vec<ClientRecord>,
    pub attempts: Vec<AttemptRecord>,
    pub upstreams: Vec<UpstreamRecord>,
    pub connections: Vec<ConnectionRecord>,
    pub firings: Vec<FiringRecord>,
    pub versions: Vec<VersionRecord>,
    pub evidence: Vec<Evidence>,
    pub events: Vec<Event>,
    pub strings: Strings,
}

/// A string table: id 0 is the empty string.
#[derive(Debug, Clone)]
pub struct Strings {
    ids: HashMap<String, StrId>,
    texts: Vec<String>,
}

/// Drops everything.
#[derive(Default, Debug, Clone, Copy)]
pub struct NullSink;

// === impl Strings ===

impl Default for Strings {
    fn default() -> Self {
        Self { ids: HashMap::from([(String::new(), StrId(0))]), texts: vec![String::new()] }
    }
}

impl Strings {
    /// The id of a text, new or known; the flag says whether it is new.
    pub fn intern(&mut self, text: &str) -> (StrId, bool) {
        if let Some(id) = self.ids.get(text) {
            return (*id, false);
        }
        let id = StrId(self.texts.len() as u32);
        self.ids.insert(text.to_owned(), id);
        self.texts.push(text.to_owned());
        (id, true)
    }

    /// The text of an id; the empty string for an unknown one.
    pub fn text(&self, id: StrId) -> &str {
        self.texts.get(id.0 as usize).map_or("", String::as_str)
    }

    /// The id of a text, if it was ever interned.
    pub fn find(&self, text: &str) -> Option<StrId> {
        self.ids.get(text).copied()
    }

    /// All texts in order of id.
    pub fn all(&self) -> &[String] {
        &self.texts
    }
}

// === impl MemorySink ===

impl MemorySink {
    /// A copy of everything so far.
    pub fn kept(&self) -> Kept {
        self.lock().clone()
    }

    /// Looks at everything so far where it is; nothing is recorded meanwhile.
    pub fn look<T>(&self, at: impl FnOnce(&Kept) -> T) -> T {
        at(&self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for MemorySink {
    fn client(&self, record: ClientRecord) {
        self.lock().clients.push(record);
    }
    fn attempt(&self, record: AttemptRecord) {
        self.lock().attempts.push(record);
    }
    fn upstream(&self, record: UpstreamRecord) {
        self.lock().upstreams.push(record);
    }
    fn connection(&self, record: ConnectionRecord) {
        self.lock().connections.push(record);
    }
    fn firing(&self, record: FiringRecord) {
        self.lock().firings.push(record);
    }
    fn version(&self, record: VersionRecord) {
        self.lock().versions.push(record);
    }
    fn evidence(&self, evidence: Evidence) {
        self.lock().evidence.push(evidence);
    }
    fn event(&self, event: Event) {
        self.lock().events.push(event);
    }
    fn intern(&self, text: &str) -> StrId {
        self.lock().strings.intern(text).0
    }
}

impl Sink for NullSink {
    fn client(&self, _: ClientRecord) {}
    fn attempt(&self, _: AttemptRecord) {}
    fn upstream(&self, _: UpstreamRecord) {}
    fn connection(&self, _: ConnectionRecord) {}
    fn firing(&self, _: FiringRecord) {}
    fn version(&self, _: VersionRecord) {}
    fn evidence(&self, _: Evidence) {}
    fn event(&self, _: Event) {}
    fn intern(&self, _: &str) -> StrId {
        StrId::default()
    }
}
