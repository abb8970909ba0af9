//! `applied-but-lost`: the write happens, its answer does not arrive

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, S3Order, S3Reply, Terminal, With};
use crate::rules::{Facts, Point};

/// The operation is carried out and stays; instead of its answer the connection ends, or 500 InternalError
/// comes. Writes only.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AppliedButLost {
    /// What comes instead of the answer. Default: rst.
    #[serde(default)]
    pub reply: LostReply,
}

/// What comes instead of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LostReply {
    /// A reset connection.
    #[default]
    Rst,
    /// A closed connection.
    Fin,
    /// 500 InternalError, of which AWS says: the operation may or may not have been carried out.
    InternalError,
}

impl Fault for AppliedButLost {
    const INFO: FaultInfo = FaultInfo {
        name: "applied-but-lost",
        summary: "the write happens, its answer does not arrive",
        doc: "The operation is carried out and stays; instead of its answer the connection ends (`reply: \
              rst` or `fin`), or 500 comes (`internal-error`). Writes only. Whoever repeats it writes \
              twice.",
        example: "applied-but-lost: { reply: rst }",
        host: Host::Mock,
        points: &[Point::MockRespond],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        if !facts.op.is_write() {
            return Order::Continue;
        }
        Order::End(Terminal::S3(match self.reply {
            LostReply::Rst => S3Order::Drop(With::Rst),
            LostReply::Fin => S3Order::Drop(With::Fin),
            LostReply::InternalError => S3Order::Error(S3Reply::of("InternalError")),
        }))
    }
}
