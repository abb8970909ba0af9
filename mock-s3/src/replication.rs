//! Replication of buckets between regions: a lag drawn for each version, and what a running mock can change.
//!
//! As S3 does it: only what is written while it is configured, under the same version ids, delete markers only
//! when asked for, deletions of versions never, replicas not onwards. Versions of one key arrive in order.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use gatecrash_model::draw::Lognormal;
use gatecrash_model::hash;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use crate::control::Switchboard;
use crate::store::{Job, Outbox, Placement, Replication, Store, Version, Versioning};

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

/// One region's bucket and where its versions go.
pub(crate) struct Link {
    from: Arc<Placement>,
    to: Vec<Arc<Placement>>,
    lag: Lag,
}

/// What moves the versions.
pub(crate) struct Courier {
    links: Vec<Link>,
    jobs: UnboundedReceiver<Job>,
    store: Arc<Store>,
    switchboard: Arc<Switchboard>,
    /// By the time they are due, and by number where that is the same.
    waiting: BinaryHeap<Reverse<Due>>,
    /// When the last version of a key is due: the next one comes behind it.
    last: HashMap<(usize, String), Instant>,
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

/// Connects the configured buckets; none where there is nothing to replicate.
pub(crate) fn courier(
    configs: &[(Arc<str>, ReplicationConfig)],
    regions: &[String],
    store: &Arc<Store>,
    switchboard: &Arc<Switchboard>,
    seed: u64,
) -> Option<Courier> {
    let (post, jobs) = unbounded_channel();
    let mut links = Vec::new();
    for (bucket, config) in configs {
        let places: Vec<_> = (0..regions.len())
            .filter_map(|region| Some((regions[region].as_str(), store.in_place(region, bucket)?)))
            .collect();
        for (from, source) in &places {
            let goes = |to: &str| match config.routes.is_empty() {
                true => to != *from,
                false => config.routes.iter().any(|(a, b)| a == from && b == to),
            };
            let to: Vec<_> =
                places.iter().filter(|(to, _)| goes(to)).map(|(_, place)| Arc::clone(place)).collect();
            source.configure(|state| state.versioning = Versioning::Enabled);
            if to.is_empty() {
                continue;
            }
            let own = hash::combine(&[seed, hash::bytes(bucket.as_bytes()), hash::bytes(from.as_bytes())]);
            source.replicate_through(Outbox::new(post.clone(), links.len(), config.delete_markers, own));
            links.push(Link { from: Arc::clone(source), to, lag: config.lag });
        }
    }
    (!links.is_empty()).then(|| Courier {
        links,
        jobs,
        store: Arc::clone(store),
        switchboard: Arc::clone(switchboard),
        waiting: BinaryHeap::new(),
        last: HashMap::new(),
        paused: Vec::new(),
        number: 0,
    })
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
        let link = &self.links[job.link];
        let lag = self.state(&link.from).lag.unwrap_or(link.lag).of(job.draw);
        let own = job.posted + lag;
        let last = self.last.entry((job.link, job.key.clone())).or_insert(own);
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
            let key = (job.link, job.key.clone());
            if self.last.get(&key) == Some(&at) {
                self.last.remove(&key);
            }
            self.deliver(job);
        }
    }

    fn deliver(&mut self, job: Job) {
        let Link { from, to, .. } = &self.links[job.link];
        match self.state(from).mode {
            ReplicationMode::Paused => self.paused.push(job),
            ReplicationMode::Dropping => from.mark(&job.key, &job.version, Replication::Failed),
            ReplicationMode::Running => {
                // A version that was deleted meanwhile goes nowhere.
                let Some(version) = from.version_of(&job.key, &job.version) else { return };
                let arrived = self.arrived(to, &job.key, &version);
                let status = if arrived { Replication::Completed } else { Replication::Failed };
                from.mark(&job.key, &job.version, status);
            }
        }
    }

    fn arrived(&self, to: &[Arc<Placement>], key: &str, version: &Version) -> bool {
        let received = to.iter().filter(|place| place.receive(key, version, self.store.budget())).count();
        received == to.len()
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
