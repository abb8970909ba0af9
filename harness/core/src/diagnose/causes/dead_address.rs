//! `dead-address`: some addresses of a name do not serve

use super::super::evidence::{self, Evidence};
use super::super::{Cause, Observations, Place};

pub(super) const CAUSE: Cause = Cause {
    name: "dead-address",
    summary: "some addresses of the name take no connection, others do",
    doc: "The name gives several addresses and at least one of them refuses or drops every connection: \
          an old record, or an endpoint that died and is still announced. Clients and gateways that \
          try the next address hide it at the price of a connect timeout; others fail for their share.",
    look_at: &[
        (
            "nginx",
            "`proxy_next_upstream error timeout`, `proxy_connect_timeout` (60 s), `resolver ... \
             valid=`",
        ),
        ("HAProxy", "`check` on every server, `retries`, `option redispatch`"),
        ("Envoy", "`outlier_detection` or `health_checks`, `connect_timeout`"),
        ("DNS", "the record set: which addresses are meant to be in it, and their TTL"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    [Place::Endpoint, Place::Gateway].into_iter().find_map(|place| {
        let dialled = evidence::dialled(seen, place, |_| true);
        if dialled.stood.is_empty() || dialled.failed.is_empty() {
            return None;
        }
        let what = "connections to its addresses failed";
        let found = Evidence::of(place, dialled.met, dialled.of, what)?;
        Some(found.with(format!(
            "never connected: {}; connected: {}",
            dialled.failed.join(", "),
            dialled.stood.join(", ")
        )))
    })
}
