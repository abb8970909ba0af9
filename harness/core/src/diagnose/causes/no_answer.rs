//! `no-answer`: silence after the request

use super::super::evidence::{self, Evidence};
use super::super::{Cause, Observations, Outcome, Place};

pub(super) const CAUSE: Cause = Cause {
    name: "no-answer",
    summary: "requests are taken and not answered",
    doc: "The connection stands, the request is read, and no whole head comes within the patience of \
          this probe: a hung process, a lost packet behind a stateful firewall, an MTU black hole. \
          Gateways answer 504 after their read timeout.",
    look_at: &[
        (
            "nginx",
            "`proxy_read_timeout` (60 s): error log `upstream timed out (110` while reading response \
             header",
        ),
        ("HAProxy", "`timeout server`: termination state `sH`"),
        ("Envoy", "route `timeout` (15 s): response flag `UT`"),
        ("API Gateway, CloudFront", "29 s integration timeout; 30 s response timeout"),
        ("the network", "path MTU: large answers vanish, small ones do not"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    if seen.view() == Place::Gateway {
        return None;
    }
    let found = evidence::reads(seen, "reads got no whole head", |s| matches!(s.outcome, Outcome::Silent { .. }))?;
    Some(found.with(format!("the probe waits {:.1} s", seen.patience / 1000.0)))
}
