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
    /// Whether the head leaves the body's length out and says `Connection: close`, so that only the end of the
    /// connection tells the end of the body; with an RST alone, for a FIN would be that end. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unframed: bool,
}

impl Fault for Truncate {
    const INFO: FaultInfo = FaultInfo {
        name: "truncate",
        summary: "cuts the response body",
        doc: "The head and `at` body bytes are sent, then the connection ends by FIN or RST: the client must \
              be able to see that the message is not whole. With `unframed` the head states no length and \
              the body ends with the connection: then an RST is all that tells a cut from an end (RFC 9112 \
              8), and a gateway that takes it for an end serves half an object as a whole one; HAProxy 2.6 \
              does. HTTP/2 has no such bodies: there it is a plain cut.",
        example: "truncate: { at: 1KiB, with: fin }",
        host: Host::Link,
        points: &[Point::ResponseHead],
    };

    const SIDES: &'static [Side] = &[Side::Upstream, Side::Client];

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        Order::End(match self.unframed && !facts.http2 {
            true => Terminal::CutUnframed(self.at.0),
            false => Terminal::CutBody(self.at.0, self.with),
        })
    }

    fn problem(&self) -> Option<&'static str> {
        (self.unframed && self.with == With::Fin).then_some("`with: rst`, where the body is `unframed`")
    }
}
