//! HTTP/2: requests share connections. Chooses one for each request, and lets those wait that find no room.
//!
//! Frames, header compression and flow control are the `h2` crate's; `frames` watches what comes off the wire, so that
//! the way an exchange ended can be told. An idle connection is taken before a new one is opened, a new one is opened
//! while there may be more, then the one with the fewest streams is shared, up to the number that the peer allows.

mod ending;
mod exchange;
mod frames;
mod lane;
mod request;

use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use gatecrash_model::time::micros_between;
use gatecrash_model::{ClientRecord, Nanos};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use self::lane::{Lane, Place};
use super::client::Session;
use super::connection::Order;
use super::request::Context;
use super::response::Response;
use crate::plan::RequestPlan;
use crate::workload::TlsTarget;

/// The connections of one client.
pub(super) struct Lanes {
    session: Arc<Session>,
    tls: Option<TlsTarget>,
    /// Connections that may be open at once.
    most: usize,
    /// Who may look for a place: those who wait do so in order of their coming.
    turn: tokio::sync::Mutex<()>,
    /// Some stream or connection ended, or a connection was opened.
    freed: Arc<Notify>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    lanes: Vec<Arc<Lane>>,
    /// Connections that are being opened.
    opening: usize,
}

/// What there is for a request.
enum Found<'a> {
    Place(Place),
    /// It is to open a connection.
    Room(Opening<'a>),
}

/// The right to open a connection, given back when it stands or failed.
struct Opening<'a>(&'a Lanes);

impl Lanes {
    /// Without connections yet.
    pub(super) fn new(session: Arc<Session>, tls: Option<&TlsTarget>, most: Option<NonZeroUsize>) -> Self {
        let over_h2 = |tls: &TlsTarget| {
            let mut config = (*tls.config).clone();
            config.alpn_protocols = vec![b"h2".to_vec()];
            TlsTarget { config: Arc::new(config), ..tls.clone() }
        };
        let tls = tls.map(over_h2);
        let most = most.map_or(1, NonZeroUsize::get);
        Self { session, tls, most, turn: Default::default(), freed: Arc::default(), state: Mutex::default() }
    }

    /// Sends one request that was due at `intended`, and writes its record.
    pub(super) async fn exchange_and_learn(
        &self,
        plan: &RequestPlan,
        intended: Nanos,
    ) -> (ClientRecord, Option<String>) {
        let setup = self.session.setup();
        let mut record = self.session.blank(plan, intended);
        let deadline = Instant::now() + plan.workload.timeout;
        let Some(place) = self.place(&mut record, deadline).await else {
            setup.sink.client(record);
            return (record, None);
        };
        let wall = if plan.workload.signing.is_some() { setup.clock.wall_seconds() } else { 0 };
        let (scheme, host) = match &self.tls {
            Some(tls) => ("https", &tls.host_header),
            None => ("http", &setup.target.host_header),
        };
        let context = Context { run: setup.run, host, pool: &setup.pool, wall, close: false, expects: false };
        let head = request::head(plan, context, scheme);
        record.conn = place.lane().number;
        record.flags |= if place.is_reused() { ClientRecord::REUSED } else { 0 };
        let order = Order { plan, pool: &setup.pool, clock: &*setup.clock, deadline, held: None };
        let mut response = Response::default();
        let done = exchange::exchange(&place, head, order, &mut response).await;
        drop(place);
        self.session.settle(plan, done, &response, &mut record);
        (record, response.learnt(plan.wants()))
    }

    /// Lets all connections go; streams under way end first.
    pub(super) fn close(&self) {
        self.lock().lanes.clear();
    }

    /// A place for a request; on failure the record says how.
    async fn place(&self, record: &mut ClientRecord, deadline: Instant) -> Option<Place> {
        let clock = &self.session.setup().clock;
        let begun = clock.now();
        let opened = match timeout_at(deadline, self.find()).await {
            Ok((Found::Place(place), waited)) => {
                record.connect = if waited { micros_between(begun, clock.now()) } else { 0 };
                return Some(place);
            }
            Ok((Found::Room(opening), _)) => match timeout_at(deadline, opening.open()).await {
                Ok(opened) => opened,
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            },
            Err(_) => {
                let why =
                    "no stream was free within the timeout; connections and streams on them are limited";
                Err(io::Error::new(io::ErrorKind::TimedOut, why))
            }
        };
        match opened {
            Ok(place) => {
                record.connect = micros_between(begun, clock.now());
                Some(place)
            }
            Err(error) => {
                self.session.no_connection(record, begun, &error);
                None
            }
        }
    }

    /// Waits for a place, and says whether it had to.
    async fn find(&self) -> (Found<'_>, bool) {
        let (_turn, mut waited) = match self.turn.try_lock() {
            Ok(turn) => (turn, false),
            Err(_) => (self.turn.lock().await, true),
        };
        loop {
            if let Some(found) = self.look() {
                return (found, waited);
            }
            waited = true;
            self.freed.notified().await;
        }
    }

    /// What there is now.
    fn look(&self) -> Option<Found<'_>> {
        let mut state = self.lock();
        state.lanes.retain(|lane| lane.is_open());
        let with_room = state.lanes.iter().filter(|lane| lane.has_room());
        let least = with_room.min_by_key(|lane| lane.under_way()).map(Arc::clone);
        let is_idle = least.as_ref().is_some_and(|lane| lane.under_way() == 0);
        if !is_idle && state.lanes.len() + state.opening < self.most {
            state.opening += 1;
            return Some(Found::Room(Opening(self)));
        }
        least.map(|lane| Found::Place(Place::on(lane, Arc::clone(&self.freed))))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Opening<'_> {
    /// Opens a connection, and takes the first place on it.
    async fn open(self) -> io::Result<Place> {
        let Self(lanes) = &self;
        let freed = Arc::clone(&lanes.freed);
        let lane = Lane::open(&lanes.session, lanes.tls.as_ref(), Arc::clone(&freed)).await?;
        let lane = Arc::new(lane);
        let place = Place::on(Arc::clone(&lane), freed);
        lanes.lock().lanes.push(lane);
        Ok(place)
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        self.0.lock().opening -= 1;
        self.0.freed.notify_one();
    }
}
