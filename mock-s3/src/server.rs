//! A running mock: listeners, connections, shutdown.

use std::future::{Future, pending};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use gatecrash_model::{AttemptCell, AttemptRegistry, Clock, Pool, Sink, StoreEntry};
use http::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::MissedTickBehavior;

use crate::access_log::{Deliveries, Due};
use crate::accounts::Accounts;
use crate::admin::Applied;
use crate::auth::Credentials;
use crate::auth::sessions::Sessions;
use crate::compile::{store, switchboard};
use crate::config::{Config, ConfigError, NewBuckets};
use crate::control::{Control, Switchboard};
use crate::exchange;
use crate::half_sent::{Traffic, Watched};
use crate::hook::FaultHook;
use crate::identifiers::Identifiers;
use crate::latency::Latency;
use crate::metrics::Metrics;
use crate::observe::{Finished, Journal, Observer, Observers};
use crate::replication::Replicator;
use crate::rules::Rules;
use crate::store::Store;
use crate::time::http_date;

/// How often logs are written out.
const TICK: Duration = Duration::from_secs(1);
/// How long answers under way may take after a shutdown began.
const GRACE: Duration = Duration::from_secs(1);

/// A running mock S3. Serves until [`MockS3::shutdown`], or until it is dropped.
pub struct MockS3 {
    pub(crate) shared: Arc<Shared>,
    addresses: Vec<SocketAddr>,
    stop: watch::Sender<bool>,
    /// Ends when the last connection is gone.
    gone: mpsc::Receiver<()>,
}

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) regions: Vec<String>,
    pub(crate) replicator: Replicator,
    /// By region.
    pub(crate) latencies: Vec<Option<Latency>>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) pool_bytes: Bytes,
    pub(crate) store: Arc<Store>,
    pub(crate) switchboard: Arc<Switchboard>,
    pub(crate) sessions: Sessions,
    pub(crate) idle_timeout: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) hook: Arc<dyn FaultHook>,
    pub(crate) upload_capacity: u64,
    pub(crate) accounts: Accounts,
    /// Suffixes of virtual hosts.
    pub(crate) domains: Vec<String>,
    pub(crate) seed: u64,
    pub(crate) new_buckets: NewBuckets,
    /// The mock's own faults, asked before the hook.
    pub(crate) rules: Rules,
    /// What the admin port has set.
    pub(crate) applied: Applied,
    pub(crate) observers: Arc<Observers>,
    /// Access logs on their way into buckets.
    pub(crate) deliveries: Arc<Deliveries>,
    /// What the mock was started with, to go back to.
    pub(crate) config: Config,
    pub(crate) registry: Arc<AttemptRegistry>,
    requests: AtomicU64,
    /// Dates that were written lately, by second.
    dates: [Mutex<Option<(i64, HeaderValue)>>; 16],
    /// Work that outlives its connection ends with the mock.
    lifeline: Lifeline,
}

/// Held by everything that runs: says when to stop, and tells when it has.
#[derive(Clone)]
struct Lifeline {
    stop: watch::Receiver<bool>,
    _gone: mpsc::Sender<()>,
}

/// The pool as one shared buffer.
struct PoolBytes(Arc<Pool>);

impl AsRef<[u8]> for PoolBytes {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

// === impl MockS3 ===

impl MockS3 {
    /// Checks the configuration, opens a listener for each region and serves in the current runtime.
    pub async fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        sink: Arc<dyn Sink>,
        registry: Arc<AttemptRegistry>,
        hook: Arc<dyn FaultHook>,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let now = clock.wall_seconds();
        let (stop, stopped) = watch::channel(false);
        let (alive, gone) = mpsc::channel(1);
        let lifeline = Lifeline { stop: stopped, _gone: alive };
        let regions: Vec<String> = config.regions.iter().map(|region| region.name.clone()).collect();
        let accounts = Accounts::new(&config);
        let store = Arc::new(store(&config, &accounts, now)?);
        store.go_by(&clock);
        if config.remember {
            store.remember(&clock);
        }
        let switchboard = Arc::new(switchboard(&config, Arc::clone(&store))?);
        let (replicator, courier) = Replicator::new(&store, &switchboard);
        replicator.connect(&config, &store);
        let mut listeners = Vec::new();
        for region in &config.regions {
            let listener = TcpListener::bind(region.bind).await;
            let listen =
                |source| ConfigError::Listen { region: region.name.clone(), address: region.bind, source };
            let listener = listener.map_err(listen)?;
            let address = listener.local_addr().map_err(listen)?;
            listeners.push((listener, address));
        }
        let observers = Arc::new(Observers::default());
        let deliveries = Arc::new(Deliveries::new(config.seed));
        let shared = Arc::new(Shared {
            config: config.clone(),
            rules: Rules::new(config.seed),
            applied: Applied::default(),
            observers: Arc::clone(&observers),
            deliveries: Arc::clone(&deliveries),
            regions,
            replicator,
            latencies: config.regions.iter().map(|region| region.latency).collect(),
            pool_bytes: Bytes::from_owner(PoolBytes(Arc::clone(&config.pool))),
            pool: config.pool,
            store,
            switchboard,
            sessions: Sessions::new(config.seed),
            idle_timeout: config.idle_timeout,
            clock,
            sink,
            hook,
            upload_capacity: config.upload_capacity,
            accounts,
            domains: config.domains,
            new_buckets: config.new_buckets,
            registry,
            seed: config.seed,
            requests: AtomicU64::new(0),
            dates: Default::default(),
            lifeline,
        });
        if shared.config.buckets.iter().any(|bucket| bucket.replication.is_some()) {
            let mut lifeline = shared.lifeline.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = courier.run() => {}
                    () = lifeline.stopped() => {}
                }
            });
        }
        let addresses = listeners.iter().map(|(_, address)| *address).collect();
        for (region, (listener, _)) in listeners.into_iter().enumerate() {
            tokio::spawn(accept(Arc::clone(&shared), region, listener));
        }
        tokio::spawn(tick(Arc::clone(&shared)));
        Ok(Self { shared, addresses, stop, gone })
    }

    /// Where a region listens; none for an unknown one.
    pub fn addr(&self, region: &str) -> Option<SocketAddr> {
        let index = self.shared.regions.iter().position(|known| known == region)?;
        Some(self.addresses[index])
    }

    /// Region names, in the order of the journal's index.
    pub fn regions(&self) -> &[String] {
        &self.shared.regions
    }

    /// The canonical user id of an account: what owners and grants call it.
    pub fn canonical_id(&self, account: &str) -> String {
        self.shared.accounts.of(account).canonical.clone()
    }

    /// The handle to change the mock while it runs.
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.shared.switchboard))
    }

    /// The key pair of an identity now; none for an unknown one.
    pub fn credentials(&self, identity: &str) -> Option<Credentials> {
        self.control().credentials(identity).ok()
    }

    /// Tells `observer` of every exchange that begins from now on.
    pub fn observe(&self, observer: Arc<dyn Observer>) {
        self.shared.observers.add(observer);
    }

    /// The exchanges of late, for assertions. They are kept from the first call on.
    pub fn journal(&self) -> Arc<Journal> {
        Arc::clone(self.shared.observers.journal())
    }

    /// The CloudWatch request metrics. They are counted from the first call on.
    pub fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(self.shared.observers.metrics())
    }

    /// Faults by rule, asked before the [`FaultHook`].
    pub fn faults(&self) -> &Rules {
        &self.shared.rules
    }

    /// Everything goes back to what it was configured with; see `reset.rs` for what that is.
    pub fn reset(&self) -> Result<(), ConfigError> {
        self.shared.reset()
    }

    /// Writes the access logs that wait for delivery into their target buckets now.
    pub fn deliver_access_logs(&self) {
        self.shared.deliver_access_logs(Due::All);
    }

    /// The uploads it holds, by region, bucket and key.
    pub fn store_entries(&self) -> Vec<StoreEntry> {
        self.shared.store.entries(&self.shared.regions, &self.shared.pool_bytes)
    }

    /// Stops listening, lets answers under way end for at most a second, and closes every connection. The
    /// journal is complete when this returns.
    pub async fn shutdown(self) {
        let Self { shared, stop, mut gone, .. } = self;
        // Nobody left to tell is as good as told.
        let _ = stop.send(true);
        let observers = Arc::clone(&shared.observers);
        drop(shared);
        let _ = gone.recv().await;
        observers.flush();
    }
}

impl std::fmt::Debug for MockS3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MockS3").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

// === impl Shared ===

impl Shared {
    /// An exchange that was described has ended.
    pub(crate) fn finished(&self, exchange: &Arc<Finished>) {
        self.observers.finished(exchange);
        if self.deliveries.take(exchange) {
            self.deliver_access_logs(Due::Old);
        }
    }

    /// The mock's wall clock now, skew included: seconds since the Unix epoch.
    pub(crate) fn wall(&self) -> i64 {
        self.clock.wall_seconds() + self.switchboard.settings().skew_seconds
    }

    /// Ends when the mock is being shut down.
    pub(crate) async fn stopping(&self) {
        self.lifeline.clone().stopped().await;
    }

    /// Request ids begin again.
    pub(crate) fn restart_ids(&self) {
        self.requests.store(0, Ordering::Relaxed);
    }

    /// The ids of the next answer.
    pub(crate) fn next_identifiers(&self) -> Identifiers {
        Identifiers::new(self.seed, self.requests.fetch_add(1, Ordering::Relaxed))
    }

    /// A second as in the headers `Date` and `Last-Modified`. Few seconds are asked for at a time: now, and when
    /// the objects of a run were made.
    pub(crate) fn http_date(&self, seconds: i64) -> HeaderValue {
        let slot = &self.dates[seconds.rem_euclid(self.dates.len() as i64) as usize];
        let mut cached = slot.lock().unwrap_or_else(PoisonError::into_inner);
        match &*cached {
            Some((known, value)) if *known == seconds => value.clone(),
            _ => {
                let value = date_value(seconds);
                *cached = Some((seconds, value.clone()));
                value
            }
        }
    }

    /// Runs work to its end whether or not anybody waits for the result.
    pub(crate) async fn detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let (give, take) = oneshot::channel();
        let mut lifeline = self.lifeline.clone();
        tokio::spawn(async move {
            tokio::select! {
                // Nobody waiting any more is no reason to stop.
                done = work => drop(give.send(done)),
                () = lifeline.stopped() => {}
            }
        });
        match take.await {
            Ok(done) => done,
            // The mock is being shut down: the connection ends too.
            Err(_) => pending().await,
        }
    }
}

impl Lifeline {
    async fn stopped(&mut self) {
        // A sender that is gone means the mock was dropped.
        let _ = self.stop.wait_for(|stop| *stop).await;
    }
}

fn date_value(seconds: i64) -> HeaderValue {
    HeaderValue::from_str(&http_date(seconds)).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Writes out logs, once a second.
async fn tick(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = shared.stopping() => return,
        }
        shared.observers.flush();
        shared.deliver_access_logs(Due::Old);
    }
}

/// Phase accept.
async fn accept(shared: Arc<Shared>, region: usize, listener: TcpListener) {
    let mut lifeline = shared.lifeline.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = lifeline.stopped() => return,
        };
        match accepted {
            Ok((stream, peer)) => drop(tokio::spawn(connection(Arc::clone(&shared), region, stream, peer))),
            // Out of descriptors, most likely: wait for some to be closed.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// One connection, from accept to close.
async fn connection(shared: Arc<Shared>, region: usize, stream: TcpStream, peer: SocketAddr) {
    let mut lifeline = shared.lifeline.clone();
    // Only a socket that is gone already refuses this.
    let _ = stream.set_nodelay(true);
    let cell: OnceLock<Option<AttemptCell>> = OnceLock::new();
    let reset = AtomicBool::new(false);
    let traffic = Arc::new(Traffic::default());
    let service = service_fn(|request| {
        let cell = cell.get_or_init(|| shared.registry.find(peer)).clone();
        let (shared, traffic) = (Arc::clone(&shared), Arc::clone(&traffic));
        let reset = &reset;
        traffic.request_began();
        async move {
            let served = exchange::serve(shared, region, peer.ip(), cell, request).await;
            traffic.request_ended();
            served.inspect_err(|severed| reset.store(severed.reset, Ordering::Relaxed))
        }
    });
    let mut serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(128 * 1024)
        .serve_connection(TokioIo::new(Watched::new(stream, Arc::clone(&traffic))), service);
    tokio::select! {
        // How the connection ended is in the journal.
        _ = &mut serving => {
            if reset.load(Ordering::Relaxed) {
                // A socket that is gone already needs no reset.
                let _ = serving.into_parts().io.into_inner().into_inner().set_zero_linger();
            }
            return;
        }
        () = traffic.stalled(shared.idle_timeout) => return,
        () = lifeline.stopped() => {}
    }
    Pin::new(&mut serving).graceful_shutdown();
    let _ = tokio::time::timeout(GRACE, serving).await;
}
