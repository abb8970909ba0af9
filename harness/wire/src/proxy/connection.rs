//! One connection of a client: dial, relay, farewell, and the record of it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use gatecrash_core::faults::With;
use gatecrash_core::toxics::Direction;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::accepting::Core;
use super::live::{ANY, Entry};
use super::relay::{Farewell, Relay};
use super::settings::addresses;
use super::{ClosedConnection, EndedBy, ProxyEvent};
use crate::closing;

/// How long one address of the upstream may take to answer.
const DIAL: Duration = Duration::from_secs(10);

/// The record of a connection; written when it is dropped, even by the proxy's stop.
pub(super) struct Record {
    core: Arc<Core>,
    pub(super) entry: Arc<Entry>,
    fired: Vec<String>,
    ended_by: Option<EndedBy>,
    with: With,
}

/// Serves a client until the connection is over.
pub(super) async fn serve(core: Arc<Core>, client: TcpStream, entry: Arc<Entry>, upstream: Arc<str>) {
    let mut record = Record::open(Arc::clone(&core), entry);
    // Dropped before the record is.
    let mut client = client;
    let mut upstream = match dial(&upstream).await {
        Ok(upstream) => upstream,
        Err(error) => {
            record.dial_failed(error);
            return Box::pin(closing::fin(&mut client)).await;
        }
    };
    _ = client.set_nodelay(true);
    _ = upstream.set_nodelay(true);
    let farewell = Relay::new(&core, &mut record, (&mut client, &mut upstream)).await;
    core.live.acknowledge(&record.entry, ANY);
    if farewell.is_rst() {
        record.with = With::Rst;
    }
    // Boxed: it is large, and an open connection need not keep room for its end.
    Box::pin(say(farewell, &mut client, &mut upstream)).await;
}

/// Does on the sockets what is left to do.
async fn say(farewell: Farewell, client: &mut TcpStream, upstream: &mut TcpStream) {
    match farewell {
        Farewell::Said => {}
        Farewell::FinBoth => {
            tokio::join!(closing::fin(client), closing::fin(upstream));
        }
        Farewell::RstTo(direction) => {
            let to = match direction {
                Direction::Upstream => upstream,
                Direction::Downstream => client,
            };
            closing::all_sent(to).await;
            closing::rst_now(to);
        }
        Farewell::RstBoth => {
            tokio::join!(closing::all_sent(client), closing::all_sent(upstream));
            closing::rst_now(client);
            closing::rst_now(upstream);
        }
    }
}

/// Connects to the first address that answers.
async fn dial(upstream: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for addr in addresses(upstream).await.map_err(io::Error::other)? {
        match timeout(DIAL, TcpStream::connect(addr)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

// === impl Record ===

impl Record {
    fn open(core: Arc<Core>, entry: Arc<Entry>) -> Self {
        let (at, conn, peer) = (entry.opened, entry.conn, entry.peer);
        core.doors.events.event(ProxyEvent::Opened { at, conn, peer });
        Self { core, entry, fired: Vec::new(), ended_by: None, with: With::Fin }
    }

    fn dial_failed(&mut self, error: io::Error) {
        self.ended_by = Some(EndedBy::DialFailed);
        let (at, conn) = (self.core.doors.clock.now(), self.entry.conn);
        self.core.doors.events.event(ProxyEvent::DialFailed { at, conn, error: error.to_string() });
    }

    /// Takes note of a toxic that has acted for the first time.
    pub(super) fn fired(&mut self, toxic: &str) {
        let (at, conn, toxic) = (self.core.doors.clock.now(), self.entry.conn, toxic.to_owned());
        self.core.doors.events.event(ProxyEvent::ToxicFired { at, conn, toxic: toxic.clone() });
        self.fired.push(toxic);
    }

    /// One side has ended; the first one counts.
    pub(super) fn ended_first(&mut self, by: EndedBy) {
        self.ended_by.get_or_insert(by);
    }

    /// A toxic ends the connection, whoever has ended a direction before.
    pub(super) fn ended_by_toxic(&mut self, name: &str) {
        self.ended_by = Some(EndedBy::Toxic(name.to_owned()));
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let Self { core, entry, .. } = self;
        core.live.close(entry);
        core.doors.events.event(ProxyEvent::Closed(ClosedConnection {
            conn: entry.conn,
            peer: entry.peer,
            opened: entry.opened,
            closed: core.doors.clock.now(),
            upstream: entry.upstream.read(),
            downstream: entry.downstream.read(),
            ended_by: self.ended_by.take().unwrap_or(EndedBy::Proxy),
            with: self.with,
            fired: std::mem::take(&mut self.fired),
        }));
    }
}
