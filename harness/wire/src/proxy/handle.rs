//! The handle of a running proxy.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use gatecrash_core::toxics::Toxic;
use gatecrash_model::hash;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::accepting::{Core, listen, run};
use super::alarm::Alarm;
use super::live::Live;
use super::settings::listen_addresses;
use super::toxicity::{Toxicity, Toxics};
use super::{ConnectionView, Counters, Doors, ProxyError, ProxySettings};

/// A proxy. Clones are handles of the same one; when the last is dropped it stops, without waiting.
#[derive(Clone)]
pub struct Proxy {
    inner: Arc<Inner>,
}

struct Inner {
    core: Arc<Core>,
    settings: Mutex<ProxySettings>,
    /// Held while the listener is being changed.
    running: tokio::sync::Mutex<Option<Running>>,
}

struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy").field("settings", &self.settings()).finish_non_exhaustive()
    }
}

// === impl Proxy ===

impl Proxy {
    /// Binds when enabled, on the caller's runtime. The toxics are in force before the first connection is
    /// accepted.
    pub async fn start(
        settings: ProxySettings,
        toxics: Vec<Toxic>,
        doors: Doors,
    ) -> Result<Self, ProxyError> {
        let core = Arc::new(Core {
            doors,
            name_hash: hash::bytes(settings.name.as_bytes()),
            toxicity: Toxicity::default(),
            live: Live::default(),
            alarm: Arc::new(Alarm::new().map_err(|source| ProxyError::Timer { source })?),
            base: Instant::now(),
        });
        core.toxicity.change(|all| toxics.into_iter().for_each(|toxic| all.add(toxic)));
        let enabled = settings.enabled;
        let settings = Mutex::new(ProxySettings { enabled: false, ..settings });
        let inner = Arc::new(Inner { core, settings, running: tokio::sync::Mutex::default() });
        if enabled {
            inner.open(&mut *inner.running.lock().await).await?;
        }
        Ok(Self { inner })
    }

    /// As it is now: `listen` is the actual address once bound.
    pub fn settings(&self) -> ProxySettings {
        self.inner.settings().clone()
    }

    /// Moves, enables or disables it. When anything changes, it stops, drops its connections, and starts
    /// again if enabled; if that fails it stays disabled, with the new addresses.
    pub async fn update(&self, listen: &str, upstream: &str, enabled: bool) -> Result<(), ProxyError> {
        let mut running = self.inner.running.lock().await;
        let now = self.settings();
        let moved = upstream != now.upstream || elsewhere(listen, &now.listen).await?;
        if moved || !enabled {
            self.inner.close(&mut running).await;
        }
        if moved {
            let mut settings = self.inner.settings();
            (settings.listen, settings.upstream) = (listen.to_owned(), upstream.to_owned());
        }
        match enabled && running.is_none() {
            true => self.inner.open(&mut running).await,
            false => Ok(()),
        }
    }

    /// Its toxics: upstream ones first, then downstream, in chain order.
    pub fn toxics(&self) -> Vec<Toxic> {
        self.inner.core.toxicity.current().list()
    }

    /// Adds a toxic at the end of its chain. Returns once it is in force on every open connection: what is
    /// read after that meets it.
    pub async fn add(&self, toxic: Toxic) {
        self.change_toxics(|all| all.add(toxic)).await;
    }

    /// Gives the toxic of this name other attributes and another toxicity; in force when it returns.
    pub async fn change(&self, toxic: Toxic) {
        self.change_toxics(|all| all.change(&toxic)).await;
    }

    /// Takes a toxic away: what it held goes on at once. Gone when it returns.
    pub async fn remove(&self, name: &str) {
        self.change_toxics(|all| all.remove(name)).await;
    }

    /// Takes all toxics away.
    pub async fn clear(&self) {
        self.change_toxics(Toxics::clear).await;
    }

    /// Closes the listener and every connection; returns when they are gone.
    pub async fn stop(&self) {
        self.inner.close(&mut *self.inner.running.lock().await).await;
    }

    /// The open connections, oldest first.
    pub fn connections(&self) -> Vec<ConnectionView> {
        self.inner.core.live.views()
    }

    /// What passed through so far, live.
    pub fn counters(&self) -> Counters {
        self.inner.core.live.counters()
    }

    async fn change_toxics(&self, how: impl FnOnce(&mut Toxics)) {
        let version = self.inner.core.toxicity.change(how);
        self.inner.core.live.settle(version).await;
    }
}

// === impl Inner ===

impl Inner {
    async fn open(&self, running: &mut Option<Running>) -> Result<(), ProxyError> {
        let ProxySettings { listen: wanted, upstream, .. } = self.settings().clone();
        let addresses = listen_addresses(&wanted).await?;
        let listener = listen(&addresses).map_err(|(addr, source)| ProxyError::Bind { addr, source })?;
        if let Ok(addr) = listener.local_addr() {
            self.settings().listen = addr.to_string();
        }
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(run(Arc::clone(&self.core), listener, upstream.into(), stopped));
        *running = Some(Running { stop, task });
        self.settings().enabled = true;
        Ok(())
    }

    async fn close(&self, running: &mut Option<Running>) {
        self.settings().enabled = false;
        if let Some(Running { stop, task }) = running.take() {
            _ = stop.send(());
            // It ends, or it has panicked: either way it is gone.
            _ = task.await;
        }
    }

    fn settings(&self) -> MutexGuard<'_, ProxySettings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an address to listen on is another than the one in use.
async fn elsewhere(wanted: &str, used: &str) -> Result<bool, ProxyError> {
    if wanted == used {
        return Ok(false);
    }
    let wanted = listen_addresses(wanted).await?;
    let used = listen_addresses(used).await.unwrap_or_default();
    Ok(wanted.first() != used.first())
}
