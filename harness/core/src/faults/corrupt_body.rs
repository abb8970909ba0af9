//! `corrupt-body`: flips bits in the response body

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Corruption, Fault, FaultInfo, Host, Order, Terminal};
use crate::rules::{Facts, Point};
use crate::units::{Share, Size};

/// Body bytes with one bit flipped each; the length stays.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CorruptBody {
    /// Offset of the one wrong byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Size>,
    /// Share of wrong bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
}

impl Fault for CorruptBody {
    const INFO: FaultInfo = FaultInfo {
        name: "corrupt-body",
        summary: "flips bits in the response body",
        doc: "The answer keeps its head, length and framing, and body bytes have one bit flipped each: the \
              byte at `at`, or a `share` of all bytes, chosen by the seed (of a body shorter than `at` \
              none): bad memory or a bad disk behind a good checksum of TCP. No gateway is expected to \
              notice, so `body-exact` leaves these requests out; what is at stake is that the client's own \
              checksum can still tell, for which ETag and checksum headers must pass unchanged. Answers to \
              HEAD are left alone.",
        example: "corrupt-body: { at: 100B }",
        host: Host::Link,
        points: &[Point::ResponseHead],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, draw: u64) -> Order {
        let corruption = match (self.at, self.share) {
            _ if facts.method == "HEAD" => return Order::Continue,
            (Some(at), _) => Corruption::At { offset: at.0, draw },
            (None, share) => Corruption::Share { share: share.unwrap_or_default().0, draw },
        };
        Order::End(Terminal::Corrupt(corruption))
    }

    fn problem(&self) -> Option<&'static str> {
        (self.at.is_some() == self.share.is_some()).then_some("either `at` or `share`")
    }
}
