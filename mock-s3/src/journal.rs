//! The journal: one [`UpstreamRecord`] for every request with a readable head, however it ends, and, when somebody
//! listens, what is told of it to everyone else.

use std::sync::Arc;

use gatecrash_model::time::micros_between;
use gatecrash_model::{AttemptContext, Op, UpstreamRecord, hash};

use crate::observe::Notes;
use crate::server::Shared;

/// A record being written. It goes to the sink when it is dropped: after the last byte of the answer, or as
/// abandoned when the caller hung up before.
pub(crate) struct Entry {
    pub(crate) record: UpstreamRecord,
    shared: Arc<Shared>,
    delivered: bool,
    /// Only when somebody listens.
    notes: Option<Box<Notes>>,
}

impl Entry {
    pub(crate) fn begin(
        shared: &Arc<Shared>,
        context: AttemptContext,
        region: usize,
        op: Op,
        request_id: &str,
    ) -> Self {
        let record = UpstreamRecord {
            attempt: context.attempt,
            request: context.request,
            received: shared.clock.now(),
            request_id: short(request_id),
            region: region as u8,
            op,
            ..UpstreamRecord::default()
        };
        Self { record, shared: Arc::clone(shared), delivered: false, notes: None }
    }

    pub(crate) fn flag(&mut self, flag: u16, set: bool) {
        if set {
            self.record.flags |= flag;
        }
    }

    /// Somebody listens: the exchange is described from here on.
    pub(crate) fn describe(&mut self, notes: Box<Notes>) {
        self.notes = Some(notes);
    }

    /// Whether there is a description.
    pub(crate) fn is_described(&self) -> bool {
        self.notes.is_some()
    }

    /// Adds to the description, if there is one.
    pub(crate) fn note(&mut self, write: impl FnOnce(&mut Notes)) {
        if let Some(notes) = &mut self.notes {
            write(notes);
        }
    }

    /// The request has arrived whole.
    pub(crate) fn complete(&mut self) {
        let Self { shared, notes: Some(notes), .. } = self else { return };
        notes.complete(shared.clock.now());
    }

    /// The answer goes to its connection.
    pub(crate) fn answered(&mut self) {
        let Self { shared, notes: Some(notes), .. } = self else { return };
        notes.answered(shared.clock.now());
    }

    /// Response body bytes went to the connection.
    pub(crate) fn sent(&mut self, bytes: u64) {
        self.record.sent_bytes = self.record.sent_bytes.saturating_add(saturated(bytes));
        self.note(|notes| notes.sent(bytes));
    }

    /// The whole answer went to the connection.
    pub(crate) fn delivered(&mut self) {
        self.delivered = true;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.flag(UpstreamRecord::ABANDONED, !self.delivered);
        let now = self.shared.clock.now();
        self.record.done = micros_between(self.record.received, now);
        self.shared.sink.upstream(self.record);
        if let Some(notes) = self.notes.take() {
            self.shared.finished(&Arc::new(notes.end(self.record, now)));
        }
    }
}

/// A length as a record holds it.
pub(crate) fn saturated(bytes: u64) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// The journal's form of `x-amz-request-id`; 0 is kept for "absent".
fn short(request_id: &str) -> u32 {
    (hash::bytes(request_id.as_bytes()) as u32).max(1)
}
