//! The listener and its connections.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::config::{Config, ConfigError};
use crate::downstream::{AsItIs, Bypassed, Patient, write_as_it_is};
use crate::fleet;
use crate::proxy::Proxy;
use crate::room::{Place, Room};

/// How long open requests may go on after the shutdown began.
const GRACE: Duration = Duration::from_secs(1);
/// How long a connection without a seat may take to send the head of its request.
const LOBBY_PATIENCE: Duration = Duration::from_secs(1);

/// A gateway that listens.
pub struct Gateway {
    listener: TcpListener,
    local: SocketAddr,
    current: Current,
    room: Room,
}

/// The proxy in force. A request takes it when it begins, and keeps it to its end.
type Current = Arc<RwLock<Arc<Proxy>>>;

/// Why a gateway cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address is not available.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

// === impl Gateway ===

impl Gateway {
    /// Checks the configuration and binds the listener. Connections wait until [`serve`](Self::serve).
    pub async fn bind(config: Config) -> Result<Self, BindError> {
        config.check()?;
        let address = config.listen;
        let failed = |source| BindError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        let room = Room::new(config.max_connections);
        Ok(Self { listener, local, current: Arc::new(RwLock::new(Arc::new(Proxy::new(config)))), room })
    }

    /// The address it listens on, with the port the system chose.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Serves until `shutdown` completes, then lets open requests finish for up to a second.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let (_keep, never) = mpsc::channel(1);
        self.serve_reloading(shutdown, never).await;
    }

    /// The same, with configurations that come in while it runs. Requests that begin afterwards follow the new one;
    /// it is checked by the sender ([`Config::check`]); its `listen` is ignored. Health starts afresh.
    pub async fn serve_reloading(
        self,
        shutdown: impl Future<Output = ()>,
        mut configurations: mpsc::Receiver<Config>,
    ) {
        let mut shutdown = pin!(shutdown);
        let mut watches: JoinSet<()> = in_force(&self.current).fleet().peers().map(fleet::watch).collect();
        let mut connections = JoinSet::new();
        let (stop, stopping) = watch::channel(());
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                admitted = self.room.admit(&self.listener) => match admitted {
                    Ok((stream, place)) => {
                        let current = Arc::clone(&self.current);
                        connections.spawn(converse(stream, current, place, stopping.clone()));
                    }
                    // Out of descriptors, most likely: more come free as connections end.
                    Err(_) => {
                        in_force(&self.current).fleet().release_idle();
                        sleep(Duration::from_millis(10)).await;
                    }
                },
                Some(config) = configurations.recv() => {
                    watches.shutdown().await;
                    let proxy = Arc::new(Proxy::new(config));
                    watches = proxy.fleet().peers().map(fleet::watch).collect();
                    *self.current.write().unwrap_or_else(PoisonError::into_inner) = proxy;
                }
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self.listener);
        drop(stop);
        let _ = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
        connections.shutdown().await;
        watches.shutdown().await;
    }
}

fn in_force(current: &Current) -> Arc<Proxy> {
    Arc::clone(&current.read().unwrap_or_else(PoisonError::into_inner))
}

/// Serves one client connection to its end. Without a seat its first request is turned away.
async fn converse(stream: TcpStream, current: Current, place: Place, mut stopping: watch::Receiver<()>) {
    let _ = stream.set_nodelay(true);
    let client = Patient::new(stream, in_force(&current).client_patience());
    let seated = matches!(place, Place::Seat { .. });
    let (bypass, carried) = (Mutex::new(None), AtomicBool::new(false));
    let service = service_fn(|request| {
        let (proxy, bypass) = (in_force(&current), &bypass);
        let reused = carried.swap(true, Ordering::Relaxed);
        async move {
            let response =
                if seated { proxy.handle(request, reused).await } else { Some(Proxy::shed(&request)) };
            let Some(response) = response else { return Err(Bypassed) };
            if response.extensions().get::<AsItIs>().is_none() {
                return Ok(response);
            }
            *bypass.lock().unwrap_or_else(PoisonError::into_inner) = Some(response);
            Err(Bypassed)
        }
    });
    let mut server = http1::Builder::new();
    server.title_case_headers(in_force(&current).variants().title_case());
    server.timer(TokioTimer::new());
    if !seated {
        server.header_read_timeout(LOBBY_PATIENCE);
    }
    let mut serving = server.serve_connection(TokioIo::new(client), service);
    // A cut or a client that left ends here too; neither is ours to report.
    tokio::select! {
        _ = &mut serving => {}
        _ = stopping.changed() => {
            Pin::new(&mut serving).graceful_shutdown();
            let _ = (&mut serving).await;
        }
    }
    let past = bypass.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(response) = past {
        let _ = write_as_it_is(&mut serving.into_parts().io.into_inner(), response).await;
    }
}
