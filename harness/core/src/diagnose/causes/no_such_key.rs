//! `no-such-key`: NoSuchKey

use super::super::evidence::{self, Evidence};
use super::super::{Cause, Observations};

pub(super) const CAUSE: Cause = Cause {
    name: "no-such-key",
    summary: "the object does not exist (NoSuchKey)",
    doc: "The bucket answers and the key is not there: the key given to this probe, a prefix that a \
          gateway adds or strips, an object that was deleted or not replicated yet. Without \
          `s3:ListBucket` S3 answers 403 for it instead.",
    look_at: &[
        ("this probe", "`--key`"),
        ("the gateway", "rewriting of paths: prefixes, index documents, double encoding"),
        ("AWS", "delete markers (`aws s3api list-object-versions --prefix KEY`), replication status"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    evidence::answers(seen, "reads were answered 404", |answer| answer.status == 404 && answer.code.as_deref() != Some("NoSuchBucket"))
}
