//! Requests for objects that change: what is current when a request is due.

use gatecrash_model::{Lineage, Nanos, Pool, VersionRecord};

use super::{Expect, RequestPlan};
use crate::workload::OpPlan;

/// The versions of an object, as a request for it knows them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Versions {
    pub(crate) lineage: Lineage,
    /// The one that is current when the request is due.
    pub(crate) current: u32,
    /// The newest that can come before the request is given up.
    pub(crate) newest: u32,
    /// The one the request's If-None-Match names.
    pub(crate) named: Option<u32>,
}

impl RequestPlan {
    /// The same request, due at an instant.
    #[must_use]
    pub fn of_time(mut self, pool: &Pool, at: Nanos) -> Self {
        let Expect::Object { index, size, .. } = self.expect else { return self };
        let Some(lineage) = self.workload.population.lineage(&self.key) else { return self };
        let current = lineage.at(at);
        let timeout = gatecrash_model::time::nanos(self.workload.timeout);
        // The answer may also come later than asked for because the sending was late.
        let newest = current.saturating_add(lineage.within(timeout)).saturating_add(lineage.within(timeout));
        self.versions = Some(Versions { lineage, current, newest, named: None });
        self.expect = Expect::Object { index, content: lineage.content(pool, current), size };
        let arrival = self.arrival();
        if let Some(OpPlan::Conditional { condition, .. }) = self.workload.op(arrival) {
            let condition = *condition;
            self.make_conditional(condition);
        }
        self
    }

    /// What an answer shows of the object's versions, given what its body and its ETag say; `None` where the object does
    /// not change, or neither says anything.
    pub(crate) fn shows(
        &self,
        status: u16,
        body: [Option<u32>; 2],
        etag: Option<&str>,
    ) -> Option<VersionRecord> {
        let versions = self.versions.filter(|_| matches!(status, 200..=299 | 304))?;
        let tag = etag.and_then(|etag| versions.lineage.tagged(etag, versions.newest));
        let tag = if status == 304 { tag.or(versions.named) } else { tag };
        let number = |version: Option<u32>| version.map_or(0, |version| version.saturating_add(1));
        let [body, then] = body.map(number);
        let record = VersionRecord { request: self.id().pack(), body, then, tag: number(tag) };
        (record.body != 0 || record.tag != 0).then_some(record)
    }
}
