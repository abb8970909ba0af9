//! One caller's permissions on one bucket, as the state in force says.

mod circumstances;
mod grants;

use std::sync::Arc;

use gatecrash_model::{Decision, Pool};

pub(crate) use circumstances::Circumstances;
use circumstances::Keys;
use grants::{Holder, grant, grantable};

use crate::auth;
use crate::errors::{Refused, S3Error};
use crate::policy::{
    Ask, BucketSide, Caller, CallerKind, Evaluation, Grant, Layer, Layers, evaluate, explain,
};
use crate::settings::{Identity, Settings};
use crate::store::{Acl, BucketState, Found, Object, Owner, Permission, Placement, VersionId, arn};

/// Asks the policies for a request.
#[derive(Clone, Copy)]
pub(crate) struct Access<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) caller: &'a auth::Caller,
    pub(crate) placement: Option<&'a Placement>,
    /// The bucket's name as the request gave it, empty without one.
    pub(crate) bucket: &'a str,
    pub(crate) request: Circumstances<'a>,
    /// To look at the object a condition or an ACL is about.
    pub(crate) pool: &'a Pool,
}

/// What the policies say to one action of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ruling<'a> {
    pub(crate) decision: Decision,
    pub(crate) layer: Layer,
    action: &'a str,
    /// By the scenario's bucket name.
    resource: String,
}

/// What the account that began a multipart upload may do with it.
const BY_INITIATOR: [&str; 2] = ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"];

impl Access<'_> {
    /// The caller's account; none for an unsigned request.
    pub(crate) fn account(&self) -> Option<&str> {
        self.caller().account()
    }

    /// Whether the caller is the root of its account.
    pub(crate) fn is_root(&self) -> bool {
        self.caller().kind == CallerKind::Root
    }

    /// May the caller do `action` on a key, or with an empty one on the bucket?
    pub(crate) fn evaluate<'c>(&self, action: &'c str, key: &str) -> Ruling<'c> {
        let (known, given) = self.names(key);
        let answer = |ask: &Ask<'_>| {
            let verdict = evaluate(ask);
            (verdict.decision, verdict.layer)
        };
        let lacking = |verdict: &(Decision, Layer)| *verdict == (Decision::ImplicitDeny, Layer::Bucket);
        let (decision, layer) = self.ask(action, key, &known, given.as_deref(), answer, lacking);
        Ruling { decision, layer, action, resource: known }
    }

    /// The same, with every statement that had a say.
    pub(crate) fn explain(&self, action: &str, key: &str) -> Evaluation {
        let (known, given) = self.names(key);
        let lacking = |e: &Evaluation| (e.decision, e.layer) == (Decision::ImplicitDeny, Layer::Bucket);
        self.ask(action, key, &known, given.as_deref(), explain, lacking)
    }

    /// The AccessDenied of a refusal; callers of the owner's account are told why (S3, "Troubleshoot access
    /// denied errors").
    pub(crate) fn denial(&self, ruling: &Ruling<'_>) -> S3Error {
        let mut error = S3Error::of("AccessDenied");
        error.decision = Some(ruling.decision);
        let (action, resource) = (ruling.action.to_owned(), ruling.resource.clone());
        error.refused = Some(Box::new(Refused { action, resource }));
        let caller = self.caller();
        let foreign =
            self.placement.is_some_and(|placement| placement.bucket.owner.account != caller.account);
        if caller.arn.is_empty() || foreign {
            return error;
        }
        let Ruling { action, resource, .. } = ruling;
        let (article, layer) = ruling.layer.of_message();
        let because = match ruling.decision {
            Decision::ExplicitDeny => format!("with an explicit deny in {article} {layer}"),
            _ => format!("because no {layer} allows the {action} action"),
        };
        let arn = &caller.arn;
        error.message(format!(
            "User: {arn} is not authorized to perform: {action} on resource: \"{resource}\" {because}"
        ))
    }

    /// The ARNs of a key (or of the bucket): by the scenario's name, and by the name in the region when that
    /// is another.
    fn names(&self, key: &str) -> (String, Option<String>) {
        match self.placement {
            Some(placement) if *placement.bucket.name == *placement.name => (arn(&placement.name, key), None),
            Some(placement) => (arn(&placement.bucket.name, key), Some(arn(&placement.name, key))),
            None if self.bucket.is_empty() => ("*".to_owned(), Some(arn("*", ""))),
            None => (arn(self.bucket, key), None),
        }
    }

    fn ask<T>(
        &self,
        action: &str,
        key: &str,
        known: &str,
        given: Option<&str>,
        answer: impl Fn(&Ask<'_>) -> T,
        lacking: impl Fn(&T) -> bool,
    ) -> T {
        let both = [known, given.unwrap_or_default()];
        let state = self.placement.map(Placement::state);
        let placed = self.placement.zip(state.as_deref());
        let policies = placed.map(|(p, state)| self.settings.policies_of(&p.bucket.name, state));
        let grantable = state.as_deref().and_then(|state| grantable(action, state));
        let owner = self.placement.map(|placement| placement.bucket.owner.account.as_str());
        let stranger = grantable.filter(|(holder, _)| *holder == Holder::Object);
        let stranger = stranger.and_then(|_| self.stranger(key));
        let restricted = self
            .placement
            .is_some_and(|placement| self.settings.no_public_access.contains(&placement.bucket.name));
        let bucket = state.as_deref().map(|state| BucketSide {
            policies: policies.as_deref().unwrap_or_default(),
            owner: stranger.as_ref().map_or(owner.unwrap_or_default(), |stranger| &stranger.account),
            acl: Grant::None,
            only_denies: stranger.is_some(),
            restrict_public: (restricted || state.block.is_some_and(|block| block.restrict))
                && owner != self.account(),
        });
        let session = self.caller.session.as_ref().map(|session| &*session.policies);
        let layers = Layers {
            identity: self.caller.policies(self.settings),
            session: session.filter(|policies| !policies.is_empty()),
            boundary: match self.caller.role.map(|index| &self.settings.roles[index]) {
                Some(role) => role.boundary.as_ref(),
                None => self.who().and_then(|identity| identity.boundary.as_ref()),
            },
            service_control: self.settings.service_control(self.account().unwrap_or_default()),
            resource_control: self.settings.resource_control(owner.unwrap_or_default()),
            bucket,
        };
        let keys = Keys { request: self.request, owner, tags: || self.tags(key) };
        let mut ask = Ask {
            caller: self.caller(),
            action,
            resources: if given.is_some() { &both } else { &both[..1] },
            layers,
            context: &keys,
            withdrawn: self.who().map_or(&[], |user| &user.withdrawn),
            open: self.settings.anonymous,
        };
        let by_policies = answer(&ask);
        // ACLs are only looked up when a grant of the bucket's side is all that is missing.
        if let Some((placement, state)) = placed
            && lacking(&by_policies)
            && let Some((holder, permission)) = grantable
            && let Some(bucket) = &mut ask.layers.bucket
        {
            bucket.acl = match holder {
                Holder::Bucket => {
                    grant(&state.acl, permission, self.caller(), &placement.bucket.owner, state)
                }
                Holder::Object => self.granted_by_object(key, permission, state),
            };
            return answer(&ask);
        }
        if lacking(&by_policies)
            && self.began_upload(action, key)
            && let Some(bucket) = &mut ask.layers.bucket
        {
            bucket.acl = Grant::Account;
            return answer(&ask);
        }
        by_policies
    }

    /// Whether the caller's account began the upload it asks about: who did may list its parts and end it, whoever
    /// owns the bucket (S3 user guide, "Multipart upload API and permissions").
    fn began_upload(&self, action: &str, key: &str) -> bool {
        let named = self.placement.filter(|_| BY_INITIATOR.contains(&action));
        let began = named.and_then(|placement| {
            let id = self.request.head.query_value("uploadId")?;
            placement.upload(key, &id, |upload| Some(&*upload.initiator.account) == self.account())
        });
        began == Some(true) && self.account().is_some()
    }

    fn granted_by_object(&self, key: &str, permission: Permission, state: &BucketState) -> Grant {
        let bucket_owner = self.placement.map(|placement| &placement.bucket.owner);
        match (self.object(key), bucket_owner) {
            (Some(Object { version: Some(version), .. }), _) => {
                let acl = version.stored.as_ref().map(|stored| &stored.attributes.acl);
                grant(acl.unwrap_or(&Acl::default()), permission, self.caller(), &version.owner, state)
            }
            // Those who may list the bucket may also look for what is not there.
            (None, Some(owner)) => grant(&state.acl, Permission::Read, self.caller(), owner, state),
            _ => Grant::None,
        }
    }

    /// The owner of the object, when it is not the bucket's: who owns the bucket cannot grant anything on it
    /// (S3 user guide, "Amazon S3 bucket and object ownership").
    fn stranger(&self, key: &str) -> Option<Arc<Owner>> {
        let placement = self.placement.filter(|placement| placement.is_shared())?;
        let version = placement.written(key, self.version().as_ref())?;
        (version.owner.account != placement.bucket.owner.account).then(|| Arc::clone(&version.owner))
    }

    /// The tags of the object the request is about.
    fn tags(&self, key: &str) -> Vec<(String, String)> {
        let object = self.object(key);
        object.and_then(|object| Some(object.stored()?.attributes.tags.clone())).unwrap_or_default()
    }

    fn object(&self, key: &str) -> Option<Object> {
        let version = self.version();
        match self.placement.filter(|_| !key.is_empty())?.find(key, version.as_ref(), self.pool) {
            Found::Object(object) => Some(object),
            Found::Marker(_) | Found::Nothing => None,
        }
    }

    /// The version the request names.
    fn version(&self) -> Option<VersionId> {
        let named = self.request.head.query_value("versionId").filter(|id| !id.is_empty());
        named.map(|id| VersionId::parse(&id))
    }

    /// The user, unless it acts in a role.
    fn who(&self) -> Option<&Identity> {
        self.caller.as_user(self.settings)
    }

    fn caller(&self) -> &Caller {
        &self.caller.principal
    }
}

impl Ruling<'_> {
    /// Whether the request may go on.
    pub(crate) fn is_allowed(&self) -> bool {
        self.decision == Decision::Allowed
    }
}
