//! `stall`: sends part of the body, then nothing

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Terminal};
use crate::plan::Side;
use crate::rules::{Facts, Point};
use crate::units::Size;

/// The head and `after` body bytes are sent, then the connection stays open and silent: a hung storage node.
/// The gateway must time out and must not call the message complete.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Stall {
    /// Body bytes sent before the silence; 0 when absent.
    #[serde(default)]
    pub after: Size,
}

impl Fault for Stall {
    const INFO: FaultInfo = FaultInfo {
        name: "stall",
        summary: "sends part of the body, then nothing",
        doc: "The head and `after` body bytes are sent, then the connection stays open and silent: a hung \
              storage node. The gateway must time out and must not call the message complete.",
        example: "stall: { after: 4KiB }",
        host: Host::Link,
        points: &[Point::ResponseHead],
    };

    const SIDES: &'static [Side] = &[Side::Upstream, Side::Client];

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::End(Terminal::StallBody(self.after.0))
    }
}
