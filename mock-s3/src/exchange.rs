//! One exchange, phase by phase: head, auth, place, policy, body, handle, respond.

mod admit;
mod alter;
mod describe;
mod fault;
mod respond;
mod services;

use std::net::IpAddr;
use std::sync::Arc;

use gatecrash_model::context::read_cell;
use gatecrash_model::time::nanos;
use gatecrash_model::{AttemptCell, AttemptContext, ID_HEADER, RequestId, UpstreamRecord};
use http::header::{CONNECTION, HeaderName, RANGE};
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;

use self::fault::{Effect, Fault};
use crate::access::{Access, Circumstances};
use crate::auth::Caller;
use crate::capacity::Place;
use crate::errors::S3Error;
use crate::hook::{Alteration, Point, RangeLie, Trickle};
use crate::identifiers::Identifiers;
use crate::incoming::RequestBody;
use crate::journal::{Entry, saturated};
use crate::ops::{Answer, Call, Route};
use crate::outgoing::Outgoing;
use crate::received::Received;
use crate::request::Head;
use crate::server::Shared;
use crate::settings::Settings;
use crate::store::Placement;

const BUCKET_REGION: HeaderName = HeaderName::from_static("x-amz-bucket-region");

/// What one request is worked on with. Owns everything, so that work can outlive the connection.
pub(crate) struct Exchange {
    shared: Arc<Shared>,
    /// The state in force when it began.
    settings: Arc<Settings>,
    /// The region that was asked.
    arrived: usize,
    /// The region that serves.
    region: usize,
    /// Where the connection came from.
    peer: IpAddr,
    head: Head,
    attempt: AttemptContext,
    placement: Option<Arc<Placement>>,
    caller: Arc<Caller>,
    identity: Option<usize>,
    /// The mock's wall clock at the beginning, skew included.
    wall: i64,
    ids: Identifiers,
    entry: Entry,
    trickle: Option<Trickle>,
    alteration: Option<Alteration>,
}

/// An end before the normal one.
enum Stop {
    Error(S3Error),
    /// A faulted answer that is no S3 error.
    Answer(Box<Answer>),
    /// The same before the body is read.
    Unread(Box<Stop>),
    /// No answer.
    Close {
        reset: bool,
    },
}

/// A request that may be handled.
struct Admitted {
    route: &'static Route,
    body: Received,
    /// The fault at [`Point::Handle`].
    fault: Fault,
    place: Option<Place>,
}

/// A connection that a fault ends without an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a fault ends the connection")]
pub(crate) struct Severed {
    /// By RST.
    pub(crate) reset: bool,
}

impl Admitted {
    /// Whether it goes on to its end when the caller hangs up meanwhile.
    fn takes_time(&self, shared: &Shared, region: usize) -> bool {
        self.place.is_some() || !self.fault.delay.is_zero() || shared.latencies[region].is_some()
    }
}

impl From<S3Error> for Stop {
    fn from(error: S3Error) -> Self {
        Self::Error(error)
    }
}

/// Serves one request.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    region: usize,
    peer: IpAddr,
    cell: Option<AttemptCell>,
    request: Request<Incoming>,
) -> Result<Response<Outgoing>, Severed> {
    let (parts, body) = request.into_parts();
    let mut body = RequestBody::new(body, &parts.headers, shared.idle_timeout);
    let head = Head::within(parts.method, parts.uri, parts.headers, &shared.domains);
    let mut exchange = Exchange::begin(&shared, region, peer, cell, head);
    exchange.describe(parts.version);
    exchange.note_body(&body);
    let mut response = match exchange.admit(&mut body).await {
        Ok(admitted) if admitted.takes_time(&shared, region) => {
            Box::pin(shared.detached(exchange.work(admitted))).await?
        }
        Ok(admitted) => exchange.work(admitted).await?,
        Err(stop) => {
            if !body.whole && !matches!(stop, Stop::Unread(_) | Stop::Close { .. }) {
                body.drain().await;
                exchange.note_body(&body);
            }
            let mut response = exchange.respond(Err(stop))?;
            if !body.whole {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            response
        }
    };
    response.body_mut().hand_over();
    Ok(response)
}

impl Exchange {
    /// Phase head.
    fn begin(
        shared: &Arc<Shared>,
        region: usize,
        peer: IpAddr,
        cell: Option<AttemptCell>,
        head: Head,
    ) -> Self {
        let attempt = cell.map_or_else(|| stranger(&head), |cell| read_cell(&cell));
        let settings = shared.switchboard.settings();
        let ids = shared.next_identifiers();
        let arrived = region;
        let (region, placement) = match head.bucket.as_str() {
            "" => (region, None),
            name => placed(shared, &settings, region, name, attempt, ids.request()),
        };
        let mut entry = Entry::begin(shared, attempt, region, head.op, ids.request());
        if !head.key.is_empty() {
            entry.record.key = match &placement {
                Some(placement) => placement.intern(&head.key, &*shared.sink),
                None => shared.sink.intern(&head.key),
            };
        }
        let wall = shared.clock.wall_seconds() + settings.skew_seconds;
        let shared = Arc::clone(shared);
        Self {
            shared,
            settings,
            arrived,
            region,
            peer,
            head,
            attempt,
            placement,
            caller: Caller::anonymous(),
            identity: None,
            wall,
            ids,
            entry,
            trickle: None,
            alteration: None,
        }
    }

    /// Phases handle and respond.
    async fn work(mut self, admitted: Admitted) -> Result<Response<Outgoing>, Severed> {
        let Admitted { route, body, fault, mut place } = admitted;
        let effect = match fault.pass().await {
            Ok(effect) => effect,
            Err(stop) => return self.respond(Err(stop)),
        };
        if let Some(place) = &mut place {
            place.served().await;
        }
        let outcome = self.affected(effect, route, &body);
        drop(place);
        self.take_time(&outcome, body.data.length()).await;
        let outcome = match self.fault(Point::Respond, body.data.length()).pass().await {
            Ok(Effect::Alter(alteration)) => {
                self.alteration = Some(alteration);
                outcome
            }
            Ok(_) => outcome,
            Err(stop) => Err(stop),
        };
        self.respond(outcome)
    }

    /// The latency of the region.
    async fn take_time(&self, outcome: &Result<Answer, Stop>, uploaded: u64) {
        let Some(latency) = self.shared.latencies[self.region] else { return };
        let status = match outcome {
            Ok(answer) => answer.status,
            Err(Stop::Error(error)) => error.status,
            Err(_) => return,
        };
        let (seed, id) = (self.shared.seed, self.ids.request());
        let first = latency.first_byte(self.head.op, status.as_u16(), uploaded, seed, self.attempt, id);
        tokio::time::sleep(first).await;
    }

    /// The operation, with what a fault makes of it.
    fn affected(&mut self, effect: Effect, route: &Route, body: &Received) -> Result<Answer, Stop> {
        match effect {
            Effect::None => self.handle(route, body),
            Effect::Alter(alteration) => {
                if alteration == Alteration::Range(RangeLie::Ignored) {
                    self.head.headers.remove(RANGE);
                }
                self.alteration = Some(alteration);
                self.handle(route, body)
            }
            Effect::Stale(age) => {
                let then = self.shared.clock.now().saturating_sub(nanos(age));
                let key = (!self.head.key.is_empty()).then_some(self.head.key.as_str());
                self.placement = self.placement.as_ref().map(|placement| placement.as_it_was(key, then));
                self.handle(route, body).map(Answer::by_fault)
            }
            Effect::Forget => {
                let Some(placement) = self.placement.clone() else { return self.handle(route, body) };
                let before = placement.memory_of(&self.head.key);
                let outcome = self.handle(route, body).map(Answer::by_fault);
                placement.recall(&self.head.key, before, self.shared.store.budget());
                self.entry.record.flags &= !UpstreamRecord::APPLIED;
                outcome
            }
            Effect::Trickle(trickle) => {
                let outcome = match &trickle.error {
                    Some(code) => Err(Stop::Error(self.injected(code))),
                    None => self.handle(route, body).map(Answer::by_fault),
                };
                // What fails at once is told by its status, as S3 does.
                if trickle.error.is_some() || outcome.is_ok() {
                    self.trickle = Some(trickle);
                }
                outcome
            }
        }
    }

    fn handle(&mut self, route: &Route, body: &Received) -> Result<Answer, Stop> {
        let call = Call {
            shared: &self.shared,
            head: &self.head,
            settings: &self.settings,
            body,
            region: self.region,
            placement: self.placement.as_ref(),
            access: self.access(),
            wall: self.wall,
        };
        let answer = route.run(&call)?;
        self.note_answer(body, &answer);
        self.entry.flag(UpstreamRecord::APPLIED, answer.applied);
        if let Some(caller) = &answer.caller {
            self.note_caller(Arc::clone(caller));
        }
        if let Some(decision) = answer.decision {
            self.entry.record.decision = decision;
        }
        Ok(answer)
    }

    fn note_body(&mut self, body: &RequestBody) {
        self.entry.record.body_bytes = saturated(body.received);
        self.entry.flag(UpstreamRecord::BODY_WHOLE, body.whole);
        self.entry.note(|notes| notes.received(body.received));
        if body.whole {
            self.entry.complete();
        }
        self.entry.flag(UpstreamRecord::ABANDONED, body.broken);
    }

    fn access(&self) -> Access<'_> {
        Access {
            settings: &self.settings,
            caller: &self.caller,
            placement: self.placement.as_deref(),
            bucket: &self.head.bucket,
            request: Circumstances {
                head: &self.head,
                peer: self.peer,
                wall: self.wall,
                region: self.region_name(),
                secure: self.shared.behind_tls[self.arrived],
                issued: self.caller.session.as_ref().map(|session| session.issued),
            },
            pool: &self.shared.pool,
        }
    }

    fn region_name(&self) -> &str {
        &self.shared.regions[self.region]
    }
}

/// The region that serves, and the bucket there.
fn placed(
    shared: &Shared,
    settings: &Settings,
    asked: usize,
    name: &str,
    attempt: AttemptContext,
    request_id: &str,
) -> (usize, Option<Arc<Placement>>) {
    let here = shared.store.find(asked, name);
    if let (Some(dials), Some(here)) = (&settings.dials, &here) {
        let region = dials.region(shared.seed, attempt, request_id);
        if let Some(there) = shared.store.in_place(region, &here.bucket.name) {
            return (region, Some(there));
        }
    }
    (asked, here)
}

/// A caller that is no link names its request itself.
fn stranger(head: &Head) -> AttemptContext {
    let named = head.headers.get(ID_HEADER).and_then(|value| RequestId::parse_header(value.as_bytes()));
    match named {
        Some((_, request)) => AttemptContext { request: request.pack(), ..AttemptContext::STRANGER },
        None => AttemptContext::STRANGER,
    }
}
