//! One caller's permissions on one bucket, as the state in force says.

use gatecrash_model::Decision;

use crate::auth;
use crate::errors::S3Error;
use crate::policy::{Ask, Caller, Evaluation, Layer, evaluate};
use crate::settings::{Identity, Settings};
use crate::store::{Placement, arn};

/// Asks the policies for a request.
#[derive(Clone, Copy)]
pub(crate) struct Access<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) caller: &'a auth::Caller,
    pub(crate) placement: Option<&'a Placement>,
    /// The bucket's name as the request gave it, empty without one.
    pub(crate) bucket: &'a str,
}

impl Access<'_> {
    /// The caller's account; none for an unsigned request.
    pub(crate) fn account(&self) -> Option<&str> {
        (!self.caller.is_anonymous()).then_some(self.caller.account.as_str())
    }

    /// May the caller do `action` on a key, or with an empty one on the bucket?
    pub(crate) fn evaluate(&self, action: &str, key: &str) -> Evaluation {
        let (known, given) = match self.placement {
            Some(placement) if *placement.bucket.name == *placement.name => (arn(&placement.name, key), None),
            Some(placement) => (arn(&placement.bucket.name, key), Some(arn(&placement.name, key))),
            None if self.bucket.is_empty() => ("*".to_owned(), Some(arn("*", ""))),
            None => (arn(self.bucket, key), None),
        };
        let both = [known.as_str(), given.as_deref().unwrap_or_default()];
        let state = self.placement.map(Placement::state);
        let placed = self.placement.zip(state.as_deref());
        let policies = placed.map(|(p, state)| self.settings.policies_of(&p.bucket.name, state));
        let owner = self.placement.map_or("", |placement| &placement.bucket.owner.account);
        let caller = self.caller();
        let role = self.caller.role.map(|index| &self.settings.roles[index]);
        let ask = Ask {
            caller: &caller,
            action,
            resources: if given.is_some() { &both } else { &both[..1] },
            identity: role.map_or_else(|| self.who().map_or(&[][..], |i| &i.policies), |r| &r.policies),
            withdrawn: self.who().filter(|_| role.is_none()).map_or(&[], |i| &i.withdrawn),
            bucket: policies.as_deref().map(|policies| (policies, owner)),
            open: self.settings.anonymous,
        };
        let evaluation = evaluate(&ask);
        let limits = self.caller.session.as_ref().map_or(&[][..], |session| &session.policies);
        if limits.is_empty() || !evaluation.is_allowed() {
            return evaluation;
        }
        // A session policy limits what the session may do: it has to allow as well.
        let limited = evaluate(&Ask { identity: limits, bucket: None, ..ask });
        if limited.is_allowed() { evaluation } else { limited }
    }

    /// The AccessDenied of a refusal, worded as S3 words it for callers of the same account.
    pub(crate) fn denial(&self, evaluation: &Evaluation) -> S3Error {
        let mut error = S3Error::of("AccessDenied");
        error.decision = Some(evaluation.decision);
        if self.caller.is_anonymous() {
            return error;
        }
        let arn = &self.caller.arn;
        let Evaluation { action, resource, .. } = evaluation;
        let layer = match evaluation.layer {
            Layer::Identity => "identity-based policy",
            Layer::Bucket | Layer::Anonymous => "resource-based policy",
        };
        let because = match evaluation.decision {
            Decision::ExplicitDeny => format!("with an explicit deny in a {layer}"),
            _ => format!("because no {layer} allows the {action} action"),
        };
        let because = because.replace("a identity", "an identity");
        error.message(format!(
            "User: {arn} is not authorized to perform: {action} on resource: \"{resource}\" {because}"
        ))
    }

    fn who(&self) -> Option<&Identity> {
        self.caller.identity.map(|index| &self.settings.identities[index])
    }

    fn caller(&self) -> Caller {
        match self.caller.is_anonymous() {
            true => Caller::Anonymous,
            false => Caller::User { arn: self.caller.arn.clone(), account: self.caller.account.clone() },
        }
    }
}
