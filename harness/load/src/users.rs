//! The closed model: users that wait for their answer, think, and ask again.
//!
//! User `u` of `U` makes request `n` as arrival `n * U + u`, so ids are unique, what is asked for is a pure
//! function of the user and the number of the request, and users can be dealt out to threads and machines.
//! When it is asked depends on the answers: that is what "closed" means.

use gatecrash_model::{Nanos, draw, hash};

/// The users of one workload.
#[derive(Clone, PartialEq, Debug)]
pub struct Users {
    /// How many there are when, in order of time.
    pub stages: Vec<Stage>,
    /// How long a user pauses between an answer and its next request.
    pub think: Think,
}

/// A time span with a number of users, or with one that changes linearly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stage {
    /// Start, inclusive.
    pub from: Nanos,
    /// End, exclusive.
    pub until: Nanos,
    /// Users at the start.
    pub users: u32,
    /// Users at the end; as at the start when absent.
    pub to: Option<u32>,
}

/// A law of think times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Think {
    /// Always as long.
    Constant(Nanos),
    /// Exponential with this mean.
    Exponential(Nanos),
}

/// What a draw is for. The numbers are frozen: seeds depend on them.
const FIRST: u64 = 1;
const NEXT: u64 = 2;

// === impl Users ===

impl Users {
    /// The largest number of users at any time.
    pub fn most(&self) -> u32 {
        self.stages.iter().map(|stage| stage.users.max(stage.to.unwrap_or(0))).max().unwrap_or(0)
    }

    /// When user `user` (from 0) is there: spans in order that do not touch.
    pub fn presence(&self, user: u32) -> Vec<(Nanos, Nanos)> {
        let mut spans: Vec<(Nanos, Nanos)> = Vec::new();
        for (from, until) in self.stages.iter().filter_map(|stage| stage.presence(user)) {
            match spans.last_mut() {
                Some(last) if last.1 == from => last.1 = until,
                _ => spans.push((from, until)),
            }
        }
        spans
    }

    /// The arrival number of a user's request, both from 0; `None` past what an id can hold.
    pub fn arrival(&self, user: u32, request: u64) -> Option<u32> {
        let k = request.checked_mul(u64::from(self.most()))?.checked_add(u64::from(user))?;
        u32::try_from(k).ok()
    }

    /// The pause before a user's first request: what is left of a think time that began earlier, so that users
    /// do not all ask at once.
    pub fn first_pause(&self, seed: u64, user: u32) -> Nanos {
        let draw = draw::unit(hash::combine(&[seed, FIRST, u64::from(user)]));
        match self.think {
            Think::Constant(pause) => (pause as f64 * draw) as Nanos,
            Think::Exponential(mean) => exponential(mean, draw),
        }
    }

    /// The pause after arrival `k`.
    pub fn pause(&self, seed: u64, k: u32) -> Nanos {
        match self.think {
            Think::Constant(pause) => pause,
            Think::Exponential(mean) => {
                exponential(mean, draw::unit(hash::combine(&[seed, NEXT, u64::from(k)])))
            }
        }
    }
}

// === impl Stage ===

impl Stage {
    /// When a user is there in this stage. Of those who come, the first comes at the start; of those who leave,
    /// the last leaves at the end.
    fn presence(self, user: u32) -> Option<(Nanos, Nanos)> {
        let (start, end) = (self.users, self.to.unwrap_or(self.users));
        let length = self.until.saturating_sub(self.from);
        let part = |of: u32, all: u32| (u128::from(length) * u128::from(of) / u128::from(all)) as Nanos;
        let (from, until) = match () {
            () if user < start.min(end) => (self.from, self.until),
            () if user < end => (self.from + part(user - start, end - start), self.until),
            () if user < start => (self.from, self.from + part(start - user, start - end)),
            () => return None,
        };
        (from < until).then_some((from, until))
    }
}

fn exponential(mean: Nanos, draw: f64) -> Nanos {
    (mean as f64 * -(1.0 - draw).ln()) as Nanos
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stage(from: Nanos, until: Nanos, users: u32, to: impl Into<Option<u32>>) -> Stage {
        Stage { from, until, users, to: to.into() }
    }

    fn of(stages: Vec<Stage>) -> Users {
        Users { stages, think: Think::Constant(0) }
    }

    #[test]
    fn users_come_and_leave_one_by_one() {
        let users = of(vec![stage(0, 100, 2, None), stage(100, 200, 2, 4), stage(200, 300, 4, 0)]);
        assert_eq!(users.most(), 4);
        let all: Vec<_> = (0..5).map(|user| users.presence(user)).collect();
        assert_eq!(all, [vec![(0, 300)], vec![(0, 275)], vec![(100, 250)], vec![(150, 225)], Vec::new()]);
        let rest = of(vec![stage(0, 10, 1, None), stage(10, 20, 0, None), stage(20, 30, 1, None)]);
        assert_eq!(rest.presence(0), [(0, 10), (20, 30)]);
    }

    proptest! {
        /// At any time there are as many as the line says, give or take the one who is about to come or leave.
        #[test]
        fn as_many_are_there_as_the_line_says(start in 0u32..50, end in 0u32..50, at in 0u64..1_000_000) {
            let users = of(vec![stage(0, 1_000_000, start, end)]);
            let there = |user: &u32| users.presence(*user).iter().any(|(from, until)| (*from..*until).contains(&at));
            let count = (0..50).filter(there).count() as f64;
            let line = f64::from(start) + (f64::from(end) - f64::from(start)) * at as f64 / 1e6;
            prop_assert!(count >= line - 1e-6 && count <= line + 1.0, "{count} users for {line}");
        }

        #[test]
        fn no_two_requests_are_the_same_arrival(most in 1u32..40, requests in 1u64..40) {
            let users = of(vec![stage(0, 1, most, None)]);
            let all = (0..most).flat_map(|user| (0..requests).map(move |n| (user, n)));
            let mut ids: Vec<_> = all.map(|(user, n)| users.arrival(user, n).unwrap()).collect();
            ids.sort_unstable();
            prop_assert_eq!(ids, (0..most * requests as u32).collect::<Vec<_>>());
        }
    }

    #[test]
    fn arrivals_end_where_ids_do() {
        let users = of(vec![stage(0, 1, 2, None)]);
        assert_eq!(users.arrival(1, (1 << 31) - 1), Some(u32::MAX));
        assert_eq!(users.arrival(0, 1 << 31), None);
    }

    #[test]
    fn think_times_follow_their_law() {
        let constant = Users { stages: Vec::new(), think: Think::Constant(1_000) };
        assert!((0..100).all(|k| constant.pause(1, k) == 1_000));
        let mean = |pauses: Vec<Nanos>| pauses.iter().sum::<Nanos>() as f64 / pauses.len() as f64;
        let first = mean((0..10_000).map(|user| constant.first_pause(1, user)).collect());
        assert!((480.0..520.0).contains(&first), "half of it is left on average: {first}");
        let random = Users { stages: Vec::new(), think: Think::Exponential(1_000) };
        let pauses: Vec<_> = (0..10_000).map(|k| random.pause(1, k)).collect();
        let beyond = pauses.iter().filter(|pause| **pause > 1_000).count() as f64 / 1e4;
        assert!((beyond - (-1f64).exp()).abs() < 0.02, "{beyond} exceed the mean");
        assert!((960.0..1_040.0).contains(&mean(pauses)));
    }
}
