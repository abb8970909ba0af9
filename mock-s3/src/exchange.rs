//! One exchange, phase by phase: head, auth, place, policy, body, handle, respond.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gatecrash_model::context::read_cell;
use gatecrash_model::{
    AttemptCell, AttemptContext, Decision, ID_HEADER, Op, RequestId, UpstreamRecord, hash,
};
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, LOCATION, SERVER};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;

use crate::access::Access;
use crate::auth::{Payload, Verifier, wrong_region};
use crate::capacity::Place;
use crate::chunked;
use crate::control::WrongRegionKind;
use crate::errors::S3Error;
use crate::hook::{Action, Facts, Point};
use crate::incoming::{RequestBody, check_upload_length};
use crate::journal::{Entry, saturated};
use crate::ops::{Answer, Call, Content, On, Route, route};
use crate::outgoing::Outgoing;
use crate::request::Head;
use crate::server::Shared;
use crate::settings::Settings;
use crate::store::Placement;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const HOST_ID: HeaderName = HeaderName::from_static("x-amz-id-2");
const BUCKET_REGION: HeaderName = HeaderName::from_static("x-amz-bucket-region");

/// Bodies of operations other than uploads: 1000 keys of 1024 bytes, each byte escaped.
const DOCUMENT_LIMIT: u64 = 8 << 20;

/// What one request is worked on with. Owns everything, so that work can outlive the connection.
pub(crate) struct Exchange {
    shared: Arc<Shared>,
    /// The state in force when it began.
    settings: Arc<Settings>,
    region: usize,
    head: Head,
    attempt: AttemptContext,
    placement: Option<Arc<Placement>>,
    identity: Option<usize>,
    /// The mock's wall clock at the beginning, skew included.
    wall: i64,
    request_id: String,
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
    body: Bytes,
    /// Of the fault at [`Point::Handle`].
    delay: Duration,
    place: Option<Place>,
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
    cell: Option<AttemptCell>,
    request: Request<Incoming>,
) -> Response<Outgoing> {
    let (parts, body) = request.into_parts();
    let mut body = RequestBody::new(body, &parts.headers);
    let head = Head::new(parts.method, parts.uri, parts.headers);
    let mut exchange = Exchange::begin(&shared, region, cell, head);
    match exchange.admit(&mut body).await {
        Ok(admitted) if admitted.place.is_some() || !admitted.delay.is_zero() => {
            shared.detached(exchange.work(admitted)).await
        }
        Ok(admitted) => exchange.work(admitted).await,
        Err(stop) => {
            let goes_on = body.drain().await;
            exchange.note_body(&body);
            let mut response = exchange.respond(Err(stop));
            if !goes_on {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            response
        }
    }
}

impl Exchange {
    /// Phase head.
    fn begin(shared: &Arc<Shared>, region: usize, cell: Option<AttemptCell>, head: Head) -> Self {
        let attempt = cell.map_or_else(|| stranger(&head), |cell| read_cell(&cell));
        let settings = shared.switchboard.settings();
        let request_id = shared.next_request_id();
        let placement = match head.bucket.as_str() {
            "" => None,
            name => shared.store.find(region, name),
        };
        let mut entry = Entry::begin(shared, attempt, region, head.op, &request_id);
        if !head.key.is_empty() {
            entry.record.key = match &placement {
                Some(placement) => placement.intern(&head.key, &*shared.sink),
                None => shared.sink.intern(&head.key),
            };
        }
        let wall = shared.clock.wall_seconds() + settings.skew_seconds;
        let shared = Arc::clone(shared);
        Self { shared, settings, region, head, attempt, placement, identity: None, wall, request_id, entry }
    }

    /// The phases up to the one that does something.
    async fn admit(&mut self, body: &mut RequestBody) -> Result<Admitted, Stop> {
        let delay = self.fault(Point::Auth, body.declared())?;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let payload = self.authenticate()?;
        let route = route(self.head.op).ok_or_else(|| self.not_done())?;
        self.locate(route)?;
        self.authorise(route)?;
        let body = self.receive(body, &payload).await?;
        let delay = self.fault(Point::Handle, body.len() as u64)?;
        let place = self.enter()?;
        Ok(Admitted { route, body, delay, place })
    }

    /// Phase auth.
    fn authenticate(&mut self) -> Result<Payload, S3Error> {
        if !self.head.legible {
            return Err(S3Error::of("InvalidURI").extra("URI", self.head.path()));
        }
        let verifier = Verifier {
            settings: &self.settings,
            keys: &self.shared.keys,
            region: self.region_name(),
            wall: self.wall,
        };
        let signed = verifier.authenticate(&self.head)?;
        self.identity = signed.identity;
        self.entry.record.identity = signed.identity.map_or(0, |index| index as u8 + 1);
        Ok(signed.payload)
    }

    /// Phase place: is the bucket here?
    fn locate(&self, route: &Route) -> Result<(), S3Error> {
        if !matches!(route.on, On::Bucket | On::Object) {
            return Ok(());
        }
        let name = self.head.bucket.as_str();
        if let Some(placement) = &self.placement {
            return match self.misplaced(placement) {
                Some((kind, to)) => Err(self.redirect(kind, &to).by_fault()),
                None => Ok(()),
            };
        }
        match self.shared.store.elsewhere(self.region, name) {
            Some(other) => Err(self.redirect(WrongRegionKind::Redirect, &self.shared.regions[other])),
            None => Err(S3Error::of("NoSuchBucket").extra("BucketName", name)),
        }
    }

    /// The wrong-region change that concerns this request: the latest wins.
    fn misplaced(&self, placement: &Placement) -> Option<(WrongRegionKind, String)> {
        let concerns = self.settings.wrong_regions.iter().rev().find(|wrong| {
            wrong.bucket.as_deref().is_none_or(|bucket| *bucket == *placement.bucket.name)
                && wrong.region.as_deref().is_none_or(|region| region == self.region_name())
                && wrong.op.is_none_or(|op| op == self.head.op)
        })?;
        Some((concerns.kind, concerns.points_to.clone()))
    }

    fn redirect(&self, kind: WrongRegionKind, to: &str) -> S3Error {
        let endpoint = format!("s3.{to}.amazonaws.com");
        let error = match kind {
            WrongRegionKind::Malformed if self.identity.is_some() => wrong_region(self.region_name(), to),
            WrongRegionKind::Temporary => S3Error::of("TemporaryRedirect")
                .extra("Endpoint", &*endpoint)
                .extra("Bucket", &*self.head.bucket)
                .header(LOCATION, &format!("http://{endpoint}{}", self.head.uri)),
            _ => S3Error::of("PermanentRedirect")
                .extra("Endpoint", &*endpoint)
                .extra("Bucket", &*self.head.bucket),
        };
        error.header(BUCKET_REGION, to)
    }

    /// Phase policy.
    fn authorise(&mut self, route: &Route) -> Result<(), S3Error> {
        let Some(action) = route.action else { return Ok(()) };
        let access = self.access();
        let evaluation = access.evaluate(action, &self.head.key);
        if !evaluation.is_allowed() {
            return Err(access.denial(&evaluation));
        }
        self.entry.record.decision = Decision::Allowed;
        Ok(())
    }

    /// The body, checked against what the head said of it.
    async fn receive(&mut self, body: &mut RequestBody, payload: &Payload) -> Result<Bytes, S3Error> {
        let upload = self.head.op == Op::PutObject;
        if upload {
            check_upload_length(&self.head.headers)?;
        }
        let limit = if upload { self.shared.upload_capacity } else { DOCUMENT_LIMIT };
        let received = body.read(limit).await;
        self.note_body(body);
        let received = received?;
        let content = match payload {
            Payload::Chunked => chunked::decode(&received, &self.head.headers)?,
            _ => received,
        };
        payload.check(&content)?;
        chunked::check_headers(&self.head.headers, &content)?;
        if !content.is_empty() {
            self.entry.record.body_hash = hash::bytes(&content);
        }
        self.entry.record.body_bytes = saturated(content.len() as u64);
        Ok(content)
    }

    /// A place among the region's servers, where capacity is finite.
    fn enter(&self) -> Result<Option<Place>, S3Error> {
        let Some(station) = self.settings.stations.get(&self.region) else { return Ok(None) };
        station.enter().map(Some).ok_or_else(|| S3Error::of("SlowDown").by_fault())
    }

    /// Phases handle and respond.
    async fn work(mut self, admitted: Admitted) -> Response<Outgoing> {
        let Admitted { route, body, delay, mut place } = admitted;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if let Some(place) = &mut place {
            place.served().await;
        }
        let outcome = self.handle(route, &body);
        drop(place);
        let outcome = match self.fault(Point::Respond, body.len() as u64) {
            Ok(delay) if delay.is_zero() => outcome,
            Ok(delay) => {
                tokio::time::sleep(delay).await;
                outcome
            }
            Err(stop) => Err(stop),
        };
        self.respond(outcome)
    }

    fn handle(&mut self, route: &Route, body: &Bytes) -> Result<Answer, Stop> {
        let call = Call {
            shared: &self.shared,
            head: &self.head,
            body,
            body_hash: if body.is_empty() { hash::bytes(b"") } else { self.entry.record.body_hash },
            region: self.region,
            placement: self.placement.as_ref(),
            access: self.access(),
            wall: self.wall,
        };
        let answer = route.run(&call)?;
        self.entry.flag(UpstreamRecord::APPLIED, answer.applied);
        if let Some(decision) = answer.decision {
            self.entry.record.decision = decision;
        }
        Ok(answer)
    }

    /// Phase respond: the answer as HTTP, and into the journal.
    fn respond(mut self, outcome: Result<Answer, Stop>) -> Response<Outgoing> {
        let host_id = self.shared.host_id(&self.request_id);
        let mut answer = match outcome {
            Ok(answer) => answer,
            Err(Stop::Answer(answer)) => *answer,
            Err(Stop::Error(error)) => {
                self.entry.record.code = self.shared.sink.intern(&error.code);
                self.entry.record.decision = error.decision.unwrap_or(self.entry.record.decision);
                let document = error.document(self.head.path(), &self.request_id, &host_id);
                let mut answer = Answer::xml(document);
                answer.status = error.status;
                answer.faulted = error.faulted;
                answer.headers.extend(error.headers);
                answer
            }
        };
        self.entry.record.status = answer.status.as_u16();
        self.entry.flag(UpstreamRecord::FAULTED, answer.faulted);
        self.stamp(&mut answer, &host_id);
        let content = if self.head.method == Method::HEAD { Content::None } else { answer.body };
        let mut response = Response::new(Outgoing::new(content, self.shared.pool_bytes.clone(), self.entry));
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        response
    }

    /// The headers of every answer.
    fn stamp(&self, answer: &mut Answer, host_id: &str) {
        let headers = &mut answer.headers;
        let mut set = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        set(REQUEST_ID, &self.request_id);
        set(HOST_ID, host_id);
        headers.insert(SERVER, HeaderValue::from_static("AmazonS3"));
        headers.insert(DATE, self.shared.http_date(self.wall));
        let on_bucket = self.placement.is_some() && self.head.key.is_empty();
        if on_bucket && let Ok(region) = HeaderValue::from_str(self.region_name()) {
            headers.entry(BUCKET_REGION).or_insert(region);
        }
        // HEAD errors have no body, so their document has no length to tell.
        let is_error = answer.status.is_client_error() || answer.status.is_server_error();
        match answer.body.length() {
            Some(_) if self.head.method == Method::HEAD && is_error => drop(headers.remove(CONTENT_TYPE)),
            Some(length) => drop(headers.insert(CONTENT_LENGTH, length.into())),
            None => {}
        }
    }

    /// Asks the fault hook: how long to wait, or what to answer.
    fn fault(&self, point: Point, body_len: u64) -> Result<Duration, Stop> {
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
        match self.shared.hook.decide(point, &facts) {
            Action::Continue => Ok(Duration::ZERO),
            Action::Delay(delay) => Ok(delay),
            Action::Error { status, code, message } => {
                Err(Stop::Error(S3Error::new(code, status, message).by_fault()))
            }
            Action::Status(status) => Err(Stop::Answer(Box::new(html(status)))),
            Action::Empty(status) => Err(Stop::Answer(Box::new(bare(status)))),
        }
    }

    fn not_done(&self) -> S3Error {
        let known = [Method::GET, Method::HEAD, Method::PUT, Method::POST, Method::DELETE];
        match known.contains(&self.head.method) && self.head.path() != "/" {
            true => S3Error::of("NotImplemented").message("the mock does not do this operation yet"),
            false => S3Error::of("MethodNotAllowed").extra("Method", self.head.method.as_str()),
        }
    }

    fn note_body(&mut self, body: &RequestBody) {
        self.entry.record.body_bytes = saturated(body.received);
        self.entry.flag(UpstreamRecord::BODY_WHOLE, body.whole);
        self.entry.flag(UpstreamRecord::ABANDONED, body.broken);
    }

    fn access(&self) -> Access<'_> {
        Access {
            settings: &self.settings,
            identity: self.identity,
            placement: self.placement.as_deref(),
            bucket: &self.head.bucket,
        }
    }

    fn region_name(&self) -> &str {
        &self.shared.regions[self.region]
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

fn bare(status: u16) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = Answer::new(status).body_empty();
    answer.faulted = true;
    answer
}

fn html(status: u16) -> Answer {
    let mut answer = bare(status);
    let reason = answer.status.canonical_reason().unwrap_or("Error");
    let text = format!("<html><body><h1>{} {reason}</h1></body></html>\n", answer.status.as_u16());
    answer.body = Content::Memory(text.into());
    answer.header(CONTENT_TYPE, "text/html")
}
