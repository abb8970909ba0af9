//! What a machine without a processor to spare does to verdicts: a failure that starvation explains is no proof.
//!
//! The gateway, the links and the load generator share one machine. When that had no processor for them, a timeout may
//! have run out although its upstream was well, and an answer may be late although nobody kept it.

use gatecrash_model::{ClientRecord, Nanos};

use super::cause::EDGE;
use super::scope::Scope;
use crate::checks::{CheckInfo, CheckSpec, Rests};
use crate::history::{History, IdSet};
use crate::verdict::Outcome;

/// A request is handed on between threads of ours and of the gateway, each of which may have waited as long as the
/// one that was seen to.
const HANDED_ON: Nanos = 4;

/// Share of a request's time that has to be waiting, where no single stall explains it: less than that leaves enough of
/// it to a gateway that is prompt.
const MOST: (Nanos, Nanos) = (2, 3);

/// When the machine had no processor for us, in order.
#[derive(Clone, Debug, Default)]
pub struct Stalls {
    /// (noticed, lasted).
    all: Vec<(Nanos, Nanos)>,
    longest: Nanos,
}

// === impl Stalls ===

impl Stalls {
    pub(super) fn of(history: &History) -> Self {
        let mut all: Vec<_> = history.stalls().collect();
        all.sort_unstable_by_key(|(at, _)| *at);
        let longest = all.iter().map(|(_, lasted)| *lasted).max().unwrap_or(0);
        Self { all, longest }
    }

    /// The longest of the run, ns.
    pub fn longest(&self) -> Nanos {
        self.longest
    }

    /// Whether something between these instants may have lost so much time for want of a processor: to the longest
    /// stall of its time, as often as it is handed on, or to all of them, when they are most of it.
    fn explain(&self, from: Nanos, until: Nanos, lost: Nanos) -> bool {
        let begin = self.all.partition_point(|(at, _)| at + EDGE < from);
        let end = until + EDGE;
        let possible = self.all[begin..].iter().take_while(|(at, _)| *at <= end + self.longest);
        let during =
            possible.filter(|(at, lasted)| at.saturating_sub(*lasted) <= end).map(|(_, lasted)| *lasted);
        let (longest, sum) = during.fold((0, 0), |(longest, sum), stall| (stall.max(longest), sum + stall));
        let took = until.saturating_sub(from).max(lost);
        sum > 0 && (lost <= HANDED_ON * longest || sum * MOST.1 >= took * MOST.0)
    }
}

impl Scope<'_> {
    /// Whether stalls of the machine during a request, or just before it, explain that it lost this much time.
    pub fn was_starved_of(&self, client: &ClientRecord, lost: Nanos) -> bool {
        self.stalls.explain(client.sent(), client.ended(), lost)
    }

    /// The shortest time in which the gateway gives an upstream up.
    pub fn shortest_timeout(&self) -> Nanos {
        self.profile.connect_timeout.0.min(self.profile.read_timeout.0)
    }
}

/// Why a failure is no proof: without the requests that were starved for all the time they took, the check does not
/// fail. What a stall cannot have done stays a failure: a body of other bytes, an answer later than that.
pub(super) fn excuse(check: &CheckSpec, info: CheckInfo, scope: &Scope<'_>) -> Option<String> {
    if info.rests == Rests::OnExchanges || scope.stalls.all.is_empty() {
        return None;
    }
    // An outcome is the work of a timeout that ran out, a duration is late by any stall.
    let least = if info.rests == Rests::OnTimes { 0 } else { scope.shortest_timeout() };
    let over = |c: &ClientRecord| match info.rests {
        Rests::OnLeftovers => scope.attempts(c).map(|a| a.ended()).fold(c.ended(), Nanos::max),
        _ => c.ended(),
    };
    let starved = |c: &&ClientRecord| {
        let until = over(c);
        scope.stalls.explain(c.intended, until, until.saturating_sub(c.intended).max(least))
    };
    let clients = scope.history.clients.iter().filter(|c| !c.was_dropped());
    let touched: IdSet = clients.filter(starved).map(|c| c.id().pack()).collect();
    if touched.is_empty() {
        return None;
    }
    let rest = Scope { excused: Some(&touched), ..*scope };
    (check.judge(&rest).outcome != Outcome::Fail).then(|| {
        format!(
            "the machine had no processor for us (stalls of up to {:.0} ms), which explains it: without the {} requests \
             that were starved it does not fail; run it again on a quieter machine",
            scope.stalls.longest as f64 / 1e6,
            touched.len()
        )
    })
}
