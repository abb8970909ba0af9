//! A mock, or bare hyper answering the same bytes, for `benches/mock-peers`.
//!
//!     serve_bench mock|bare|hash 127.0.0.1:9000
//!
//! Bucket `bench` holds synthetic objects `k0`, `s0` and `m0` of 1 KiB, 64 KiB and 8 MiB; the identity `app`
//! (AKIDEXAMPLE0000BENCH / bench-secret) may read and write it, and so may everybody else. One thread serves.

use std::convert::Infallible;
use std::error::Error;
use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use gatecrash_mock_s3::{BucketConfig, Config, Credentials, IdentityConfig, MockS3, NoFaults, RegionConfig};
use gatecrash_model::{AttemptRegistry, Clock, Nanos, NullSink, Pool, Population, SizeLaw};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use md5::{Digest, Md5};
use tokio::net::TcpListener;

struct SinceStart(Instant);

impl Clock for SinceStart {
    fn now(&self) -> Nanos {
        self.0.elapsed().as_nanos() as Nanos
    }

    fn wall_seconds(&self) -> i64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, address] = arguments.as_slice() else {
        return Err("usage: serve_bench mock|bare|hash ADDRESS".into());
    };
    let address: SocketAddr = address.parse()?;
    match mode.as_str() {
        "bare" => bare(address).await,
        "mock" => mock(address).await,
        "hash" => {
            println!("{:.0}", md5_rate());
            Ok(())
        }
        other => Err(format!("{other:?} is not mock, bare or hash").into()),
    }
}

async fn mock(address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let mut config = Config::new(Arc::new(Pool::new(1)), "us-east-1");
    config.regions = vec![RegionConfig { bind: address, ..RegionConfig::from("us-east-1") }];
    let mut bucket = BucketConfig::new("bench", &["us-east-1"]);
    bucket.public = true;
    for (pattern, size) in [("k{n}", 1 << 10), ("s{n}", 64 << 10), ("m{n}", 8 << 20)] {
        bucket.objects.push(Population {
            bucket: "bench".into(),
            count: 100,
            pattern: pattern.parse()?,
            sizes: SizeLaw::Fixed(size),
            seed: 1,
            change_every: None,
        });
    }
    config.buckets.push(bucket);
    let mut app =
        IdentityConfig::new("app").allow(&["s3:*"], &["arn:aws:s3:::bench", "arn:aws:s3:::bench/*"]);
    app.credentials = Some(Credentials::new("AKIDEXAMPLE0000BENCH", "bench-secret"));
    config.identities.push(app);
    let clock = Arc::new(SinceStart(Instant::now()));
    let registry = Arc::new(AttemptRegistry::default());
    let mock = MockS3::start(config, clock, Arc::new(NullSink), registry, Arc::new(NoFaults)).await?;
    println!("ready");
    tokio::signal::ctrl_c().await?;
    mock.shutdown().await;
    Ok(())
}

/// The floor: the same sizes from one buffer, uploads read and thrown away, five headers.
async fn bare(address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let pool = Bytes::from(vec![b'x'; 8 << 20]);
    let listener = TcpListener::bind(address).await?;
    println!("ready");
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let pool = pool.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let pool = pool.clone();
            async move { Ok::<_, Infallible>(answer(request, &pool).await) }
        });
        let serving =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move { drop(serving.await) });
    }
}

/// MiB per second that MD5 does of 1 MiB buffers, the best of five tries: the bound of every upload with an ETag.
fn md5_rate() -> f64 {
    let buffer = vec![b'x'; 1 << 20];
    let rate = |_| {
        let start = Instant::now();
        for _ in 0..200 {
            black_box(Md5::digest(black_box(&buffer)));
        }
        200.0 / start.elapsed().as_secs_f64()
    };
    (0..5).map(rate).fold(0.0, f64::max)
}

async fn answer(request: Request<Incoming>, pool: &Bytes) -> Response<Full<Bytes>> {
    let length = match request.uri().path().as_bytes().get(7) {
        _ if request.method() == Method::PUT => 0,
        Some(b's') => 64 << 10,
        Some(b'm') => 8 << 20,
        _ => 1 << 10,
    };
    let mut body = request.into_body();
    while let Some(Ok(frame)) = body.frame().await {
        drop(frame);
    }
    let mut response = Response::new(Full::new(pool.slice(..length)));
    let headers = response.headers_mut();
    for (name, value) in [
        ("x-amz-request-id", "0123456789ABCDEF"),
        ("etag", "\"0123456789abcdef0123456789abcdef\""),
        ("last-modified", "Fri, 24 May 2013 00:00:00 GMT"),
        ("content-type", "binary/octet-stream"),
        ("server", "AmazonS3"),
    ] {
        headers.insert(name, http::HeaderValue::from_static(value));
    }
    response
}
