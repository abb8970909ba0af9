//! `truncate`: cuts the response body

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Terminal, With};
use crate::plan::Side;
use crate::rules::{Facts, Point};
use crate::units::Size;

/// The head and `at` body bytes are sent, then the connection ends by FIN or RST: the client must be able to
/// see that the message is not whole.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Truncate {
    /// Body bytes sent.
    pub at: Size,
    /// FIN or RST.
    #[serde(default = "super::fin")]
    pub with: With,
}

impl Fault for Truncate {
    const INFO: FaultInfo = FaultInfo {
        name: "truncate",
        summary: "cuts the response body",
        doc: "The head and `at` body bytes are sent, then the connection ends by FIN or RST: the client \
              must be able to see that the message is not whole.",
        example: "truncate: { at: 1KiB, with: fin }",
        host: Host::Link,
        points: &[Point::ResponseHead],
    };

    const SIDES: &'static [Side] = &[Side::Upstream, Side::Client];

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::End(Terminal::CutBody(self.at.0, self.with))
    }
}
