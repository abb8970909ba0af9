//! `dns-no-such-name`: NXDOMAIN

use super::super::evidence::{self, Evidence};
use super::super::{Cause, NameReply, Observations};

pub(super) const CAUSE: Cause = Cause {
    name: "dns-no-such-name",
    summary: "the name does not exist (NXDOMAIN)",
    doc: "The resolver says with authority that the name has no records: a typing error in the \
          endpoint, a private zone that is not associated with this network, a record that was \
          deleted. Gateways answer 502 or 503, or do not start.",
    look_at: &[
        ("nginx", "`proxy_pass` or `resolver`: a name without a variable is resolved at start only"),
        ("HAProxy", "`server ... resolvers`, `hold nx` in the resolvers section"),
        (
            "Envoy",
            "the cluster's `STRICT_DNS` or `LOGICAL_DNS` address; `membership_total` 0 means nothing \
             resolved",
        ),
        (
            "AWS",
            "the private hosted zone and private DNS names of the VPC endpoint; `enableDnsSupport` of \
             the VPC",
        ),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    evidence::names(seen, "were answered NXDOMAIN", |reply| *reply == NameReply::NoSuchName)
}
