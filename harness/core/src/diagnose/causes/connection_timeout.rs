//! `connection-timeout`: no answer to the SYN

use super::super::evidence::{self, Evidence};
use super::super::{Cause, DialFailure, Observations, Place};

pub(super) const CAUSE: Cause = Cause {
    name: "connection-timeout",
    summary: "connections get no answer (black hole)",
    doc: "No SYN is answered: a security group or network ACL that drops, a route that leads nowhere, \
          a host that is gone, a full accept queue. Each try costs the whole connect timeout. nginx \
          answers 504, HAProxy and Envoy 503.",
    look_at: &[
        ("nginx", "`proxy_connect_timeout` (60 s is too much), `proxy_next_upstream timeout`"),
        ("HAProxy", "`timeout connect`, `retries` (3): termination state `sC`"),
        ("Envoy", "`connect_timeout` (5 s), response flag `UF`"),
        (
            "AWS",
            "security group egress, network ACLs in both directions, the route table and the prefix \
             list of the gateway endpoint",
        ),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    let place = seen.view();
    let dialled = evidence::dialled(seen, place, |f| matches!(f, DialFailure::Unreachable(_)));
    if !dialled.stood.is_empty() || place == Place::Gateway {
        return None;
    }
    let found = Evidence::of(place, dialled.met, dialled.of, "connections got no answer")?;
    Some(found.with(format!("no answer from {}", dialled.failed.join(", "))))
}
