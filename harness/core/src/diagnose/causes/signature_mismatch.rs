//! `signature-mismatch`: SignatureDoesNotMatch

use super::super::evidence::{self, Evidence};
use super::super::{Cause, Observations};

pub(super) const CAUSE: Cause = Cause {
    name: "signature-mismatch",
    summary: "the signature does not match (SignatureDoesNotMatch)",
    doc: "The key is known and the secret is wrong, or what was signed is not what arrived: a Host, \
          path, query or `x-amz-*` header was changed on the way.",
    look_at: &[
        (
            "nginx",
            "`proxy_set_header Host`, the URI part of `proxy_pass` (it decodes and encodes the path \
             again)",
        ),
        ("HAProxy", "`http-request set-header host`, `normalize-uri`"),
        (
            "Envoy",
            "`host_rewrite_literal`, `normalize_path`, `merge_slashes`; the order of the signing \
             filter",
        ),
        ("AWS", "the secret itself: white space at its end, `+` and `/` that were encoded"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    evidence::answers(seen, "reads were answered SignatureDoesNotMatch", |answer| answer.code.as_deref() == Some("SignatureDoesNotMatch"))
}
