//! The decision: explicit deny, then an allow of the right layers, else implicit deny.

use gatecrash_model::Decision;

use super::document::{Policy, Statement};
use super::glob::Glob;
use super::principal::{Caller, Match};

/// One question.
pub(crate) struct Ask<'a> {
    pub(crate) caller: &'a Caller,
    /// `s3:GetObject`.
    pub(crate) action: &'a str,
    /// The ARNs the thing is known by: with the scenario's bucket name, and with the region's own.
    pub(crate) resources: &'a [&'a str],
    /// The caller's policies.
    pub(crate) identity: &'a [Policy],
    /// Actions that the caller's own policies no longer allow.
    pub(crate) withdrawn: &'a [Glob],
    /// The bucket's policies and owner; absent for operations without a bucket.
    pub(crate) bucket: Option<(&'a [&'a Policy], &'a str)>,
    /// Unsigned requests may do what nothing denies.
    pub(crate) open: bool,
}

/// What was decided, by whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evaluation {
    /// The outcome.
    pub decision: Decision,
    /// The layer that decided; for an implicit deny the layer where an allow was missing.
    pub layer: Layer,
    /// Sid of the statement that decided, or `#n` by its position; none for an implicit deny.
    pub statement: Option<String>,
    /// The action asked for.
    pub action: String,
    /// The resource asked for, by the scenario's bucket name.
    pub resource: String,
}

/// A layer of policies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layer {
    /// The policies of the identity.
    Identity,
    /// The policy of the bucket.
    Bucket,
    /// The mock's own setting that unsigned requests may do everything.
    Anonymous,
}

/// Decides one question (AWS IAM, "Policy evaluation logic": same account, the union of identity and bucket
/// policy; across accounts, both; anonymous, the bucket policy alone).
pub(crate) fn evaluate(ask: &Ask<'_>) -> Evaluation {
    let identity = || ask.identity.iter().flat_map(|policy| &policy.statements);
    let bucket = || ask.bucket.iter().flat_map(|(policies, _)| policies.iter().flat_map(|p| &p.statements));

    if let Some(statement) = identity().find(|s| s.denies && ask.meant_by(s)) {
        return ask.decided(Decision::ExplicitDeny, Layer::Identity, Some(statement));
    }
    if let Some(statement) = bucket().find(|s| s.denies && ask.meant_by(s) && ask.principal(s) != Match::No) {
        return ask.decided(Decision::ExplicitDeny, Layer::Bucket, Some(statement));
    }

    let by_identity = identity().find(|s| !s.denies && ask.meant_by(s) && !ask.is_withdrawn());
    let grants = |s: &&Statement| !s.denies && ask.meant_by(s);
    let directly = bucket().find(|s| grants(s) && ask.principal(s) == Match::Direct);
    let delegated = bucket().find(|s| grants(s) && ask.principal(s) != Match::No);
    let owner = ask.bucket.map(|(_, owner)| owner);

    match ask.caller.account() {
        None => match directly {
            Some(statement) => ask.decided(Decision::Allowed, Layer::Bucket, Some(statement)),
            None if ask.open => ask.decided(Decision::Allowed, Layer::Anonymous, None),
            None => ask.decided(Decision::ImplicitDeny, Layer::Bucket, None),
        },
        Some(account) if owner.is_some_and(|owner| owner != account) => match (by_identity, delegated) {
            (Some(statement), Some(_)) => ask.decided(Decision::Allowed, Layer::Identity, Some(statement)),
            (Some(_), None) => ask.decided(Decision::ImplicitDeny, Layer::Bucket, None),
            (None, _) => ask.decided(Decision::ImplicitDeny, Layer::Identity, None),
        },
        Some(_) => match (by_identity, directly) {
            (Some(statement), _) => ask.decided(Decision::Allowed, Layer::Identity, Some(statement)),
            (None, Some(statement)) => ask.decided(Decision::Allowed, Layer::Bucket, Some(statement)),
            (None, None) => ask.decided(Decision::ImplicitDeny, Layer::Identity, None),
        },
    }
}

// === impl Ask ===

impl Ask<'_> {
    fn meant_by(&self, statement: &Statement) -> bool {
        statement.actions.matches(&[self.action]) && statement.resources.matches(self.resources)
    }

    fn is_withdrawn(&self) -> bool {
        self.withdrawn.iter().any(|action| action.matches(self.action))
    }

    fn principal(&self, statement: &Statement) -> Match {
        statement.principals.iter().map(|p| p.matches(self.caller)).max().unwrap_or(Match::No)
    }

    fn decided(&self, decision: Decision, layer: Layer, statement: Option<&Statement>) -> Evaluation {
        Evaluation {
            decision,
            layer,
            statement: statement.map(|s| s.name.clone()),
            action: self.action.to_owned(),
            resource: self.resources.first().copied().unwrap_or("*").to_owned(),
        }
    }
}

// === impl Evaluation ===

impl Evaluation {
    /// Whether the request may go on.
    pub fn is_allowed(&self) -> bool {
        self.decision == Decision::Allowed
    }

    /// Who decided, in words.
    pub fn explain(&self) -> String {
        let Self { action, resource, .. } = self;
        let layer = match self.layer {
            Layer::Identity => "the identity's policies",
            Layer::Bucket => "the bucket policy",
            Layer::Anonymous => "the mock's setting for unsigned requests",
        };
        match (self.decision, &self.statement) {
            (Decision::Allowed, Some(name)) => {
                format!("{action} on {resource} is allowed by statement {name} of {layer}")
            }
            (Decision::Allowed, None) => format!("{action} on {resource} is allowed by {layer}"),
            (Decision::ExplicitDeny, Some(name)) => {
                format!("{action} on {resource} is denied by statement {name} of {layer}")
            }
            (Decision::ExplicitDeny, None) => format!("{action} on {resource} is denied by {layer}"),
            _ => format!("{action} on {resource}: no statement of {layer} allows it"),
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
