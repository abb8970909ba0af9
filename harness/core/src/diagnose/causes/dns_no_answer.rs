//! `dns-no-answer`: silence of the name server

use super::super::evidence::{self, Evidence};
use super::super::{Cause, NameReply, Observations};

pub(super) const CAUSE: Cause = Cause {
    name: "dns-no-answer",
    summary: "the name server does not answer",
    doc: "Questions get no answer in time. A security group or network ACL that lost its rule for UDP \
          and TCP port 53 looks like this, as does a resolver that is over its limit.",
    look_at: &[
        ("nginx", "`resolver` addresses and `resolver_timeout` (30 s)"),
        ("HAProxy", "`timeout resolve`, `timeout retry`, `resolve_retries`"),
        ("Envoy", "`typed_dns_resolver_config` and its query timeout"),
        (
            "AWS",
            "the limit of 1024 packets per second and interface to the VPC resolver; rules for port \
             53",
        ),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    evidence::names(seen, "got no answer", |reply| *reply == NameReply::Silence)
}
