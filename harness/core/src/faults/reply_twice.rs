//! `reply-twice`: writes the same answer twice

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Terminal};
use crate::rules::{Facts, Point};

/// The whole answer, then the same bytes again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ReplyTwice {
}

impl Fault for ReplyTwice {
    const INFO: FaultInfo = FaultInfo {
        name: "reply-twice",
        summary: "writes the same answer twice",
        doc: "The answer is written whole, and then all its bytes, head and body, once more on the kept \
              connection: a server that handles one request twice, a proxy that replays its buffer. A \
              gateway that pools the connection without looking hands the second copy to whoever asks \
              next: one customer's object for another's request. Of an answer beyond 1 MiB the second copy \
              ends there, by FIN. The attempt that follows on the same connection counts as disturbed.",
        example: "reply-twice: {}",
        host: Host::Link,
        points: &[Point::ResponseHead],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        // Of HTTP/1.1 alone: HTTP/2 has no place for them.
        if facts.http2 {
            return Order::Continue;
        }
        Order::End(Terminal::Twice)
    }
}
