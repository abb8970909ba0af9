//! One exchange, phase by phase: head, auth, place, policy, body, handle, respond.

mod admit;
mod describe;
mod respond;
mod services;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use gatecrash_model::context::read_cell;
use gatecrash_model::{AttemptCell, AttemptContext, ID_HEADER, RequestId, UpstreamRecord};
use http::header::{CONNECTION, HeaderName, RETRY_AFTER};
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;

use crate::access::{Access, Circumstances};
use crate::auth::Caller;
use crate::capacity::Place;
use crate::errors::S3Error;
use crate::hook::{Action, Facts, Point};
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
}

/// An end before the normal one.
enum Stop {
    Error(S3Error),
    /// A faulted answer that is no S3 error.
    Answer(Box<Answer>),
}

/// A request that may be handled.
struct Admitted {
    route: &'static Route,
    body: Received,
    /// The fault at [`Point::Handle`].
    fault: Fault,
    place: Option<Place>,
}

/// What the fault hook wants at a point.
#[derive(Default)]
struct Fault {
    delay: Duration,
    /// The answer instead of what would come.
    stop: Option<Stop>,
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
) -> Response<Outgoing> {
    let (parts, body) = request.into_parts();
    let mut body = RequestBody::new(body, &parts.headers, shared.idle_timeout);
    let head = Head::within(parts.method, parts.uri, parts.headers, &shared.domains);
    let mut exchange = Exchange::begin(&shared, region, peer, cell, head);
    exchange.describe(parts.version);
    exchange.note_body(&body);
    let mut response = match exchange.admit(&mut body).await {
        Ok(admitted) if admitted.place.is_some() || !admitted.fault.delay.is_zero() => {
            shared.detached(exchange.work(admitted)).await
        }
        Ok(admitted) => exchange.work(admitted).await,
        Err(stop) => {
            if !body.whole {
                body.drain().await;
                exchange.note_body(&body);
            }
            let mut response = exchange.respond(Err(stop));
            if !body.whole {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            response
        }
    };
    response.body_mut().hand_over();
    response
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
        let placement = match head.bucket.as_str() {
            "" => None,
            name => shared.store.find(region, name),
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
        }
    }

    /// Phases handle and respond.
    async fn work(mut self, admitted: Admitted) -> Response<Outgoing> {
        let Admitted { route, body, fault, mut place } = admitted;
        if let Err(stop) = fault.pass().await {
            return self.respond(Err(stop));
        }
        if let Some(place) = &mut place {
            place.served().await;
        }
        let outcome = self.handle(route, &body);
        drop(place);
        let fault = self.fault(Point::Respond, body.data.length());
        let outcome = fault.pass().await.and(outcome);
        self.respond(outcome)
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
        if let Some(decision) = answer.decision {
            self.entry.record.decision = decision;
        }
        Ok(answer)
    }

    /// Asks the fault hook: how long to wait, or what to answer.
    fn fault(&mut self, point: Point, body_len: u64) -> Fault {
        let bucket = self.placement.as_ref().map_or(self.head.bucket.as_str(), |p| &p.bucket.name);
        let facts = Facts {
            at: self.shared.clock.now(),
            attempt: self.attempt,
            op: self.head.op,
            method: &self.head.method,
            query: self.head.query(),
            bucket,
            key: &self.head.key,
            region: self.region,
            region_name: self.region_name(),
            identity: self.identity.map(|index| (index, self.settings.identities[index].name.as_str())),
            headers: &self.head.headers,
            body_len,
        };
        if let Some(ruling) = self.shared.rules.decide(point, &facts) {
            let rule = ruling.rule;
            self.entry.note(|notes| notes.fault(rule));
            return Fault::of(ruling.action).retry_after(ruling.retry_after);
        }
        Fault::of(self.shared.hook.decide(point, &facts))
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
                secure: false,
                issued: self.caller.session.as_ref().map(|session| session.issued),
            },
            pool: &self.shared.pool,
        }
    }

    fn region_name(&self) -> &str {
        &self.shared.regions[self.region]
    }
}

impl Fault {
    fn of(action: Action) -> Self {
        let stop = |stop| Self { delay: Duration::ZERO, stop: Some(stop) };
        match action {
            Action::Continue => Self::default(),
            Action::Delay(delay) => Self { delay, stop: None },
            Action::After(delay, action) => {
                let then = Self::of(*action);
                Self { delay: delay.saturating_add(then.delay), ..then }
            }
            Action::Error { status, code, message } => {
                stop(Stop::Error(S3Error::new(code, status, message).by_fault()))
            }
            Action::Status(status) => stop(Stop::Answer(Box::new(respond::html(status)))),
            Action::Empty(status) => stop(Stop::Answer(Box::new(respond::bare(status)))),
        }
    }

    /// An error that says when to come back: `Retry-After`.
    fn retry_after(mut self, seconds: Option<u32>) -> Self {
        if let (Some(seconds), Some(Stop::Error(error))) = (seconds, &mut self.stop) {
            error.headers.push((RETRY_AFTER, seconds.into()));
        }
        self
    }

    /// Waits, then goes on or stops.
    async fn pass(self) -> Result<(), Stop> {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        self.stop.map_or(Ok(()), Err)
    }
}

/// A caller that is no link names its request itself.
fn stranger(head: &Head) -> AttemptContext {
    let named = head.headers.get(ID_HEADER).and_then(|value| RequestId::parse_header(value.as_bytes()));
    match named {
        Some((_, request)) => AttemptContext { request: request.pack(), ..AttemptContext::STRANGER },
        None => AttemptContext::STRANGER,
    }
}
