//! `close-header-ignored`: says that it closes, and does not

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Parting, Terminal};
use crate::rules::{Facts, Point};

/// The answer says `Connection: close`, and the connection stays open.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CloseHeaderIgnored {
}

impl Fault for CloseHeaderIgnored {
    const INFO: FaultInfo = FaultInfo {
        name: "close-header-ignored",
        summary: "says that it closes, and does not",
        doc: "The answer says `Connection: close` (in place of what its `Connection` header said), and \
              then the connection stays open: a server whose close waits for a lingering child process, a \
              middlebox that swallows the FIN. The gateway has to close by itself, and must not send \
              another request on it (RFC 9112 9.6); if it does, it is answered. A body that only the end \
              of the connection delimits still ends by FIN.",
        example: "close-header-ignored: {}",
        host: Host::Link,
        points: &[Point::ResponseHead],
    };

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::End(Terminal::Part { announce: true, then: Parting::Keep })
    }
}
