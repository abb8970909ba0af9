//! `no-such-bucket`: NoSuchBucket

use super::super::evidence::{self, Evidence};
use super::super::{Cause, Observations};

pub(super) const CAUSE: Cause = Cause {
    name: "no-such-bucket",
    summary: "the bucket does not exist at this endpoint (NoSuchBucket)",
    doc: "A typing error, a bucket that was deleted, the name of another stage, an endpoint of another \
          partition or product.",
    look_at: &[
        ("the gateway", "the bucket in its path or Host rewriting"),
        ("nginx", "nginx-s3-gateway: `S3_BUCKET_NAME`, `S3_STYLE` (virtual or path)"),
        ("AWS", "`aws s3api head-bucket`; who owns the name now, if it was deleted"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    evidence::answers(seen, "reads were answered NoSuchBucket", |answer| answer.code.as_deref() == Some("NoSuchBucket"))
}
