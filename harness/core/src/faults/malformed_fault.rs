//! `malformed`: writes a response that HTTP forbids

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Terminal};
use crate::rules::{Facts, Point};
use super::malformed::Kind;

/// The upstream's answer is rewritten into one of the shapes of the wire catalogue, on the raw socket: status
/// lines, header syntax, framing and chunking that no HTTP library would emit.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Malformed {
    /// Which shape.
    pub kind: Kind,
}

impl Fault for Malformed {
    const INFO: FaultInfo = FaultInfo {
        name: "malformed",
        summary: "writes a response that HTTP forbids",
        doc: "The upstream's answer is rewritten into one of the shapes of the wire catalogue, on the raw \
              socket: status lines, header syntax, framing and chunking that no HTTP library would emit.",
        example: "malformed: { kind: cl-duplicate-differ }",
        host: Host::Link,
        points: &[Point::ResponseHead],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        // HTTP/2 has no form of these: they never fire there.
        if facts.http2 {
            return Order::Continue;
        }
        Order::End(Terminal::Rewrite(self.kind))
    }
}
