//! Replication of buckets between regions: a lag drawn for each version, and what a running mock can change.
//!
//! As S3 does it: only what is written while it is configured, under the same version ids, delete markers only
//! when asked for, deletions of versions never, replicas not onwards. Versions of one key arrive in order.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use gatecrash_model::draw::Lognormal;
use gatecrash_model::hash;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use crate::config::Config;
use crate::control::Switchboard;
use crate::store::{Job, Link, Outbox, Placement, Replication, Store, Version, Versioning};

/// How a bucket is replicated between its regions. It turns versioning on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReplicationConfig {
    /// (from, to) by region name; empty: from each region of the bucket to all others.
    pub routes: Vec<(String, String)>,
    /// How long a version takes.
    pub lag: Lag,
    /// Whether delete markers are replicated too.
    pub delete_markers: bool,
}

/// A lognormal lag by two quantiles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lag {
    /// Median.
    pub p50: Duration,
    /// 99th percentile; equal to the median for a constant.
    pub p99: Duration,
}

/// What becomes of versions that are due to be replicated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ReplicationMode {
    /// They arrive.
    #[default]
    Running,
    /// They wait until it runs again (`PENDING`).
    Paused,
    /// They never arrive (`FAILED`).
    Dropping,
}

/// A change of a bucket's replication.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReplicationState {
    /// What becomes of what is due.
    pub mode: ReplicationMode,
    /// Instead of the configured lag, for what is written from now on.
    pub lag: Option<Lag>,
}

/// Connects buckets: at the start, and again after a reset.
pub(crate) struct Replicator {
    post: UnboundedSender<Job>,
    made: AtomicU64,
}

/// What moves the versions.
pub(crate) struct Courier {
    jobs: UnboundedReceiver<Job>,
    store: Arc<Store>,
    switchboard: Arc<Switchboard>,
    /// By the time they are due, and by number where that is the same.
    waiting: BinaryHeap<Reverse<Due>>,
    /// When the last version of a key is due: the next one comes behind it.
    last: HashMap<(u64, String), Instant>,
    paused: Vec<Job>,
    number: u64,
}

struct Due {
    at: Instant,
    number: u64,
    job: Job,
}

impl Lag {
    /// Always the same.
    pub fn constant(lag: Duration) -> Self {
        Self { p50: lag, p99: lag }
    }

    fn of(self, draw: u64) -> Duration {
        let law = Lognormal::of_quantiles(self.p50.as_nanos() as f64, self.p99.as_nanos() as f64);
        Duration::from_nanos(law.at(draw) as u64)
    }
}

impl Replicator {
    pub(crate) fn new(store: &Arc<Store>, switchboard: &Arc<Switchboard>) -> (Self, Courier) {
        let (post, jobs) = unbounded_channel();
        let courier = Courier {
            jobs,
            store: Arc::clone(store),
            switchboard: Arc::clone(switchboard),
            waiting: BinaryHeap::new(),
            last: HashMap::new(),
            paused: Vec::new(),
            number: 0,
        };
        (Self { post, made: AtomicU64::new(0) }, courier)
    }

    /// Lets the configured buckets replicate.
    pub(crate) fn connect(&self, config: &Config, store: &Store) {
        for bucket in &config.buckets {
            if let Some(replication) = &bucket.replication {
                self.connect_bucket(config, store, &bucket.name, replication);
            }
        }
    }

    fn connect_bucket(&self, config: &Config, store: &Store, bucket: &str, replication: &ReplicationConfig) {
        let regions = config.regions.iter().map(|region| region.name.as_str()).enumerate();
        let places: Vec<_> =
            regions.filter_map(|(at, region)| Some((region, store.in_place(at, bucket)?))).collect();
        for (from, source) in &places {
            source.configure(|state| state.versioning = Versioning::Enabled);
            let goes = |to: &str| match replication.routes.is_empty() {
                true => to != *from,
                false => replication.routes.iter().any(|(a, b)| a == from && b == to),
            };
            let to: Vec<_> =
                places.iter().filter(|(to, _)| goes(to)).map(|(_, place)| Arc::downgrade(place)).collect();
            if to.is_empty() {
                continue;
            }
            let words = [config.seed, hash::bytes(bucket.as_bytes()), hash::bytes(from.as_bytes())];
            let link = Link {
                number: self.made.fetch_add(1, Ordering::Relaxed),
                from: Arc::downgrade(source),
                to,
                lag: replication.lag,
                delete_markers: replication.delete_markers,
                seed: hash::combine(&words),
            };
            source.replicate_through(Outbox::new(self.post.clone(), link));
        }
    }
}

impl Courier {
    /// Moves versions for as long as the mock runs.
    pub(crate) async fn run(mut self) {
        let switchboard = Arc::clone(&self.switchboard);
        loop {
            let due = self.waiting.peek().map(|Reverse(due)| due.at);
            tokio::select! {
                job = self.jobs.recv() => match job {
                    Some(job) => self.accept(job),
                    None => return,
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.deliver_due(),
                () = switchboard.changed() => {
                    // What still has to wait comes back.
                    for job in std::mem::take(&mut self.paused) {
                        self.deliver(job);
                    }
                }
            }
        }
    }

    fn accept(&mut self, job: Job) {
        // Nothing is replicated from before a reset.
        let Some(from) = job.link.from.upgrade() else { return };
        let lag = self.state(&from).lag.unwrap_or(job.link.lag).of(job.draw);
        let own = job.posted + lag;
        let last = self.last.entry((job.link.number, job.key.clone())).or_insert(own);
        *last = own.max(*last);
        let at = *last;
        self.number += 1;
        self.waiting.push(Reverse(Due { at, number: self.number, job }));
    }

    fn deliver_due(&mut self) {
        let now = Instant::now();
        while let Some(due) = self.waiting.peek().map(|Reverse(due)| due.at)
            && due <= now
            && let Some(Reverse(Due { at, job, .. })) = self.waiting.pop()
        {
            let key = (job.link.number, job.key.clone());
            if self.last.get(&key) == Some(&at) {
                self.last.remove(&key);
            }
            self.deliver(job);
        }
    }

    fn deliver(&mut self, job: Job) {
        let Some(from) = job.link.from.upgrade() else { return };
        match self.state(&from).mode {
            ReplicationMode::Paused => self.paused.push(job),
            ReplicationMode::Dropping => from.mark(&job.key, &job.version, Replication::Failed),
            ReplicationMode::Running => {
                // A version that was deleted meanwhile goes nowhere.
                let Some(version) = from.version_of(&job.key, &job.version) else { return };
                let arrived = self.arrived(&job, &version);
                let status = if arrived { Replication::Completed } else { Replication::Failed };
                from.mark(&job.key, &job.version, status);
            }
        }
    }

    fn arrived(&self, job: &Job, version: &Version) -> bool {
        let places = job.link.to.iter().filter_map(Weak::upgrade);
        let refused = places.filter(|place| !place.receive(&job.key, version, self.store.budget()));
        refused.count() == 0
    }

    fn state(&self, from: &Placement) -> ReplicationState {
        self.switchboard.settings().replications.get(&from.bucket.name).copied().unwrap_or_default()
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}
