//! `lost-write`: the write is acknowledged and not done

use gatecrash_model::Op;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, S3Order, Terminal};
use crate::rules::{Facts, Point};

/// The answer is that of success, with the right ETag, and the key is as it was before: PutObject, CopyObject,
/// DeleteObject and CompleteMultipartUpload.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LostWrite {}

impl Fault for LostWrite {
    const INFO: FaultInfo = FaultInfo {
        name: "lost-write",
        summary: "the write is acknowledged and not done",
        doc: "The answer is that of success, with the right ETag, and the key is as it was before: \
              PutObject, CopyObject, DeleteObject and CompleteMultipartUpload. S3 does not do this; what \
              reads its own writes back, or verifies them, has to notice.",
        example: "lost-write: {}",
        host: Host::Mock,
        points: &[Point::MockHandle],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        match facts.op {
            Op::PutObject | Op::CopyObject | Op::DeleteObject | Op::CompleteMultipartUpload => {
                Order::End(Terminal::S3(S3Order::Forget))
            }
            _ => Order::Continue,
        }
    }
}
