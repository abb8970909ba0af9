//! `never-read-body`: reads the head of an upload and nothing more

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Terminal};
use crate::rules::{Facts, Point};
use crate::units::Span;

/// The head of an upload is read, its body is not; no answer comes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NeverReadBody {
    /// How long nothing is read. Default: 30s.
    #[serde(rename = "for", default = "long")]
    pub lasting: Span,
}

fn long() -> Span {
    Span::seconds(30)
}

impl Fault for NeverReadBody {
    const INFO: FaultInfo = FaultInfo {
        name: "never-read-body",
        summary: "reads the head of an upload and nothing more",
        doc: "The head of a PUT or POST is read, then nothing: the receive window fills and closes, and \
              the gateway's writes block: a server that hangs before it reads. The connection stays open \
              and silent until the gateway leaves. A body that outgrows the window hides the gateway's FIN \
              behind it, so after `for` the rest is read and thrown away, still without an answer. The \
              gateway's send timeout must bound it (nginx `proxy_send_timeout`, HAProxy `timeout server`) \
              and the client is owed a 504.",
        example: "never-read-body: { for: 30s }",
        host: Host::Link,
        points: &[Point::RequestHead],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        match facts.method {
            "PUT" | "POST" => Order::End(Terminal::Deaf(self.lasting.0)),
            _ => Order::Continue,
        }
    }
}
