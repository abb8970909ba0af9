//! `100-never`: never sends 100 Continue

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order};
use crate::rules::{Facts, Point};

/// A request that expects a 100 gets none.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NeverContinue {
}

impl Fault for NeverContinue {
    const INFO: FaultInfo = FaultInfo {
        name: "100-never",
        summary: "never sends 100 Continue",
        doc: "A request with `Expect: 100-continue` gets no interim 100, although the upstream sends one; \
              everything else is relayed: an old HTTP/1.0 proxy in between that drops what it does not \
              know. Who waits must not wait for ever (RFC 9110 10.1.1): curl sends its body after a \
              second, SDKs after one to three. A gateway that passes the expectation on and waits without \
              a limit hangs with its client. Measured: HAProxy 2.6 and 2.8, Caddy 2.6 and 2.11, Traefik 3.7 and Squid \
              5.7 pass the expectation on and send the body in the end; Apache httpd 2.4 and Traffic Server 9.2 \
              fail it at their own timeout, 503 and 504; nginx 1.22, Varnish 7.1 and Envoy say 100 themselves, so \
              that it never happens behind them. Other requests are left alone.",
        example: "100-never: {}",
        host: Host::Link,
        points: &[Point::RequestHead],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        let expects = |(name, value): &(&str, &str)| {
            name.eq_ignore_ascii_case("expect") && value.trim().eq_ignore_ascii_case("100-continue")
        };
        if facts.headers.iter().any(expects) { Order::NoContinue } else { Order::Continue }
    }
}
