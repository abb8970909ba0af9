//! The control API of the chaos proxy: Toxiproxy's, version 2, so that its clients work unchanged, and what goes beyond
//! it (connections, events, rules, state that outlives the process).
//!
//! The main path: [`ControlApi`] owns the `registry` of proxies, each an `entry` around the engine's
//! [`crate::proxy::Proxy`]. Its `server` takes requests to the handlers in the table of `routes`; `bodies` are read
//! and `views` are written as Go's `encoding/json` does (`json`), addresses resolved as its `net` does (`address`).
//! What happened goes to the `journal`, what is there to the `state` file.

mod address;
mod behind;
mod bodies;
mod entry;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod journal;
mod json;
mod path;
mod registry;
mod reply;
mod reporter;
mod routes;
mod rules;
mod server;
mod state;
mod views;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gatecrash_model::{Clock, hash};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use self::journal::Journal;
use self::registry::Registry;
use self::reply::ApiError;
use self::state::State;

/// The version of Toxiproxy whose API this is, which `/version` tells: clients ask for 2.6 or later.
pub const TOXIPROXY_VERSION: &str = "2.12.0";

/// What a control API is started with.
#[derive(Clone)]
pub struct ApiSettings {
    /// Times of events.
    pub clock: Arc<dyn Clock>,
    /// The seed of every draw.
    pub seed: u64,
    /// What `/metrics` shows.
    pub metrics: MetricsShown,
    /// Where events are appended, a JSON object a line.
    pub journal: Option<PathBuf>,
    /// Where proxies, toxics and rules are kept, to be there again after a restart.
    pub state: Option<PathBuf>,
}

/// What `/metrics` shows; with neither there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MetricsShown {
    /// Bytes by proxy and direction, live.
    pub proxy: bool,
    /// Of the process.
    pub runtime: bool,
}

/// Why a configuration was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read as proxies.
    #[error("{message}")]
    Invalid {
        /// Offset of what is wrong, where that is known.
        at: Option<usize>,
        /// The API's sentence.
        message: String,
    },
    /// A proxy of it could not be started.
    #[error("proxy `{proxy}`: {message}")]
    Refused {
        /// Its name.
        proxy: String,
        /// The API's sentence.
        message: String,
    },
}

/// The proxies, without the HTTP server around them.
#[derive(Clone)]
pub struct ControlApi(Arc<Api>);

/// A control API that serves.
pub struct ApiServer {
    addr: SocketAddr,
    api: Arc<Api>,
    stop: watch::Sender<bool>,
    ended: mpsc::Receiver<()>,
}

/// What handlers share.
pub(crate) struct Api {
    pub(crate) settings: ApiSettings,
    pub(crate) registry: Registry,
    pub(crate) journal: Arc<Journal>,
    state: Option<State>,
    requests: AtomicU64,
}

// === impl MetricsShown ===

impl MetricsShown {
    pub(crate) fn any(self) -> bool {
        self.proxy || self.runtime
    }
}

// === impl ControlApi ===

impl ControlApi {
    /// No proxies yet. Opens the journal's file.
    pub fn new(settings: ApiSettings) -> io::Result<Self> {
        let journal = Arc::new(Journal::new(Arc::clone(&settings.clock), settings.journal.as_deref())?);
        let state = settings.state.clone().map(State::new);
        let registry = Registry::new(Arc::clone(&settings.clock), settings.seed, Arc::clone(&journal));
        Ok(Self(Arc::new(Api { settings, registry, journal, state, requests: AtomicU64::new(0) })))
    }

    /// Takes the proxies of a configuration in Toxiproxy's JSON, with toxics and rules in it; says how many.
    /// Those that are there already are left as they are.
    pub async fn configure(&self, text: &[u8]) -> Result<usize, ConfigError> {
        let bodies = bodies::several(text)
            .map_err(|(at, ApiError { message, .. })| ConfigError::Invalid { at, message })?;
        let count = bodies.len();
        for body in bodies {
            let proxy = body.name.clone();
            let added = self.0.registry.add_or_replace(body).await;
            added.map_err(|ApiError { message, .. }| ConfigError::Refused { proxy, message })?;
        }
        self.0.keep().await.map_err(|ApiError { message, .. }| ConfigError::Invalid { at: None, message })?;
        Ok(count)
    }

    /// Binds and begins to serve, on the caller's runtime.
    pub async fn serve(self, listen: SocketAddr) -> io::Result<ApiServer> {
        let listener = TcpListener::bind(listen).await?;
        let addr = listener.local_addr()?;
        let stop = watch::Sender::new(false);
        let (alive, ended) = mpsc::channel(1);
        tokio::spawn(server::serve(Arc::clone(&self.0), listener, stop.subscribe(), alive));
        Ok(ApiServer { addr, api: self.0, stop, ended })
    }
}

// === impl ApiServer ===

impl ApiServer {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops serving, then every proxy, and writes the rest of the journal. The state file stays as it is.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.ended.recv().await.is_some() {}
        self.api.registry.stop().await;
        self.api.journal.close().await;
    }
}

// === impl Api ===

impl Api {
    /// Writes the state file, where there is one: called after every change, before it is answered.
    pub(crate) async fn keep(&self) -> Result<(), ApiError> {
        match &self.state {
            Some(state) => state.write(&self.registry).await,
            None => Ok(()),
        }
    }

    /// An id of twenty characters, as Toxiproxy gives each request.
    pub(crate) fn request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let digits = |bits: u64, count: u32| {
            (0..count).map(move |at| {
                char::from(b"0123456789abcdefghijklmnopqrstuv"[(bits >> (5 * at) & 31) as usize])
            })
        };
        digits(hash::bytes(&number.to_be_bytes()), 12).chain(digits(number.swap_bytes(), 8)).collect()
    }
}

impl std::fmt::Debug for ControlApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ControlApi").field("seed", &self.0.settings.seed).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ApiServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiServer").field("addr", &self.addr).finish_non_exhaustive()
    }
}
