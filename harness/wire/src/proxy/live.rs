//! The connections of a proxy that are open, and the bytes of those that were.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use gatecrash_model::Nanos;
use tokio::sync::Notify;

use super::Traffic;

/// Acknowledged by a connection that reads nothing now and will install the newest toxics before it does.
pub(super) const ANY: u64 = u64::MAX;

/// What passed through a proxy so far, connections still open included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Connections accepted.
    pub accepted: u64,
    /// Connections open now.
    pub open: u64,
    /// Bytes from clients to the upstream.
    pub upstream: Traffic,
    /// Bytes from the upstream to clients.
    pub downstream: Traffic,
}

/// An open connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConnectionView {
    /// Its number.
    pub conn: u32,
    /// The client.
    pub peer: SocketAddr,
    /// When it was accepted, by the proxy's clock.
    pub opened: Nanos,
    /// Bytes from the client to the upstream so far.
    pub upstream: Traffic,
    /// Bytes from the upstream to the client so far.
    pub downstream: Traffic,
}

/// All connections of a proxy.
#[derive(Default)]
pub(super) struct Live {
    known: Mutex<Known>,
    acknowledged: Notify,
}

#[derive(Default)]
struct Known {
    open: BTreeMap<u32, Arc<Entry>>,
    next: u32,
    past: Counters,
}

/// What a connection shares with its proxy.
pub(super) struct Entry {
    pub(super) conn: u32,
    pub(super) peer: SocketAddr,
    pub(super) opened: Nanos,
    pub(super) upstream: Moved,
    pub(super) downstream: Moved,
    /// The version of the toxics that it has installed.
    installed: AtomicU64,
    waker: Mutex<Option<Waker>>,
}

/// Bytes of one direction, counted by one task and read by others.
#[derive(Default)]
pub(super) struct Moved {
    received: AtomicU64,
    sent: AtomicU64,
}

// === impl Live ===

impl Live {
    /// Takes in a new connection.
    pub(super) fn open(&self, peer: SocketAddr, opened: Nanos) -> Arc<Entry> {
        let mut known = self.lock();
        let conn = known.next;
        known.next = conn.wrapping_add(1);
        known.past.accepted += 1;
        let entry = Arc::new(Entry {
            conn,
            peer,
            opened,
            upstream: Moved::default(),
            downstream: Moved::default(),
            installed: AtomicU64::new(ANY),
            waker: Mutex::default(),
        });
        known.open.insert(conn, Arc::clone(&entry));
        entry
    }

    /// Lets a connection go.
    pub(super) fn close(&self, entry: &Entry) {
        let mut known = self.lock();
        known.open.remove(&entry.conn);
        add(&mut known.past.upstream, entry.upstream.read());
        add(&mut known.past.downstream, entry.downstream.read());
        drop(known);
        self.acknowledge(entry, ANY);
    }

    /// The connection has this version of the toxics in force.
    pub(super) fn acknowledge(&self, entry: &Entry, version: u64) {
        entry.installed.store(version, Ordering::SeqCst);
        self.acknowledged.notify_waiters();
    }

    /// Wakes every connection, and returns when all have installed this version or are gone.
    pub(super) async fn settle(&self, version: u64) {
        let open: Vec<_> = self.lock().open.values().cloned().collect();
        open.iter().for_each(|entry| entry.wake());
        for entry in open {
            loop {
                let acknowledged = self.acknowledged.notified();
                if entry.installed.load(Ordering::SeqCst) >= version {
                    break;
                }
                acknowledged.await;
            }
        }
    }

    pub(super) fn views(&self) -> Vec<ConnectionView> {
        self.lock().open.values().map(|entry| entry.view()).collect()
    }

    pub(super) fn counters(&self) -> Counters {
        let known = self.lock();
        let mut all = Counters { open: known.open.len() as u64, ..known.past };
        for entry in known.open.values() {
            add(&mut all.upstream, entry.upstream.read());
            add(&mut all.downstream, entry.downstream.read());
        }
        all
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Entry ===

impl Entry {
    /// Who is to be woken for changes.
    pub(super) fn wakes(&self, waker: &Waker) {
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
    }

    fn wake(&self) {
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).clone();
        waker.into_iter().for_each(Waker::wake);
    }

    fn view(&self) -> ConnectionView {
        let (upstream, downstream) = (self.upstream.read(), self.downstream.read());
        ConnectionView { conn: self.conn, peer: self.peer, opened: self.opened, upstream, downstream }
    }
}

// === impl Moved ===

impl Moved {
    pub(super) fn received(&self, bytes: usize) {
        raise(&self.received, bytes);
    }

    pub(super) fn sent(&self, bytes: usize) {
        raise(&self.sent, bytes);
    }

    pub(super) fn read(&self) -> Traffic {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Traffic { received: read(&self.received), sent: read(&self.sent) }
    }
}

/// One task writes: no locked instruction is needed.
fn raise(count: &AtomicU64, by: usize) {
    count.store(count.load(Ordering::Relaxed) + by as u64, Ordering::Relaxed);
}

fn add(to: &mut Traffic, more: Traffic) {
    to.received += more.received;
    to.sent += more.sent;
}
