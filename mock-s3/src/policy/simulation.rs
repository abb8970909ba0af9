//! A question asked with nothing running: policy texts, a principal, an action, a resource, context.

use super::caller::Caller;
use super::context::Entries;
use super::document::{Kind, Policy};
use super::error::PolicyError;
use super::evaluate::{Ask, BucketSide, Layers};
use super::explain::{Evaluation, explain};
use super::principal::Grant;

/// Policies by layer, and who asks. Build it with the methods that add a layer, then [`ask`](Self::ask) any
/// number of questions.
///
/// ```
/// use gatecrash_mock_s3::policy::{Caller, Entries, Simulation};
///
/// let policy = r#"{
///   "Version": "2012-10-17",
///   "Statement": {
///     "Sid": "home",
///     "Effect": "Allow",
///     "Action": "s3:GetObject",
///     "Resource": "arn:aws:s3:::media/home/${aws:username}/*"
///   }
/// }"#;
/// let simulation = Simulation::of(Caller::user("000000000001", "ann")).identity("inline", policy)?;
/// let allowed = simulation.ask("s3:GetObject", "arn:aws:s3:::media/home/ann/1.jpg", &Entries::new());
/// assert!(allowed.is_allowed());
/// assert_eq!(allowed.statement.as_deref(), Some("home"));
/// assert_eq!(allowed.matched[0].span.start.to_string(), "line 3, column 16");
/// # Ok::<(), gatecrash_mock_s3::policy::PolicyError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Simulation {
    caller: Caller,
    identity: Vec<Policy>,
    boundary: Option<Policy>,
    session: Option<Vec<Policy>>,
    service_control: Vec<Vec<Policy>>,
    resource_control: Vec<Vec<Policy>>,
    bucket: Option<Policy>,
    owner: Option<String>,
    acl: Grant,
    restrict_public: bool,
}

impl Simulation {
    /// Questions of a caller whom no policy allows anything.
    pub fn of(caller: Caller) -> Self {
        Self { caller, ..Self::default() }
    }

    /// One more policy of the identity.
    pub fn identity(mut self, id: &str, text: &str) -> Result<Self, PolicyError> {
        self.identity.push(Policy::read(text, Kind::Identity)?.named(id));
        Ok(self)
    }

    /// The permissions boundary.
    pub fn boundary(mut self, id: &str, text: &str) -> Result<Self, PolicyError> {
        self.boundary = Some(Policy::read(text, Kind::Identity)?.named(id));
        Ok(self)
    }

    /// One more session policy.
    pub fn session(mut self, id: &str, text: &str) -> Result<Self, PolicyError> {
        self.session.get_or_insert_default().push(Policy::read(text, Kind::Identity)?.named(id));
        Ok(self)
    }

    /// One more level of service control policies (root, each organisational unit, account): (name, text) of
    /// each.
    pub fn service_control(mut self, level: &[(&str, &str)]) -> Result<Self, PolicyError> {
        self.service_control.push(read(level, Kind::Identity)?);
        Ok(self)
    }

    /// One more level of resource control policies.
    pub fn resource_control(mut self, level: &[(&str, &str)]) -> Result<Self, PolicyError> {
        self.resource_control.push(read(level, Kind::Bucket)?);
        Ok(self)
    }

    /// The bucket's policy.
    pub fn bucket(mut self, id: &str, text: &str) -> Result<Self, PolicyError> {
        self.bucket = Some(Policy::read(text, Kind::Bucket)?.named(id));
        Ok(self)
    }

    /// The account that owns resources whose ARN names none; the caller's, when this is not said. An unsigned
    /// caller needs it.
    #[must_use]
    pub fn owned_by(mut self, account: &str) -> Self {
        self.owner = Some(account.to_owned());
        self
    }

    /// What the ACL grants.
    #[must_use]
    pub fn acl(mut self, grant: Grant) -> Self {
        self.acl = grant;
        self
    }

    /// Whether RestrictPublicBuckets is on.
    #[must_use]
    pub fn restrict_public(mut self, on: bool) -> Self {
        self.restrict_public = on;
        self
    }

    /// More policies of the identity, read before.
    #[must_use]
    pub fn with_identity(mut self, policies: Vec<Policy>) -> Self {
        self.identity.extend(policies);
        self
    }

    /// The permissions boundary, read before; none does not limit.
    #[must_use]
    pub fn with_boundary(mut self, policy: Option<Policy>) -> Self {
        self.boundary = policy;
        self
    }

    /// Session policies, read before; without any, nothing is limited.
    #[must_use]
    pub fn with_session(mut self, policies: Vec<Policy>) -> Self {
        self.session = (!policies.is_empty()).then_some(policies);
        self
    }

    /// Levels of service control policies, read before.
    #[must_use]
    pub fn with_service_control(mut self, levels: Vec<Vec<Policy>>) -> Self {
        self.service_control.extend(levels);
        self
    }

    /// Levels of resource control policies, read before.
    #[must_use]
    pub fn with_resource_control(mut self, levels: Vec<Vec<Policy>>) -> Self {
        self.resource_control.extend(levels);
        self
    }

    /// The bucket's policy, read before.
    #[must_use]
    pub fn with_bucket(mut self, policy: Option<Policy>) -> Self {
        self.bucket = policy;
        self
    }

    /// As [`owned_by`](Self::owned_by), when it is said.
    #[must_use]
    pub fn owned_by_some(mut self, account: Option<&str>) -> Self {
        self.owner = account.map(str::to_owned);
        self
    }

    /// The same questions without an organisation; none when there is no organisation.
    pub(crate) fn without_service_control(&self) -> Option<Self> {
        let without = || Self { service_control: Vec::new(), ..self.clone() };
        (!self.service_control.is_empty()).then(without)
    }

    /// Who asks.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The account that owns the resource of this ARN: the one it names, the one that was set, or the caller's.
    pub fn owner<'a>(&'a self, resource: &'a str) -> &'a str {
        let named = resource.split(':').nth(4).filter(|id| !id.is_empty() && resource.starts_with("arn:"));
        named.or(self.owner.as_deref()).unwrap_or(&self.caller.account)
    }

    /// Decides whether the caller may do `action` on the resource of this ARN, and why.
    pub fn ask(&self, action: &str, resource: &str, context: &Entries) -> Evaluation {
        let owner = self.owner(resource);
        let policies: Vec<&Policy> = self.bucket.iter().collect();
        let layers = Layers {
            identity: &self.identity,
            boundary: self.boundary.as_ref(),
            session: self.session.as_deref(),
            service_control: &self.service_control,
            resource_control: &self.resource_control,
            bucket: Some(BucketSide {
                policies: &policies,
                owner,
                acl: self.acl,
                only_denies: false,
                restrict_public: self.restrict_public,
            }),
        };
        let resources = [resource];
        explain(&Ask { layers, ..Ask::new(&self.caller, action, &resources, context) })
    }
}

fn read(level: &[(&str, &str)], kind: Kind) -> Result<Vec<Policy>, PolicyError> {
    level.iter().map(|(id, text)| Ok(Policy::read(text, kind)?.named(id))).collect()
}
