//! A stored response.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AGE, CONTENT_LENGTH, ETAG};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use tokio::time::Instant;

use super::control::Permit;
use crate::config;
use crate::downstream::Reply;

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// A whole response, and until when it is good for what.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    stored: Instant,
    fresh_until: Instant,
    /// Served without asking, although stale, because the upstream just failed.
    unasked_until: Option<Instant>,
    stale_on_error_until: Instant,
    stale_while_renewed_until: Instant,
}

// === impl Copy ===

impl Copy {
    /// A copy of what was received at `now`.
    pub(super) fn new(
        (status, headers, body): (StatusCode, HeaderMap, Bytes),
        permit: Permit,
        rules: &config::Cache,
        now: Instant,
    ) -> Self {
        let window = |own: Option<Duration>, declared| {
            let window = own.unwrap_or(Duration::from_millis(declared));
            if permit.stale { window } else { Duration::ZERO }
        };
        let fresh_until = now + permit.fresh;
        Self {
            status,
            headers,
            body,
            stored: now,
            fresh_until,
            unasked_until: None,
            stale_on_error_until: fresh_until + window(permit.stale_if_error, rules.stale_if_error_ms),
            stale_while_renewed_until: fresh_until
                + window(permit.stale_while_revalidate, rules.stale_while_revalidate_ms),
        }
    }

    /// The same body, which the upstream has said to be current with these headers (RFC 9111 section 4.3.4).
    pub(super) fn renewed(
        &self,
        mut headers: HeaderMap,
        permit: impl FnOnce(&HeaderMap) -> Option<Permit>,
        rules: &config::Cache,
        now: Instant,
    ) -> Option<Self> {
        headers.remove(CONTENT_LENGTH);
        let mut merged = self.headers.clone();
        for name in headers.keys() {
            merged.remove(name);
        }
        merged.extend(headers);
        let permit = permit(&merged)?;
        Some(Self::new((self.status, merged, self.body.clone()), permit, rules, now))
    }

    /// The same copy, which goes unasked until `then` although it is stale, but not beyond its own end.
    pub(super) fn held_until(&self, then: Instant) -> Self {
        Self { unasked_until: Some(then.min(self.stale_on_error_until)), ..self.clone() }
    }

    /// Whether it is served without asking.
    pub(super) fn is_served(&self, now: Instant) -> bool {
        now < self.fresh_until || self.unasked_until.is_some_and(|until| now < until)
    }

    /// Whether it may stand in for an error.
    pub(super) fn stands_in(&self, now: Instant) -> bool {
        now < self.stale_on_error_until
    }

    pub(super) fn serves_while_renewed(&self, now: Instant) -> bool {
        now < self.stale_while_renewed_until
    }

    /// What another request asks the upstream with, whether this copy is still current.
    pub(super) fn validator(&self) -> Option<&HeaderValue> {
        self.headers.get(ETAG).filter(|_| self.status == StatusCode::OK)
    }

    pub(super) fn size(&self) -> usize {
        self.body.len()
    }

    /// The response to a client.
    pub(crate) fn reply(&self) -> Response<Reply> {
        let now = Instant::now();
        let mut response = Response::new(Reply::full(self.body.clone()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        let before = self.headers.get(AGE).and_then(|age| age.to_str().ok()?.trim().parse::<u64>().ok());
        let age = before.unwrap_or(0) + (now - self.stored).as_secs();
        let headers = response.headers_mut();
        headers.insert(AGE, HeaderValue::from(age));
        let state = if now < self.fresh_until { "hit" } else { "hit; fwd=stale" };
        let status = format!("gatecrash-reference; {state}");
        headers.insert(CACHE_STATUS, HeaderValue::try_from(status).expect("plain ASCII"));
        response
    }
}
