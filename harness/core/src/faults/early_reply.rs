//! `early-reply`: answers before the body is read

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, S3Order, S3Reply, Terminal};
use crate::rules::{Facts, Point};

/// The mock answers the S3 error `code` as soon as it has read the head of an upload, reads none of the body,
/// and closes the connection.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EarlyReply {
    /// S3 error code. Default: SlowDown.
    #[serde(default = "slow_down")]
    pub code: String,
}

fn slow_down() -> String {
    "SlowDown".to_owned()
}

impl Fault for EarlyReply {
    const INFO: FaultInfo = FaultInfo {
        name: "early-reply",
        summary: "answers before the body is read",
        doc: "The mock answers the S3 error `code` as soon as it has read the head of an upload, reads none \
              of the body, and closes the connection: the sender may see a reset before it sees the answer. \
              PUT and POST only.",
        example: "early-reply: { code: SlowDown }",
        host: Host::Mock,
        points: &[Point::MockAuth],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        match facts.method {
            "PUT" | "POST" => Order::End(Terminal::S3(S3Order::Unread(S3Reply::of(&self.code)))),
            _ => Order::Continue,
        }
    }
}
