//! Ranges and conditions of reads.

use gatecrash_model::ClientRecord;

use super::{Expect, RequestPlan};
use crate::workload::{Condition, RangeLaw, Tag};

/// An ETag that no object has.
const OTHER: &str = "\"00000000000000000000000000000000-0\"";

impl RequestPlan {
    /// Asks for a part of the object. What cannot be satisfied is left alone: its answer is 416.
    pub(crate) fn ask_for(&mut self, law: RangeLaw, draw: u64) {
        let size = match self.expect {
            Expect::Object { size, .. } | Expect::Uploaded { size, .. } => size,
            Expect::Anything | Expect::Absent | Expect::Changing => u64::MAX,
        };
        self.range = match law {
            RangeLaw::Fixed(range) if range.first < size => Some((range.first, range.last.min(size - 1))),
            RangeLaw::Fixed(range) => Some((range.first, range.last)),
            _ if size == 0 => None,
            RangeLaw::Random(0) | RangeLaw::Suffix(0) => None,
            RangeLaw::Random(len) if size == u64::MAX => Some((0, len - 1)),
            RangeLaw::Random(len) => {
                let len = len.min(size);
                let first = ((u128::from(draw) * u128::from(size - len + 1)) >> 64) as u64;
                Some((first, first + len - 1))
            }
            RangeLaw::Suffix(len) => {
                self.from_end = true;
                Some((size - len.min(size), size - 1))
            }
        };
    }

    /// Makes it depend on the object's ETag.
    pub(super) fn make_conditional(&mut self, condition: Condition) {
        let (name, tag) = match condition {
            Condition::IfMatch(tag) => ("if-match", tag),
            Condition::IfNoneMatch(tag) => ("if-none-match", tag),
        };
        let named = match (self.versions, tag) {
            (Some(versions), Tag::Current) => Some(versions.current),
            (Some(versions), Tag::Previous) => versions.current.checked_sub(1),
            _ => None,
        };
        let value = match (tag, self.versions.zip(named)) {
            (_, Some((versions, named))) => format!("\"{}\"", versions.lineage.etag(named)),
            (Tag::Current, None) => format!("\"{}\"", self.workload.population.etag(&self.key)),
            (Tag::Other | Tag::Previous, None) => OTHER.to_owned(),
            (Tag::Any, None) => "*".to_owned(),
        };
        self.condition = Some((name, value));
        if let Some(versions) = &mut self.versions {
            versions.named = named;
        }
        // Of what is not there S3 says so, whatever the condition.
        self.due = match (self.expect, condition) {
            (Expect::Object { .. }, Condition::IfNoneMatch(Tag::Current | Tag::Any)) => {
                ClientRecord::NOT_MODIFIED_DUE
            }
            // A copy that is as old, and may still be served, is not modified.
            (Expect::Object { .. }, Condition::IfNoneMatch(Tag::Previous)) if named.is_some() => {
                ClientRecord::NOT_MODIFIED_DUE
            }
            (Expect::Object { .. }, Condition::IfMatch(Tag::Other)) => ClientRecord::PRECONDITION_DUE,
            _ => 0,
        };
    }
}
