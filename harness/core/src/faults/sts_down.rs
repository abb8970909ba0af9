//! `sts-down`: nobody gets new credentials

use gatecrash_model::Op;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, S3Order, S3Reply, Terminal};
use crate::rules::{Facts, Point};

/// STS and IAM requests are answered 503 ServiceUnavailable; S3 itself works.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StsDown {}

impl Fault for StsDown {
    const INFO: FaultInfo = FaultInfo {
        name: "sts-down",
        summary: "nobody gets new credentials",
        doc: "STS and IAM requests are answered 503 ServiceUnavailable; S3 itself works: sessions end one \
              after the other, and with them what they sign.",
        example: "sts-down: {}",
        host: Host::Mock,
        points: &[Point::MockAuth],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        match facts.op {
            Op::QueryApi => Order::End(Terminal::S3(S3Order::Error(S3Reply::of("ServiceUnavailable")))),
            _ => Order::Continue,
        }
    }
}
