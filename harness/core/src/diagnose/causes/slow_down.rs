//! `slow-down`: throttling

use super::super::evidence::{self, Evidence};
use super::super::{Cause, Observations};

pub(super) const CAUSE: Cause = Cause {
    name: "slow-down",
    summary: "S3 asks to slow down (SlowDown, 503, 429)",
    doc: "More requests than the prefix takes now: 5,500 reads or 3,500 writes a second for each \
          partitioned prefix, less while S3 repartitions. Retries without back-off keep it up.",
    look_at: &[
        ("the gateway", "retries: how many, with which back-off; whether Retry-After is obeyed"),
        ("nginx", "take `http_503` and `http_429` out of `proxy_next_upstream`, or bound the tries"),
        ("Envoy", "`retry_budget`, `rate_limited_retry_back_off`"),
        ("S3", "spread keys over prefixes, cache reads, `5xxErrors` in CloudWatch request metrics"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    evidence::answers(seen, "reads were told to slow down", |answer| {
        let code = matches!(answer.code.as_deref(), Some("SlowDown" | "RequestLimitExceeded" | "ThrottlingException"));
        code || answer.status == 429
    })
}
