//! `s3-errors`: S3 fails by itself

use super::super::evidence::{self, Evidence};
use super::super::{Cause, Observations};

pub(super) const CAUSE: Cause = Cause {
    name: "s3-errors",
    summary: "S3 answers with errors of its own (InternalError, ServiceUnavailable)",
    doc: "500, 502, 503 or 504 with an S3 error code other than SlowDown: S3, or a part of it, is not \
          well. See how far it reaches by the canary and the AWS Health Dashboard before changing \
          anything here.",
    look_at: &[
        (
            "the gateway",
            "retries for reads within a budget, failover to the replica region, serving stale",
        ),
        ("nginx", "`proxy_next_upstream http_500 http_503`, `proxy_cache_use_stale`"),
        ("CloudFront", "an origin group with 500, 502, 503, 504"),
        ("AWS", "Health Dashboard; S3 request ids for support"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    evidence::answers(seen, "reads were answered so", |answer| {
        let slow = matches!(answer.code.as_deref(), Some("SlowDown" | "RequestLimitExceeded"));
        answer.status >= 500 && answer.code.is_some() && answer.from_s3 && !slow
    })
}
