//! The response cache: whose turn it is to fetch a key, and what became of it.
//!
//! A shared cache by RFC 9111 in the small. What is stored is whole and was allowed to be stored; requests for
//! one key wait for the one that fetches it, one after the other while fetches fail, none longer than the
//! lock's timeout.

mod control;
mod copy;
mod shelf;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST, RANGE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

pub(crate) use self::copy::Copy;
use self::shelf::{Place, Shelf};
use crate::config;
use crate::downstream::ClientRequest;
use crate::upstream::Limits;

/// Error statuses that are kept for the negative lifetime: those a cache may store unasked (RFC 9110 section
/// 15.1), and what a CDN keeps besides.
const KEPT_ERRORS: [u16; 9] = [404, 405, 410, 414, 500, 501, 502, 503, 504];

#[derive(Debug)]
pub(crate) struct Cache {
    rules: config::Cache,
    /// Whether what was signed for is the gateway's own doing, so that a client's signature tells nothing
    /// about who may read it.
    signs: bool,
    shelf: Mutex<Shelf>,
}

/// What a request for a key gets.
pub(crate) enum Turn {
    /// A copy, without asking.
    Copy(Arc<Copy>),
    /// It has to fetch.
    Fetch(Lease),
}

/// The right to fetch a key; others wait until it is dropped, unless the lock's timeout has made it one of
/// many.
pub(crate) struct Lease {
    cache: Arc<Cache>,
    key: String,
    place: Place,
    permit: Option<OwnedSemaphorePermit>,
}

/// What the headers of a request say that a copy cannot answer.
const CONDITIONS: [&str; 6] =
    ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "expect"];

// === impl Cache ===

impl Cache {
    pub(crate) fn new(rules: config::Cache, signs: bool) -> Self {
        Self { rules, signs, shelf: Mutex::default() }
    }

    /// The key under which the response to this request is shared; `None` where it is nobody else's.
    pub(crate) fn key(&self, request: &ClientRequest) -> Option<String> {
        let headers = &request.headers;
        let signed = || {
            let presigned = request.query.as_deref().is_some_and(|query| query.contains("X-Amz-Signature="));
            presigned || headers.contains_key(AUTHORIZATION)
        };
        let special =
            headers.contains_key(RANGE) || CONDITIONS.iter().any(|name| headers.contains_key(*name));
        let plain = request.method == Method::GET && !special && !control::insists(headers);
        (plain && (self.signs || !signed())).then(|| named(request, request.query.as_deref()))
    }

    /// What a request for `key` gets, once it is its turn.
    pub(crate) async fn turn(self: &Arc<Self>, key: String, limits: &Limits) -> Turn {
        let patience = Instant::now() + Duration::from_millis(self.rules.lock_timeout_ms);
        let patience = limits.deadline.map_or(patience, |deadline| deadline.min(patience));
        let mut lease = self.lease(key);
        let now = Instant::now();
        let updating = lease.place.lock.available_permits() == 0;
        match &lease.place.copy {
            Some(copy) if copy.is_served(now) => return Turn::Copy(Arc::clone(copy)),
            Some(copy) if updating && copy.serves_while_renewed(now) => return Turn::Copy(Arc::clone(copy)),
            _ if !self.rules.collapse => return Turn::Fetch(lease),
            _ => {}
        }
        let waited = timeout_at(patience, Arc::clone(&lease.place.lock).acquire_owned()).await;
        lease.permit = waited.ok().and_then(Result::ok);
        let Place { copy, writes, .. } = self.lock().look(&lease.key);
        (lease.place.copy, lease.place.writes) = (copy, writes);
        match &lease.place.copy {
            Some(copy) if copy.is_served(Instant::now()) => Turn::Copy(Arc::clone(copy)),
            _ => Turn::Fetch(lease),
        }
    }

    /// The resource of this request was changed.
    pub(crate) fn forget(&self, request: &ClientRequest) {
        self.lock().forget(&named(request, None));
    }

    fn lease(self: &Arc<Self>, key: String) -> Lease {
        let place = self.lock().look(&key);
        Lease { cache: Arc::clone(self), key, place, permit: None }
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn named(request: &ClientRequest, query: Option<&str>) -> String {
    let host = request.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    format!("{host}{}?{}", request.path, query.unwrap_or_default())
}

// === impl Lease ===

impl Lease {
    /// What to ask the upstream with: whether the copy there is still current.
    pub(crate) fn validator(&self) -> Option<&HeaderValue> {
        self.place.copy.as_ref()?.validator()
    }

    /// Whether a response with this status and these headers may be stored.
    pub(crate) fn may_store(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        self.permit_for(status, headers).is_some()
    }

    /// Stores a whole response; the copy, or `None` where it may not be stored.
    pub(crate) fn store(&self, status: StatusCode, headers: HeaderMap, body: Bytes) -> Option<Arc<Copy>> {
        let permit = self.permit_for(status, &headers)?;
        Some(self.put(Copy::new((status, headers, body), permit, &self.cache.rules, Instant::now())))
    }

    /// Stores a response for as long as `ttl`, whatever it says.
    pub(crate) fn store_for(&self, ttl: Duration, status: StatusCode, headers: HeaderMap, body: Bytes) {
        self.put(Copy::new((status, headers, body), brief(ttl), &self.cache.rules, Instant::now()));
    }

    /// The upstream says that the copy is current (304): it begins a new life.
    pub(crate) fn renew(&self, headers: HeaderMap) -> Option<Arc<Copy>> {
        let rules = &self.cache.rules;
        let permit = |headers: &HeaderMap| self.permit_for(StatusCode::OK, headers);
        let renewed = self.place.copy.as_ref()?.renewed(headers, permit, rules, Instant::now())?;
        Some(self.put(renewed))
    }

    /// The copy that may stand in for an error. It does so for a while without another request's asking.
    pub(crate) fn stand_in(&self) -> Option<Arc<Copy>> {
        let now = Instant::now();
        let copy = self.place.copy.as_ref().filter(|copy| copy.stands_in(now))?;
        let retry = Duration::from_millis(self.cache.rules.stale_retry_ms);
        self.put(copy.held_until(now + retry));
        Some(Arc::clone(copy))
    }

    /// Largest body that is stored, in bytes.
    pub(crate) fn max_object(&self) -> usize {
        self.cache.rules.max_object
    }

    /// The answer is for nobody else: all that wait fetch for themselves.
    pub(crate) fn open(&self) {
        self.place.lock.close();
    }

    /// The lock is never given back.
    pub(crate) fn lose(mut self) {
        if let Some(permit) = self.permit.take() {
            permit.forget();
        }
    }

    fn permit_for(&self, status: StatusCode, headers: &HeaderMap) -> Option<control::Permit> {
        let rules = &self.cache.rules;
        if status == StatusCode::OK {
            let permit = control::permit(headers, Duration::from_millis(rules.default_ttl_ms))?;
            let fresh = permit.fresh.max(Duration::from_millis(rules.min_ttl_ms));
            return Some(control::Permit { fresh, ..permit });
        }
        let kept = rules.negative_ttl_ms > 0 && KEPT_ERRORS.contains(&status.as_u16());
        kept.then(|| brief(Duration::from_millis(rules.negative_ttl_ms)))
    }

    fn put(&self, copy: Copy) -> Arc<Copy> {
        let copy = Arc::new(copy);
        let max = self.cache.rules.max_bytes;
        self.cache.lock().put(&self.key, Arc::clone(&copy), self.place.writes, max);
        copy
    }
}

/// An error's permit: for its time, and never stale.
fn brief(fresh: Duration) -> control::Permit {
    control::Permit { fresh, stale: false, stale_if_error: None, stale_while_revalidate: None }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.permit = None;
        self.cache.lock().tidy(&self.key, 1);
    }
}
