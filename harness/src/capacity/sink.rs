//! The sink of a capacity search: the records of one trial in memory, rare events on disk.
//!
//! A search makes tens of millions of requests; what is kept of them is one event for each trial.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatecrash_core::history::History;
use gatecrash_model::{
    AttemptRecord, Capabilities, ClientRecord, ConnectionRecord, Event, Evidence, FiringRecord, Sink, StrId,
    UpstreamRecord, VersionRecord,
};

use crate::recorder::Recorder;

/// Collects the records of a trial.
pub(super) struct TrialSink {
    recorder: Arc<Recorder>,
    now: Mutex<History>,
    /// What the generator and its control group told of themselves since the last time.
    health: Mutex<Vec<Event>>,
}

impl TrialSink {
    pub(super) fn new(recorder: Arc<Recorder>) -> Self {
        Self { recorder, now: Mutex::default(), health: Mutex::default() }
    }

    /// Everything since the last time, with all events so far that are not of the generator's health; ready to be judged.
    pub(super) fn take(&self, capabilities: Capabilities) -> History {
        let mut now = self.lock();
        let mut taken = History {
            clients: std::mem::take(&mut now.clients),
            attempts: std::mem::take(&mut now.attempts),
            upstreams: std::mem::take(&mut now.upstreams),
            connections: std::mem::take(&mut now.connections),
            firings: std::mem::take(&mut now.firings),
            versions: std::mem::take(&mut now.versions),
            evidence: Vec::new(),
            events: now.events.clone(),
            strings: now.strings.clone(),
            capabilities,
        };
        drop(now);
        taken.events.append(&mut self.health());
        taken.sort();
        taken
    }

    fn health(&self) -> MutexGuard<'_, Vec<Event>> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, History> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for TrialSink {
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
    fn evidence(&self, _: Evidence) {}
    fn event(&self, event: Event) {
        match &event {
            // Each second, or each trial: of a trial that is over, nobody asks.
            Event::Generator { .. } | Event::Throttled { .. } => self.health().push(event.clone()),
            Event::LoadEnd { .. } | Event::Sample(_) => {}
            _ => self.lock().events.push(event.clone()),
        }
        self.recorder.event(event);
    }
    fn intern(&self, text: &str) -> StrId {
        self.lock().strings.intern(text).0
    }
}
