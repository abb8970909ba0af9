//! `gateway-path`: the gateway's own way to S3

use super::super::evidence::{self, Evidence};
use super::super::rank::Strength;
use super::super::{BodyEnd, Cause, Observations, Outcome, Place, Sample};

pub(super) const CAUSE: Cause = Cause {
    name: "gateway-path",
    summary: "the gateway fails on its own way to S3",
    doc: "The gateway answers 502, 503 or 504 of its own making, or cuts answers, while direct \
          requests from this host are served: the wrong endpoint in its configuration, its security \
          group, route, resolver, trust store or timeouts, or an upstream it has given up. Run this \
          probe on the gateway's host.",
    look_at: &[
        (
            "nginx",
            "error log: `connect() failed`, `no live upstreams`, `could not be resolved`, \
             `SSL_do_handshake() failed`",
        ),
        ("HAProxy", "`show servers state`, termination states `SC`, `sC`, `NOSRV`"),
        ("Envoy", "response flags `UF`, `UH`, `NR`, `UO`; `/clusters` of the admin port"),
        (
            "AWS",
            "the security group and route of the gateway's subnet; for API Gateway its integration's \
             URI",
        ),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    // What keeps us from the gateway is no matter of its way to S3.
    let bad = |s: &Sample| match &s.outcome {
        Outcome::NoAddress | Outcome::NotConnected(_) | Outcome::NotSecured(_) => false,
        Outcome::Answered(answer) => answer.body != BodyEnd::Whole || evidence::is_gateway_error(s),
        _ => true,
    };
    let found = evidence::reads_at(seen, Place::Gateway, "reads failed in the gateway", bad)?;
    let answers = seen.reads(Place::Gateway).filter(|s| bad(s)).filter_map(Sample::answer);
    let found = found.with_first(answers.map(evidence::quote));
    Some(match seen.is_clean(Place::Endpoint) {
        true => found.only(Strength::Likely).with("every direct read was good"),
        false => found.only(Strength::Possible),
    })
}
