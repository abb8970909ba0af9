//! All endpoints of all regions: which one an attempt goes to, and what is known of their health.

mod breaker;
mod endpoint;
mod health;
mod probe;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use self::breaker::Breaker;
pub(crate) use self::endpoint::Endpoint;
pub(crate) use self::probe::watch;
use crate::config::{self, Config, Misconfigure, Upstream};
use crate::defects::{Active, Defects};
use crate::upstream::Dialer;

#[derive(Debug)]
pub(crate) struct Fleet {
    /// Primaries first.
    pub(crate) regions: Vec<Upstream>,
    endpoints: Vec<Endpoint>,
    /// For each region, how often one of its endpoints was chosen.
    turns: Vec<AtomicUsize>,
    health: config::Health,
    /// For each region, where breakers are configured.
    breakers: Vec<Mutex<Breaker>>,
    /// Defects in health and ejection.
    active: Active,
}

/// One endpoint, held by whoever talks to it.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    fleet: Arc<Fleet>,
    index: usize,
}

// === impl Fleet ===

impl Fleet {
    pub(crate) fn new(config: &Config, defects: &Defects) -> Arc<Self> {
        let mut regions = config.upstreams.clone();
        regions.sort_by_key(|upstream| upstream.role);
        let mistaken = match &config.misconfigure {
            Some(Misconfigure::Endpoint(address)) => Some(*address),
            _ => None,
        };
        let address = |address: SocketAddr| mistaken.unwrap_or(address);
        let dialer = config.tls.as_ref().map(|tls| Arc::new(Dialer::new(tls)));
        let dialer = |region: usize| dialer.clone().filter(|_| regions[region].tls);
        let endpoints = regions
            .iter()
            .enumerate()
            .flat_map(|(region, upstream)| upstream.endpoints.iter().map(move |at| (region, *at)))
            .map(|(region, at)| Endpoint::new(region, address(at), dialer(region), &config.pool))
            .collect();
        let active = defects.process_wide();
        let breakers = regions.iter().filter_map(|_| config.breaker);
        let breakers = breakers.map(|rules| Mutex::new(Breaker::new(rules, active))).collect();
        let turns = regions.iter().map(|_| AtomicUsize::new(0)).collect();
        Arc::new(Self { regions, endpoints, turns, health: config.health.clone(), breakers, active })
    }

    pub(crate) fn peers(self: &Arc<Self>) -> impl Iterator<Item = Peer> {
        (0..self.endpoints.len()).map(|index| self.peer(index))
    }

    /// Closes idle connections, when descriptors are short.
    pub(crate) fn release_idle(&self) {
        self.endpoints.iter().for_each(|endpoint| endpoint.pool.clear());
    }

    /// Where the next attempt goes, after those to `tried`: a healthy endpoint of the first region, in order
    /// of preference, that did not fail this request. With no healthy endpoint left, any will do, except in
    /// regions whose breaker is open.
    pub(crate) fn pick(self: &Arc<Self>, tried: &[usize], active: Active) -> Option<Peer> {
        let mut shut = vec![false; self.regions.len()];
        loop {
            let index = self.choose(tried, active, &shut)?;
            let region = self.endpoints[index].region;
            if self.breaker(region, |breaker| breaker.admits(Instant::now())).unwrap_or(true) {
                return Some(self.peer(index));
            }
            shut[region] = true;
        }
    }

    /// When a request that found all breakers open may ask again, with the defect that holds it back.
    pub(crate) fn held_until(&self) -> Option<Instant> {
        let open = |region| self.breaker(region, |breaker| breaker.open_until()).flatten();
        let first = (0..self.regions.len()).filter_map(open).min();
        first.filter(|_| self.active.floods_half_open_breakers())
    }

    fn breaker<T>(&self, region: usize, ask: impl FnOnce(&mut Breaker) -> T) -> Option<T> {
        let breaker = self.breakers.get(region)?;
        Some(ask(&mut breaker.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn choose(&self, tried: &[usize], active: Active, shut: &[bool]) -> Option<usize> {
        if active.sticks_to_the_same_peer() {
            let same = tried.last().copied();
            let same = same.or_else(|| self.first(|endpoint, _| endpoint.region == 0));
            return same.filter(|index| !shut[self.endpoints[*index].region]);
        }
        let now = Instant::now();
        let healthy = |endpoint: &Endpoint| !shut[endpoint.region] && endpoint.health().usable(now);
        let region_tried =
            |endpoint: &Endpoint| tried.iter().any(|&index| self.endpoints[index].region == endpoint.region);
        self.first(|endpoint, _| healthy(endpoint) && !region_tried(endpoint))
            .or_else(|| self.first(|endpoint, index| healthy(endpoint) && !tried.contains(&index)))
            .or_else(|| self.first(|endpoint, _| healthy(endpoint)))
            .or_else(|| if active.gives_up_without_healthy_peer() { None } else { self.any(tried, shut) })
    }

    /// Whether [`pick`](Self::pick) finds a healthy endpoint in a region that no attempt went to.
    pub(crate) fn has_another_region(&self, tried: &[usize], active: Active) -> bool {
        let now = Instant::now();
        let untried =
            |endpoint: &&Endpoint| !tried.iter().any(|&t| self.endpoints[t].region == endpoint.region);
        !active.sticks_to_the_same_peer()
            && self.endpoints.iter().filter(untried).any(|endpoint| endpoint.health().usable(now))
    }

    /// An endpoint of a region, by turns, whatever its health; none while the region's breaker is open.
    pub(crate) fn pick_in(self: &Arc<Self>, region: usize) -> Option<Peer> {
        let index = self.first(|endpoint, _| endpoint.region == region)?;
        let admits = self.breaker(region, |breaker| breaker.admits(Instant::now())).unwrap_or(true);
        admits.then(|| self.peer(index))
    }

    fn any(&self, tried: &[usize], shut: &[bool]) -> Option<usize> {
        let open = |endpoint: &Endpoint| !shut[endpoint.region];
        self.first(|endpoint, index| open(endpoint) && !tried.contains(&index))
            .or_else(|| self.first(|endpoint, _| open(endpoint)))
    }

    /// First match in order of region; within a region by turns.
    fn first(&self, matches: impl Fn(&Endpoint, usize) -> bool) -> Option<usize> {
        self.turns.iter().enumerate().find_map(|(region, turns)| {
            let matching = |&(index, endpoint): &(usize, &Endpoint)| {
                endpoint.region == region && matches(endpoint, index)
            };
            let members = self.endpoints.iter().enumerate().filter(matching);
            let members: Vec<usize> = members.map(|(index, _)| index).collect();
            if members.is_empty() {
                return None;
            }
            Some(members[turns.fetch_add(1, Ordering::Relaxed) % members.len()])
        })
    }

    fn peer(self: &Arc<Self>, index: usize) -> Peer {
        Peer { fleet: Arc::clone(self), index }
    }

    fn is_last(&self, index: usize, now: Instant) -> bool {
        let others = self.endpoints.iter().enumerate().filter(|(other, _)| *other != index);
        !others.into_iter().any(|(_, endpoint)| endpoint.health().usable(now))
    }
}

// === impl Peer ===

impl Peer {
    pub(crate) fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    pub(crate) fn index(&self) -> usize {
        self.index
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.fleet.endpoints[self.index]
    }

    pub(crate) fn region(&self) -> &Upstream {
        &self.fleet.regions[self.endpoint().region]
    }

    /// A request was answered well.
    pub(crate) fn succeeded(&self) {
        self.endpoint().health().request_succeeded();
        self.fleet.breaker(self.endpoint().region, Breaker::succeeded);
    }

    /// A request failed. Enough of them in a row eject the endpoint, unless it is the last one.
    pub(crate) fn failed(&self) {
        let (rules, active, now) = (&self.fleet.health, self.fleet.active, Instant::now());
        self.fleet.breaker(self.endpoint().region, |breaker| breaker.failed(now));
        let last = self.fleet.is_last(self.index, now);
        let ejected = match active.ejects_last_until(now) {
            Some(until) if last => {
                self.endpoint().health().put_away(until);
                true
            }
            _ => {
                let limit =
                    if active.never_ejects() || last { 0 } else { active.streak(rules.passive_fails) };
                let until = now + Duration::from_millis(rules.eject_ms);
                self.endpoint().health().request_failed(limit, until, active)
            }
        };
        if ejected {
            self.endpoint().pool.clear();
        }
    }

    /// A probe was answered, well or not.
    pub(crate) fn probed(&self, good: bool) {
        let (rules, active) = (&self.fleet.health, self.fleet.active);
        let limit = active.streak(if good { rules.rise } else { rules.fall });
        if self.endpoint().health().probed(good, limit, active) {
            self.endpoint().pool.clear();
        }
    }
}
