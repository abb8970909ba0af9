//! `expire-token`: the session of an identity has ended

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, S3Order, S3Reply, Terminal};
use crate::rules::{Facts, Point};

/// What the identity signs is answered 400 ExpiredToken, as after the end of its session; without an identity, every
/// request that carries a session token.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ExpireToken {
    /// Identity. Default: whoever sends `x-amz-security-token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
}

impl Fault for ExpireToken {
    const INFO: FaultInfo = FaultInfo {
        name: "expire-token",
        summary: "the session of an identity has ended",
        doc: "What the identity signs is answered 400 ExpiredToken, as after the end of its session; without \
              an identity, every request that carries a session token. A gateway that signs has to fetch new \
              credentials; one that does not passes the answer on.",
        example: "expire-token: { identity: app }",
        host: Host::Mock,
        points: &[Point::MockHandle],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        let token = || facts.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("x-amz-security-token"));
        match self.identity.as_deref().map_or_else(token, |identity| identity == facts.identity) {
            true => Order::End(Terminal::S3(S3Order::Error(S3Reply::of("ExpiredToken")))),
            false => Order::Continue,
        }
    }
}
