//! Access log, metrics and journal count the same after any run.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatecrash_mock_s3::{AccessLogFile, AccessLogFormat, JournalFile, Rule};
use gatecrash_model::Op;
use gatecrash_model::hash;
use serde_json::Value;

use crate::support::{Bench, Client, EAST, Request, WALL, WEST, eventually, get, request};

/// Requests by region, bucket, operation as logged, and status.
type Counts = BTreeMap<(String, String, String, String), u64>;

fn add(counts: &mut Counts, region: &str, bucket: &str, operation: &str, status: &str) {
    let place = (region.to_owned(), bucket.to_owned(), operation.to_owned(), status.to_owned());
    *counts.entry(place).or_default() += 1;
}

/// The fields of a log record: brackets and quotes hold blanks together.
pub(crate) fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut inside) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '"' | '[' | ']' => inside = if c == '"' { !inside } else { c == '[' },
            ' ' if !inside => fields.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    fields.push(field);
    fields
}

/// Request number `n` of a mixed load, the same for the same seed.
fn draw(seed: u64, n: u64) -> (Request<'static>, Option<&'static str>, bool) {
    let pick = |salt: u64, of: u64| hash::combine(&[seed, n, salt]) % of;
    let bucket = ["media", "media", "reports", "nowhere"][pick(1, 4) as usize];
    let key = ["img/000001.bin", "img/000150.bin", "new", "none", "a b", "é"][pick(2, 6) as usize];
    let key = key.replace(' ', "%20").replace('é', "%C3%A9");
    let (on_key, on_bucket) = (format!("/{bucket}/{key}"), format!("/{bucket}"));
    let keys = "<Delete><Object><Key>new</Key></Object><Object><Key>img/000001.bin</Key></Object></Delete>";
    let leak = |target: String| -> &'static str { Box::leak(target.into_boxed_str()) };
    let made = match pick(3, 12) {
        0..=2 => get(leak(on_key)),
        3 => get(leak(on_key)).header("range", "bytes=10-99"),
        4 => request("HEAD", leak(on_key)),
        5 | 6 => request("PUT", leak(on_key)).body(&vec![b'x'; pick(4, 5_000) as usize]),
        7 => request("DELETE", leak(on_key)),
        8 => get(leak(format!("{on_bucket}?list-type=2&max-keys=3"))),
        9 => request("POST", leak(format!("{on_bucket}?delete="))).digested(keys.as_bytes()),
        10 => get(leak(format!("{on_bucket}?policy="))),
        _ => get("/"),
    };
    let signer = [None, Some("app"), Some("guest")][pick(5, 3) as usize];
    // The caller leaves before it has read everything.
    (made, signer, pick(6, 10) == 0)
}

async fn run(bench: &Bench, seed: u64, count: u64) {
    for n in 0..count {
        let region = if hash::combine(&[seed, n]).is_multiple_of(3) { WEST } else { EAST };
        let (made, signer, leaves) = draw(seed, n);
        let made = match signer {
            Some(identity) => made.sign(&bench.credentials(identity), region, WALL),
            None => made,
        };
        let mut client = bench.connect(region).await;
        match leaves {
            true => client.post(&made).await,
            false => drop(client.send(made).await),
        }
    }
    // One that hangs up inside its body.
    let mut half: Client = bench.connect(EAST).await;
    half.write(b"PUT /media/half HTTP/1.1\r\nhost: s3.test\r\ncontent-length: 100\r\n\r\nabc").await;
    drop(half);
    let journal = bench.mock.journal();
    eventually("the broken upload has ended", || journal.requests().key("half").count() == 1).await;
}

#[tokio::test]
async fn log_metrics_and_journal_are_equal() {
    for seed in 1..=3 {
        let files = tempfile::tempdir().unwrap();
        let path = |name: &str| files.path().join(name);
        let bench = Bench::start().await;
        let text = AccessLogFile::append(&path("text"), AccessLogFormat::Text).unwrap();
        let json = AccessLogFile::append(&path("json"), AccessLogFormat::Json).unwrap();
        bench.mock.observe(Arc::new(text));
        bench.mock.observe(Arc::new(json));
        bench.mock.observe(Arc::new(JournalFile::append(&path("journal")).unwrap()));
        let (journal, metrics) = (bench.mock.journal(), bench.mock.metrics());
        bench.mock.faults().add(Rule::error("InternalError").op(Op::GetObject).probability(0.1)).unwrap();
        bench.mock.faults().add(Rule::status(502).op(Op::PutObject).probability(0.1)).unwrap();
        run(&bench, seed, 300).await;
        let owners: BTreeMap<String, Option<String>> =
            journal.requests().iter().map(|e| (e.bucket.clone(), e.bucket_owner.clone())).collect();
        assert!(owners["media"].is_some() && owners["nowhere"].is_none());
        let kept = bench.finish().await;

        let all = journal.requests();
        // Callers who left at once may not have been heard at all.
        let count = all.count();
        assert!((270..=301).contains(&count), "{count}");
        assert_eq!((journal.written(), kept.upstreams.len()), (count as u64, count));
        assert!(all.iter().any(|e| e.abandoned()) && all.iter().any(|e| e.faulted()));

        // The journal, and what its file says.
        let mut in_journal = Counts::new();
        let mut batches = 0;
        for e in all.iter() {
            let bucket = if e.on_known_bucket() { e.bucket.as_str() } else { "" };
            add(&mut in_journal, &e.region, bucket, e.op.name(), &e.status.to_string());
            batches += if e.on_known_bucket() { e.batch.len() } else { 0 };
        }
        let lines = std::fs::read_to_string(path("journal")).unwrap();
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), count);
        assert!(lines.iter().enumerate().all(|(at, line)| line["n"] == at as u64 + 1));

        // The metrics, by bucket, operation and status.
        for ((region, bucket, op, status), count) in &in_journal {
            let (op, status) = (Op::from_name(op).unwrap(), status.parse().unwrap());
            assert_eq!(
                metrics.requests(region, bucket, op, status),
                *count,
                "{region} {bucket} {op} {status}"
            );
        }
        let told: f64 = metrics
            .prometheus()
            .lines()
            .filter(|line| line.starts_with("gatecrash_mock_requests_total{"))
            .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
            .sum();
        assert_eq!(told, count as f64);
        let known = || all.clone().that(|e| e.on_known_bucket());
        for bucket in ["media", "reports", "reports-dr"] {
            let here = || known().on(bucket);
            let sum = |metric| metrics.distribution(metric, bucket, None, 0..i64::MAX).sum();
            use gatecrash_mock_s3::Metric;
            assert_eq!(sum(Metric::AllRequests), here().count() as u128);
            assert_eq!(
                sum(Metric::Errors4xx),
                here().that(|e| (400..500).contains(&e.status)).count() as u128
            );
            assert_eq!(sum(Metric::Errors5xx), here().that(|e| e.status >= 500).count() as u128);
            assert_eq!(sum(Metric::BytesDownloaded), here().iter().map(|e| u128::from(e.sent)).sum());
            assert_eq!(sum(Metric::BytesUploaded), here().iter().map(|e| u128::from(e.received)).sum());
        }

        // The log: every request to a bucket that exists, and one record more for each key of a batch.
        let log = std::fs::read_to_string(path("text")).unwrap();
        let log: Vec<Vec<String>> = log.lines().map(fields).collect();
        assert!(log.iter().all(|line| line.len() == 27), "{log:?}");
        let (batch, requests): (Vec<_>, Vec<_>) =
            log.iter().partition(|line| line[6] == "BATCH.DELETE.OBJECT");
        assert_eq!(batch.len(), batches);
        assert!(batches > 0);
        assert_eq!(requests.len(), known().count());
        let (mut logged, mut expected) = (Counts::new(), Counts::new());
        for line in &requests {
            add(&mut logged, "", &line[1], "", if line[9] == "-" { "0" } else { &line[9] });
        }
        known().iter().for_each(|e| add(&mut expected, "", &e.bucket, "", &e.status.to_string()));
        assert_eq!(logged, expected);
        for e in known().iter() {
            let line = requests.iter().find(|line| line[5] == e.request_id).unwrap();
            assert_eq!(line[10], if e.code.is_empty() { "-" } else { &e.code });
            assert_eq!(line[11], if e.sent == 0 { "-".to_owned() } else { e.sent.to_string() });
        }
        let records = std::fs::read_to_string(path("json")).unwrap();
        assert_eq!(records.lines().count(), log.len());
    }
}
