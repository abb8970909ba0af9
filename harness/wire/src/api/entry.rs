//! One proxy of the registry: the engine's, the link behind it where it understands HTTP, and what was written about it
//! that neither need know.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatecrash_core::rules::RuleSet;
use gatecrash_core::toxics::Toxic;
use gatecrash_model::{Clock, Sink};
use tokio::sync::Mutex as Turn;

use super::address::{bind_error, resolve, shown};
use super::behind::Behind;
use super::bodies::{self, ProxyBody, ProxyChange, WrittenToxic};
use super::journal::Journal;
use super::reply::ApiError;
use super::reporter::Reporter;
use crate::link::Link;
use crate::proxy::{Doors, Proxy, ProxyError, ProxyEvents, ProxySettings};

/// What proxies need of the world around them.
#[derive(Clone)]
pub(crate) struct Around {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) seed: u64,
    pub(crate) journal: Arc<Journal>,
}

pub(crate) struct Entry {
    pub(crate) name: String,
    proxy: Proxy,
    behind: Behind,
    /// Held while it changes; the link, while it understands HTTP.
    turn: Turn<Option<Link>>,
    written: Mutex<Written>,
}

/// What replies repeat as it was written.
#[derive(Clone)]
struct Written {
    /// While it listens, the engine's bound address.
    listen: String,
    /// With a link behind it, the engine has another one.
    upstream: String,
    http: bool,
    /// Streams by toxic, in their spelling.
    streams: HashMap<String, String>,
    /// Removed: nothing may start it again.
    gone: bool,
}

/// A proxy as replies show it.
pub(crate) struct View {
    pub(crate) name: String,
    pub(crate) listen: String,
    pub(crate) upstream: String,
    pub(crate) enabled: bool,
    pub(crate) http: bool,
    pub(crate) toxics: Vec<WrittenToxic>,
}

impl Entry {
    /// Starts it; its toxics and rules are in force before its first connection.
    pub(crate) async fn start(body: ProxyBody, around: &Around) -> Result<Self, ApiError> {
        let ProxyBody { name, listen, upstream, enabled, toxics, http, rules } = body;
        let place = if enabled { Some(listening(&listen).await?) } else { None };
        let set = Arc::new(RuleSet::of(around.seed, &[]));
        for plan in rules {
            set.add(plan, around.clock.now()).map_err(|why| ApiError::new(400, why.to_string()))?;
        }
        let journal = Arc::clone(&around.journal);
        let reporter = Arc::new(Reporter { proxy: name.clone(), journal, rules: Arc::clone(&set) });
        let sink = Arc::clone(&reporter) as Arc<dyn Sink>;
        let behind = Behind { clock: Arc::clone(&around.clock), sink, rules: set };
        let link = if http { Some(behind.start(&upstream).await?) } else { None };
        let settings = ProxySettings {
            name: name.clone(),
            listen: place.map_or_else(|| listen.clone(), |place| place.to_string()),
            upstream: link.as_ref().map_or_else(|| upstream.clone(), |link| link.addr().to_string()),
            enabled,
        };
        let streams = toxics.iter().map(|t| (t.toxic.name.clone(), t.stream.clone())).collect();
        let toxics = toxics.into_iter().map(|t| t.toxic).collect();
        let events = reporter as Arc<dyn ProxyEvents>;
        let doors = Doors { clock: Arc::clone(&around.clock), seed: around.seed, events };
        let proxy = match Proxy::start(settings, toxics, doors).await {
            Ok(proxy) => proxy,
            Err(why) => {
                stop(link).await;
                return Err(failed(&listen, place, &why));
            }
        };
        let listen = if enabled { proxy.settings().listen } else { listen };
        let written = Mutex::new(Written { listen, upstream, http, streams, gone: false });
        Ok(Self { name, proxy, behind, turn: Turn::new(link), written })
    }

    pub(crate) fn engine(&self) -> &Proxy {
        &self.proxy
    }

    /// Its rules; they act while it understands HTTP.
    pub(crate) fn rules(&self) -> &RuleSet {
        &self.behind.rules
    }

    pub(crate) fn view(&self) -> View {
        let enabled = self.proxy.settings().enabled;
        let toxics = self.proxy.toxics();
        let written = self.written();
        View {
            name: self.name.clone(),
            listen: written.listen.clone(),
            upstream: written.upstream.clone(),
            enabled,
            http: written.http,
            toxics: toxics.into_iter().map(|toxic| written.spelt(toxic)).collect(),
        }
    }

    pub(crate) fn toxic(&self, name: &str) -> Result<WrittenToxic, ApiError> {
        let toxic = self.proxy.toxics().into_iter().find(|toxic| toxic.name == name);
        toxic.map(|toxic| self.written().spelt(toxic)).ok_or_else(ApiError::toxic_not_found)
    }

    /// Whether these places are other ones than its own; the listen address is compared resolved.
    pub(crate) async fn differs(&self, listen: &str, upstream: &str) -> Result<bool, ApiError> {
        let resolved = resolve(listen).await.map_err(|why| ApiError::new(500, why))?;
        let written = self.written();
        Ok(written.listen != shown(listen, resolved) || written.upstream != upstream)
    }

    /// Carries an update out. Connections are dropped when a place changes or it is disabled.
    pub(crate) async fn update(&self, change: ProxyChange) -> Result<(), ApiError> {
        let mut link = self.turn.lock().await;
        let View { listen, upstream, enabled, http, .. } = self.view();
        let wanted = Wanted {
            listen: change.listen.unwrap_or(listen),
            upstream: change.upstream.unwrap_or(upstream),
            enabled: change.enabled.unwrap_or(enabled),
            http: change.http.unwrap_or(http),
        };
        let moves = self.differs(&wanted.listen, &wanted.upstream).await?;
        if !moves && (wanted.enabled, wanted.http) == (enabled, http) {
            return Ok(());
        }
        self.go(&mut link, wanted).await
    }

    /// Enables it, and removes its toxics and rules.
    pub(crate) async fn reset(&self) -> Result<(), ApiError> {
        let mut link = self.turn.lock().await;
        let View { listen, upstream, enabled, http, .. } = self.view();
        if !enabled && !self.written().gone {
            self.go(&mut link, Wanted { listen, upstream, enabled: true, http }).await?;
        }
        self.rules().clear();
        self.proxy.clear().await;
        self.written().streams.clear();
        Ok(())
    }

    /// Stops listening and drops its connections; it can come back.
    pub(crate) async fn disable(&self) {
        let mut link = self.turn.lock().await;
        let View { listen, upstream, http, .. } = self.view();
        // Nothing is bound and nothing moves, so that nothing can fail.
        _ = self.go(&mut link, Wanted { listen, upstream, enabled: false, http }).await;
    }

    /// Stops for good.
    pub(crate) async fn stop(&self) {
        let mut link = self.turn.lock().await;
        self.written().gone = true;
        self.proxy.stop().await;
        stop(link.take()).await;
    }

    /// Adds a toxic by its JSON, if its name is free; returns once every connection has it.
    pub(crate) async fn add_toxic(&self, body: &[u8]) -> Result<WrittenToxic, ApiError> {
        let _turn = self.turn.lock().await;
        let (draft, node) = bodies::draft(body)?;
        if self.toxic(&draft.name).is_ok() {
            return Err(ApiError::new(409, "toxic already exists"));
        }
        let toxic = draft.finish(&node)?;
        self.written().streams.insert(toxic.toxic.name.clone(), toxic.stream.clone());
        self.proxy.add(toxic.toxic.clone()).await;
        Ok(toxic)
    }

    /// Merges an update into a toxic; returns once every connection has it.
    pub(crate) async fn change_toxic(&self, name: &str, body: &[u8]) -> Result<WrittenToxic, ApiError> {
        let _turn = self.turn.lock().await;
        let old = self.toxic(name)?;
        let toxic = bodies::update(body, &old.toxic)?;
        self.proxy.change(toxic.clone()).await;
        Ok(WrittenToxic { toxic, stream: old.stream })
    }

    /// Removes a toxic; returns once no connection has it.
    pub(crate) async fn remove_toxic(&self, name: &str) -> Result<(), ApiError> {
        let _turn = self.turn.lock().await;
        self.toxic(name)?;
        self.proxy.remove(name).await;
        self.written().streams.remove(name);
        Ok(())
    }

    /// Puts engine and link where they are wanted, and keeps what was written, also when it cannot listen there.
    async fn go(&self, link: &mut Option<Link>, wanted: Wanted) -> Result<(), ApiError> {
        let was = self.written().clone();
        if was.gone {
            return Err(ApiError::proxy_not_found());
        }
        let Wanted { listen, upstream, enabled, http } = wanted;
        let place = if enabled { Some(listening(&listen).await?) } else { None };
        let to = place.map_or_else(|| listen.clone(), |place| place.to_string());
        let stays = link.is_some() && http && was.upstream == upstream;
        let next = if http && !stays { Some(self.behind.start(&upstream).await?) } else { None };
        let front = match (&next, &*link) {
            (Some(next), _) => next.addr().to_string(),
            (None, Some(link)) if stays => link.addr().to_string(),
            _ => upstream.clone(),
        };
        let went = self.proxy.update(&to, &front, enabled).await;
        if !stays {
            stop(std::mem::replace(link, next)).await;
        }
        let bound = self.proxy.settings();
        let mut written = self.written();
        written.listen = if bound.enabled { bound.listen } else { listen.clone() };
        written.upstream = upstream;
        written.http = http;
        drop(written);
        went.map_err(|why| failed(&listen, place, &why))
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a proxy is to be.
struct Wanted {
    listen: String,
    upstream: String,
    enabled: bool,
    http: bool,
}

impl Written {
    fn spelt(&self, toxic: Toxic) -> WrittenToxic {
        let stream = self.streams.get(&toxic.name).cloned();
        WrittenToxic { stream: stream.unwrap_or_else(|| toxic.direction.name().to_owned()), toxic }
    }
}

async fn stop(link: Option<Link>) {
    if let Some(link) = link {
        link.stop().await;
    }
}

async fn listening(written: &str) -> Result<SocketAddr, ApiError> {
    resolve(written).await.map_err(|why| ApiError::new(500, format!("listen tcp: {why}")))
}

fn failed(written: &str, place: Option<SocketAddr>, why: &ProxyError) -> ApiError {
    ApiError::new(
        500,
        match (place, why) {
            (Some(place), ProxyError::Bind { source, .. }) => bind_error(written, place, source),
            _ => why.to_string(),
        },
    )
}
