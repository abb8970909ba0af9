//! The proxies by name. Changes of the collection go one at a time; reading it waits for none of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use gatecrash_model::Clock;
use tokio::sync::Mutex as Turn;

use super::bodies::ProxyBody;
use super::entry::{Around, Entry};
use super::journal::Journal;
use super::reply::ApiError;

pub(crate) struct Registry {
    around: Around,
    /// In order of their names, as Go writes a map.
    entries: Mutex<BTreeMap<String, Arc<Entry>>>,
    /// Held while a proxy comes or goes.
    turn: Turn<()>,
}

impl Registry {
    pub(crate) fn new(clock: Arc<dyn Clock>, seed: u64, journal: Arc<Journal>) -> Self {
        let around = Around { clock, seed, journal };
        Self { around, entries: Mutex::default(), turn: Turn::default() }
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> Vec<Arc<Entry>> {
        self.lock().values().cloned().collect()
    }

    pub(crate) fn named(&self, name: &str) -> Result<Arc<Entry>, ApiError> {
        self.lock().get(name).cloned().ok_or_else(ApiError::proxy_not_found)
    }

    /// A new proxy, listening if it is enabled.
    pub(crate) async fn add(&self, body: ProxyBody) -> Result<Arc<Entry>, ApiError> {
        let _turn = self.turn.lock().await;
        if self.lock().contains_key(&body.name) {
            return Err(ApiError::new(409, "proxy already exists"));
        }
        self.start(body).await
    }

    /// A proxy that may be there: one with the same places is left as it is, another one makes room.
    pub(crate) async fn add_or_replace(&self, body: ProxyBody) -> Result<Arc<Entry>, ApiError> {
        let _turn = self.turn.lock().await;
        let there = self.lock().get(&body.name).cloned();
        if let Some(there) = there {
            if !there.differs(&body.listen, &body.upstream).await? {
                return Ok(there);
            }
            // If its successor cannot listen, it stays, disabled.
            there.disable().await;
            let successor = self.start(body).await?;
            there.stop().await;
            return Ok(successor);
        }
        self.start(body).await
    }

    pub(crate) async fn remove(&self, name: &str) -> Result<(), ApiError> {
        let _turn = self.turn.lock().await;
        let entry = self.named(name)?;
        entry.stop().await;
        self.lock().remove(name);
        Ok(())
    }

    /// Stops all of them.
    pub(crate) async fn stop(&self) {
        let _turn = self.turn.lock().await;
        let entries = std::mem::take(&mut *self.lock());
        for entry in entries.into_values() {
            entry.stop().await;
        }
    }

    async fn start(&self, body: ProxyBody) -> Result<Arc<Entry>, ApiError> {
        let entry = Arc::new(Entry::start(body, &self.around).await?);
        self.lock().insert(entry.name.clone(), Arc::clone(&entry));
        Ok(entry)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
