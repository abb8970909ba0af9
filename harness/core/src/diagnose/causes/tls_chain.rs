//! `tls-chain`: a chain nobody vouches for

use super::super::evidence::{self, Evidence};
use super::super::{Cause, Observations, Outcome, Place, Sample, TlsFailure};

pub(super) const CAUSE: Cause = Cause {
    name: "tls-chain",
    summary: "no trusted root vouches for the certificates presented",
    doc: "Self-signed, the intermediate missing, the wrong order, a private authority that this side \
          does not know, or somebody in between. Browsers repair a missing intermediate, gateways do \
          not.",
    look_at: &[
        (
            "nginx",
            "`proxy_ssl_trusted_certificate`; `ssl_certificate` wants leaf first, then the \
             intermediates",
        ),
        ("HAProxy", "`ca-file`; the `crt` file wants leaf, intermediates, key"),
        ("Envoy", "`validation_context.trusted_ca`"),
        ("this probe", "`--ca-file` for a private authority"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    [Place::Endpoint, Place::Gateway].into_iter().find_map(|place| {
        let why = |sample: &Sample| match &sample.outcome {
            Outcome::NotSecured(TlsFailure::Chain(why)) => Some(why.clone()),
            _ => None,
        };
        let what = "reads found this in the handshake";
        let found = evidence::reads_at(seen, place, what, |sample| why(sample).is_some())?;
        Some(found.with_first(seen.reads(place).filter_map(why)))
    })
}
