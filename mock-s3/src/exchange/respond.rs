//! Phase respond: the answer as HTTP, and into the journal.

use gatecrash_model::UpstreamRecord;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, SERVER};
use http::{HeaderValue, Method, Response, StatusCode};

use super::{BUCKET_REGION, Exchange, Stop};
use crate::ops::{Answer, Content};
use crate::outgoing::Outgoing;
use crate::store::Data;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const HOST_ID: HeaderName = HeaderName::from_static("x-amz-id-2");

impl Exchange {
    /// Phase respond: the answer as HTTP, and into the journal.
    pub(super) fn respond(mut self, outcome: Result<Answer, Stop>) -> Response<Outgoing> {
        self.entry.note(|notes| notes.host_id(self.ids.host()));
        let mut answer = match outcome {
            Ok(answer) => answer,
            Err(Stop::Answer(answer)) => *answer,
            Err(Stop::Error(error)) => {
                self.entry.record.code = self.shared.sink.intern(&error.code);
                self.entry.note(|notes| notes.code(&error.code));
                self.entry.record.decision = error.decision.unwrap_or(self.entry.record.decision);
                let document = error.document(self.head.path(), self.ids.request(), self.ids.host());
                let mut answer = Answer::xml(document);
                answer.status = error.status;
                answer.faulted = error.faulted;
                answer.headers.extend(error.headers);
                answer
            }
        };
        self.entry.record.status = answer.status.as_u16();
        self.entry.flag(UpstreamRecord::FAULTED, answer.faulted);
        self.stamp(&mut answer);
        let content = if self.head.method == Method::HEAD { Content::None } else { answer.body };
        let mut response = Response::new(Outgoing::new(content, self.shared.pool_bytes.clone(), self.entry));
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        response
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
        // HEAD errors have no body, so their document has no length to tell.
        let is_error = answer.status.is_client_error() || answer.status.is_server_error();
        match answer.body.length() {
            Some(_) if self.head.method == Method::HEAD && is_error => drop(headers.remove(CONTENT_TYPE)),
            Some(length) => drop(headers.insert(CONTENT_LENGTH, length.into())),
            None => {}
        }
    }
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
