//! `stale-connections`: kept connections die

use super::super::evidence::Evidence;
use super::super::{Cause, Observations, Outcome, Sample};

pub(super) const CAUSE: Cause = Cause {
    name: "stale-connections",
    summary: "kept connections end before an answer, new ones do not",
    doc: "The other side closes idle or used connections and a request meets the end on its way. Safe \
          for reads that are tried again on a new connection; a POST shows it to the client as 502.",
    look_at: &[
        (
            "nginx",
            "`keepalive_timeout` and `keepalive_requests` of the upstream block below those of the \
             server",
        ),
        ("HAProxy", "`http-reuse safe`, `timeout http-keep-alive`, `pool-purge-delay`"),
        ("Envoy", "`idle_timeout` and `max_requests_per_connection` of the cluster"),
        ("AWS", "idle limits on the way: 350 s at NAT gateways and Network Load Balancers"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    let dropped = |s: &Sample| matches!(s.outcome, Outcome::Dropped { .. });
    let place = seen.view();
    let kept: Vec<_> = seen.reads(place).filter(|s| s.reused).collect();
    let fresh = seen.reads(place).filter(|s| !s.reused && dropped(s)).count();
    let met = kept.iter().filter(|s| dropped(s)).count();
    // Where new ones end like this too, it is no matter of age.
    if fresh * 10 > seen.reads(place).filter(|s| !s.reused).count() {
        return None;
    }
    Evidence::of(place, met, kept.len(), "reads on a kept connection ended before a byte came")
}
