//! `fail-first`: the first tries fail, the next ones do not

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use gatecrash_model::{RequestId, hash};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Gate, Host, Order, S3Order, S3Reply, Terminal};
use crate::rules::{Facts, Point};

/// Keys or invocations remembered; beyond, all are forgotten and fail anew.
const REMEMBERED: usize = 1 << 20;

/// The first `n` tries for each request, key or SDK invocation are answered the S3 error `code`; from then on it
/// works.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FailFirst {
    /// Tries that fail, 1 to 255.
    #[schemars(range(min = 1))]
    pub n: u8,
    /// What is counted. Default: request.
    #[serde(default)]
    pub of: FirstOf,
    /// S3 error code. Default: InternalError.
    #[serde(default = "internal_error")]
    pub code: String,
}

/// What tries are counted for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FirstOf {
    /// A client request: its tries by the gateway.
    #[default]
    Request,
    /// An object key, whoever asks.
    Key,
    /// An invocation of an AWS SDK, by its `amz-sdk-invocation-id`; a request without one counts for itself.
    Invocation,
}

fn internal_error() -> String {
    "InternalError".to_owned()
}

impl Fault for FailFirst {
    const INFO: FaultInfo = FaultInfo {
        name: "fail-first",
        summary: "the first tries fail, the next ones do not",
        doc: "The first `n` tries for each request, key or SDK invocation (`of`) are answered the S3 error \
              `code`; from then on it works: what retries often enough never notices.",
        example: "fail-first: { n: 1, of: request, code: InternalError }",
        host: Host::Mock,
        points: &[Point::MockHandle],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        // Tries of a request are numbered by the links: nothing has to be remembered.
        match self.of == FirstOf::Request && facts.attempt.number > self.n {
            true => Order::Continue,
            false => Order::End(Terminal::S3(S3Order::Error(S3Reply::of(&self.code)))),
        }
    }

    fn problem(&self) -> Option<&'static str> {
        (self.n == 0).then_some("`n` of at least 1")
    }

    fn gate(&self) -> Option<Box<dyn Gate>> {
        match self.of {
            FirstOf::Request => None,
            of => Some(Box::new(Tries { n: self.n, of, seen: Mutex::default() })),
        }
    }
}

/// Tries seen so far, by what is counted.
#[derive(Debug)]
struct Tries {
    n: u8,
    of: FirstOf,
    seen: Mutex<HashMap<u64, u8>>,
}

impl Gate for Tries {
    fn opens(&self, facts: &Facts<'_>) -> bool {
        let Some(whose) = self.whose(facts) else { return true };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        let tries = seen.entry(whose).or_default();
        *tries = tries.saturating_add(1);
        *tries <= self.n
    }
}

impl Tries {
    /// None: a request that cannot be told from others is a first one.
    fn whose(&self, facts: &Facts<'_>) -> Option<u64> {
        match self.of {
            FirstOf::Key => Some(hash::combine(&[
                hash::bytes(facts.bucket.as_bytes()),
                hash::bytes(facts.key.as_bytes()),
            ])),
            FirstOf::Request | FirstOf::Invocation => {
                let id = facts.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case("amz-sdk-invocation-id"));
                let named = (facts.attempt.request != RequestId::NONE).then_some(facts.attempt.request);
                id.map(|(_, id)| hash::bytes(id.as_bytes())).or(named)
            }
        }
    }
}
