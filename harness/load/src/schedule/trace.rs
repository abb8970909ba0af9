//! Arrivals as somebody recorded them.

use std::sync::Arc;

use gatecrash_model::Nanos;

/// Sorted instants, once or over and over.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    instants: Arc<[Nanos]>,
    every: Option<Nanos>,
    /// Those of one round.
    round: u64,
}

impl Listed {
    pub(super) fn new(instants: Arc<[Nanos]>, every: Option<Nanos>) -> Self {
        let every = every.filter(|every| *every > 0);
        let round = instants.partition_point(|at| every.is_none_or(|every| *at < every)) as u64;
        Self { instants, every, round }
    }

    /// How many are due before `until`.
    pub(super) fn len(&self, until: Nanos) -> u64 {
        let (rounds, rest) = self.every.map_or((0, until), |every| (until / every, until % every));
        let of_round = &self.instants[..self.round as usize];
        rounds * self.round + of_round.partition_point(|at| *at < rest) as u64
    }

    /// When arrival `k` is due; there is at least one.
    pub(super) fn time(&self, k: u64) -> Nanos {
        let begun = self.every.map_or(0, |every| k / self.round * every);
        begun + self.instants[(k % self.round) as usize]
    }
}
