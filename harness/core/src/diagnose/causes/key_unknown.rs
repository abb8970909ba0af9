//! `key-unknown`: InvalidAccessKeyId

use super::super::evidence::{self, Evidence};
use super::super::{Cause, Observations};

pub(super) const CAUSE: Cause = Cause {
    name: "key-unknown",
    summary: "the access key is not known (InvalidAccessKeyId)",
    doc: "The key was deleted, deactivated or rotated, or is of another partition or another S3 \
          product. Gateways pass the 403 on.",
    look_at: &[
        (
            "the gateway",
            "the credentials of the signing module, and whether it reads them again after a rotation",
        ),
        ("nginx", "nginx-s3-gateway: `AWS_ACCESS_KEY_ID`, read at start"),
        (
            "AWS",
            "`aws iam list-access-keys`, `aws sts get-caller-identity` with the same key; the \
             secret's rotation schedule",
        ),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    evidence::answers(seen, "reads were answered InvalidAccessKeyId", |answer| answer.code.as_deref() == Some("InvalidAccessKeyId"))
}
