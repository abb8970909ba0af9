//! `wrong-checksum`: tells a checksum that is not the object's

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Alteration, Fault, FaultInfo, Host, Order, S3Order, Terminal};
use crate::rules::{Facts, Point};

/// Every `x-amz-checksum-*` header of the answer has one bit changed; the bytes are right.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WrongChecksum {}

impl Fault for WrongChecksum {
    const INFO: FaultInfo = FaultInfo {
        name: "wrong-checksum",
        summary: "tells a checksum that is not the object's",
        doc: "Every `x-amz-checksum-*` header of the answer has one bit changed; the bytes are right. SDKs \
              that validate responses have to refuse them. An answer without a checksum stays as it is.",
        example: "wrong-checksum: {}",
        host: Host::Mock,
        points: &[Point::MockRespond],
    };

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::End(Terminal::S3(S3Order::Alter(Alteration::Checksum)))
    }
}
