//! `expire-token`: the session of an identity has ended

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, S3Order, S3Reply, Terminal};
use crate::rules::{Facts, Point};

/// What the identity signs is answered 400 ExpiredToken, as after the end of a session.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ExpireToken {
    /// Identity.
    pub identity: String,
}

impl Fault for ExpireToken {
    const INFO: FaultInfo = FaultInfo {
        name: "expire-token",
        summary: "the session of an identity has ended",
        doc: "What the identity signs is answered 400 ExpiredToken, as after the end of a session. A \
              gateway that signs has to fetch new credentials; one that does not passes the answer on.",
        example: "expire-token: { identity: app }",
        host: Host::Mock,
        points: &[Point::MockHandle],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        match facts.identity == self.identity {
            true => Order::End(Terminal::S3(S3Order::Error(S3Reply::of("ExpiredToken")))),
            false => Order::Continue,
        }
    }
}
