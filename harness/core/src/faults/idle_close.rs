//! `idle-close`: closes kept connections after a while

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Lapse, Order, Terminal, With};
use crate::rules::{Facts, Point};
use crate::units::Span;

/// A connection that was kept open is closed once it has been idle for `after`: what S3 and load
/// balancers do. A gateway that sends on it at that moment must not show it to the client.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct IdleClose {
    /// Idle time.
    pub after: Span,
    /// FIN or RST. Default: fin.
    #[serde(default = "super::fin")]
    pub with: With,
}

impl Fault for IdleClose {
    const INFO: FaultInfo = FaultInfo {
        name: "idle-close",
        summary: "closes kept connections after a while",
        doc: "A connection that was kept open is closed by FIN once it has been idle for `after`: what S3 \
              and load balancers do (by RST, with `with: rst`: an expired NAT entry). A gateway that sends on it at that moment must not show it to the \
              client.",
        example: "idle-close: { after: 200ms }",
        host: Host::Link,
        points: &[Point::Kept],
    };

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::End(Terminal::OnIdle(self.after.0, Lapse::Close(self.with)))
    }
}
