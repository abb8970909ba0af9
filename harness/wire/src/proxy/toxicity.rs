//! The toxics in force on a proxy, in versions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use gatecrash_core::toxics::{Direction, Installed, Toxic};

/// A proxy's toxics: changed as a whole, read by connections when the version is a new one.
#[derive(Default)]
pub(super) struct Toxicity {
    /// Of the list; what a connection compares after every read.
    version: AtomicU64,
    current: RwLock<Arc<Toxics>>,
}

/// One version of the list, in chain order.
#[derive(Clone, Default)]
pub(super) struct Toxics {
    version: u64,
    ids: u64,
    upstream: Vec<Installed>,
    downstream: Vec<Installed>,
}

// === impl Toxicity ===

impl Toxicity {
    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    pub(super) fn current(&self) -> Arc<Toxics> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes a new version; returns its number.
    pub(super) fn change(&self, how: impl FnOnce(&mut Toxics)) -> u64 {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = Toxics::clone(&current);
        how(&mut next);
        next.version += 1;
        let version = next.version;
        *current = Arc::new(next);
        self.version.store(version, Ordering::SeqCst);
        version
    }
}

// === impl Toxics ===

impl Toxics {
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn of(&self, direction: Direction) -> &[Installed] {
        match direction {
            Direction::Upstream => &self.upstream,
            Direction::Downstream => &self.downstream,
        }
    }

    /// Upstream ones first, then downstream, in chain order.
    pub(super) fn list(&self) -> Vec<Toxic> {
        let both = [Direction::Upstream, Direction::Downstream];
        let toxics = |direction| self.of(direction).iter().map(move |installed| toxic(direction, installed));
        both.into_iter().flat_map(toxics).collect()
    }

    pub(super) fn name(&self, id: u64) -> Option<&str> {
        let mut both = self.upstream.iter().chain(&self.downstream);
        both.find(|toxic| toxic.id == id).map(|toxic| toxic.name.as_str())
    }

    pub(super) fn add(&mut self, toxic: Toxic) {
        let id = self.ids;
        self.ids += 1;
        let Toxic { name, direction, toxicity, spec } = toxic;
        self.chain(direction).push(Installed { id, revision: 0, name, toxicity, spec });
    }

    pub(super) fn change(&mut self, toxic: &Toxic) {
        let mut both = self.upstream.iter_mut().chain(&mut self.downstream);
        if let Some(installed) = both.find(|installed| installed.name == toxic.name) {
            installed.revision += 1;
            installed.toxicity = toxic.toxicity;
            installed.spec = toxic.spec;
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.upstream.retain(|toxic| toxic.name != name);
        self.downstream.retain(|toxic| toxic.name != name);
    }

    pub(super) fn clear(&mut self) {
        self.upstream.clear();
        self.downstream.clear();
    }

    fn chain(&mut self, direction: Direction) -> &mut Vec<Installed> {
        match direction {
            Direction::Upstream => &mut self.upstream,
            Direction::Downstream => &mut self.downstream,
        }
    }
}

fn toxic(direction: Direction, installed: &Installed) -> Toxic {
    let Installed { name, toxicity, spec, .. } = installed;
    Toxic { name: name.clone(), direction, toxicity: *toxicity, spec: *spec }
}
