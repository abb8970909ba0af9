//! What the fault hook wants of an exchange, and how it is carried out.

use std::time::Duration;

use http::header::{AUTHORIZATION, HOST, RANGE};
use http::{HeaderName, HeaderValue};

use super::{Exchange, Stop, respond};
use crate::errors::{S3Error, known_code};
use crate::hook::{Action, Alteration, Facts, Point, Trickle};
use crate::query_api::{self, QueryError, Service};
use crate::time::document_date;

/// What the fault hook wants at a point.
#[derive(Default)]
pub(super) struct Fault {
    pub(super) delay: Duration,
    /// The answer instead of what would come.
    pub(super) stop: Option<Stop>,
    /// What happens besides.
    pub(super) effect: Effect,
}

/// What is done to an exchange that goes on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) enum Effect {
    #[default]
    None,
    /// The store is afterwards as it was before.
    Forget,
    /// Reads see what there was so long ago.
    Stale(Duration),
    Trickle(Trickle),
    Alter(Alteration),
}

impl Exchange {
    /// Asks the mock's own rules, then the fault hook.
    pub(super) fn fault(&mut self, point: Point, body_len: u64) -> Fault {
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
        let Some(ruling) = self.shared.rules.decide(point, &facts) else {
            return self.carried_out(self.shared.hook.decide(point, &facts));
        };
        self.entry.note(|notes| notes.fault(ruling.rule));
        self.carried_out(ruling.action)
    }

    fn carried_out(&self, action: Action) -> Fault {
        let stop = |stop| Fault { stop: Some(stop), ..Fault::default() };
        let effect = |effect| Fault { effect, ..Fault::default() };
        match action {
            Action::Continue => Fault::default(),
            Action::Delay(delay) => Fault { delay, ..Fault::default() },
            Action::After(delay, action) => {
                let then = self.carried_out(*action);
                Fault { delay: delay.saturating_add(then.delay), ..then }
            }
            Action::Headers(headers, action) => {
                let mut fault = self.carried_out(*action);
                if let Some(stop) = &mut fault.stop {
                    stop.add(headers);
                }
                fault
            }
            Action::Error { status, code, message } if query_api::concerns(&self.head) => {
                // STS and IAM have an error document of their own.
                let error = QueryError::new(status, &code, message);
                stop(Stop::Answer(Box::new(error.answer(Service::Sts, self.ids.request()).by_fault())))
            }
            Action::Error { status, code, message } => {
                stop(Stop::Error(self.with_details(S3Error::new(code, status, message).by_fault())))
            }
            Action::Status(status) => stop(Stop::Answer(Box::new(respond::html(status)))),
            Action::Empty(status) => stop(Stop::Answer(Box::new(respond::bare(status)))),
            Action::Redirect { kind, to } => stop(Stop::Error(self.redirect(kind, &to).by_fault())),
            Action::Close { reset } => stop(Stop::Close { reset }),
            Action::Unread(action) => {
                let fault = self.carried_out(*action);
                let stop = fault.stop.map(|stop| Stop::Unread(Box::new(stop)));
                Fault { stop, ..fault }
            }
            Action::Forget => effect(Effect::Forget),
            Action::Stale(age) => effect(Effect::Stale(age)),
            Action::Trickle(trickle) => effect(Effect::Trickle(trickle)),
            Action::Alter(alteration) => effect(Effect::Alter(alteration)),
        }
    }

    /// An error by its code alone, with what S3 tells of the request.
    pub(super) fn injected(&self, code: &str) -> S3Error {
        let (status, message) = known_code(code).unwrap_or((400, "Injected by the scenario."));
        self.with_details(S3Error::new(code.to_owned().into(), status, message.into()).by_fault())
    }

    /// The elements S3 adds to the document of a code (S3 API reference, "Error responses"; the names as seen on
    /// the wire).
    fn with_details(&self, error: S3Error) -> S3Error {
        let head = &self.head;
        let query = |name: &str| head.query_value(name).unwrap_or_default();
        let header = |name: &HeaderName| head.header(name).unwrap_or_default().to_owned();
        let amz = |name: &'static str| header(&HeaderName::from_static(name));
        match &*error.code {
            "NoSuchKey" => error.extra("Key", &*head.key),
            "NoSuchVersion" => error.extra("Key", &*head.key).extra("VersionId", query("versionId")),
            "NoSuchUpload" => error.extra("UploadId", query("uploadId")),
            "NoSuchBucket" | "NoSuchBucketPolicy" | "BucketAlreadyExists" | "BucketNotEmpty" => {
                error.extra("BucketName", &*head.bucket)
            }
            "InvalidAccessKeyId" => error.extra("AWSAccessKeyId", self.access_key()),
            "SignatureDoesNotMatch" => error
                .extra("AWSAccessKeyId", self.access_key())
                .extra("SignatureProvided", after(&header(&AUTHORIZATION), "Signature=", ',')),
            "RequestTimeTooSkewed" => error
                .extra("RequestTime", amz("x-amz-date"))
                .extra("ServerTime", document_date(self.wall))
                .extra("MaxAllowedSkewMilliseconds", "900000"),
            "ExpiredToken" | "InvalidToken" => error.extra("Token-0", amz("x-amz-security-token")),
            "AuthorizationHeaderMalformed" => error.extra("Region", self.region_name()),
            "MethodNotAllowed" => error
                .extra("Method", head.method.as_str())
                .extra("ResourceType", if head.key.is_empty() { "BUCKET" } else { "OBJECT" }),
            "PreconditionFailed" => error.extra("Condition", "If-Match"),
            "InvalidRange" => error.extra("RangeRequested", header(&RANGE)).extra("ActualObjectSize", "0"),
            "PermanentRedirect" | "TemporaryRedirect" => {
                error.extra("Endpoint", header(&HOST)).extra("Bucket", &*head.bucket)
            }
            "InvalidObjectState" => error.extra("StorageClass", "GLACIER"),
            _ => error,
        }
    }

    /// The access key the request names, as far as it names one.
    fn access_key(&self) -> String {
        let header = self.head.header(&AUTHORIZATION).unwrap_or_default();
        match after(header, "Credential=", '/') {
            found if found.is_empty() => {
                let credential = self.head.query_value("X-Amz-Credential").unwrap_or_default();
                credential.split('/').next().unwrap_or_default().to_owned()
            }
            found => found,
        }
    }
}

/// The part of a text between a mark and the next `end`, or the rest.
fn after(text: &str, mark: &str, end: char) -> String {
    let rest = text.split_once(mark).map_or("", |(_, rest)| rest);
    rest.split(end).next().unwrap_or_default().to_owned()
}

impl Fault {
    /// Waits, then goes on or stops.
    pub(super) async fn pass(self) -> Result<Effect, Stop> {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        self.stop.map_or(Ok(self.effect), Err)
    }
}

impl Stop {
    fn add(&mut self, headers: Vec<(HeaderName, HeaderValue)>) {
        match self {
            Self::Error(error) => error.headers.extend(headers),
            Self::Answer(answer) => answer.headers.extend(headers),
            Self::Unread(stop) => stop.add(headers),
            Self::Close { .. } => {}
        }
    }
}
