//! The listeners and their connections.

mod conversation;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use self::conversation::{Terms, converse};
use crate::config::{Config, ConfigError};
use crate::fleet;
use crate::proxy::Proxy;
use crate::room::{Place, Room};

/// How long open requests may go on after the shutdown began.
const GRACE: Duration = Duration::from_secs(1);

/// A gateway that listens.
pub struct Gateway {
    listener: TcpListener,
    local: SocketAddr,
    front: Option<Front>,
    http2: bool,
    current: Current,
    room: Room,
}

/// The listener with TLS.
struct Front {
    listener: TcpListener,
    acceptor: TlsAcceptor,
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
        let listener = bound(config.listen).await?;
        let failed = |source| BindError::Listen { address: config.listen, source };
        let local = listener.local_addr().map_err(failed)?;
        let front = match &config.front {
            Some(front) => {
                let acceptor = TlsAcceptor::from(front.load(config.http2)?);
                Some(Front { listener: bound(front.listen).await?, acceptor })
            }
            None => None,
        };
        let (room, http2) = (Room::new(config.max_connections), config.http2);
        let current = Arc::new(RwLock::new(Arc::new(Proxy::new(config))));
        Ok(Self { listener, local, front, http2, current, room })
    }

    /// The address it listens on, with the port the system chose.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The address it listens on with TLS, if it does.
    pub fn front_addr(&self) -> Option<SocketAddr> {
        self.front.as_ref().and_then(|front| front.listener.local_addr().ok())
    }

    /// Serves until `shutdown` completes, then lets open requests finish for up to a second.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let (_keep, never) = mpsc::channel(1);
        self.serve_reloading(shutdown, never).await;
    }

    /// The same, with configurations that come in while it runs. Requests that begin afterwards follow the new one;
    /// it is checked by the sender ([`Config::check`]); its `listen`, `front` and `http2` are ignored. Health starts
    /// afresh.
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
                admitted = self.admit() => match admitted {
                    Ok((stream, place, acceptor)) => {
                        let (current, stopping) = (Arc::clone(&self.current), stopping.clone());
                        let terms = Terms { acceptor, http2: self.http2, current, place, stopping };
                        connections.spawn(converse(stream, terms));
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
        drop((self.listener, self.front));
        drop(stop);
        let _ = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
        connections.shutdown().await;
        watches.shutdown().await;
    }

    /// The next connection, of either listener.
    async fn admit(&self) -> io::Result<(TcpStream, Place, Option<TlsAcceptor>)> {
        let Some(front) = &self.front else {
            let (stream, place) = self.room.admit(&self.listener).await?;
            return Ok((stream, place, None));
        };
        let (admitted, acceptor) = tokio::select! {
            plain = self.room.admit(&self.listener) => (plain, None),
            secure = self.room.admit(&front.listener) => (secure, Some(front.acceptor.clone())),
        };
        admitted.map(|(stream, place)| (stream, place, acceptor))
    }
}

async fn bound(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|source| BindError::Listen { address, source })
}

fn in_force(current: &Current) -> Arc<Proxy> {
    Arc::clone(&current.read().unwrap_or_else(PoisonError::into_inner))
}
