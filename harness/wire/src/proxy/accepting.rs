//! The task of a proxy: accepts, keeps the connections' tasks, rings their alarm.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::Doors;
use super::alarm::Alarm;
use super::connection;
use super::live::Live;
use super::toxicity::Toxicity;

/// Connections the kernel may hold for us.
const BACKLOG: i32 = 4096;
/// The pause after an accept that failed: out of descriptors, most likely.
const PAUSE: Duration = Duration::from_millis(10);

/// What the tasks of a proxy share.
pub(super) struct Core {
    pub(super) doors: Doors,
    /// Part of all draws.
    pub(super) name_hash: u64,
    pub(super) toxicity: Toxicity,
    pub(super) live: Live,
    pub(super) alarm: Arc<Alarm>,
    /// Chains count their time from here.
    pub(super) base: Instant,
}

/// Accepts until told to stop, or until nobody can tell any more; then every connection is dropped.
pub(super) async fn run(
    core: Arc<Core>,
    listener: TcpListener,
    upstream: Arc<str>,
    mut stop: oneshot::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            _ = &mut stop => break,
            () = core.alarm.ring() => {}
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((client, peer)) => {
                    let entry = core.live.open(peer, core.doors.clock.now());
                    connections.spawn(connection::serve(Arc::clone(&core), client, entry, Arc::clone(&upstream)));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
}

/// Listens on the first of these addresses that can be had.
pub(super) fn listen(addresses: &[SocketAddr]) -> Result<TcpListener, (SocketAddr, io::Error)> {
    let mut first = None;
    for addr in addresses {
        match bound(*addr) {
            Ok(listener) => return Ok(listener),
            Err(error) => _ = first.get_or_insert((*addr, error)),
        }
    }
    let none = || (SocketAddr::from(([0, 0, 0, 0], 0)), io::ErrorKind::NotFound.into());
    Err(first.unwrap_or_else(none))
}

fn bound(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}
