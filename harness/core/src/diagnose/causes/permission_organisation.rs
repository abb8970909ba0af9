//! `permission-organisation`: a policy above the account's

use super::super::evidence::{self, Evidence};
use super::super::{Cause, Observations, Sample};

pub(super) const CAUSE: Cause = Cause {
    name: "permission-organisation",
    summary: "a policy above identity and bucket denies it",
    doc: "403 AccessDenied whose message names a service control policy, a resource control policy, a \
          permissions boundary, a session policy or a VPC endpoint policy.",
    look_at: &[
        (
            "Organizations",
            "service control policies and resource control policies of the account and above",
        ),
        ("IAM", "the permissions boundary of the role, the session policy of AssumeRole"),
        ("VPC", "the endpoint policy"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    let above = ["service control policy", "resource control policy", "permissions boundary", "session policy", "VPC endpoint"];
    let told = |sample: &Sample| {
        let message = sample.answer().and_then(|a| a.message.as_deref()).unwrap_or_default();
        sample.answer().is_some_and(|a| a.status == 403) && above.iter().any(|word| message.contains(word))
    };
    let found = evidence::reads(seen, "reads were denied by a policy above", told)?;
    let first = seen.reads(seen.view()).filter(|s| told(s)).filter_map(Sample::answer).map(evidence::quote);
    Some(found.with_first(first))
}
