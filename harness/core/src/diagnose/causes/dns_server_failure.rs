//! `dns-server-failure`: SERVFAIL

use super::super::evidence::{self, Evidence};
use super::super::{Cause, NameReply, Observations};

pub(super) const CAUSE: Cause = Cause {
    name: "dns-server-failure",
    summary: "the name server cannot tell (SERVFAIL)",
    doc: "The resolver answers, and says that it failed: its own upstream does not answer, DNSSEC does \
          not validate, a delegation is lame. Gateways with a cache live on for as long as the last \
          answer is valid.",
    look_at: &[
        (
            "nginx",
            "`resolver ... valid=` and `resolver_timeout`: errors are not answered from old addresses",
        ),
        (
            "HAProxy",
            "`hold other`, `hold obsolete` in the resolvers section decide how long old addresses \
             serve",
        ),
        ("Envoy", "`dns_failure_refresh_rate`; hosts stay while a refresh fails"),
        ("AWS", "the resolver endpoint and its forwarding rules, Route 53 Resolver query logs"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    evidence::names(seen, "failed at the name server", |reply| *reply == NameReply::ServerFailure)
}
