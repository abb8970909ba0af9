//! `redirect`: sends requests elsewhere

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, S3Order, Terminal};
use crate::rules::{Facts, Point};

/// The mock answers 307 TemporaryRedirect with a Location, or 301 PermanentRedirect without one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Redirect {
    /// 301 or 307. Default: 307.
    #[serde(default = "temporary")]
    #[schemars(extend("enum" = [301, 307]))]
    pub status: u16,
    /// The region it points to. Default: another one of the scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

fn temporary() -> u16 {
    307
}

impl Fault for Redirect {
    const INFO: FaultInfo = FaultInfo {
        name: "redirect",
        summary: "sends requests elsewhere",
        doc: "The mock answers 307 TemporaryRedirect with a Location, as it does for days after a bucket is \
              made, or 301 PermanentRedirect, which has no Location but the endpoint in its document and \
              the region in x-amz-bucket-region.",
        example: "redirect: { status: 307 }",
        host: Host::Mock,
        points: &[Point::MockHandle],
    };

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::End(Terminal::S3(S3Order::Redirect { status: self.status, to: self.to.clone() }))
    }

    fn problem(&self) -> Option<&'static str> {
        (!matches!(self.status, 301 | 307)).then_some("`status: 301` or `status: 307`")
    }
}
