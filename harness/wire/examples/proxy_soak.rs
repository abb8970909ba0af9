//! Clients, proxy and echo server in one process; toxics change every second, and nothing may leak or be lost.
//!
//! `proxy_soak REQUESTS SECONDS [SEED]` exchanges messages of 16 bytes over 64 connections for SECONDS, and fails if there
//! were fewer than REQUESTS. Half of the connections are drawn for each toxic. A connection that no toxic has touched
//! must bring back every byte; one that ends early must have been ended by a toxic that is on record.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gatecrash_core::toxics::{Direction, TOXICS, Toxic, ToxicSpec};
use gatecrash_wire::proxy::{ClosedConnection, Doors, Proxy, ProxyEvent, ProxyEvents, ProxySettings};
use support::{Failure, Ticker, descriptors, resident};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

mod support;

/// Clients at a time, and messages in one write.
const CLIENTS: u64 = 64;
const BATCH: u64 = 16;
const MESSAGE: usize = 16;

/// The records of connections that are over, by client.
#[derive(Default)]
struct Records {
    over: Mutex<HashMap<SocketAddr, ClosedConnection>>,
    fired: AtomicU64,
}

impl ProxyEvents for Records {
    fn event(&self, event: ProxyEvent) {
        match event {
            ProxyEvent::Closed(record) => {
                self.over.lock().unwrap_or_else(PoisonError::into_inner).insert(record.peer, record);
            }
            ProxyEvent::ToxicFired { .. } => _ = self.fired.fetch_add(1, Ordering::Relaxed),
            ProxyEvent::Opened { .. } | ProxyEvent::DialFailed { .. } => {}
        }
    }
}

/// What all clients share.
#[derive(Default)]
struct Tally {
    requests: AtomicU64,
    whole: AtomicU64,
    ended: AtomicU64,
    stop: AtomicBool,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise: u64| args.get(at).map_or(Ok(otherwise), |text| text.parse());
    let (requests, seconds, seed) = (number(0, 1_000_000)?, number(1, 60)?, number(2, 1)?);

    let before = (descriptors()?, Handle::current().metrics().num_alive_tasks());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let upstream = listener.local_addr()?.to_string();
    let server = tokio::spawn(echo(listener));
    let records = Arc::new(Records::default());
    let doors = Doors { clock: Arc::new(Ticker(Instant::now())), seed, events: records.clone() };
    let settings =
        ProxySettings { name: "soak".into(), listen: "127.0.0.1:0".into(), upstream, enabled: true };
    let proxy = Proxy::start(settings, Vec::new(), doors).await?;

    let tally = Arc::new(Tally::default());
    let mut clients = JoinSet::new();
    for id in 0..CLIENTS {
        let (addr, tally, records) = (proxy.settings().listen, Arc::clone(&tally), Arc::clone(&records));
        clients.spawn(async move { client(id, &addr, &tally, &records).await });
    }
    let start = Instant::now();
    let mut settled = 0;
    for second in 1.. {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let done = tally.requests.load(Ordering::Relaxed);
        // A client that is over before it was told to has failed.
        if let Some(client) = clients.try_join_next() {
            client??;
        }
        if second > seconds {
            break;
        }
        tokio::time::timeout(Duration::from_secs(5), change(&proxy, second)).await?;
        if second == 20 {
            settled = resident()?;
        }
        if second.is_multiple_of(20) {
            let tasks = Handle::current().metrics().num_alive_tasks();
            let (memory, open) = (resident()?, descriptors()?);
            println!("{second:4} s: {done} requests, {memory} KiB, {open} descriptors, {tasks} tasks");
        }
    }
    proxy.clear().await;
    tally.stop.store(true, Ordering::Relaxed);
    while let Some(client) = clients.join_next().await {
        client??;
    }
    let (took, last) = (start.elapsed().as_secs_f64(), resident()?);
    let counters = proxy.counters();
    proxy.stop().await;
    server.abort();
    _ = server.await;
    drop(proxy);
    let mut after = (usize::MAX, usize::MAX);
    // What was told to end does so when it is next run.
    for _ in 0..200 {
        after = (descriptors()?, Handle::current().metrics().num_alive_tasks());
        if after.0 <= before.0 && after.1 <= before.1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
    println!(
        "requests={} seconds={took:.0} connections={} ended_by_toxics={} untouched_and_whole={} toxics_fired={}",
        count(&tally.requests),
        counters.accepted,
        count(&tally.ended),
        count(&tally.whole),
        count(&records.fired),
    );
    println!("memory_kib_after_20_s={settled} at_the_end={last}");
    println!("descriptors_before={} after={} tasks_before={} after={}", before.0, after.0, before.1, after.1);
    if after.0 > before.0 || after.1 > before.1 {
        return Err("something is left over".into());
    }
    if count(&tally.requests) < requests {
        return Err(format!("fewer than {requests} requests").into());
    }
    Ok(())
}

/// One of the toxics comes, changes or goes, on either side.
async fn change(proxy: &Proxy, second: u64) {
    let mut held = proxy.toxics();
    if held.len() > 3 {
        return proxy.remove(&held.swap_remove(second as usize % held.len()).name).await;
    }
    let kinds = TOXICS.len() as u64;
    let kind = TOXICS[(second % kinds) as usize].name;
    let Some(mut spec) = ToxicSpec::of_type(kind) else { return };
    for (name, value) in [
        ("latency", 2),
        ("jitter", 1),
        ("rate", 20_000),
        ("delay", 50),
        ("timeout", 100),
        ("average_size", 700),
        ("size_variation", 300),
        ("bytes", 3_000_000),
    ] {
        spec.set(name, value);
    }
    let direction = match (second / kinds).is_multiple_of(2) {
        true => Direction::Downstream,
        false => Direction::Upstream,
    };
    let name = format!("{kind}-{second}");
    proxy.add(Toxic { name: name.clone(), direction, toxicity: 0.5, spec }).await;
    if second.is_multiple_of(3) {
        proxy.change(Toxic { name, direction, toxicity: 0.25, spec }).await;
    }
}

/// Connection after connection, until it is time to stop.
async fn client(id: u64, addr: &str, tally: &Tally, records: &Records) -> Result<(), Failure> {
    let mut number = 0;
    while !tally.stop.load(Ordering::Relaxed) {
        let mut stream = TcpStream::connect(addr).await?;
        let me = stream.local_addr()?;
        number += 1;
        // Some connections live long, some are short.
        let batches = if u64::is_multiple_of(number, 2) { 50 } else { 3000 };
        let whole = exchange(&mut stream, id << 32 | number, batches, tally).await?;
        drop(stream);
        let record = record(records, me).await.ok_or("a connection without a record")?;
        match (whole, record.fired.is_empty()) {
            (true, _) => _ = tally.whole.fetch_add(u64::from(record.fired.is_empty()), Ordering::Relaxed),
            (false, false) => _ = tally.ended.fetch_add(1, Ordering::Relaxed),
            (false, true) => return Err(format!("an untouched connection ended early: {record:?}").into()),
        }
    }
    Ok(())
}

/// Batches there and back, then an orderly end; false when the connection ended before.
async fn exchange(stream: &mut TcpStream, of: u64, batches: u64, tally: &Tally) -> Result<bool, Failure> {
    stream.set_nodelay(true)?;
    let (mut sent, mut got) = (Vec::new(), vec![0; BATCH as usize * MESSAGE]);
    for batch in 0..batches {
        if tally.stop.load(Ordering::Relaxed) {
            break;
        }
        sent.clear();
        for message in 0..BATCH {
            sent.extend_from_slice(&of.to_be_bytes());
            sent.extend_from_slice(&(batch * BATCH + message).to_be_bytes());
        }
        let both = async {
            stream.write_all(&sent).await?;
            stream.read_exact(&mut got).await
        };
        // A timeout toxic drops bytes for as long as it is there: the client gives up.
        match tokio::time::timeout(Duration::from_secs(3), both).await {
            Ok(Ok(_)) if got == sent => {}
            Ok(Ok(_)) => return Err(format!("other bytes came back on {of:x}, batch {batch}").into()),
            Ok(Err(_)) | Err(_) => return Ok(false),
        }
        tally.requests.fetch_add(BATCH, Ordering::Relaxed);
    }
    let farewell = async {
        stream.shutdown().await?;
        stream.read(&mut got).await
    };
    Ok(matches!(tokio::time::timeout(Duration::from_secs(3), farewell).await, Ok(Ok(0))))
}

async fn record(records: &Records, peer: SocketAddr) -> Option<ClosedConnection> {
    for _ in 0..10_000 {
        if let Some(record) = records.over.lock().unwrap_or_else(PoisonError::into_inner).remove(&peer) {
            return Some(record);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    None
}

async fn echo(listener: TcpListener) -> Result<(), std::io::Error> {
    let mut all = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = all.join_next() => {}
            accepted = listener.accept() => {
                let (mut stream, _) = accepted?;
                stream.set_nodelay(true)?;
                all.spawn(async move {
                    let (mut read, mut write) = stream.split();
                    _ = tokio::io::copy(&mut read, &mut write).await;
                    _ = write.shutdown().await;
                });
            }
        }
    }
}
