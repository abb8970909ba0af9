//! The attempts under way on the streams of one connection, wherever they are being worked on.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use gatecrash_model::EndedBy;

use crate::attempt::{Attempt, End};
use crate::wire::Wire;

/// Attempts by stream. Whoever takes one out writes its record, so that it is written once.
#[derive(Debug, Default)]
pub(crate) struct Open(Mutex<BTreeMap<u32, Attempt>>);

impl Open {
    pub(crate) fn insert(&self, stream: u32, attempt: Attempt) {
        self.all(|all| _ = all.insert(stream, attempt));
    }

    /// Works on an attempt; nothing happens to one that is over.
    pub(crate) fn with<T>(&self, stream: u32, work: impl FnOnce(&mut Attempt) -> T) -> Option<T> {
        self.all(|all| all.get_mut(&stream).map(work))
    }

    /// Writes the record of one attempt.
    pub(crate) fn finish(&self, wire: &Wire, stream: u32, end: Option<End>) {
        if let Some(attempt) = self.all(|all| all.remove(&stream)) {
            wire.shared.sink.attempt(attempt.record(wire.now(), end));
        }
    }

    /// Names the fault that ends the connection under all of them.
    pub(crate) fn touch_all(&self, fault: u16) {
        self.all(|all| all.values_mut().for_each(|attempt| attempt.touched(fault)));
    }

    /// Writes the records of all that the end of the connection ends.
    pub(crate) fn finish_all(&self, wire: &Wire, end: Option<End>) {
        let over = self.all(std::mem::take);
        for attempt in over.into_values() {
            let end = end.map(|end| match end.by {
                EndedBy::Gateway => End::gateway(end.with, attempt.down.wire > 0),
                _ => end,
            });
            wire.shared.sink.attempt(attempt.record(wire.now(), end));
        }
    }

    fn all<T>(&self, work: impl FnOnce(&mut BTreeMap<u32, Attempt>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
