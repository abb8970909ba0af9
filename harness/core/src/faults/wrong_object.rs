//! `wrong-object`: sends the bytes of another object

use gatecrash_model::Op;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Alteration, Fault, FaultInfo, Host, Order, S3Order, Terminal};
use crate::rules::{Facts, Point};

/// An answer to GetObject has a true head and as many bytes as it tells, all of them another object's.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WrongObject {}

impl Fault for WrongObject {
    const INFO: FaultInfo = FaultInfo {
        name: "wrong-object",
        summary: "sends the bytes of another object",
        doc: "An answer to GetObject has a true head and as many bytes as it tells, all of them another \
              object's: a storage node that mixes up two blocks. No gateway can know without a checksum; \
              `body-exact` and `no-mixup` do not blame it. An error and an empty object stay as they are.",
        example: "wrong-object: {}",
        host: Host::Mock,
        points: &[Point::MockRespond],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        match facts.op {
            Op::GetObject => Order::End(Terminal::S3(S3Order::Alter(Alteration::Object))),
            _ => Order::Continue,
        }
    }
}
