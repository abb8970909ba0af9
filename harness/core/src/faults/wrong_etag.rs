//! `wrong-etag`: tells an ETag that is not the object's

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Alteration, Fault, FaultInfo, Host, Order, S3Order, Terminal};
use crate::rules::{Facts, Point};

/// The ETag header of the answer has another first digit; the bytes are right.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WrongEtag {}

impl Fault for WrongEtag {
    const INFO: FaultInfo = FaultInfo {
        name: "wrong-etag",
        summary: "tells an ETag that is not the object's",
        doc: "The ETag header of the answer has another first digit; the bytes are right. Caches that \
              revalidate and clients that compare MD5 sums have to notice. An answer without an ETag stays \
              as it is.",
        example: "wrong-etag: {}",
        host: Host::Mock,
        points: &[Point::MockRespond],
    };

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::End(Terminal::S3(S3Order::Alter(Alteration::ETag)))
    }
}
