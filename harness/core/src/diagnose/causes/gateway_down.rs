//! `gateway-down`: the gateway does not take requests

use super::super::evidence::Evidence;
use super::super::rank::Strength;
use super::super::{Cause, Observations, Outcome, Place, Sample};

pub(super) const CAUSE: Cause = Cause {
    name: "gateway-down",
    summary: "the gateway takes no connection, or answers nobody",
    doc: "Connections to the gateway are refused, get no answer, or stand without any request being \
          answered, while S3 is well or was not looked at: a process that died, was stopped, or hangs; \
          a security group in front of it.",
    look_at: &[
        (
            "the gateway",
            "whether the process runs (`systemctl status`), its last log lines, the kernel's out-of-memory \
             messages",
        ),
        ("the load balancer", "targets out of service, health checks"),
        ("the network", "security group of the gateway's port"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    let reads: Vec<_> = seen.reads(Place::Gateway).collect();
    let dead = |s: &Sample| {
        matches!(s.outcome, Outcome::NotConnected(_) | Outcome::Silent { .. } | Outcome::Dropped { .. })
    };
    let met = reads.iter().filter(|s| dead(s)).count();
    // A gateway that answers some is not down.
    if met < reads.len() {
        return None;
    }
    let found = Evidence::of(Place::Gateway, met, reads.len(), "reads got no answer at all")?;
    let how = reads.first().map(|s| s.outcome.words());
    let found = found.with_first(how.into_iter());
    let alone = !seen.has(Place::Endpoint) || seen.is_clean(Place::Endpoint);
    let connects = seen.dials.iter().any(|d| d.place == Place::Gateway && d.failure.is_none());
    Some(if alone || !connects { found } else { found.only(Strength::Possible) })
}
