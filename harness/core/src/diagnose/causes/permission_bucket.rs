//! `permission-bucket`: the bucket refuses

use super::super::evidence::{self, Evidence};
use super::super::rank::Strength;
use super::super::{Answer, Cause, Observations, Place};

pub(super) const CAUSE: Cause = Cause {
    name: "permission-bucket",
    summary: "the bucket's policy, ACL or Block Public Access does not allow it",
    doc: "403 AccessDenied whose message names a resource-based policy: an explicit deny, a condition \
          (SourceIp, SourceVpce, SecureTransport) that this path does not meet, a principal that is \
          not named, or requests that are not signed to a bucket that is not public.",
    look_at: &[
        ("S3", "`aws s3api get-bucket-policy`, `get-public-access-block`, object ownership"),
        (
            "S3",
            "`aws:SourceVpce` and `aws:SourceIp`: the gateway's way out may have changed (NAT instead \
             of the endpoint)",
        ),
        ("VPC", "the policy of the VPC endpoint"),
        (
            "CloudFront",
            "origin access control and the `AWS:SourceArn` of the distribution in the bucket policy",
        ),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    let told = |answer: &Answer| {
        let message = answer.message.as_deref().unwrap_or_default();
        answer.status == 403 && message.contains("resource-based policy")
    };
    if let Some(found) = evidence::answers(seen, "reads were denied by a policy of the bucket", told) {
        return Some(found);
    }
    // Without a reason in the message, a canary that is open points to the bucket.
    let bare = |a: &Answer| a.status == 403 && a.code.as_deref() == Some("AccessDenied") && !names_policy(a);
    let found = evidence::answers(seen, "reads were denied without a reason", bare)?;
    let canary = seen.samples.iter().filter(|s| s.place == Place::CanaryBucket).collect::<Vec<_>>();
    let open = canary.iter().any(|s| s.is_good());
    Some(match (open, seen.signed) {
        (true, _) => found.only(Strength::Likely).with("the canary bucket is open to the same caller"),
        (false, false) => found.only(Strength::Likely).with("requests were not signed, and the bucket is not public"),
        (false, true) => found.only(Strength::Possible),
    })
}

fn names_policy(answer: &Answer) -> bool {
    answer.message.as_deref().is_some_and(|message| message.contains("polic") || message.contains("boundary"))
}
