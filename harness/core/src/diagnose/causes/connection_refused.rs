//! `connection-refused`: an RST in answer to the SYN

use super::super::evidence::{self, Evidence};
use super::super::{Cause, DialFailure, Observations, Place};

pub(super) const CAUSE: Cause = Cause {
    name: "connection-refused",
    summary: "every address refuses connections",
    doc: "Nobody listens at the port, or a firewall rejects. The host is there, the service is not; or \
          the addresses are those of yesterday. nginx answers 502, HAProxy and Envoy 503.",
    look_at: &[
        (
            "nginx",
            "error log `connect() failed (111: Connection refused)`: address and port of `proxy_pass`",
        ),
        ("HAProxy", "termination state `SC`; address and port of `server`"),
        ("Envoy", "response flag `UF`, `upstream_cx_connect_fail`"),
        ("AWS", "rules that reject, the port of the endpoint, whether the addresses are current"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    let place = seen.view();
    let dialled = evidence::dialled(seen, place, |failure| *failure == DialFailure::Refused);
    if !dialled.stood.is_empty() || place == Place::Gateway {
        return None;
    }
    let found = Evidence::of(place, dialled.met, dialled.of, "connections were refused")?;
    Some(found.with(format!("refused by {}", dialled.failed.join(", "))))
}
