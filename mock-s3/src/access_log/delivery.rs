//! Access logs delivered as objects into the buckets that PutBucketLogging names.
//!
//! Records are gathered by target and written in batches: when the oldest is some seconds old, when they are many,
//! and at shutdown. Writing a log object is no request, and so is not logged.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gatecrash_model::{Nanos, hash};

use super::Line;
use crate::observe::Finished;
use crate::server::Shared;
use crate::store::Logging;
use crate::time::dashed_date;

/// How old the oldest record of a batch gets.
const AGE: Nanos = 5_000_000_000;
/// A batch of this many bytes is delivered at once.
const FULL: usize = 4 << 20;

/// Records waiting for delivery.
pub(crate) struct Deliveries {
    /// By region index, target bucket and prefix.
    waiting: Mutex<BTreeMap<(usize, Arc<Logging>), Batch>>,
    made: AtomicU64,
    seed: u64,
}

#[derive(Default)]
struct Batch {
    text: String,
    /// When the first record came.
    since: Nanos,
}

/// Which batches are delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Due {
    /// Those that have waited long enough.
    Old,
    All,
}

impl Deliveries {
    pub(crate) fn new(seed: u64) -> Self {
        Self { waiting: Mutex::default(), made: AtomicU64::new(0), seed }
    }

    /// Takes the records of an exchange, if its bucket is logged. Whether a batch is full.
    pub(crate) fn take(&self, exchange: &Finished) -> bool {
        let mut full = false;
        let mut keep = |logging: &Option<Arc<Logging>>, line: Line<'_>| {
            let Some(logging) = logging else { return };
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let target = (usize::from(exchange.record.region), Arc::clone(logging));
            let batch = waiting.entry(target).or_default();
            if batch.text.is_empty() {
                batch.since = exchange.record.received;
            }
            batch.text.push_str(&line.text());
            batch.text.push('\n');
            full |= batch.text.len() >= FULL;
        };
        if exchange.logging.is_some() {
            Line::requests(exchange).for_each(|line| keep(&exchange.logging, line));
        }
        if let Some(source) = exchange.source.as_ref()
            && let Some(line) = Line::source(exchange)
        {
            keep(&source.logging, line);
        }
        full
    }

    /// Forgets what waits.
    pub(crate) fn reset(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.made.store(0, Ordering::Relaxed);
    }

    fn due(&self, due: Due, now: Nanos) -> Vec<((usize, Arc<Logging>), Batch)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() {
            return Vec::new();
        }
        let is_due = |batch: &Batch| {
            due == Due::All || batch.text.len() >= FULL || now.saturating_sub(batch.since) >= AGE
        };
        waiting.extract_if(.., |_, batch| is_due(batch)).collect()
    }

    /// `<prefix>YYYY-mm-DD-HH-MM-SS-<unique>`
    fn key(&self, prefix: &str, wall: i64) -> String {
        let unique = hash::combine(&[self.seed, 0x106, self.made.fetch_add(1, Ordering::Relaxed)]);
        format!("{prefix}{}-{unique:016X}", dashed_date(wall))
    }
}

impl Shared {
    /// Writes log objects. A target that is gone meanwhile, or has no room, loses its records, as at S3.
    pub(crate) fn deliver_access_logs(&self, due: Due) {
        for ((region, target), batch) in self.deliveries.due(due, self.clock.now()) {
            let Some(placement) = self.store.find(region, &target.bucket) else { continue };
            let key = self.deliveries.key(&target.prefix, self.wall());
            // Nobody to tell.
            let _ = self.deposit(&placement, &key, batch.text.into(), "text/plain");
        }
    }
}

#[cfg(test)]
mod tests {
    use gatecrash_model::{NullSink, Pool};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;
    use crate::clock::SystemClock;
    use crate::config::{BucketConfig, Config};
    use crate::hook::NoFaults;
    use crate::server::MockS3;
    use crate::store::{Found, Object};

    async fn ask(mock: &MockS3, head: &str) -> String {
        let mut stream = TcpStream::connect(mock.addr("us-east-1").unwrap()).await.unwrap();
        stream
            .write_all(format!("{head} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").as_bytes())
            .await
            .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        reply
    }

    fn text(mock: &MockS3, key: &str) -> String {
        let shared = &mock.shared;
        let placement = shared.store.find(0, "logs").unwrap();
        match placement.find(key, None, &shared.pool) {
            Found::Object(Object { data, .. }) => {
                String::from_utf8(data.to_bytes(&shared.pool_bytes).to_vec()).unwrap()
            }
            _ => panic!("there is no {key}"),
        }
    }

    #[tokio::test]
    async fn records_become_objects_of_the_target_bucket() {
        let mock = MockS3::builder().bucket("media").bucket("logs").anonymous().object("media", "a", "b");
        let mock = mock.start().await.unwrap();
        let logged = |bucket: &str, prefix: &str| {
            let logging = Arc::new(Logging { bucket: "logs".into(), prefix: prefix.into() });
            mock.shared.store.find(0, bucket).unwrap().configure(|state| state.logging = Some(logging));
        };
        logged("media", "m/");
        // A bucket may log into itself: delivery is no request, so that ends.
        logged("logs", "l/");
        ask(&mock, "GET /media/a").await;
        ask(&mock, "GET /media/none").await;
        ask(&mock, "GET /logs?list-type=2").await;
        assert_eq!(mock.store_entries().len(), 1, "nothing is delivered yet");
        mock.deliver_access_logs();
        mock.deliver_access_logs();
        let entries = mock.store_entries();
        let keys: Vec<&str> =
            entries.iter().filter(|e| e.bucket == "logs").map(|entry| entry.key.as_str()).collect();
        let [own, media] = keys[..] else { panic!("{keys:?}") };
        let stamp = media.strip_prefix("m/").unwrap();
        let (date, unique) = stamp.rsplit_once('-').unwrap();
        assert!(date.len() == "2013-05-24-00-00-00".len() && unique.len() == 16, "{media}");
        let lines: Vec<String> = text(&mock, media).lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 2);
        assert!(
            lines[0].contains(" media [")
                && lines[0].contains(" REST.GET.OBJECT a \"GET /media/a HTTP/1.1\" 200 ")
        );
        assert!(lines[1].contains(" 404 NoSuchKey "));
        assert!(own.starts_with("l/") && text(&mock, own).contains("REST.GET.BUCKET"));
        mock.shutdown().await;
    }

    #[tokio::test]
    async fn a_bucket_is_logged_though_nobody_else_listens() {
        let regions = ["us-east-1"];
        let config = Config {
            anonymous: true,
            buckets: vec![BucketConfig::new("media", &regions), BucketConfig::new("logs", &regions)],
            ..Config::new(Arc::new(Pool::new(0)), "us-east-1")
        };
        let clock = Arc::new(SystemClock::default());
        let mock = MockS3::start(config, clock, Arc::new(NullSink), Arc::default(), Arc::new(NoFaults));
        let mock = mock.await.unwrap();
        let logging = Arc::new(Logging { bucket: "logs".into(), prefix: String::new() });
        mock.shared.store.find(0, "media").unwrap().configure(|state| state.logging = Some(logging));
        ask(&mock, "GET /media/none").await;
        mock.deliver_access_logs();
        assert_eq!(mock.store_entries().len(), 1);
        mock.shutdown().await;
    }
}
