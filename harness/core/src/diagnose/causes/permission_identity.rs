//! `permission-identity`: the identity may not

use super::super::evidence::{self, Evidence};
use super::super::rank::Strength;
use super::super::{Answer, Cause, Observations, Place};

pub(super) const CAUSE: Cause = Cause {
    name: "permission-identity",
    summary: "the identity's own policies do not allow it",
    doc: "403 AccessDenied whose message names an identity-based policy: no statement allows the \
          action, or one denies it. For callers of other accounts S3 gives no reason; a canary bucket \
          that is denied as well points here.",
    look_at: &[
        (
            "IAM",
            "the role's or user's policies: `s3:GetObject` on `arn:aws:s3:::BUCKET/*` (objects), \
             `s3:ListBucket` on `arn:aws:s3:::BUCKET`",
        ),
        ("IAM", "`aws iam simulate-principal-policy`, or `gatecrash policy` with the policy files"),
        ("KMS", "`kms:Decrypt` on the key, where objects are encrypted with one"),
        ("the gateway", "which identity it signs as: `aws sts get-caller-identity`"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    let told = |answer: &Answer| {
        let message = answer.message.as_deref().unwrap_or_default();
        answer.status == 403 && message.contains("identity-based policy")
    };
    if let Some(found) = evidence::answers(seen, "reads were denied by the identity's policies", told) {
        return Some(found);
    }
    // Without a reason in the message, a canary that is denied as well points to the identity.
    let bare = |a: &Answer| a.status == 403 && a.code.as_deref() == Some("AccessDenied") && !names_policy(a);
    let found = evidence::answers(seen, "reads were denied without a reason", bare)?;
    let canary = seen.samples.iter().filter(|s| s.place == Place::CanaryBucket).collect::<Vec<_>>();
    let refused = canary.iter().filter(|s| s.code() == Some("AccessDenied")).count();
    let all = seen.signed && !canary.is_empty() && refused == canary.len();
    Some(match all {
        true => found.only(Strength::Likely).with("the canary bucket is denied, too"),
        false => found.only(Strength::Possible),
    })
}

fn names_policy(answer: &Answer) -> bool {
    answer.message.as_deref().is_some_and(|message| message.contains("polic") || message.contains("boundary"))
}
