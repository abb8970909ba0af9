//! One proxy between a load generator and a server, to compare CPU per request: a bare tokio copy, the plain link, or
//! the HTTP link with every record written.
//!
//! `plain_vs_bare bare|plain|http LISTEN UPSTREAM` runs on one thread until Ctrl-C, then prints its CPU time:
//!
//! ```sh
//! taskset -c 0 target/release/examples/plain_vs_bare http 127.0.0.1:9001 127.0.0.1:9000 &
//! taskset -c 1 wrk -t1 -c64 -d10 http://127.0.0.1:9001/small; kill -INT %1
//! ```

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use gatecrash_core::plan::Side;
use gatecrash_core::rules::RuleSet;
use gatecrash_model::{
    AttemptRecord, AttemptRegistry, Clock, ConnectionRecord, Event, Evidence, FiringRecord, Nanos, RunId,
    Sink, StrId, UpstreamRecord,
};
use gatecrash_wire::{AttemptCounter, Link, LinkConfig, PlainLink, Shared};
use tokio::net::{TcpListener, TcpStream};

struct Ticker(Instant);

impl Clock for Ticker {
    fn now(&self) -> Nanos {
        self.0.elapsed().as_nanos() as u64
    }
    fn wall_seconds(&self) -> i64 {
        0
    }
}

/// Encodes attempts as a run does, and keeps a bounded number of bytes of them.
#[derive(Default)]
struct Encoder {
    attempts: AtomicU64,
    kept: std::sync::Mutex<Vec<u8>>,
}

impl Sink for Encoder {
    fn attempt(&self, record: AttemptRecord) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut kept) = self.kept.lock() {
            if kept.len() > 1 << 20 {
                kept.clear();
            }
            gatecrash_model::Record::encode(&record, &mut kept);
        }
    }
    fn intern(&self, text: &str) -> StrId {
        StrId(gatecrash_model::hash::bytes(text.as_bytes()) as u32)
    }
    fn client(&self, _: gatecrash_model::ClientRecord) {}
    fn upstream(&self, _: UpstreamRecord) {}
    fn connection(&self, _: ConnectionRecord) {}
    fn firing(&self, _: FiringRecord) {}
    fn evidence(&self, _: Evidence) {}
    fn event(&self, _: Event) {}
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [mode, listen, upstream] = args.as_slice() else {
        return Err("usage: plain_vs_bare bare|plain|http LISTEN UPSTREAM".into());
    };
    let (listen, upstream): (SocketAddr, SocketAddr) = (listen.parse()?, upstream.parse()?);
    match mode.as_str() {
        "bare" => {
            let listener = TcpListener::bind(listen).await?;
            tokio::spawn(bare(listener, upstream));
            tokio::signal::ctrl_c().await?;
        }
        "plain" => {
            let link = PlainLink::start(listen, upstream).await?;
            tokio::signal::ctrl_c().await?;
            println!("{} connections, {:?} bytes", link.connections(), link.bytes());
            link.stop().await;
        }
        "http" => {
            let sink = Arc::new(Encoder::default());
            let link = Link::start(config(listen, upstream), shared(Arc::clone(&sink)))?;
            tokio::signal::ctrl_c().await?;
            link.stop().await;
            println!("{} attempts", sink.attempts.load(Ordering::Relaxed));
        }
        other => return Err(format!("no such mode: {other}").into()),
    }
    println!("{mode}: {:.2} CPU s", cpu_seconds()?);
    Ok(())
}

async fn bare(listener: TcpListener, upstream: SocketAddr) -> std::io::Result<()> {
    loop {
        let (mut downstream, _) = listener.accept().await?;
        downstream.set_nodelay(true)?;
        tokio::spawn(async move {
            let mut upstream = TcpStream::connect(upstream).await?;
            upstream.set_nodelay(true)?;
            tokio::io::copy_bidirectional(&mut downstream, &mut upstream).await
        });
    }
}

fn config(listen: SocketAddr, upstream: SocketAddr) -> LinkConfig {
    let (run, probes) = (RunId(1), Vec::new());
    LinkConfig {
        index: 0,
        side: Side::Upstream,
        region: 0,
        endpoint: 1,
        listen,
        upstream,
        run,
        baseline: None,
        probes,
    }
}

fn shared(sink: Arc<Encoder>) -> Shared {
    Shared {
        clock: Arc::new(Ticker(Instant::now())),
        sink,
        rules: Arc::new(RuleSet::of(1, &[])),
        registry: Arc::new(AttemptRegistry::default()),
        attempts: Arc::new(AttemptCounter::default()),
    }
}

/// User and system time of this process, from /proc, at the usual 100 ticks per second.
fn cpu_seconds() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).map_or(Ok(0.0), |f| f.parse::<f64>());
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}
