//! Pools connections and turns plans into records. One attempt for each plan, always.

use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gatecrash_model::time::micros_between;
use gatecrash_model::{AttemptId, ClientRecord, Clock, Ending, Nanos, Pool, RunId, Sink, StrId};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::connection::{Connection, Idle, Order};
use super::evidence::{self, EvidenceBudget};
use super::http2::Lanes;
use super::owners::Owners;
use super::request;
use super::stream::Stream;
use crate::plan::{Expect, Journey, Payload, RequestPlan};
use crate::workload::{Target, TlsTarget, Workload};

/// What the clients of a run work with.
pub struct Setup {
    /// The gateway.
    pub target: Target,
    /// The run, part of every request id.
    pub run: RunId,
    /// Time since T0.
    pub clock: Arc<dyn Clock>,
    /// Where records and evidence go.
    pub sink: Arc<dyn Sink>,
    /// The bytes of every object.
    pub pool: Arc<Pool>,
    /// Secrets, addresses and names that a gateway's own error must not contain: searched in answers outside
    /// 2xx.
    pub needles: Arc<[String]>,
    /// How much evidence is kept.
    pub evidence: EvidenceBudget,
}

/// What all clients of a run share.
pub struct Session {
    pub(super) setup: Setup,
    pub(super) owners: Owners,
    /// Interned keys by workload and object; 0 is not interned yet.
    keys: Vec<Box<[AtomicU32]>>,
    connections: AtomicU32,
    pub(super) stats: Counts,
}

/// Objects of a population whose interned key is remembered.
const REMEMBERED: u32 = 1 << 20;

#[derive(Default)]
pub(super) struct Counts {
    pub(super) informational: AtomicU64,
    late_bytes: AtomicU64,
}

/// What does not show in a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ClientStats {
    /// Connections opened.
    pub connections: u32,
    /// 1xx responses that were skipped.
    pub informational: u64,
    /// Connections on which bytes came while they were idle.
    pub late_bytes: u64,
}

/// HTTP/1.1 over pooled connections, or HTTP/2 over shared ones. They belong to the runtime they were opened on: one
/// client for each runtime. Share it by reference between the tasks of that runtime.
pub struct Client {
    session: Arc<Session>,
    keep_alive: bool,
    expect: Option<Duration>,
    tls: Option<TlsTarget>,
    /// Carries the requests where they go over HTTP/2; then nothing of the rest is used.
    lanes: Option<Box<Lanes>>,
    /// A permit for each connection that may be open, where their number is limited. Who holds one takes an idle
    /// connection if there is any, so that no more are ever open than there are permits.
    turns: Option<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

/// How a client treats its connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Connections {
    /// Whether one carries more than one request; if not, requests say `connection: close`.
    pub keep_alive: bool,
    /// How many may be open at once; when absent any number, and one for HTTP/2. Requests over it, or over the streams
    /// that the peer allows on them, wait in order of their coming.
    pub most: Option<NonZeroUsize>,
    /// How long an upload waits for 100 Continue before its body goes out, where it asks for one (RFC 9110 10.1.1).
    pub expect: Option<Duration>,
    /// Whether they go to the target's TLS address, if it has one.
    pub tls: bool,
    /// Whether HTTP/2 is spoken: by prior knowledge, and over TLS by ALPN.
    pub http2: bool,
}

// === impl Session ===

impl Session {
    /// Prepares for the workloads of a run.
    pub fn new(setup: Setup, workloads: &[Arc<Workload>]) -> Self {
        let owners = Owners::new(workloads.iter().map(|w| w.population.clone()).collect());
        let most = workloads.iter().map(|w| usize::from(w.index) + 1).max().unwrap_or(0);
        let mut keys: Vec<Box<[AtomicU32]>> = (0..most).map(|_| Box::default()).collect();
        for workload in workloads {
            let count = workload.population.count.min(REMEMBERED);
            keys[usize::from(workload.index)] = (0..count).map(|_| AtomicU32::new(0)).collect();
        }
        Self { setup, owners, keys, connections: AtomicU32::new(0), stats: Counts::default() }
    }

    /// What it was made of.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Counts that no record holds.
    pub fn stats(&self) -> ClientStats {
        ClientStats {
            connections: self.connections.load(Ordering::Relaxed),
            informational: self.stats.informational.load(Ordering::Relaxed),
            late_bytes: self.stats.late_bytes.load(Ordering::Relaxed),
        }
    }

    /// The number of a connection that was just opened.
    pub(super) fn next_connection(&self) -> u32 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// A record of a plan that has not been sent.
    pub fn blank(&self, plan: &RequestPlan, intended: Nanos) -> ClientRecord {
        ClientRecord {
            intended,
            attempt: AttemptId::NONE,
            k: plan.k,
            first_byte: u32::MAX,
            workload: plan.workload.index,
            op: plan.op,
            key: self.key(plan),
            flags: plan.due,
            ..ClientRecord::default()
        }
    }

    /// Records an arrival that is over the in-flight cap.
    pub fn drop_arrival(&self, plan: &RequestPlan, intended: Nanos) -> ClientRecord {
        let lag = micros_between(intended, self.setup.clock.now());
        let record = ClientRecord { lag, ending: Ending::Dropped, ..self.blank(plan, intended) };
        self.setup.sink.client(record);
        record
    }

    /// What an answer that was not read off the wire leaves: a leak, and evidence told as `note`.
    #[cfg(feature = "aws-sdk")]
    pub(crate) fn judge_blind(
        &self,
        plan: &RequestPlan,
        record: &mut ClientRecord,
        head: &str,
        body: &[u8],
        note: &str,
    ) {
        let setup = &self.setup;
        let holds = |needle: &&String| {
            head.contains(needle.as_str()) || super::body::find(body, needle.as_bytes()).is_some()
        };
        let leaks = !matches!(record.status, 200..=299) && setup.needles.iter().find(holds).is_some();
        record.flags |= if leaks { ClientRecord::LEAK } else { 0 };
        let ordinary = plan.is_answered_by(record) && record.flags & evidence::ORDINARY == record.flags;
        if !ordinary && setup.evidence.admits(record, record.ended()) {
            setup.sink.evidence(gatecrash_model::Evidence {
                side: gatecrash_model::EvidenceSide::Client,
                request: record.id().pack(),
                attempt: record.attempt,
                head: gatecrash_model::printable(head.as_bytes()),
                body: gatecrash_model::printable(&body[..body.len().min(4096)]),
                mismatch: None,
                note: note.to_owned(),
            });
        }
    }

    fn key(&self, plan: &RequestPlan) -> StrId {
        let Expect::Object { index, .. } = plan.expect else { return self.setup.sink.intern(&plan.key) };
        let known = self.keys.get(usize::from(plan.workload.index)).and_then(|w| w.get(index as usize));
        match known.map(|slot| (slot, slot.load(Ordering::Relaxed))) {
            Some((_, id)) if id != 0 => StrId(id),
            Some((slot, _)) => {
                let id = self.setup.sink.intern(&plan.key);
                slot.store(id.0, Ordering::Relaxed);
                id
            }
            None => self.setup.sink.intern(&plan.key),
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("target", &self.setup.target)
            .field("run", &self.setup.run)
            .finish_non_exhaustive()
    }
}

// === impl Client ===

impl Client {
    /// A client without connections, which opens as many as it takes and keeps them.
    pub fn new(session: Arc<Session>) -> Self {
        Self::with(
            session,
            Connections { keep_alive: true, most: None, expect: None, tls: false, http2: false },
        )
    }

    /// A client without connections.
    pub fn with(session: Arc<Session>, connections: Connections) -> Self {
        let turns = connections.most.map(|most| Semaphore::new(most.get().min(Semaphore::MAX_PERMITS)));
        let tls = session.setup.target.tls.clone().filter(|_| connections.tls);
        let lanes = connections
            .http2
            .then(|| Box::new(Lanes::new(Arc::clone(&session), tls.as_ref(), connections.most)));
        let Connections { keep_alive, expect, .. } = connections;
        Self { session, keep_alive, expect, tls, lanes, turns, idle: Mutex::default() }
    }

    /// The session it belongs to.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// Sends one request that was due at `intended`, and writes its record (and evidence, where there is any)
    /// to the sink. Never fails: what went wrong is in the record. A future that is dropped midway leaves no
    /// record.
    pub async fn exchange(&self, plan: &RequestPlan, intended: Nanos) -> ClientRecord {
        self.exchange_and_learn(plan, intended).await.0
    }

    /// The same, with what the next request of the arrival needs of the response.
    pub async fn exchange_and_learn(
        &self,
        plan: &RequestPlan,
        intended: Nanos,
    ) -> (ClientRecord, Option<String>) {
        if let Some(lanes) = &self.lanes {
            return lanes.exchange_and_learn(plan, intended).await;
        }
        let setup = &self.session.setup;
        let mut record = self.session.blank(plan, intended);
        let deadline = Instant::now() + plan.workload.timeout;
        let Some((_turn, mut connection)) = self.connection(&mut record, deadline).await else {
            setup.sink.client(record);
            return (record, None);
        };
        let wall = if plan.workload.signing.is_some() { setup.clock.wall_seconds() } else { 0 };
        let host = self.tls.as_ref().map_or(&setup.target.host_header, |tls| &tls.host_header);
        let close = !self.keep_alive;
        let expect = self.expect.filter(|_| matches!(plan.payload, Payload::Object { len: 1.., .. }));
        let expects = expect.is_some();
        let context = request::Context { run: setup.run, host, pool: &setup.pool, wall, close, expects };
        request::write(&mut connection.head, plan, context);
        record.conn = connection.number;
        let order = Order { plan, pool: &setup.pool, clock: &*setup.clock, deadline, held: expect };
        let done = connection.exchange(order).await;
        self.session.settle(plan, done, &connection.response, &mut record);
        let learnt = connection.response.learnt(plan.wants());
        if self.keep_alive && connection.is_reusable() {
            connection.last = (plan.id().pack(), record.attempt);
            self.lock().push(connection);
        }
        (record, learnt)
    }

    /// Sends the request of an arrival and those that follow from the answers, each due when the one before has
    /// ended. `seen` is told of each.
    pub async fn exchange_all(
        &self,
        first: RequestPlan,
        intended: Nanos,
        mut seen: impl FnMut(&RequestPlan, &ClientRecord),
    ) {
        let setup = &self.session.setup;
        let (mut plan, mut due, mut journey) = (first, intended, Journey::default());
        loop {
            let (record, learnt) = self.exchange_and_learn(&plan, due).await;
            seen(&plan, &record);
            match journey.next(&setup.pool, &plan, &record, learnt) {
                Some(next) => (plan, due) = (next, setup.clock.now()),
                None => return,
            }
        }
    }

    /// Looks for late bytes on the idle connections and closes them.
    pub fn close_idle(&self) {
        if let Some(lanes) = &self.lanes {
            return lanes.close();
        }
        let mut record = ClientRecord::default();
        let mut idle = std::mem::take(&mut *self.lock());
        for connection in &mut idle {
            self.look(connection, &mut record);
        }
    }

    /// A connection to send on, and the right to it; on failure the record says how.
    async fn connection(
        &self,
        record: &mut ClientRecord,
        deadline: Instant,
    ) -> Option<(Option<SemaphorePermit<'_>>, Connection)> {
        let begun = self.session.setup.clock.now();
        let turn = match &self.turns {
            None => None,
            Some(turns) => match turns.try_acquire() {
                Ok(turn) => Some(turn),
                // Nobody closes the semaphore.
                Err(_) => match timeout_at(deadline, turns.acquire()).await {
                    Ok(turn) => {
                        record.connect = micros_between(begun, self.session.setup.clock.now());
                        turn.ok()
                    }
                    Err(_) => {
                        let why = "no connection was free within the timeout; the client's are limited";
                        self.session.no_connection(
                            record,
                            begun,
                            &io::Error::new(io::ErrorKind::TimedOut, why),
                        );
                        return None;
                    }
                },
            },
        };
        let connection = match self.reuse(record) {
            Some(connection) => connection,
            None => self.connect(record, begun, deadline).await?,
        };
        Some((turn, connection))
    }

    /// An idle connection, the one used last first. Late bytes found on the way are flagged on this record.
    fn reuse(&self, record: &mut ClientRecord) -> Option<Connection> {
        loop {
            let mut connection = self.lock().pop()?;
            if self.look(&mut connection, record) == Idle::Clean {
                record.flags |= ClientRecord::REUSED;
                return Some(connection);
            }
        }
    }

    fn look(&self, connection: &mut Connection, record: &mut ClientRecord) -> Idle {
        let idle = connection.look();
        if idle == Idle::Surplus {
            record.flags |= connection.response.surplus_flag();
            self.session.stats.late_bytes.fetch_add(1, Ordering::Relaxed);
            let (setup, response) = (&self.session.setup, &connection.response);
            let now = setup.clock.now();
            if let Some(evidence) = evidence::of_late_bytes(&setup.evidence, now, response, connection.last) {
                setup.sink.evidence(evidence);
            }
        }
        idle
    }

    /// A new connection, looked for since `begun`.
    async fn connect(
        &self,
        record: &mut ClientRecord,
        begun: Nanos,
        deadline: Instant,
    ) -> Option<Connection> {
        let session = &*self.session;
        let setup = &session.setup;
        let error = match timeout_at(deadline, Stream::open(&setup.target, self.tls.as_ref())).await {
            Ok(Ok(stream)) => {
                record.connect = micros_between(begun, setup.clock.now());
                return Some(Connection::new(stream, session.next_connection()));
            }
            Ok(Err(error)) => error,
            Err(_) => io::ErrorKind::TimedOut.into(),
        };
        session.no_connection(record, begun, &error);
        None
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("session", &self.session).field("idle", &self.lock().len()).finish()
    }
}
