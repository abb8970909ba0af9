//! Stories of objects that change.

use gatecrash_model::{BodyCheck, ClientRecord, VersionRecord};

use super::{Request, Story};
use crate::units::Span;

/// How many versions behind the current one are those that an answer shows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shown {
    pub(super) body: Option<u32>,
    pub(super) then: Option<u32>,
    pub(super) tag: Option<u32>,
}

/// Of an object that changes; versions are counted back from the one that is current when the request is sent.
impl Request {
    /// The bytes are of the version so many before.
    pub fn behind(mut self, versions: u32) -> Self {
        self.shown.body = Some(versions);
        self
    }

    /// The bytes go on as those of the version so many before.
    pub fn then_behind(mut self, versions: u32) -> Self {
        self.shown.then = Some(versions);
        self.body(BodyCheck::Mixed)
    }

    /// The ETag is of the version so many before.
    pub fn tag_behind(mut self, versions: u32) -> Self {
        self.shown.tag = Some(versions);
        self
    }
}

impl Story {
    /// With objects that change every so many milliseconds.
    pub fn changing(mut self, every: u64) -> Self {
        self.plan.buckets[0].change_every = Some(Span::millis(every));
        self
    }

    /// The versions that the answer shows, where the object changes.
    pub(super) fn push_shown(&mut self, request: &Request, client: &ClientRecord, key: &str) {
        let population = self.plan.buckets[0].population(self.plan.seed).ok();
        let Some(lineage) = population.and_then(|population| population.lineage(key)) else { return };
        let current = lineage.at(client.sent());
        let number = |behind: Option<u32>| behind.map_or(0, |behind| current.saturating_sub(behind) + 1);
        let Shown { body, then, tag } = request.shown;
        let (body, then, tag) = (number(body), number(then), number(tag));
        if body != 0 || tag != 0 {
            self.history.versions.push(VersionRecord { request: client.id().pack(), body, then, tag });
        }
    }
}
