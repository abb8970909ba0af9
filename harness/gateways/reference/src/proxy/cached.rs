//! The path of a request whose response may be shared: a copy, or a fetch that leaves one behind.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, IF_NONE_MATCH};
use http::{Response, StatusCode};

use super::Proxy;
use crate::cache::{Cache, Lease, Turn};
use crate::defects::Active;
use crate::downstream::{ClientRequest, Reply};
use crate::headers::keep_end_to_end;
use crate::upstream::{Answer, Failure, Limits};

impl Proxy {
    /// Answers a request for `key` with a copy, its own or another's.
    pub(super) async fn answer_from_cache(
        self: &Arc<Self>,
        cache: &Arc<Cache>,
        key: String,
        mut request: ClientRequest,
        limits: Limits,
        active: Active,
    ) -> Response<Reply> {
        let lease = match cache.turn(key, &limits).await {
            Turn::Copy(copy) => return copy.reply(),
            Turn::Fetch(lease) => lease,
        };
        if let Some(validator) = lease.validator() {
            request.headers.insert(IF_NONE_MATCH, validator.clone());
        }
        let fetched = self.fetch(&mut request, limits, active).await;
        let failure = match fetched.outcome {
            Err(failure) => failure,
            Ok(mut answer) => {
                keep_end_to_end(&mut answer.headers);
                match self.keep(&lease, &request, answer, limits, active).await {
                    Ok(response) => {
                        let failed = response.status().is_server_error();
                        return part(lease, failed, active, response);
                    }
                    Err(failure) => failure,
                }
            }
        };
        let standing_in = lease.stand_in().filter(|_| !active.stands_in_for_statuses_only());
        let response = match standing_in {
            Some(copy) => copy.reply(),
            None => {
                let response = self.error(&failure, fetched.last, &request.method, active);
                if let Reply::Full(body) = response.body()
                    && (failure.is_upstreams() || matches!(failure, Failure::NoUpstream))
                {
                    lease.store(response.status(), response.headers().clone(), body.clone());
                }
                response
            }
        };
        part(lease, true, active, response)
    }

    /// Stores what an upstream answered, where that may be, and answers with it. An error is a body that broke.
    async fn keep(
        self: &Arc<Self>,
        lease: &Lease,
        request: &ClientRequest,
        answer: Answer,
        limits: Limits,
        active: Active,
    ) -> Result<Response<Reply>, Failure> {
        let status = answer.status;
        if status == StatusCode::NOT_MODIFIED
            && let Some(copy) = lease.renew(answer.headers.clone())
        {
            return Ok(copy.reply());
        }
        if status.is_server_error()
            && let Some(copy) = lease.stand_in()
        {
            return Ok(copy.reply());
        }
        let too_long = active.keeps_error_for(status);
        let fits = declared_length(&answer).is_none_or(|length| length <= lease.max_object() as u64);
        if !fits || (too_long.is_none() && !lease.may_store(status, &answer.headers)) {
            if !status.is_server_error() {
                lease.open();
            }
            return Ok(self.pass(request, answer, limits, active).await);
        }
        let mut answer = answer;
        let body = match answer.body.collect(lease.max_object()).await {
            Ok(Some(body)) => body,
            Ok(None) => {
                lease.open();
                return Ok(self.pass(request, answer, limits, active).await);
            }
            Err(error) => {
                if active.stores_truncated_bodies() {
                    answer.headers.remove(CONTENT_LENGTH);
                    lease.store(status, answer.headers, answer.body.arrived());
                }
                return Err(error.into());
            }
        };
        if let Some(ttl) = too_long {
            lease.store_for(ttl, status, answer.headers.clone(), body.clone());
        } else {
            lease.store(status, answer.headers.clone(), body.clone());
        }
        Ok(whole_reply(status, answer.headers, body))
    }
}

/// Gives the key to the next who waits for it.
fn part(lease: Lease, failed: bool, active: Active, response: Response<Reply>) -> Response<Reply> {
    if failed && active.loses_the_lock() {
        lease.lose();
    } else if failed && active.releases_all() {
        lease.open();
    }
    response
}

fn declared_length(answer: &Answer) -> Option<u64> {
    answer.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn whole_reply(status: StatusCode, headers: http::HeaderMap, body: Bytes) -> Response<Reply> {
    let mut response = Response::new(Reply::full(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
