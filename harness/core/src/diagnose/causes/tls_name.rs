//! `tls-name`: a certificate of another name

use super::super::evidence::{self, Evidence};
use super::super::{Cause, Observations, Outcome, Place, Sample, TlsFailure};

pub(super) const CAUSE: Cause = Cause {
    name: "tls-name",
    summary: "the certificate is of another name",
    doc: "The chain is trusted and the name is not in it: a gateway that sends the wrong SNI or \
          expects the wrong name, a bucket name with dots under a wildcard certificate, the wrong \
          backend. CloudFront answers 502.",
    look_at: &[
        ("nginx", "`proxy_ssl_server_name on`, `proxy_ssl_name`; both default to nothing useful for S3"),
        ("HAProxy", "`server ... ssl verify required verifyhost NAME sni str(NAME)`"),
        ("Envoy", "`sni` and `match_typed_subject_alt_names` of the upstream TLS context"),
        (
            "AWS",
            "dots in the bucket name (use the path style); the certificate of the origin's name and \
             of the forwarded Host",
        ),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    [Place::Endpoint, Place::Gateway].into_iter().find_map(|place| {
        let why = |sample: &Sample| match &sample.outcome {
            Outcome::NotSecured(TlsFailure::Name(why)) => Some(why.clone()),
            _ => None,
        };
        let what = "reads found this in the handshake";
        let found = evidence::reads_at(seen, place, what, |sample| why(sample).is_some())?;
        Some(found.with_first(seen.reads(place).filter_map(why)))
    })
}
