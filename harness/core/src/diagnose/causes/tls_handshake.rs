//! `tls-handshake`: a handshake that fails

use super::super::evidence::{self, Evidence};
use super::super::{Cause, Observations, Outcome, Place, Sample, TlsFailure};

pub(super) const CAUSE: Cause = Cause {
    name: "tls-handshake",
    summary: "the TLS handshake fails",
    doc: "Before any certificate is judged: no common version or cipher, an alert, plain HTTP at the \
          port, silence, a reset. A client certificate that is asked for and not given ends here, too.",
    look_at: &[
        ("nginx", "`proxy_ssl_protocols`, `proxy_ssl_ciphers`, `proxy_ssl_certificate` for mutual TLS"),
        ("HAProxy", "`ssl-min-ver`, `ciphers`, `crt` on the server line"),
        ("Envoy", "`tls_params`, `upstream_cx_connect_fail` with `ssl.connection_error`"),
        ("the endpoint", "whether the port speaks TLS at all; S3 wants TLS 1.2 or newer"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    [Place::Endpoint, Place::Gateway].into_iter().find_map(|place| {
        let why = |sample: &Sample| match &sample.outcome {
            Outcome::NotSecured(TlsFailure::Handshake(why)) => Some(why.clone()),
            _ => None,
        };
        let what = "reads found this in the handshake";
        let found = evidence::reads_at(seen, place, what, |sample| why(sample).is_some())?;
        Some(found.with_first(seen.reads(place).filter_map(why)))
    })
}
