//! `early-close`: answers an upload at its head and closes

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Parting, Terminal, With};
use crate::rules::{Facts, Point};

/// An upload is answered at its head, its body is not read, and the connection ends.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EarlyClose {
    /// 400 to 599. Default: 503.
    #[serde(default = "unavailable")]
    #[schemars(range(min = 400, max = 599))]
    pub status: u16,
    /// How the connection ends. Default: fin.
    #[serde(default)]
    pub then: EarlyEnd,
}

/// How a connection ends after an early answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EarlyEnd {
    /// A FIN, then a patient close.
    #[default]
    Fin,
    /// An RST right behind the answer.
    Rst,
    /// A FIN one way, then everything is read.
    HalfClose,
    /// Not at all: the answer does not say `Connection: close`, the rest of the body is read and thrown away,
    /// and the next request may follow it.
    Keep,
}

fn unavailable() -> u16 {
    503
}

impl Fault for EarlyClose {
    const INFO: FaultInfo = FaultInfo {
        name: "early-close",
        summary: "answers an upload at its head and closes",
        doc: "A PUT or POST is answered `status` with `Connection: close` as soon as its head is there; \
              nothing goes to the upstream and the body is not read. Then the connection ends: by FIN (what \
              still comes is read for two seconds, so that no RST overtakes the answer), by an RST right \
              behind the answer, or half, by a FIN after which everything is read until the gateway leaves. \
              With `keep` it does not end: the answer says nothing of closing, and the server reads the rest \
              of the body before the next request, as RFC 9112 9.3 wants it; who sends another request \
              without having sent the rest is out of step with it from then on. Servers do it on refusal, \
              overload and size limits. A gateway in the middle of its upload has to look for the answer \
              before it reports a broken pipe (RFC 9112 9.5); nginx and HAProxy answer 502 or drop the \
              client when the RST is faster. The mock's `early-reply` is the same from the server itself, \
              with an S3 error document.",
        example: "early-close: { status: 503, then: rst }",
        host: Host::Link,
        points: &[Point::RequestHead],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        let then = match self.then {
            EarlyEnd::Fin => Parting::Close(With::Fin),
            EarlyEnd::Rst => Parting::Close(With::Rst),
            EarlyEnd::HalfClose => Parting::HalfClose,
            EarlyEnd::Keep => Parting::Keep,
        };
        match facts.method {
            // Of HTTP/1.1 alone: streams of HTTP/2 do not follow each other.
            "PUT" | "POST" if self.then == EarlyEnd::Keep && facts.http2 => Order::Continue,
            "PUT" | "POST" => Order::End(Terminal::Early(self.status, then)),
            _ => Order::Continue,
        }
    }

    fn problem(&self) -> Option<&'static str> {
        (!(400..=599).contains(&self.status)).then_some("a `status` of 400 to 599")
    }
}
