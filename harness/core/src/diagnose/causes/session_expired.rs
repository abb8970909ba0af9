//! `session-expired`: ExpiredToken

use super::super::evidence::{self, Evidence};
use super::super::{Cause, Observations};

pub(super) const CAUSE: Cause = Cause {
    name: "session-expired",
    summary: "the session has expired (ExpiredToken, InvalidToken)",
    doc: "Temporary credentials outlived their session: what should fetch new ones does not, or cannot \
          reach STS or the metadata service.",
    look_at: &[
        (
            "the gateway",
            "how often it refreshes; whether it reaches 169.254.169.254 or the container's endpoint",
        ),
        ("Envoy", "the credential provider of the aws_request_signing filter"),
        (
            "AWS",
            "role session duration, IMDS hop limit (1 keeps containers out), reachability of the \
             regional STS endpoint",
        ),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    evidence::answers(seen, "reads were answered ExpiredToken or InvalidToken", |answer| matches!(answer.code.as_deref(), Some("ExpiredToken" | "InvalidToken" | "TokenRefreshRequired")))
}
