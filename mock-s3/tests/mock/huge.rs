//! Synthetic objects of the largest size S3 has: 5 TiB, of which nothing is stored.

use std::sync::Arc;

use gatecrash_mock_s3::{Latency, NoFaults};
use gatecrash_model::{Population, SizeLaw};

use crate::support::{Bench, EAST, StepClock, config, get, population, request};

const SIZE: u64 = 5 << 40;

async fn bench() -> (Bench, Population) {
    let mut config = config();
    let objects = population("media", 3, "huge/{n}", SizeLaw::Fixed(SIZE));
    config.buckets[0].objects.push(objects.clone());
    (Bench::with(config, Arc::new(StepClock::default()), Arc::new(NoFaults)).await, objects)
}

#[tokio::test]
async fn any_range_is_there_and_right() {
    let (bench, _) = bench().await;
    let content = bench.pool.content("media", "huge/1", 0);
    let mut client = bench.connect(EAST).await;
    for first in [0, (1 << 32) - 7, (1 << 40) + 12_345, SIZE - 70_000] {
        let range = format!("bytes={first}-{}", first + 69_999);
        let reply = client.send(get("/media/huge/1").header("range", &range)).await;
        assert_eq!((reply.status, reply.body.len()), (206, 70_000), "{range}");
        let told = format!("bytes {first}-{}/{SIZE}", first + 69_999);
        assert_eq!(reply.header("content-range"), Some(told.as_str()));
        assert_eq!(content.mismatch(&bench.pool, first, &reply.body), None, "{range}");
    }
    let last = client.send(get("/media/huge/1").header("range", "bytes=-1")).await;
    assert_eq!((last.status, last.body.len()), (206, 1));
    let beyond = client.send(get("/media/huge/1").header("range", &format!("bytes={SIZE}-"))).await;
    assert_eq!(beyond.verdict(), (416, "InvalidRange".into()));
    assert_eq!(beyond.element("ActualObjectSize"), Some(SIZE.to_string()));
}

#[tokio::test]
async fn its_size_and_its_etag_are_told_and_can_be_computed() {
    let (bench, objects) = bench().await;
    let head = bench.send(EAST, request("HEAD", "/media/huge/2")).await;
    assert_eq!(head.header("content-length"), Some(SIZE.to_string().as_str()));
    assert_eq!(head.header("etag"), Some(format!("\"{}\"", objects.etag("huge/2")).as_str()));
    let listing = bench.send(EAST, get("/media?list-type=2&prefix=huge/")).await;
    assert_eq!(listing.element("Size"), Some(SIZE.to_string()));
}

#[tokio::test]
async fn a_region_takes_its_time() {
    let mut config = config();
    config.regions[0].latency = Some(Latency::AwsLike);
    let bench = Bench::with(config, Arc::new(StepClock::default()), Arc::new(NoFaults)).await;
    let timed = |region| {
        let bench = &bench;
        async move {
            let began = std::time::Instant::now();
            let mut client = bench.connect(region).await;
            for n in 0..20 {
                let target = format!("/media/img/{n:06}.bin");
                let reply = client.send(get(&target)).await;
                assert_eq!((reply.status, reply.body.len()), (200, 300_000));
            }
            began.elapsed().as_millis()
        }
    };
    // Twenty times about 26 ms and 3.5 ms of transfer.
    let east = timed(EAST).await;
    assert!((400..4_000).contains(&east), "{east}");
    let put = bench.send(EAST, request("PUT", "/media/up/1").body(b"hello")).await;
    assert_eq!(put.status, 200);
}
