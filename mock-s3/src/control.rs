//! Changing a running mock: permissions, keys, clock, places, capacity.
//!
//! Every change is in force for all requests that begin after the call returned, for none that began before,
//! and is taken back by its own [`ChangeId`], in any order: what is in force is always the configuration with
//! the remaining changes folded over it. A change that names something unknown is an error and changes
//! nothing.

mod change;
mod switchboard;

use std::sync::{Arc, PoisonError};

use gatecrash_model::Op;
use serde_json::{Value, json};

use crate::auth::Credentials;
use crate::capacity::{Capacity, Station};
use crate::compile;
use crate::policy::{
    Ask, BucketSide, Caller, Entries, Evaluation, Kind, Layers, Pattern, Policy, PolicyError, Statement,
    explain,
};
use crate::replication::ReplicationState;
pub(crate) use change::Change;
pub(crate) use switchboard::Switchboard;

/// One change in force; give it to [`Control::undo`] to take it back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct ChangeId(u64);

/// The handle to change a running mock. Cheap to clone, usable from any thread.
#[derive(Clone)]
pub struct Control {
    shared: Arc<Switchboard>,
}

/// A bucket that answers as if it lived elsewhere.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WrongRegion {
    /// The scenario's bucket name; none means every bucket.
    pub bucket: Option<String>,
    /// The region whose endpoint answers so; none means every region.
    pub region: Option<String>,
    /// The operation it concerns; none means all of them.
    pub op: Option<Op>,
    /// What the answer is.
    pub kind: WrongRegionKind,
    /// Where the answer points to.
    pub points_to: String,
}

/// The two ways S3 tells that a request went to the wrong region.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum WrongRegionKind {
    /// 301 PermanentRedirect with Endpoint and `x-amz-bucket-region`.
    #[default]
    Redirect,
    /// 307 TemporaryRedirect with Endpoint and Location.
    Temporary,
    /// 400 AuthorizationHeaderMalformed with Region; unsigned requests are redirected.
    Malformed,
}

/// Why a change was not made.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ControlError {
    /// A name that was never configured.
    #[error("there is no {what} {name:?}")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Traffic dials that are all at 0.
    #[error("no region has a dial above 0")]
    NoRegion,
    /// A policy or statement that cannot be read.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

// === impl Control ===

impl Control {
    pub(crate) fn new(shared: Arc<Switchboard>) -> Self {
        Self { shared }
    }

    /// Denies an identity `actions` on `resources` (ARNs by the scenario's bucket names, `*` and `?`
    /// allowed).
    pub fn deny(
        &self,
        identity: &str,
        actions: &[&str],
        resources: &[&str],
    ) -> Result<ChangeId, ControlError> {
        let statement =
            json!({ "Sid": "injected", "Effect": "Deny", "Action": actions, "Resource": resources });
        let policy = Policy::parse(&json!({ "Statement": statement }), Kind::Identity)?;
        let identity = self.identity(identity)?;
        Ok(self.make(Change::IdentityPolicy { identity, policy }))
    }

    /// The identity's own policies no longer allow an action (`*` and `?` allowed). A bucket policy still
    /// may.
    pub fn remove_action(&self, identity: &str, action: &str) -> Result<ChangeId, ControlError> {
        let identity = self.identity(identity)?;
        Ok(self.make(Change::Withdraw { identity, action: Pattern::action(action) }))
    }

    /// Replaces all policies of an identity.
    pub fn set_identity_policies(
        &self,
        identity: &str,
        policies: &[Value],
    ) -> Result<ChangeId, ControlError> {
        let identity = self.identity(identity)?;
        let policies = policies.iter().map(|p| Policy::parse(p, Kind::Identity)).collect::<Result<_, _>>()?;
        Ok(self.make(Change::IdentityPolicies { identity, policies }))
    }

    /// Gives an identity a permissions boundary, or takes it away.
    pub fn set_boundary(&self, identity: &str, boundary: Option<&Value>) -> Result<ChangeId, ControlError> {
        let identity = self.identity(identity)?;
        let boundary = boundary.map(|document| Policy::parse(document, Kind::Identity)).transpose()?;
        Ok(self.make(Change::Boundary { identity, boundary }))
    }

    /// Replaces the service control policies over an account, by level from the organisation's root on.
    pub fn set_service_control(
        &self,
        account: &str,
        levels: &[Vec<Value>],
    ) -> Result<ChangeId, ControlError> {
        let levels = compile::levels(levels, Kind::Identity)?;
        Ok(self.make(Change::ServiceControl { account: account.to_owned(), levels }))
    }

    /// Replaces the resource control policies over an account's buckets, by level.
    pub fn set_resource_control(
        &self,
        account: &str,
        levels: &[Vec<Value>],
    ) -> Result<ChangeId, ControlError> {
        let levels = compile::levels(levels, Kind::Bucket)?;
        Ok(self.make(Change::ResourceControl { account: account.to_owned(), levels }))
    }

    /// Adds a statement to a bucket's policy.
    pub fn add_bucket_policy_statement(
        &self,
        bucket: &str,
        statement: &Value,
    ) -> Result<ChangeId, ControlError> {
        let bucket = self.bucket(bucket)?;
        let position = self.position_in(&bucket);
        let statement = Statement::parse(statement, position, Kind::Bucket)?;
        Ok(self.make(Change::BucketStatement { bucket, statement }))
    }

    /// Replaces a bucket's policy (also what makes a bucket public).
    pub fn replace_bucket_policy(&self, bucket: &str, policy: &Value) -> Result<ChangeId, ControlError> {
        let bucket = self.bucket(bucket)?;
        let policy = Policy::parse(policy, Kind::Bucket)?;
        Ok(self.make(Change::BucketPolicy { bucket, policy }))
    }

    /// Turns RestrictPublicBuckets of Block Public Access on, whatever the bucket's own configuration says: while
    /// its policy is public, nobody outside its account is served.
    pub fn block_public_access(&self, bucket: &str) -> Result<ChangeId, ControlError> {
        let bucket = self.bucket(bucket)?;
        Ok(self.make(Change::BlockPublicAccess { bucket }))
    }

    /// Gives an identity a new key pair; the old one is answered with InvalidAccessKeyId.
    pub fn rotate_key(&self, identity: &str) -> Result<(ChangeId, Credentials), ControlError> {
        let index = self.identity(identity)?;
        let mut changes = self.shared.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let credentials = Credentials::generate(self.shared.seed, identity, changes.made + 1);
        let change = Change::Credentials { identity: index, credentials: credentials.clone() };
        Ok((self.shared.make(&mut changes, change), credentials))
    }

    /// Moves the mock's wall clock by `seconds`; several such changes add up.
    pub fn set_clock_skew(&self, seconds: i64) -> ChangeId {
        self.make(Change::ClockSkew { seconds })
    }

    /// Ends the sessions STS issued up to a second of the mock's wall clock (`i64::MAX`: all, and new ones too):
    /// their requests are answered with ExpiredToken.
    pub fn expire_sessions(&self, issued: i64) -> ChangeId {
        self.make(Change::SessionsEnd { issued })
    }

    /// Makes buckets answer as if they lived elsewhere.
    pub fn set_wrong_region(&self, wrong: WrongRegion) -> Result<ChangeId, ControlError> {
        if let Some(region) = &wrong.region {
            self.region(region)?;
        }
        if let Some(bucket) = &wrong.bucket {
            self.bucket(bucket)?;
        }
        Ok(self.make(Change::WrongRegion(wrong)))
    }

    /// Gives a region finite capacity, or lifts the bound with `None`.
    pub fn set_capacity(&self, region: &str, capacity: Option<Capacity>) -> Result<ChangeId, ControlError> {
        let region = self.region(region)?;
        let station = capacity.map(|capacity| Arc::new(Station::new(capacity)));
        Ok(self.make(Change::Capacity { region, station }))
    }

    /// Pauses a bucket's replication, drops what is due meanwhile, or gives it another lag; what waited is
    /// replicated once the change is taken back.
    pub fn set_replication(&self, bucket: &str, state: ReplicationState) -> Result<ChangeId, ControlError> {
        let bucket = self.bucket(bucket)?;
        Ok(self.make(Change::Replication { bucket, state }))
    }

    /// How many versions of a bucket, in all regions, are neither replicated nor given up.
    pub fn replication_pending(&self, bucket: &str) -> Result<u64, ControlError> {
        let bucket = self.bucket(bucket)?;
        let regions = 0..self.shared.regions.len();
        let places = regions.filter_map(|region| self.shared.store.in_place(region, &bucket));
        Ok(places.filter_map(|place| Some(place.outbox()?.pending())).sum())
    }

    /// Serves what arrives at any endpoint in a region drawn by these weights, as behind a Multi-Region Access
    /// Point with such traffic dials. A region that is not named has 0. A bucket that the drawn region does not
    /// have is served where the request arrived.
    pub fn set_dials(&self, dials: &[(&str, f64)]) -> Result<ChangeId, ControlError> {
        let mut weights = vec![0.0; self.shared.regions.len()];
        for (region, weight) in dials {
            weights[self.region(region)?] = weight.max(0.0);
        }
        match weights.iter().any(|weight| *weight > 0.0) {
            true => Ok(self.make(Change::Dials(weights))),
            false => Err(ControlError::NoRegion),
        }
    }

    /// Takes one change back. Whether it was in force.
    pub fn undo(&self, change: ChangeId) -> bool {
        let mut changes = self.shared.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let before = changes.in_force.len();
        changes.in_force.retain(|(id, _)| *id != change);
        self.shared.refresh(&changes);
        changes.in_force.len() != before
    }

    /// Takes all changes back.
    pub fn restore(&self) {
        let mut changes = self.shared.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.in_force.clear();
        self.shared.refresh(&changes);
    }

    /// The key pair of an identity now.
    pub fn credentials(&self, identity: &str) -> Result<Credentials, ControlError> {
        let index = self.identity(identity)?;
        Ok(self.shared.settings().identities[index].credentials.clone())
    }

    /// What the policies say now: may this identity (none: an unsigned caller) do `action` on an object (or,
    /// with an empty key, on the bucket)?
    pub fn evaluate(
        &self,
        identity: Option<&str>,
        action: &str,
        bucket: &str,
        key: &str,
    ) -> Result<Evaluation, ControlError> {
        let settings = self.shared.settings();
        let identity = identity.map(|name| self.identity(name)).transpose()?;
        let identity = identity.map(|index| &settings.identities[index]);
        let bucket = self.bucket(bucket)?;
        let placement = self.shared.store.placed(&bucket);
        let state = placement.as_ref().map(|placement| placement.state());
        let policies = state.as_ref().map_or_else(Vec::new, |state| settings.policies_of(&bucket, state));
        let owner = placement.as_ref().map_or("", |placement| &placement.bucket.owner.account);
        let context = Entries::new();
        Ok(explain(&Ask {
            caller: identity.map_or(Caller::nobody(), |i| &i.caller.principal),
            action,
            resources: &[&crate::store::arn(&bucket, key)],
            layers: Layers {
                identity: identity.map_or(&[], |i| &i.policies),
                boundary: identity.and_then(|i| i.boundary.as_ref()),
                service_control: settings
                    .service_control(identity.map_or("", |i| &i.caller.principal.account)),
                resource_control: settings.resource_control(owner),
                bucket: Some(BucketSide { policies: &policies, owner, ..BucketSide::default() }),
                ..Layers::default()
            },
            context: &context,
            withdrawn: identity.map_or(&[], |i| &i.withdrawn),
            open: settings.anonymous,
        }))
    }

    fn make(&self, change: Change) -> ChangeId {
        let mut changes = self.shared.changes.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.make(&mut changes, change)
    }

    fn identity(&self, name: &str) -> Result<usize, ControlError> {
        self.shared.base.identity_named(name).ok_or_else(|| unknown("identity", name))
    }

    fn bucket(&self, name: &str) -> Result<Arc<str>, ControlError> {
        let found = self.shared.buckets.iter().find(|known| ***known == *name);
        found.map(Arc::clone).ok_or_else(|| unknown("bucket", name))
    }

    /// How many statements a bucket's policies have now.
    fn position_in(&self, bucket: &Arc<str>) -> usize {
        let settings = self.shared.settings();
        let Some(placement) = self.shared.store.placed(bucket) else { return 0 };
        settings.policies_of(bucket, &placement.state()).iter().map(|p| p.statements().len()).sum()
    }

    fn region(&self, name: &str) -> Result<usize, ControlError> {
        self.shared.regions.iter().position(|known| known == name).ok_or_else(|| unknown("region", name))
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}

fn unknown(what: &'static str, name: &str) -> ControlError {
    ControlError::Unknown { what, name: name.to_owned() }
}
