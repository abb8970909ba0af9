//! One proxy between a load generator and a server, to compare CPU per request: a bare tokio copy, the TCP proxy
//! (plain, or with toxics such as `latency:latency=50,jitter=5`), or the HTTP link with every record written.
//!
//! `one_proxy bare|plain|http LISTEN UPSTREAM [TOXIC..]` runs on one thread until Ctrl-C, then prints its CPU time:
//!
//! ```sh
//! taskset -c 0 target/release/examples/one_proxy http 127.0.0.1:9001 127.0.0.1:9000 &
//! taskset -c 1 wrk -t1 -c64 -d10 http://127.0.0.1:9001/small; kill -INT %1
//! ```

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use gatecrash_core::rules::RuleSet;
use gatecrash_core::toxics::{Direction, Toxic, ToxicSpec};
use gatecrash_model::{
    AttemptRecord, AttemptRegistry, ConnectionRecord, Event, Evidence, FiringRecord, RunId, Sink, StrId,
    UpstreamRecord,
};
use gatecrash_wire::proxy::{Doors, NoEvents, Proxy, ProxySettings};
use gatecrash_wire::{AttemptCounter, Link, LinkConfig, Shared};
use support::{Failure, Ticker, cpu_seconds, descriptors, resident};
use tokio::net::{TcpListener, TcpStream};

mod support;

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
    fn version(&self, _: gatecrash_model::VersionRecord) {}
    fn evidence(&self, _: Evidence) {}
    fn event(&self, _: Event) {}
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [mode, listen, upstream, toxics @ ..] = args.as_slice() else {
        return Err("usage: one_proxy bare|plain|http LISTEN UPSTREAM [TOXIC:ATTRIBUTE=NUMBER]".into());
    };
    let (listen, upstream): (SocketAddr, SocketAddr) = (listen.parse()?, upstream.parse()?);
    match mode.as_str() {
        "bare" => {
            let listener = TcpListener::bind(listen).await?;
            tokio::spawn(bare(listener, upstream));
            tokio::signal::ctrl_c().await?;
        }
        "plain" => {
            let toxics = toxics.iter().map(|text| toxic(text)).collect::<Result<_, _>>()?;
            let settings = ProxySettings {
                name: "one".into(),
                listen: listen.to_string(),
                upstream: upstream.to_string(),
                enabled: true,
            };
            let doors =
                Doors { clock: Arc::new(Ticker(Instant::now())), seed: 1, events: Arc::new(NoEvents) };
            let proxy = Proxy::start(settings, toxics, doors).await?;
            tokio::signal::ctrl_c().await?;
            println!("{:?}", proxy.counters());
            println!("{} KiB resident, {} descriptors", resident()?, descriptors()?);
            proxy.stop().await;
        }
        "http" => {
            let sink = Arc::new(Encoder::default());
            let link = Link::start(
                LinkConfig { run: RunId(1), ..LinkConfig::between(listen, upstream) },
                shared(Arc::clone(&sink)),
            )?;
            tokio::signal::ctrl_c().await?;
            link.stop().await;
            println!("{} attempts", sink.attempts.load(Ordering::Relaxed));
        }
        other => return Err(format!("no such mode: {other}").into()),
    }
    println!("{mode}: {:.2} CPU s", cpu_seconds()?);
    Ok(())
}

/// A toxic on what the upstream sends.
fn toxic(text: &str) -> Result<Toxic, Failure> {
    let (kind, attributes) = text.split_once(':').unwrap_or((text, ""));
    let mut spec = ToxicSpec::of_type(kind).ok_or_else(|| format!("no such toxic: {kind}"))?;
    for pair in attributes.split(',').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or("expected attribute=number")?;
        if !spec.set(name, value.parse()?) {
            return Err(format!("{kind} has no {name}").into());
        }
    }
    Ok(Toxic { name: text.to_owned(), direction: Direction::Downstream, toxicity: 1.0, spec })
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

fn shared(sink: Arc<Encoder>) -> Shared {
    Shared {
        clock: Arc::new(Ticker(Instant::now())),
        sink,
        rules: Arc::new(RuleSet::of(1, &[])),
        registry: Arc::new(AttemptRegistry::default()),
        attempts: Arc::new(AttemptCounter::default()),
    }
}
