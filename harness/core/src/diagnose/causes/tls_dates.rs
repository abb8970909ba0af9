//! `tls-dates`: a certificate outside its dates

use super::super::evidence::{self, Evidence};
use super::super::{Cause, Observations, Outcome, Place, Sample, TlsFailure};

pub(super) const CAUSE: Cause = Cause {
    name: "tls-dates",
    summary: "the certificate has expired or is not valid yet",
    doc: "A renewal that did not happen, a certificate deployed too early, or a clock that is wrong on \
          this side: compare with the finding about clocks.",
    look_at: &[
        (
            "nginx",
            "`proxy_ssl_verify` is off by default: then the gateway serves on and the clients that \
             verify do not",
        ),
        ("HAProxy", "`ca-file` and `verify required` on the server line"),
        ("Envoy", "`ssl.fail_verify_error`; secrets delivered by SDS that were not refreshed"),
        ("AWS", "the renewal status in ACM: DNS validation records must stay"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    [Place::Endpoint, Place::Gateway].into_iter().find_map(|place| {
        let why = |sample: &Sample| match &sample.outcome {
            Outcome::NotSecured(TlsFailure::Dates(why)) => Some(why.clone()),
            _ => None,
        };
        let what = "reads found this in the handshake";
        let found = evidence::reads_at(seen, place, what, |sample| why(sample).is_some())?;
        Some(found.with_first(seen.reads(place).filter_map(why)))
    })
}
