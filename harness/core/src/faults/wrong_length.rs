//! `wrong-length`: tells a size that is not the object's

use gatecrash_model::Op;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Alteration, Fault, FaultInfo, Host, Order, S3Order, Terminal};
use crate::rules::{Facts, Point};
use crate::units::Size;

/// HeadObject's Content-Length and the sizes in listings are `by` bytes too long.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WrongLength {
    /// Bytes too many. Default: 1B.
    #[serde(default = "one")]
    pub by: Size,
}

fn one() -> Size {
    Size(1)
}

impl Fault for WrongLength {
    const INFO: FaultInfo = FaultInfo {
        name: "wrong-length",
        summary: "tells a size that is not the object's",
        doc: "HeadObject's Content-Length and the sizes in ListObjects, ListObjectsV2 and \
              ListObjectVersions are `by` bytes too long: what plans ranges or quotas by metadata asks for \
              bytes that do not exist.",
        example: "wrong-length: { by: 1B }",
        host: Host::Mock,
        points: &[Point::MockRespond],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        match facts.op {
            Op::HeadObject | Op::ListObjects | Op::ListObjectsV2 | Op::ListObjectVersions => {
                Order::End(Terminal::S3(S3Order::Alter(Alteration::Length(self.by.0))))
            }
            _ => Order::Continue,
        }
    }
}
