//! Which region an answer speaks for, and of what time: one out of a store tells where its copy was fetched, then.

use gatecrash_model::{AttemptRecord, ClientRecord, Nanos};

use crate::judge::Scope;

/// A request with where its answer came from, as it names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Served<'a> {
    pub(super) client: &'a ClientRecord,
    /// When the gateway chose whom to ask: when the request was due, or when the copy it got was fetched.
    pub(super) at: Nanos,
    region: Option<u16>,
}

// === impl Served ===

impl<'a> Served<'a> {
    /// The requests due in a time that were owed an answer, by [`at`](Self::at); without those that got a copy from
    /// before it, of which they tell nothing.
    pub(super) fn between(scope: &Scope<'a>, from: Nanos, until: Nanos) -> Vec<Self> {
        let owed = scope.clients_between(from, until).filter(|c| !c.ending.invites_retry());
        let mut all: Vec<_> = owed.map(|c| Self::of(scope, c)).filter(|served| served.at >= from).collect();
        all.sort_by_key(|served| served.at);
        all
    }

    fn of(scope: &Scope<'a>, client: &'a ClientRecord) -> Self {
        let is_own = |a: &AttemptRecord| a.request == client.id().pack();
        // A copy that the upstream said is still good names the exchange that fetched it, and speaks for the one that asked.
        let renewed = scope.attempts(client).last().filter(|a| a.status == 304);
        let fed = scope.fed_by(client).map(|fed| renewed.filter(|_| !is_own(fed)).unwrap_or(fed));
        Self {
            client,
            at: fed.filter(|a| !is_own(a)).map_or(client.intended, |a| a.start.min(client.intended)),
            region: fed.and_then(|a| scope.plan.region_of_link(a.link())),
        }
    }

    /// Whether it was this region's.
    pub(super) fn is_by(&self, region: u16) -> bool {
        self.region == Some(region)
    }
}

/// What was left out of `owed` requests, in words.
pub(super) fn left_out(owed: usize, counted: usize) -> Option<String> {
    let copies = owed.checked_sub(counted).filter(|copies| *copies > 0)?;
    Some(format!("{copies} more got a copy that was fetched before that, which tells nothing"))
}
