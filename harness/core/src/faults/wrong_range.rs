//! `wrong-range`: tells a Content-Range that is not that of the bytes

use gatecrash_model::Op;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Alteration, Fault, FaultInfo, Host, Order, RangeLie, S3Order, Terminal};
use crate::rules::{Facts, Point};

/// A 206 answer to GetObject says of its bytes that they are others than they are.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WrongRange {
    /// What is wrong with it. Default: shifted.
    #[serde(default)]
    pub kind: RangeLie,
}

impl Fault for WrongRange {
    const INFO: FaultInfo = FaultInfo {
        name: "wrong-range",
        summary: "tells a Content-Range that is not that of the bytes",
        doc: "A 206 answer to GetObject says of its bytes that they are others than they are: both ends one \
              further on (`shifted`), the whole object one byte longer (`total`), or nothing at all \
              (`missing`). Whoever joins ranges has to notice. An answer that is no 206 stays as it is. With \
              `ignored` the range is not looked at, and the answer is a 200 with the whole object, as \
              RFC 9110 14.2 allows: who asked for a range has to be ready for it.",
        example: "wrong-range: { kind: shifted }",
        host: Host::Mock,
        points: &[Point::MockHandle, Point::MockRespond],
    };

    fn order(&self, point: Point, facts: &Facts<'_>, _: u64) -> Order {
        let at = if self.kind == RangeLie::Ignored { Point::MockHandle } else { Point::MockRespond };
        match facts.op {
            Op::GetObject if point == at => Order::End(Terminal::S3(S3Order::Alter(Alteration::Range(self.kind)))),
            _ => Order::Continue,
        }
    }
}
