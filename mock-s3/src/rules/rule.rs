//! One rule: what it concerns, how often it acts, what it does.

use std::time::Duration;

use gatecrash_model::Op;
use http::HeaderName;
use http::header::RETRY_AFTER;
use serde::{Deserialize, Serialize};

use crate::errors::known_code;
use crate::hook::{Action, Facts, Point};

const AMZ_RETRY_AFTER: HeaderName = HeaderName::from_static("x-amz-retry-after");

/// What fails, how often, and how. In JSON as on the admin port; durations are milliseconds there.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name in the journal; made up when empty.
    #[serde(default)]
    pub id: String,
    /// The operations; none: all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ops: Vec<Op>,
    /// The bucket, by the scenario's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// The whole key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The beginning of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The name of the identity that signed. Such a rule does not act at `auth`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Where in the exchange it acts.
    #[serde(default)]
    pub point: At,
    /// Matching requests that are left alone before it begins.
    #[serde(default)]
    pub skip: u64,
    /// Requests it acts on, then it is spent; none: no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Share of the matching requests it acts on, 0 to 1. Drawn from the seed and the number of the match.
    #[serde(default = "always")]
    pub probability: f64,
    /// How long the exchange waits first, ms.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub delay_ms: u64,
    /// S3 error code. Without one and without a status the request only waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Status; that of the code when absent. Without a code: a short HTML body, as a proxy would send it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Message; that of the code when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The connection ends without an answer. At `respond` what was written stays written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close: Option<Closing>,
    /// `Retry-After` of the answer, s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// `x-amz-retry-after` of the answer, which SDKs of AWS read, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amz_retry_after_ms: Option<u32>,
}

/// How a connection ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Closing {
    /// By FIN.
    Fin,
    /// By RST.
    Reset,
}

/// Where in an exchange a rule acts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum At {
    /// Before it is authenticated.
    Auth,
    /// Authenticated and authorised, the body has arrived, nothing is done.
    #[default]
    Handle,
    /// Done, and not answered: the effect stays.
    Respond,
}

/// Why a rule is not taken.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum RuleError {
    /// An error code without a status, and the mock does not know one.
    #[error("{0:?} is no error code the mock knows; give it a status")]
    UnknownCode(String),
    /// A status that is none.
    #[error("{0} is no HTTP status from 200 to 599")]
    Status(u16),
    /// A probability that is none.
    #[error("a probability is between 0 and 1, not {0}")]
    Probability(f64),
    /// A rule that would do nothing.
    #[error("a rule needs a code, a status, a close or a delay")]
    Nothing,
    /// A name used twice.
    #[error("there is a rule {0:?} already")]
    Twice(String),
}

// === impl Rule ===

impl Rule {
    /// Answers with an S3 error.
    pub fn error(code: &str) -> Self {
        Self { code: Some(code.to_owned()), ..Self::blank() }
    }

    /// Answers with a status and a short HTML body.
    pub fn status(status: u16) -> Self {
        Self { status: Some(status), ..Self::blank() }
    }

    /// Ends the connection without an answer.
    pub fn close(how: Closing) -> Self {
        Self { close: Some(how), ..Self::blank() }
    }

    /// Waits, then lets the request go on.
    pub fn delay(delay: Duration) -> Self {
        Self { delay_ms: delay.as_millis() as u64, ..Self::blank() }
    }

    /// Only this operation, and others so added.
    pub fn op(mut self, op: Op) -> Self {
        self.ops.push(op);
        self
    }

    /// Only this bucket.
    pub fn bucket(self, bucket: &str) -> Self {
        Self { bucket: Some(bucket.to_owned()), ..self }
    }

    /// Only this key.
    pub fn key(self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self }
    }

    /// Only keys that begin so.
    pub fn prefix(self, prefix: &str) -> Self {
        Self { prefix: Some(prefix.to_owned()), ..self }
    }

    /// Only requests this identity signed.
    pub fn identity(self, identity: &str) -> Self {
        Self { identity: Some(identity.to_owned()), ..self }
    }

    /// Only so many requests, from the first one on.
    pub fn first(self, count: u64) -> Self {
        Self { count: Some(count), ..self }
    }

    /// Only this share of the requests.
    pub fn probability(self, probability: f64) -> Self {
        Self { probability, ..self }
    }

    /// At another point of the exchange.
    pub fn at(self, point: At) -> Self {
        Self { point, ..self }
    }

    pub(super) fn blank() -> Self {
        Self {
            id: String::new(),
            ops: Vec::new(),
            bucket: None,
            key: None,
            prefix: None,
            identity: None,
            region: None,
            point: At::default(),
            skip: 0,
            count: None,
            probability: 1.0,
            delay_ms: 0,
            code: None,
            status: None,
            message: None,
            close: None,
            retry_after: None,
            amz_retry_after_ms: None,
        }
    }

    fn with_headers(&self, action: Action) -> Action {
        let standard = self.retry_after.map(|seconds| (RETRY_AFTER, seconds.into()));
        let own = self.amz_retry_after_ms.map(|ms| (AMZ_RETRY_AFTER, ms.into()));
        match standard.into_iter().chain(own).collect::<Vec<_>>() {
            none if none.is_empty() => action,
            headers => Action::Headers(headers, Box::new(action)),
        }
    }

    pub(super) fn matches(&self, point: Point, facts: &Facts<'_>) -> bool {
        let same = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|w| w == found);
        self.point.is(point)
            && (self.ops.is_empty() || self.ops.contains(&facts.op))
            && same(&self.bucket, facts.bucket)
            && same(&self.key, facts.key)
            && self.prefix.as_deref().is_none_or(|prefix| facts.key.starts_with(prefix))
            && same(&self.region, facts.region_name)
            && same(&self.identity, facts.identity.map_or("", |(_, name)| name))
    }

    /// What it does.
    pub(super) fn action(&self) -> Result<Action, RuleError> {
        if let Some(status) = self.status
            && !(200..=599).contains(&status)
        {
            return Err(RuleError::Status(status));
        }
        if !(0.0..=1.0).contains(&self.probability) {
            return Err(RuleError::Probability(self.probability));
        }
        let known = self.code.as_deref().map(known_code);
        let then = match (&self.code, self.status) {
            (Some(code), status) => {
                let (usual, message) = known.flatten().unwrap_or((0, ""));
                let status = match status {
                    Some(status) => status,
                    None if usual == 0 => return Err(RuleError::UnknownCode(code.clone())),
                    None => usual,
                };
                let message = self.message.clone().unwrap_or_else(|| message.to_owned());
                Some(Action::Error { status, code: code.clone().into(), message: message.into() })
            }
            (None, Some(status)) => Some(Action::Status(status)),
            (None, None) => self.close.map(|how| Action::Close { reset: how == Closing::Reset }),
        };
        let then = then.map(|then| self.with_headers(then));
        let delay = Duration::from_millis(self.delay_ms);
        match (then, delay.is_zero()) {
            (None, true) => Err(RuleError::Nothing),
            (None, false) => Ok(Action::Delay(delay)),
            (Some(then), true) => Ok(then),
            (Some(then), false) => Ok(Action::After(delay, Box::new(then))),
        }
    }
}

impl At {
    fn is(self, point: Point) -> bool {
        matches!(
            (self, point),
            (Self::Auth, Point::Auth) | (Self::Handle, Point::Handle) | (Self::Respond, Point::Respond)
        )
    }
}

fn always() -> f64 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
