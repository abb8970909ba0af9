//! `endless-head`: writes a response head that never ends

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Terminal};
use crate::rules::{Facts, Point};

/// In place of the answer its head is begun and never ended, until the gateway leaves.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EndlessHead {
    /// What comes without end.
    pub of: Endless,
}

/// Parts of a response head that may come in any number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Endless {
    /// Interim responses: 103 Early Hints.
    Interim,
    /// Header lines of one response.
    Headers,
}

// === impl Endless ===

impl Endless {
    /// What comes first.
    pub fn beginning(self) -> &'static [u8] {
        match self {
            Self::Interim => b"",
            Self::Headers => b"HTTP/1.1 200 OK\r\n",
        }
    }

    /// What comes then, again and again.
    pub fn part(self) -> &'static [u8] {
        match self {
            Self::Interim => b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n",
            Self::Headers => b"X-Endless: gatecrash\r\n",
        }
    }

    /// How often every 10 ms.
    pub const PARTS: usize = 20;
}

impl Fault for EndlessHead {
    const INFO: FaultInfo = FaultInfo {
        name: "endless-head",
        summary: "writes a response head that never ends",
        doc: "In place of the answer come interim responses (103 Early Hints) or header lines, 20 every 10 \
              ms, until the gateway leaves. Each of them is legal, and none is the last. Limits on the gap \
              between two reads never strike; only a limit on the size of a head, on the number of interim \
              responses, or on the whole time does (RFC 9110 15.2 lets a client get any number of them; RFC \
              9112 3 and 9110 5.4 let it refuse what is too large). A gateway without one holds a \
              connection, a worker and ever more memory for each such answer. HTTP/2 is left alone.",
        example: "endless-head: { of: interim }",
        host: Host::Link,
        points: &[Point::ResponseHead],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        if facts.http2 {
            return Order::Continue;
        }
        Order::End(Terminal::EndlessHead(self.of))
    }
}
