//! Everything about the mock that can change while it runs, as one immutable value per state.
//!
//! A request takes the value in force when it begins and keeps it to its end. The value is always the
//! configured base with the changes in force folded over it in order: taking a change back leaves no trace.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::auth::{Caller, Credentials, caller::unique_id};
use crate::capacity::Station;
use crate::control::{Change, WrongRegion};
use crate::dials::Dials;
use crate::policy::{Pattern, Policy};
use crate::replication::ReplicationState;
use crate::store::BucketState;

/// One state of the mock.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    pub(crate) identities: Vec<Identity>,
    access_keys: HashMap<String, usize>,
    /// What changes made of bucket policies, by the scenario's bucket name.
    pub(crate) bucket_policies: HashMap<Arc<str>, Overlay>,
    /// Buckets under Block Public Access by a change, by the scenario's name.
    pub(crate) no_public_access: HashSet<Arc<str>>,
    /// By account.
    pub(crate) controls: HashMap<String, Controls>,
    /// Added to the wall clock.
    pub(crate) skew_seconds: i64,
    pub(crate) wrong_regions: Vec<WrongRegion>,
    /// By region index.
    pub(crate) stations: HashMap<usize, Arc<Station>>,
    /// By the scenario's bucket name.
    pub(crate) replications: HashMap<Arc<str>, ReplicationState>,
    /// Which region serves; none: the one that was asked.
    pub(crate) dials: Option<Dials>,
    /// Unsigned requests may do what nothing denies.
    pub(crate) anonymous: bool,
    pub(crate) roles: Vec<Role>,
    /// Signature Version 2 is taken, as in the regions of before 2014.
    pub(crate) signature_v2: bool,
    /// Sessions issued up to this second have ended, whatever their tokens say.
    pub(crate) sessions_end: Option<i64>,
}

/// One user in one state.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) caller: Arc<Caller>,
    pub(crate) credentials: Credentials,
    pub(crate) policies: Vec<Policy>,
    pub(crate) boundary: Option<Policy>,
    /// Actions its policies no longer allow.
    pub(crate) withdrawn: Vec<Pattern>,
}

/// One role in one state.
#[derive(Clone)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) account: String,
    /// The account's canonical id.
    pub(crate) canonical_id: String,
    /// Who may assume it: a resource policy of the role.
    pub(crate) trust: Policy,
    pub(crate) policies: Vec<Policy>,
    pub(crate) boundary: Option<Policy>,
    /// The longest session, seconds.
    pub(crate) longest: i64,
}

impl Role {
    /// `arn:aws:iam::<account>:role/<name>`.
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:iam::{}:role/{}", self.account, self.name)
    }

    /// `AROA…`.
    pub(crate) fn unique_id(&self) -> String {
        unique_id("AROA", &self.account, &self.name)
    }
}

/// What an account's organisation limits, by level.
#[derive(Clone, Default)]
pub(crate) struct Controls {
    pub(crate) service: Vec<Vec<Policy>>,
    pub(crate) resource: Vec<Vec<Policy>>,
}

/// A bucket policy as changes left it.
#[derive(Clone, Default)]
pub(crate) struct Overlay {
    /// Instead of the bucket's own.
    pub(crate) replaced: Option<Policy>,
    /// Besides it.
    pub(crate) added: Policy,
}

impl Settings {
    pub(crate) fn base(identities: Vec<Identity>, anonymous: bool) -> Self {
        let mut settings = Self { identities, anonymous, ..Self::default() };
        settings.index_keys();
        settings
    }

    /// This state with changes on top.
    pub(crate) fn with<'c>(&self, changes: impl Iterator<Item = &'c Change>) -> Self {
        let mut settings = self.clone();
        changes.for_each(|change| change.apply(&mut settings));
        settings.index_keys();
        settings
    }

    /// The service control policies over an account.
    pub(crate) fn service_control(&self, account: &str) -> &[Vec<Policy>] {
        self.controls.get(account).map_or(&[], |controls| &controls.service)
    }

    /// The resource control policies over an account's buckets.
    pub(crate) fn resource_control(&self, account: &str) -> &[Vec<Policy>] {
        self.controls.get(account).map_or(&[], |controls| &controls.resource)
    }

    /// The policies in force on a bucket with this configuration.
    pub(crate) fn policies_of<'s>(&'s self, bucket: &str, state: &'s BucketState) -> Vec<&'s Policy> {
        let own = state.policy.as_ref().map(|policy| &policy.compiled);
        match self.bucket_policies.get(bucket) {
            None => own.into_iter().collect(),
            Some(overlay) => overlay.replaced.as_ref().or(own).into_iter().chain([&overlay.added]).collect(),
        }
    }

    pub(crate) fn by_access_key(&self, access_key: &str) -> Option<(usize, &Identity)> {
        let index = *self.access_keys.get(access_key)?;
        Some((index, &self.identities[index]))
    }

    pub(crate) fn identity_named(&self, name: &str) -> Option<usize> {
        self.identities.iter().position(|identity| identity.name == name)
    }

    fn index_keys(&mut self) {
        let keys = self.identities.iter().enumerate();
        self.access_keys = keys.map(|(at, i)| (i.credentials.access_key.clone(), at)).collect();
    }
}
