//! Phase respond: the answer as HTTP, and into the journal.

use bytes::Bytes;
use gatecrash_model::UpstreamRecord;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, ORIGIN, SERVER};
use http::{HeaderValue, Method, Response, StatusCode};
use quick_xml::escape::escape;

use super::alter::alter;
use super::{BUCKET_REGION, Exchange, Severed, Stop};
use crate::cors;
use crate::errors::S3Error;
use crate::ops::{Answer, Content};
use crate::outgoing::Outgoing;
use crate::slow::Slow;
use crate::store::Data;
use crate::xml::DECLARATION;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const HOST_ID: HeaderName = HeaderName::from_static("x-amz-id-2");

impl Exchange {
    /// Phase respond: the answer as HTTP, and into the journal.
    pub(super) fn respond(mut self, outcome: Result<Answer, Stop>) -> Result<Response<Outgoing>, Severed> {
        self.entry.note(|notes| notes.host_id(self.ids.host()));
        let mut answer = match outcome {
            Ok(answer) => answer,
            Err(Stop::Unread(stop)) => return self.respond(Err(*stop)),
            Err(Stop::Close { reset }) => {
                self.entry.flag(UpstreamRecord::FAULTED, true);
                self.entry.delivered();
                return Err(Severed { reset });
            }
            Err(Stop::Answer(answer)) => *answer,
            Err(Stop::Error(error)) => {
                self.entry.record.code = self.shared.sink.intern(&error.code);
                self.entry.note(|notes| notes.code(&error.code));
                self.describe_refusal(&error);
                self.entry.record.decision = error.decision.unwrap_or(self.entry.record.decision);
                let mut answer = match self.head.website {
                    true => page(&error, self.ids.request(), self.ids.host()),
                    false => {
                        Answer::xml(error.document(self.head.path(), self.ids.request(), self.ids.host()))
                    }
                };
                answer.status = error.status;
                answer.faulted = error.faulted;
                answer.headers.extend(error.headers);
                answer
            }
        };
        if self.trickle.is_some() {
            answer.status = StatusCode::OK;
        }
        self.entry.record.status = answer.status.as_u16();
        self.stamp(&mut answer);
        let is_head = self.head.method == Method::HEAD;
        if let Some(alteration) = self.alteration {
            let foreign = self.shared.pool.content(&self.head.bucket, "", u64::MAX);
            alter(&mut answer, alteration, is_head, foreign);
        }
        self.entry.flag(UpstreamRecord::FAULTED, answer.faulted);
        if self.trickle.is_some() {
            answer.headers.remove(CONTENT_LENGTH);
            answer.body = without_declaration(answer.body);
        }
        let content = if is_head { Content::None } else { answer.body };
        let body = Outgoing::new(content, self.shared.pool_bytes.clone(), self.entry);
        let mut response = Response::new(match (&self.trickle, self.shared.latencies[self.region]) {
            (Some(trickle), _) => body.slowed(Slow::trickle(trickle)),
            (None, Some(latency)) => body.slowed(Slow::rate(latency.rate())),
            (None, None) => body,
        });
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }

    /// The headers of every answer.
    fn stamp(&self, answer: &mut Answer) {
        let headers = &mut answer.headers;
        let [request, host] = self.ids.values();
        headers.insert(REQUEST_ID, request);
        headers.insert(HOST_ID, host);
        headers.insert(SERVER, HeaderValue::from_static("AmazonS3"));
        headers.insert(DATE, self.shared.http_date(self.wall));
        let on_bucket = self.placement.is_some() && self.head.key.is_empty();
        if on_bucket && let Ok(region) = HeaderValue::from_str(self.region_name()) {
            headers.entry(BUCKET_REGION).or_insert(region);
        }
        if self.head.headers.contains_key(ORIGIN)
            && let Some(cors) = self.placement.as_ref().and_then(|placement| placement.state().cors.clone())
        {
            cors::stamp(headers, &self.head, &cors);
        }
        // HEAD errors have no body, so their document has no length to tell.
        let is_error = answer.status.is_client_error() || answer.status.is_server_error();
        match answer.body.length() {
            Some(_) if self.head.method == Method::HEAD && is_error => drop(headers.remove(CONTENT_TYPE)),
            Some(length) => drop(headers.insert(CONTENT_LENGTH, length.into())),
            None => {}
        }
    }
}

/// A document that goes on after its XML declaration.
fn without_declaration(body: Content) -> Content {
    let Content::Data(data) = &body else { return body };
    // Documents are made here, so the pool is not asked.
    let document = data.to_bytes(&Bytes::new());
    match document.strip_prefix(DECLARATION.as_bytes()) {
        Some(rest) => Content::Data(Data::memory(document.slice_ref(rest))),
        None => body,
    }
}

/// An error as websites show it.
fn page(error: &S3Error, request_id: &str, host_id: &str) -> Answer {
    let title = format!("{} {}", error.status.as_u16(), error.status.canonical_reason().unwrap_or("Error"));
    let mut list = format!("<li>Code: {}</li>\n<li>Message: {}</li>\n", error.code, escape(&*error.message));
    for (name, value) in &error.extras {
        list.push_str(&format!("<li>{name}: {}</li>\n", escape(value.as_str())));
    }
    let text = format!(
        "<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<ul>\n{list}\
         <li>RequestId: {request_id}</li>\n<li>HostId: {host_id}</li>\n</ul>\n<hr/>\n</body>\n</html>\n"
    );
    Answer::new(error.status)
        .header(CONTENT_TYPE, "text/html; charset=utf-8")
        .body(Content::Data(Data::memory(text)))
}

/// A status with a body of length zero.
pub(super) fn bare(status: u16) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = Answer::new(status).body_empty();
    answer.faulted = true;
    answer
}

/// A status with a short HTML body.
pub(super) fn html(status: u16) -> Answer {
    let mut answer = bare(status);
    let reason = answer.status.canonical_reason().unwrap_or("Error");
    let text = format!("<html><body><h1>{} {reason}</h1></body></html>\n", answer.status.as_u16());
    answer.body = Content::Data(Data::memory(text));
    answer.header(CONTENT_TYPE, "text/html")
}
