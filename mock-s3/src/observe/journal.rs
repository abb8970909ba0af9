//! The exchanges of late, kept in a ring, and handed to whoever follows.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::broadcast::{Receiver, Sender, channel};

use super::requests::Requests;
use super::{Finished, Observer};

/// Memory that exchanges take together, bytes; roughly.
const WEIGHT: usize = 64 << 20;
/// Exchanges a follower may be behind before it is dropped.
const BACKLOG: usize = 4096;

/// The exchanges of late, in the order they ended, numbered from 1.
pub struct Journal {
    ring: Mutex<Ring>,
    capacity: usize,
}

struct Ring {
    kept: VecDeque<Arc<Finished>>,
    /// Number of the first one kept.
    first: u64,
    followers: Sender<Numbered>,
    /// Of what is kept, bytes.
    weight: usize,
}

/// An exchange and its number.
pub type Numbered = (u64, Arc<Finished>);

/// Reads the journal, then goes on as it grows.
pub(crate) struct Follower {
    past: VecDeque<Numbered>,
    news: Receiver<Numbered>,
}

/// What a follower gets.
pub(crate) enum News {
    Exchange(Numbered),
    /// The reader was too slow: what comes next is no longer there for it.
    Overtaken,
    /// The journal is gone.
    End,
}

impl Journal {
    /// Keeps the last `capacity` exchanges, fewer when they are so large that they take more than 64 MiB.
    pub fn new(capacity: usize) -> Self {
        let ring = Ring { kept: VecDeque::new(), first: 1, followers: channel(BACKLOG).0, weight: 0 };
        Self { ring: Mutex::new(ring), capacity: capacity.max(1) }
    }

    /// What is kept, for questions.
    pub fn requests(&self) -> Requests {
        Requests::new(self.lock().kept.iter().cloned().collect())
    }

    /// The exchanges with a number greater than `number` that are still kept.
    pub fn since(&self, number: u64) -> Vec<Numbered> {
        self.lock().since(number).collect()
    }

    /// How many exchanges have been written, those no longer kept included.
    pub fn written(&self) -> u64 {
        let ring = self.lock();
        ring.first + ring.kept.len() as u64 - 1
    }

    /// Reads from after `number` and goes on.
    pub(crate) fn follow(&self, number: u64) -> Follower {
        let ring = self.lock();
        Follower { past: ring.since(number).collect(), news: ring.followers.subscribe() }
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Journal {
    fn finished(&self, exchange: &Arc<Finished>) {
        let mut ring = self.lock();
        ring.weight += exchange.weight();
        ring.kept.push_back(Arc::clone(exchange));
        while ring.kept.len() > self.capacity || (ring.weight > WEIGHT && ring.kept.len() > 1) {
            if let Some(oldest) = ring.kept.pop_front() {
                ring.weight -= oldest.weight();
                ring.first += 1;
            }
        }
        if ring.followers.receiver_count() > 0 {
            let number = ring.first + ring.kept.len() as u64 - 1;
            // A follower that left meanwhile needs no news.
            let _ = ring.followers.send((number, Arc::clone(exchange)));
        }
    }

    fn reset(&self) {
        let mut ring = self.lock();
        ring.kept.clear();
        ring.weight = 0;
        ring.first = 1;
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("written", &self.written()).finish_non_exhaustive()
    }
}

impl Ring {
    fn since(&self, number: u64) -> impl Iterator<Item = Numbered> + '_ {
        let skipped = number.saturating_add(1).saturating_sub(self.first);
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX).min(self.kept.len());
        let numbers = self.first + skipped as u64..;
        numbers.zip(self.kept.range(skipped..).cloned())
    }
}

impl Follower {
    /// The next one that is there already.
    pub(crate) fn ready(&mut self) -> Option<News> {
        if let Some(numbered) = self.past.pop_front() {
            return Some(News::Exchange(numbered));
        }
        match self.news.try_recv() {
            Ok(numbered) => Some(News::Exchange(numbered)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Lagged(_)) => Some(News::Overtaken),
            Err(TryRecvError::Closed) => Some(News::End),
        }
    }

    /// The next one, when it comes.
    pub(crate) async fn next(&mut self) -> News {
        if let Some(news) = self.ready() {
            return news;
        }
        match self.news.recv().await {
            Ok(numbered) => News::Exchange(numbered),
            Err(RecvError::Lagged(_)) => News::Overtaken,
            Err(RecvError::Closed) => News::End,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::requests::tests::exchange;

    fn numbers(journal: &Journal, since: u64) -> Vec<u64> {
        journal.since(since).into_iter().map(|(number, _)| number).collect()
    }

    #[test]
    fn it_keeps_the_latest_and_their_numbers() {
        let journal = Journal::new(3);
        assert_eq!((numbers(&journal, 0), journal.written()), (vec![], 0));
        (0..5).for_each(|_| journal.finished(&exchange("b", 200)));
        assert_eq!(numbers(&journal, 0), [3, 4, 5]);
        assert_eq!(numbers(&journal, 4), [5]);
        assert_eq!(numbers(&journal, u64::MAX), [0; 0]);
        assert_eq!(journal.written(), 5);
        journal.reset();
        journal.finished(&exchange("b", 200));
        assert_eq!(numbers(&journal, 0), [1]);
    }

    #[test]
    fn large_exchanges_are_fewer() {
        let journal = Journal::new(1_000_000);
        let large = Finished { user_agent: Some("x".repeat(1 << 20)), ..(*exchange("b", 200)).clone() };
        let large = Arc::new(large);
        (0..100).for_each(|_| journal.finished(&large));
        assert_eq!((journal.requests().count(), journal.written()), (63, 100));
    }

    #[test]
    fn a_slow_follower_is_overtaken() {
        let journal = Journal::new(10);
        journal.finished(&exchange("b", 200));
        let mut follower = journal.follow(0);
        (0..BACKLOG + 7).for_each(|_| journal.finished(&exchange("b", 200)));
        assert!(matches!(follower.ready(), Some(News::Exchange((1, _)))));
        assert!(matches!(follower.ready(), Some(News::Overtaken)));
    }
}
