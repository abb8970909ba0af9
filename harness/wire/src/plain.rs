//! A link that looks at nothing: bytes both ways, half-close kept, counted. For `serve proxy` and benchmarks.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

/// Bytes moved at once: larger buffers halve the CPU of bulk transfers against the usual 8 KiB.
const BUFFER: usize = 64 * 1024;

/// A running plain link.
#[derive(Debug)]
pub struct PlainLink {
    addr: SocketAddr,
    counters: Arc<Counters>,
    stop: watch::Sender<bool>,
    ended: mpsc::Receiver<()>,
}

/// Bytes moved so far, live.
#[derive(Debug, Default)]
struct Counters {
    connections: AtomicU64,
    up: AtomicU64,
    down: AtomicU64,
}

impl PlainLink {
    /// Binds and begins to accept, on the caller's runtime.
    pub async fn start(listen: SocketAddr, upstream: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let addr = listener.local_addr()?;
        let counters = Arc::new(Counters::default());
        let stop = watch::Sender::new(false);
        let (alive, ended) = mpsc::channel(1);
        tokio::spawn(accept(listener, upstream, Arc::clone(&counters), stop.subscribe(), alive));
        Ok(Self { addr, counters, stop, ended })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> u64 {
        self.counters.connections.load(Ordering::Relaxed)
    }

    /// Bytes moved so far: towards the upstream, and back.
    pub fn bytes(&self) -> (u64, u64) {
        (self.counters.up.load(Ordering::Relaxed), self.counters.down.load(Ordering::Relaxed))
    }

    /// Stops accepting, drops what is open and waits until it is gone.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.ended.recv().await.is_some() {}
    }
}

async fn accept(
    listener: TcpListener,
    upstream: SocketAddr,
    counters: Arc<Counters>,
    mut stop: watch::Receiver<bool>,
    alive: mpsc::Sender<()>,
) {
    loop {
        tokio::select! {
            biased;
            _ = stop.changed() => return,
            accepted = listener.accept() => {
                let Ok((downstream, _)) = accepted else {
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                    continue;
                };
                counters.connections.fetch_add(1, Ordering::Relaxed);
                let (counters, mut stop, alive) = (Arc::clone(&counters), stop.clone(), alive.clone());
                tokio::spawn(async move {
                    let _alive = alive;
                    tokio::select! {
                        biased;
                        _ = stop.changed() => {}
                        _ = relay(downstream, upstream, &counters) => {}
                    }
                });
            }
        }
    }
}

async fn relay(downstream: TcpStream, upstream: SocketAddr, counters: &Counters) -> io::Result<()> {
    let upstream = TcpStream::connect(upstream).await?;
    upstream.set_nodelay(true)?;
    downstream.set_nodelay(true)?;
    let (down_read, down_write) = downstream.into_split();
    let (up_read, up_write) = upstream.into_split();
    let there = copy(down_read, up_write, &counters.up);
    let back = copy(up_read, down_write, &counters.down);
    tokio::try_join!(there, back)?;
    Ok(())
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, moved: &AtomicU64) -> io::Result<()> {
    let mut buffer = bytes::BytesMut::with_capacity(BUFFER);
    loop {
        buffer.clear();
        if from.read_buf(&mut buffer).await? == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer).await?;
        moved.fetch_add(buffer.len() as u64, Ordering::Relaxed);
    }
}
