//! The path of one request, as a table of contents.

mod cached;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep, sleep_until};

use crate::cache::Cache;
use crate::config::{Config, Earned, Mapping, Misconfigure, Shape};
use crate::defects::{Active, Defects};
use crate::downstream::{
    AsItIs, ClientRequest, Mend, Refetch, Reply, RequestBody, SwapSpot, as_declared, error_reply, filled,
    mark, masked_reply, name_request, request_id, whole,
};
use crate::draw;
use crate::fleet::{Fleet, Peer};
use crate::forward;
use crate::headers::keep_end_to_end;
use crate::retry::{self, Budget, Course, Waits};
use crate::throttle::Throttle;
use crate::upstream::{Answer, Failed, Failure, Limits, Stage, exchange};
use crate::variants::Variants;

/// Most of a 5xx's body that is read before deciding about a retry, in bytes.
const HELD: usize = 64 * 1024;
/// Most of an answer that an SDK reads before it decides, in bytes.
const HELD_BY_SDK: usize = 4 << 20;

pub(crate) struct Proxy {
    config: Config,
    defects: Defects,
    fleet: Arc<Fleet>,
    budget: Budget,
    throttle: Option<Throttle>,
    mapping: Option<Mapping>,
    swap: SwapSpot,
    variants: Variants,
    cache: Option<Arc<Cache>>,
    under_way: AtomicUsize,
}

/// What became of a request's attempts, and where the last one went.
struct Fetched {
    outcome: Result<Answer, Failure>,
    last: Option<SocketAddr>,
}

/// One request under way, until its head goes out.
struct Counted<'a>(&'a AtomicUsize);

// === impl Counted ===

impl<'a> Counted<'a> {
    fn one_more(all: &'a AtomicUsize) -> Self {
        all.fetch_add(1, Ordering::Relaxed);
        Self(all)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

// === impl Proxy ===

impl Proxy {
    pub(crate) fn new(config: Config) -> Self {
        let defects = Defects::new(&config.defects, config.defect_rate, config.defect_above);
        let fleet = Fleet::new(&config, &defects);
        let budget = Budget::new(config.retry_budget, Instant::now());
        let cache = config.cache.map(|rules| Arc::new(Cache::new(rules, config.signing.is_some())));
        let throttle = config.throttle.map(|rules| Throttle::new(rules, Instant::now()));
        let mapping = mapping_in_force(&config);
        let variants = Variants::new(&config.variants);
        let (swap, under_way) = (SwapSpot::default(), AtomicUsize::new(0));
        Self { config, defects, fleet, budget, throttle, mapping, swap, variants, cache, under_way }
    }

    pub(crate) fn fleet(&self) -> &Arc<Fleet> {
        &self.fleet
    }

    /// How long a client may take no byte of its response.
    pub(crate) fn client_patience(&self) -> Duration {
        Duration::from_millis(self.config.timeouts_ms.total)
    }

    pub(crate) fn variants(&self) -> Variants {
        self.variants
    }

    /// Answers one client request, on a connection that had carried one before or not; `None` for a connection
    /// that is closed without an answer.
    pub(crate) async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        reused: bool,
    ) -> Option<Response<Reply>> {
        let (id, begun) = (request_id(request.headers()), Instant::now());
        if self.variants.closes(request.method(), &id, reused) {
            return None;
        }
        let _counted = Counted::one_more(&self.under_way);
        let active = self.defects.for_request(&id, self.under_way.load(Ordering::Relaxed));
        let limits = active.limits(Limits::new(&self.config.timeouts_ms, Instant::now()));
        let method = request.method().clone();
        let mut response =
            match ClientRequest::receive(id.clone(), request, self.config.buffer_limit, &limits).await {
                Ok(request) => self.answer(request, limits, active).await,
                Err(failure) => self.error(&failure, None, &method, active),
            };
        if method == Method::GET
            && response.status() == StatusCode::OK
            && self.defects.process_wide().swaps_responses()
        {
            response = self.swap.trade(response, active.swaps_responses()).await;
        }
        mark(response.headers_mut());
        if self.config.answers.shape == Shape::Json {
            name_request(response.headers_mut(), &draw::uuid(&id));
        }
        self.variants.dress(&mut response, &method, &id);
        if let Some(delay) = self.variants.delay(begun.elapsed()) {
            sleep(delay).await;
        }
        Some(response)
    }

    fn error(
        &self,
        failure: &Failure,
        last: Option<SocketAddr>,
        method: &Method,
        active: Active,
    ) -> Response<Reply> {
        let mut reply = error_reply(failure, last, method, active);
        // What a defect makes of an error stays as it is.
        if reply.status() == failure.status() && !active.makes_html_errors() && !active.leaks_upstream() {
            as_declared(&mut reply, failure, self.config.answers, method);
        }
        *reply.status_mut() = self.variants.status(failure, reply.status());
        reply
    }

    /// Answers a request there is no room for.
    pub(crate) fn shed(request: &Request<Incoming>) -> Response<Reply> {
        let mut response = error_reply(&Failure::Shed, None, request.method(), Active::default());
        response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
        mark(response.headers_mut());
        response
    }

    async fn answer(
        self: &Arc<Self>,
        mut request: ClientRequest,
        limits: Limits,
        active: Active,
    ) -> Response<Reply> {
        if self.throttle.as_ref().is_some_and(|throttle| !throttle.admits(Instant::now())) {
            request.body.let_end(limits);
            return self.error(&Failure::Throttled, None, &request.method, active);
        }
        if active.acknowledges_early(&request.method) && matches!(request.body, RequestBody::Buffered(_)) {
            let proxy = Arc::clone(self);
            tokio::spawn(async move {
                if let Ok(answer) = proxy.fetch(&mut request, limits, active).await.outcome {
                    whole(answer.body).await;
                }
            });
            return Response::new(Reply::full(""));
        }
        let longest = self.config.answers.request_limit;
        if longest > 0 && request.body.length().is_some_and(|length| length > longest) {
            request.body.let_end(limits);
            return self.error(&Failure::RequestTooLarge, None, &request.method, active);
        }
        if let Some(cache) = &self.cache
            && let Some(key) = cache.key(&request)
        {
            return self.answer_from_cache(cache, key, request, limits, active).await;
        }
        let (mut request, fetched) = if active.ignores_aborts() || active.retries_past_the_deadline() {
            let method = request.method.clone();
            match self.fetch_detached(request, limits, active).await {
                Ok(done) => done,
                Err(failure) => return error_reply(&failure, None, &method, active),
            }
        } else {
            let fetched = self.fetch(&mut request, limits, active).await;
            (request, fetched)
        };
        request.body.let_end(limits);
        if let (Some(cache), Ok(answer)) = (&self.cache, &fetched.outcome)
            && !request.method.is_safe()
            && !answer.status.is_client_error()
        {
            cache.forget(&request);
        }
        match fetched.outcome {
            Ok(answer) => self.pass(&request, answer, limits, active).await,
            Err(failure) => self.error(&failure, fetched.last, &request.method, active),
        }
    }

    /// The same as [`fetch`](Self::fetch) in a task of its own, which outlives the client, and under a defect
    /// the deadline as well.
    async fn fetch_detached(
        self: &Arc<Self>,
        mut request: ClientRequest,
        limits: Limits,
        active: Active,
    ) -> Result<(ClientRequest, Fetched), Failure> {
        let proxy = Arc::clone(self);
        let late = active.retries_past_the_deadline();
        let own = if late { Limits { deadline: None, ..limits } } else { limits };
        let task = tokio::spawn(async move {
            let mut fetched = proxy.fetch(&mut request, own, active).await;
            if active.ignores_aborts()
                && let Ok(answer) = &mut fetched.outcome
                && let Err(error) = answer.body.hold(usize::MAX).await
            {
                fetched.outcome = Err(error.into());
            }
            (request, fetched)
        });
        match limits.within(None, task).await {
            Ok(done) => done.map_err(|_| Failure::Internal),
            Err(_) => Err(Failure::Timeout(Stage::Head)),
        }
    }

    /// Makes attempts until one is final.
    async fn fetch(&self, request: &mut ClientRequest, limits: Limits, active: Active) -> Fetched {
        if self.config.retry_budget.earned_by == Earned::Request {
            self.budget.deposit(Instant::now());
        }
        let tries = active.tries(self.config.tries);
        let mut tried = Vec::new();
        let mut waits = Waits::default();
        let (mut last, mut before) = (None, None);
        let mut course = Course::default();
        if self.defects.process_wide().gives_up_on_poisoned_locks() && self.budget.is_poisoned() {
            return Fetched { outcome: Err(Failure::Internal), last };
        }
        for attempt in 1.. {
            let picked = match self.config.origin_group {
                Some(_) => self.fleet.pick_in(course.region),
                None => self.pick(&tried, limits, active).await,
            };
            let Some(peer) = picked else { break };
            tried.push(peer.index());
            last = Some(peer.endpoint().address);
            let outcome = self.attempt(&peer, request, attempt > 1, limits, active).await;
            if active.panics_under_a_lock() && is_invalid(&outcome) {
                self.budget.die_inside();
            }
            waits.note(&outcome, Instant::now());
            let by = self.config.retry_by;
            let free = active.ignores_retry_after()
                || by.is_sdk()
                || self.config.origin_group.is_some()
                || self.fleet.has_another_region(&tried, active);
            let wait = if free { Duration::ZERO } else { waits.left(Instant::now()) };
            let again = match &self.config.origin_group {
                Some(group) => {
                    let next = course.next(&outcome, request, group, self.config.upstreams.len());
                    course = next.unwrap_or(course);
                    next.is_some()
                }
                None => {
                    attempt < tries
                        && !limits.passes_during(wait)
                        && retry::may_repeat(&outcome, request, by, active)
                }
            };
            let pause = if again { self.pause(&outcome, attempt, &request.id, active) } else { None };
            let pause = pause.map(|pause| pause.max(wait));
            let Some(pause) = pause.filter(|&pause| !limits.passes_during(pause)) else {
                self.settle(&outcome, before.as_ref());
                return Fetched { outcome: outcome.map_err(|failed| failed.failure), last };
            };
            if let Err(failed) = &outcome
                && active.resumes_uploads(&request.method)
            {
                request.body.skip(failed.sent);
            }
            before = Some(outcome);
            sleep(pause).await;
        }
        let before = before.unwrap_or_else(|| Err(Failed::unsent(Failure::NoUpstream)));
        Fetched { outcome: before.map_err(|failed| failed.failure), last }
    }

    /// What an attempt that is well earns or gives back.
    fn settle(&self, outcome: &Result<Answer, Failed>, before: Option<&Result<Answer, Failed>>) {
        let rules = &self.config.retry_budget;
        if self.config.retry_by.is_sdk() {
            if retry::is_success(outcome) {
                self.budget.give_back(Instant::now());
            }
            return;
        }
        let well = outcome.as_ref().is_ok_and(|answer| !answer.status.is_server_error());
        match before {
            None if well && rules.earned_by == Earned::Success => self.budget.deposit(Instant::now()),
            Some(before) if well && rules.refund => self.budget.refund(Instant::now(), self.cost(before)),
            _ => {}
        }
    }

    /// What a retry after this costs.
    fn cost(&self, outcome: &Result<Answer, Failed>) -> f64 {
        let rules = &self.config.retry_budget;
        match outcome {
            Err(failed) if failed.failure.is_timeout() => rules.timeout_cost,
            outcome if retry::is_throttled(outcome, self.config.retry_by) => rules.throttling_cost,
            _ => rules.cost,
        }
    }

    /// Where the next attempt goes. Nowhere when all breakers are open: a defect waits for one instead.
    async fn pick(&self, tried: &[usize], limits: Limits, active: Active) -> Option<Peer> {
        loop {
            if let Some(peer) = self.fleet.pick(tried, active) {
                return Some(peer);
            }
            let until = self.fleet.held_until()?;
            if limits.passes_during(until.saturating_duration_since(Instant::now())) {
                return None;
            }
            sleep_until(until).await;
        }
    }

    /// One attempt at one endpoint, a retry on a new connection. A 5xx, and what else an SDK reads whole, is read ahead,
    /// so that its connection is free and its kind is known.
    async fn attempt(
        &self,
        peer: &Peer,
        request: &mut ClientRequest,
        fresh: bool,
        limits: Limits,
        active: Active,
    ) -> Result<Answer, Failed> {
        let address = peer.endpoint().address;
        let head =
            forward::head(request, peer.region(), address, &self.config, active, OffsetDateTime::now_utc())
                .map_err(Failed::unsent)?;
        let method = &request.method;
        let mut outcome = exchange(peer, method, head, &mut request.body, fresh, limits, active).await;
        let mut blameless = false;
        let by_sdk = self.config.retry_by.is_sdk();
        if let Ok(answer) = &mut outcome
            && (answer.status.is_server_error() || (by_sdk && !is_streamed(request, answer)))
        {
            match answer.body.hold(if by_sdk { HELD_BY_SDK } else { HELD }).await {
                Ok(held) => blameless = held.iter().any(|bytes| retry::says_slow_down(bytes)),
                Err(error) => {
                    outcome = Err(Failed { failure: error.into(), wrote: true, stale: false, sent: 0 });
                }
            }
        }
        let failed = match &outcome {
            Ok(answer) => answer.status.is_server_error() && !blameless,
            Err(failed) => failed.failure.is_upstreams() && !failed.stale,
        };
        if failed {
            peer.failed();
        }
        outcome
    }

    /// Pause before the next attempt; `None` when the budget has none. A pooled connection that died is no
    /// sign of trouble upstream: that retry waits for nothing and costs nothing, but with an SDK.
    fn pause(
        &self,
        outcome: &Result<Answer, Failed>,
        attempt: u32,
        id: &str,
        active: Active,
    ) -> Option<Duration> {
        let (by, rules) = (self.config.retry_by, &self.config.backoff_ms);
        let stale = !by.is_sdk() && outcome.as_ref().is_err_and(|failed| failed.stale);
        if stale || active.ignores_retry_budget() {
            return Some(Duration::ZERO);
        }
        let honest = || {
            let own = retry::pause(rules, attempt, id, retry::is_throttled(outcome, by));
            match outcome {
                Ok(answer) => {
                    retry::pause_as_asked(by, own, Duration::from_millis(rules.cap), &answer.headers)
                }
                Err(_) => own,
            }
        };
        let granted = self.budget.withdraw(Instant::now(), self.cost(outcome)) || active.retries_on_credit();
        granted.then(|| active.pause(honest()))
    }

    /// Hands an upstream's answer to the client.
    async fn pass(
        self: &Arc<Self>,
        request: &ClientRequest,
        answer: Answer,
        limits: Limits,
        active: Active,
    ) -> Response<Reply> {
        let Answer { mut status, mut headers, mut body } = answer;
        if status.is_server_error()
            && let Some(mask) = active.masks_upstream_5xx()
        {
            return masked_reply(mask, &request.method);
        }
        keep_end_to_end(&mut headers);
        if active.ignores_retry_after() {
            retry::strip(&mut headers);
        }
        let has_no_body = |status: StatusCode| matches!(status.as_u16(), 204 | 304);
        let mut bodiless = request.method == Method::HEAD || has_no_body(status);
        if let Some(mapping) = &self.mapping {
            let Some(becomes) = mapping.responses.of(status.as_u16()) else {
                let failure = Failure::Unmapped(status.as_u16());
                return self.error(&failure, None, &request.method, active);
            };
            status = StatusCode::from_u16(becomes).unwrap_or(status);
            bodiless |= has_no_body(status);
        }
        let answers = self.config.answers;
        let template = self.error_template(status);
        // Only a defect lets two of them come this far.
        let mut as_it_is = headers.get_all(header::CONTENT_LENGTH).iter().count() > 1;
        let reply = if bodiless && active.relays_undue_bodies() {
            let stray = body.stray().await;
            as_it_is = !stray.is_empty();
            Reply::full(stray)
        } else if bodiless {
            if status == StatusCode::NO_CONTENT {
                // RFC 9110 8.6: a 204 has no Content-Length, whatever the upstream says.
                headers.remove(header::CONTENT_LENGTH);
            }
            if template.is_some() {
                headers.remove(header::CONTENT_LENGTH);
            }
            Reply::full("")
        } else if answers.buffer > 0 {
            match body.collect(answers.buffer).await.map_err(Failure::from) {
                Ok(Some(mut bytes)) => {
                    if let Some(template) = template {
                        bytes = filled(template, &bytes, &draw::uuid(&request.id)).into();
                        headers.insert(
                            header::CONTENT_TYPE,
                            header::HeaderValue::from_static("application/json"),
                        );
                    }
                    headers.insert(header::CONTENT_LENGTH, header::HeaderValue::from(bytes.len()));
                    Reply::full(bytes)
                }
                Ok(None) => return self.error(&Failure::ResponseTooLarge, None, &request.method, active),
                Err(failure) => return self.error(&failure, None, &request.method, active),
            }
        } else if active.recomputes_length() {
            headers.remove(header::CONTENT_LENGTH);
            Reply::full(whole(body).await)
        } else if active.finishes_broken_bodies() {
            // A declared length could not be met: chunked, any end will do.
            headers.remove(header::CONTENT_LENGTH);
            Reply::relayed(body, Mend::Finish)
        } else if active.pads_short_bodies() {
            Reply::relayed(body, Mend::Pad)
        } else if active.retries_after_bytes(&request.method) {
            Reply::relayed(body, Mend::Append(self.refetch(request, limits, active)))
        } else if active.resumes_astray(&request.method) {
            Reply::relayed(body, Mend::Resume(self.refetch(request, limits, active)))
        } else {
            Reply::relayed(body, Mend::Never)
        };
        let mut response = Response::new(reply);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        if as_it_is {
            response.extensions_mut().insert(AsItIs);
        }
        response
    }

    /// What makes the body of an answer with this status, if a template does.
    fn error_template(&self, status: StatusCode) -> Option<&str> {
        let template = self.mapping.as_ref().map(|mapping| mapping.error_template.as_str());
        template.filter(|template| status.as_u16() >= 400 && !template.is_empty())
    }

    fn refetch(self: &Arc<Self>, request: &ClientRequest, limits: Limits, active: Active) -> Refetch {
        let copy = request.copy();
        let proxy = Arc::clone(self);
        Box::pin(async move {
            let fetched = proxy.fetch(&mut copy?, limits, active).await;
            fetched.outcome.ok().map(|answer| answer.body)
        })
    }
}

/// The integration responses: those of the mistake, or those that are configured.
fn mapping_in_force(config: &Config) -> Option<Mapping> {
    let configured = config.mapping.clone();
    match &config.misconfigure {
        Some(Misconfigure::Mapping(responses)) => Some(Mapping {
            responses: responses.clone(),
            error_template: configured.map_or_else(String::new, |mapping| mapping.error_template),
        }),
        _ => configured,
    }
}

/// Whether an SDK hands the answer on as it comes: an object is, a list or an error is read first. The bucket is taken to
/// stand in the path.
fn is_streamed(request: &ClientRequest, answer: &Answer) -> bool {
    const OF_OBJECTS: &[&str] = &["versionId", "partNumber", "x-id", "X-Amz-", "response-"];
    let of_object = request.path.trim_matches('/').contains('/');
    let mut names = request.query.iter().flat_map(|query| query.split('&')).filter(|name| !name.is_empty());
    let whole = names.all(|name| OF_OBJECTS.iter().any(|known| name.starts_with(known)));
    request.method == Method::GET && of_object && whole && answer.status.is_success()
}

fn is_invalid(outcome: &Result<Answer, Failed>) -> bool {
    outcome.as_ref().is_err_and(|failed| matches!(failed.failure, Failure::Invalid { .. }))
}
