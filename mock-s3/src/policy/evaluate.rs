//! The decision (IAM, "Policy evaluation logic"): any deny, then what limits, then who grants.

use gatecrash_model::Decision;

use super::caller::{Caller, CallerKind};
use super::context::Context;
use super::document::{Policy, Statement};
use super::pattern::Pattern;
use super::principal::Grant;
use super::scope::Scope;

/// One question.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// `s3:GetObject`.
    pub action: &'a str,
    /// The ARNs the thing is known by; a statement about one of them is about the thing.
    pub resources: &'a [&'a str],
    /// The policies.
    pub layers: Layers<'a>,
    /// Condition keys.
    pub context: &'a dyn Context,
    /// Actions that the caller's own policies no longer allow.
    pub(crate) withdrawn: &'a [Pattern],
    /// Unsigned requests may do what nothing denies.
    pub open: bool,
}

/// The policies that may have a say, by layer. What is absent does not limit.
#[derive(Clone, Copy, Default)]
pub struct Layers<'a> {
    /// The policies of the user, its groups, or the role.
    pub identity: &'a [Policy],
    /// The permissions boundary of the user or role.
    pub boundary: Option<&'a Policy>,
    /// The policies passed when the session was made; one of them must allow.
    pub session: Option<&'a [Policy]>,
    /// Service control policies of the caller's account: by level (root, organisational units, account);
    /// each level must allow.
    pub service_control: &'a [Vec<Policy>],
    /// Resource control policies of the owner's account, likewise by level. They only deny: AWS attaches
    /// `RCPFullAWSAccess`, which allows everything, to every level for good.
    pub resource_control: &'a [Vec<Policy>],
    /// The bucket; absent for what is about no bucket.
    pub bucket: Option<BucketSide<'a>>,
}

/// The bucket's say.
#[derive(Clone, Copy, Default)]
pub struct BucketSide<'a> {
    /// Its policy; several when changes add statements.
    pub policies: &'a [&'a Policy],
    /// The owner's account id.
    pub owner: &'a str,
    /// What the ACL of bucket or object grants for this request. [`Grant::Account`] for a grant to the
    /// caller's account, [`Grant::Direct`] for one to everyone or to all authenticated users.
    pub acl: Grant,
    /// The policy does not grant, only deny: what is asked for is an object of another account than the
    /// bucket's, and `owner` is that account.
    pub only_denies: bool,
    /// Block Public Access: a public policy is only for the owner's account and AWS services.
    pub restrict_public: bool,
}

/// A layer of policies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layer {
    /// The policies of the identity.
    Identity,
    /// The permissions boundary.
    Boundary,
    /// The session policies.
    Session,
    /// The service control policies.
    ServiceControl,
    /// The resource control policies.
    ResourceControl,
    /// The policy of the bucket.
    Bucket,
    /// The ACL of bucket or object.
    Acl,
    /// Block Public Access.
    BlockPublicAccess,
    /// The account's root user, who needs no policy.
    Root,
    /// The mock's own setting that unsigned requests may do everything.
    Anonymous,
}

/// What was decided, and by which statement. Nothing is allocated for it.
#[derive(Clone, Copy, Debug)]
pub struct Verdict<'a> {
    /// The outcome.
    pub decision: Decision,
    /// The layer that decided; for an implicit deny the layer where an allow was missing.
    pub layer: Layer,
    /// The statement that decided; none for an implicit deny.
    pub statement: Option<&'a Statement>,
}

/// What a layer's statements say.
#[derive(Clone, Copy, Default)]
struct Found<'a> {
    deny: Option<&'a Statement>,
    allow: Option<&'a Statement>,
    /// How the strongest allow means the caller.
    grant: Grant,
}

/// What the bucket owner's root user may do whatever the bucket policy denies (S3 API, PutBucketPolicy).
const RECOVERY: &[&str] = &["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"];

/// Decides one question.
pub fn evaluate<'a>(ask: &Ask<'a>) -> Verdict<'a> {
    let scope = ask.scope();
    let layers = &ask.layers;
    let signed = ask.caller.account().is_some();
    let (resource_control, _) = ask.levels(layers.resource_control, &scope);
    let (service_control, service_limit) = match signed {
        true => ask.levels(layers.service_control, &scope),
        false => (None, false),
    };
    let identity = ask.find(layers.identity, &scope);
    let boundary = layers.boundary.map(|policy| ask.find([policy], &scope));
    let session = layers.session.map(|policies| ask.find(policies, &scope));
    let mut bucket = ask.find(layers.bucket.iter().flat_map(|bucket| bucket.policies).copied(), &scope);
    if layers.bucket.is_some_and(|side| side.only_denies) {
        bucket = Found { deny: bucket.deny, ..Found::default() };
    }

    let denies = [
        (Layer::ResourceControl, resource_control),
        (Layer::ServiceControl, service_control),
        (Layer::Identity, identity.deny),
        (Layer::Boundary, boundary.and_then(|found| found.deny)),
        (Layer::Session, session.and_then(|found| found.deny)),
        (Layer::Bucket, bucket.deny.filter(|_| !ask.is_recovery())),
    ];
    for (layer, statement) in denies {
        if statement.is_some() {
            return Verdict { decision: Decision::ExplicitDeny, layer, statement };
        }
    }
    if service_limit {
        return Verdict::implicit(Layer::ServiceControl);
    }

    let own = Own {
        root: ask.caller.kind == CallerKind::Root,
        identity: identity.allow.filter(|_| !ask.is_withdrawn()),
        boundary: boundary.is_none_or(|found| found.allow.is_some()),
        session: session.is_none_or(|found| found.allow.is_some()),
    };
    let verdict = ask.granted(&own, bucket);
    match verdict.decision {
        Decision::Allowed if verdict.layer != Layer::Anonymous && ask.is_cut_off() => {
            let layer = Layer::BlockPublicAccess;
            Verdict { decision: Decision::ExplicitDeny, layer, statement: None }
        }
        _ => verdict,
    }
}

/// What the caller brings itself.
struct Own<'a> {
    root: bool,
    identity: Option<&'a Statement>,
    boundary: bool,
    session: bool,
}

// === impl Ask ===

impl<'a> Ask<'a> {
    /// A question about one resource, without a word from any policy.
    pub fn new(
        caller: &'a Caller,
        action: &'a str,
        resources: &'a [&'a str],
        context: &'a dyn Context,
    ) -> Self {
        Self { caller, action, resources, layers: Layers::default(), context, withdrawn: &[], open: false }
    }

    pub(super) fn scope(&self) -> Scope<'a> {
        Scope { caller: self.caller, context: self.context, missing: None }
    }

    /// Looks through policies up to the first deny.
    fn find(&self, policies: impl IntoIterator<Item = &'a Policy>, scope: &Scope<'_>) -> Found<'a> {
        let mut found = Found::default();
        for statement in policies.into_iter().flat_map(Policy::statements) {
            let grant = statement.grant(scope);
            let of_use = if statement.denies() { grant > Grant::None } else { grant > found.grant };
            if !of_use || !statement.applies(self.action, self.resources, scope) {
                continue;
            }
            if statement.denies() {
                return Found { deny: Some(statement), ..found };
            }
            found.allow = Some(statement);
            found.grant = grant;
        }
        found
    }

    /// What denies in any level, and whether one of them does not allow.
    fn levels(&self, levels: &'a [Vec<Policy>], scope: &Scope<'_>) -> (Option<&'a Statement>, bool) {
        let mut limits = false;
        for level in levels {
            let found = self.find(level, scope);
            if found.deny.is_some() {
                return (found.deny, limits);
            }
            limits |= found.allow.is_none();
        }
        (None, limits)
    }

    /// Who grants, when nothing denies.
    fn granted(&self, own: &Own<'a>, bucket: Found<'a>) -> Verdict<'a> {
        let side = self.layers.bucket.unwrap_or_default();
        let by_bucket = match bucket.grant >= side.acl {
            true => Verdict { decision: Decision::Allowed, layer: Layer::Bucket, statement: bucket.allow },
            false => Verdict { decision: Decision::Allowed, layer: Layer::Acl, statement: None },
        };
        let grant = bucket.grant.max(side.acl);
        let Some(account) = self.caller.account() else {
            return match grant {
                Grant::Direct => by_bucket,
                _ if self.open && self.caller.is_anonymous() => {
                    Verdict { decision: Decision::Allowed, layer: Layer::Anonymous, statement: None }
                }
                _ => Verdict::implicit(Layer::Bucket),
            };
        };
        let foreign = self.layers.bucket.is_some_and(|bucket| bucket.owner != account);
        match own.allows() {
            Ok(_) if foreign && grant == Grant::None => Verdict::implicit(Layer::Bucket),
            Ok(_) if foreign && own.root => by_bucket,
            Ok(verdict) => verdict,
            Err(layer) if foreign => Verdict::implicit(layer),
            Err(_) if grant == Grant::Direct => by_bucket,
            // A role's own policies need not allow, but what limits the role does.
            Err(_) if grant == Grant::Role => match own.limited() {
                Some(layer) => Verdict::implicit(layer),
                None => by_bucket,
            },
            Err(layer) => Verdict::implicit(layer),
        }
    }

    fn is_withdrawn(&self) -> bool {
        self.withdrawn.iter().any(|action| action.matches_plain(self.action))
    }

    fn is_of_owner(&self) -> bool {
        let owner = self.layers.bucket.map(|bucket| bucket.owner);
        owner.is_some() && owner == self.caller.account()
    }

    fn is_recovery(&self) -> bool {
        self.caller.kind == CallerKind::Root && self.is_of_owner() && RECOVERY.contains(&self.action)
    }

    /// Whether RestrictPublicBuckets keeps the caller out.
    fn is_cut_off(&self) -> bool {
        self.caller.kind != CallerKind::Service
            && !self.is_of_owner()
            && self.layers.bucket.is_some_and(|bucket| {
                bucket.restrict_public && bucket.policies.iter().any(|policy| policy.is_public())
            })
    }
}

// === impl Own ===

impl<'a> Own<'a> {
    /// Whether the caller's side allows, or the first layer that does not.
    fn allows(&self) -> Result<Verdict<'a>, Layer> {
        if self.root {
            return Ok(Verdict { decision: Decision::Allowed, layer: Layer::Root, statement: None });
        }
        let statement = Some(self.identity.ok_or(Layer::Identity)?);
        match self.limited() {
            Some(layer) => Err(layer),
            None => Ok(Verdict { decision: Decision::Allowed, layer: Layer::Identity, statement }),
        }
    }

    fn limited(&self) -> Option<Layer> {
        match (self.boundary, self.session) {
            (false, _) => Some(Layer::Boundary),
            (_, false) => Some(Layer::Session),
            _ => None,
        }
    }
}

// === impl Verdict ===

impl Verdict<'_> {
    fn implicit(layer: Layer) -> Self {
        Self { decision: Decision::ImplicitDeny, layer, statement: None }
    }

    /// Whether the request may go on.
    pub fn is_allowed(&self) -> bool {
        self.decision == Decision::Allowed
    }
}

// === impl Layer ===

impl Layer {
    /// Its name in reports and vectors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Boundary => "boundary",
            Self::Session => "session",
            Self::ServiceControl => "service-control",
            Self::ResourceControl => "resource-control",
            Self::Bucket => "bucket",
            Self::Acl => "acl",
            Self::BlockPublicAccess => "block-public-access",
            Self::Root => "root",
            Self::Anonymous => "anonymous",
        }
    }

    /// What kind of policy it is, as the journal and simulations report it.
    pub fn source_type(self) -> &'static str {
        match self {
            Self::Boundary => "permissions-boundary",
            Self::ServiceControl => "scp",
            Self::ResourceControl => "rcp",
            Self::Bucket => "resource",
            Self::Anonymous => "mock-setting",
            other => other.name(),
        }
    }

    /// In words, with an article.
    pub fn words(self) -> &'static str {
        match self {
            Self::Identity => "the identity's policies",
            Self::Boundary => "the permissions boundary",
            Self::Session => "the session policy",
            Self::ServiceControl => "the service control policies",
            Self::ResourceControl => "the resource control policies",
            Self::Bucket => "the bucket policy",
            Self::Acl => "the ACL",
            Self::BlockPublicAccess => "Block Public Access",
            Self::Root => "the account's root user",
            Self::Anonymous => "the mock's setting for unsigned requests",
        }
    }

    /// As AWS's AccessDenied messages call it, with the article for "in ...".
    pub(crate) fn of_message(self) -> (&'static str, &'static str) {
        match self {
            Self::Identity | Self::Root => ("an", "identity-based policy"),
            Self::Boundary => ("a", "permissions boundary"),
            Self::Session => ("a", "session policy"),
            Self::ServiceControl => ("a", "service control policy"),
            Self::ResourceControl => ("a", "resource control policy"),
            Self::Bucket | Self::Acl | Self::BlockPublicAccess | Self::Anonymous => {
                ("a", "resource-based policy")
            }
        }
    }
}
