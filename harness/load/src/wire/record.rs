//! What an exchange leaves behind, over whichever version of HTTP it went.

use std::io;
use std::sync::atomic::Ordering;

use gatecrash_model::time::micros_between;
use gatecrash_model::{ClientRecord, Ending, Nanos};

use super::body::Body;
use super::client::Session;
use super::connection::Exchanged;
use super::evidence;
use super::response::{Response, etag};
use crate::plan::RequestPlan;

impl Session {
    /// Fills in the record of an exchange, and writes it with the evidence it leaves.
    pub(super) fn settle(
        &self,
        plan: &RequestPlan,
        done: Exchanged,
        response: &Response,
        record: &mut ClientRecord,
    ) {
        record.lag = micros_between(record.intended, done.sent);
        record.first_byte = done.first_byte.map_or(u32::MAX, |at| micros_between(done.sent, at));
        record.done = micros_between(done.sent, done.done);
        record.ending = done.ending;
        self.judge(plan, response, record);
        self.setup.sink.client(*record);
    }

    /// Records that there was none, with the time it took to know.
    pub(super) fn no_connection(&self, record: &mut ClientRecord, begun: Nanos, error: &io::Error) {
        let setup = &self.setup;
        let took = micros_between(begun, setup.clock.now());
        let refused = error.kind() == io::ErrorKind::ConnectionRefused;
        record.ending = if refused { Ending::Refused } else { Ending::ConnectFailed };
        record.lag = micros_between(record.intended, begun);
        (record.connect, record.done) = (took, took);
        if let Some(evidence) = evidence::of_connect(&setup.evidence, record, error) {
            setup.sink.evidence(evidence);
        }
    }

    /// Writes down which versions of an object that changes an answer shows.
    pub(crate) fn note_versions(&self, plan: &RequestPlan, record: &ClientRecord, body: &Body, head: &[u8]) {
        if plan.versions.is_some()
            && let Some(shown) = plan.shows(record.status, body.versions(&self.setup.pool), etag(head))
        {
            self.setup.sink.version(shown);
        }
    }

    /// What the response says, and the evidence it leaves.
    fn judge(&self, plan: &RequestPlan, response: &Response, record: &mut ClientRecord) {
        let setup = &self.setup;
        response.describe(&setup.pool, record);
        self.note_versions(plan, record, &response.body, &response.raw_head);
        if response.informational > 0 {
            self.stats.informational.fetch_add(u64::from(response.informational), Ordering::Relaxed);
        }
        if let Some((code, whole)) = response.s3_code() {
            record.code = setup.sink.intern(code);
            record.flags |= if whole { ClientRecord::S3_ERROR } else { 0 };
        }
        let failed = !matches!(record.status, 200..=299);
        record.flags |= if record.status >= 400 { response.document_flags() } else { 0 };
        let leak = if failed { response.leaked(&setup.needles) } else { None };
        record.flags |= if leak.is_some() { ClientRecord::LEAK } else { 0 };
        if plan.is_answered_by(record) && record.flags & evidence::ORDINARY == record.flags {
            return;
        }
        let (budget, owners) = (&setup.evidence, &self.owners);
        if let Some(evidence) = evidence::of_exchange(budget, record, response, &setup.pool, owners, leak) {
            setup.sink.evidence(evidence);
        }
    }
}
