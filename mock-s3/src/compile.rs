//! From a configuration to the state a mock starts in: checked, compiled, placed.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatecrash_model::hash;
use serde_json::{Value, json};

use crate::accounts::Accounts;
use crate::auth::{self, Credentials, caller::unique_id};
use crate::config::{AccountControls, BucketConfig, Config, ConfigError, IdentityConfig, RoleConfig};
use crate::control::Switchboard;
use crate::policy::{Caller, Kind, Policy, PolicyError};
use crate::settings::{Controls, Identity, Role, Settings};
use crate::store::{
    Bucket, BucketPolicy, BucketState, Budget, Keyspace, Placement, Store, canonical_id, first_twice,
};

impl Config {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.regions.is_empty() || self.regions.len() > 255 {
            return Err(ConfigError::Regions(self.regions.len()));
        }
        if self.identities.len() > 254 {
            return Err(ConfigError::Identities(self.identities.len()));
        }
        let twice = |what, name: Option<&str>| match name {
            Some(name) => Err(ConfigError::Twice { what, name: name.to_owned() }),
            None => Ok(()),
        };
        twice("region", first_twice(self.regions.iter().map(|r| r.name.as_str())))?;
        twice("bucket", first_twice(self.buckets.iter().map(|b| b.name.as_str())))?;
        twice("identity", first_twice(self.identities.iter().map(|i| i.name.as_str())))?;
        let keys = self.identities.iter().filter_map(|i| i.credentials.as_ref());
        twice("role", first_twice(self.roles.iter().map(|r| r.name.as_str())))?;
        twice("access key", first_twice(keys.map(|pair| pair.access_key.as_str())))?;
        for region in &self.regions {
            let here = self.buckets.iter().flat_map(|b| &b.regions).filter(|(r, _)| *r == region.name);
            twice("bucket name", first_twice(here.map(|(_, name)| name.as_str())))?;
        }
        self.buckets.iter().try_for_each(|bucket| self.check_bucket(bucket))
    }

    fn check_bucket(&self, bucket: &BucketConfig) -> Result<(), ConfigError> {
        let known = |region: &String| self.regions.iter().any(|r| r.name == *region);
        if let Some((region, _)) = bucket.regions.iter().find(|(region, _)| !known(region)) {
            return Err(ConfigError::UnknownRegion { bucket: bucket.name.clone(), region: region.clone() });
        }
        if let Some(objects) = bucket.objects.iter().find(|objects| objects.bucket != bucket.name) {
            let (bucket, named) = (bucket.name.clone(), objects.bucket.clone());
            return Err(ConfigError::ForeignObjects { bucket, named });
        }
        Ok(())
    }
}

/// The buckets, placed in their regions.
pub(crate) fn store(config: &Config, accounts: &Accounts, now: i64) -> Result<Store, ConfigError> {
    let regions: Vec<&str> = config.regions.iter().map(|region| region.name.as_str()).collect();
    let mut placed: Vec<BTreeMap<String, Arc<Placement>>> = vec![BTreeMap::new(); regions.len()];
    for bucket in &config.buckets {
        let shared = Arc::new(Bucket {
            name: bucket.name.as_str().into(),
            owner: accounts.of(&bucket.account),
            created: now,
            seed: hash::combine(&[config.seed, hash::bytes(bucket.name.as_bytes())]),
            keyspaces: bucket.objects.iter().cloned().map(Keyspace::new).collect(),
            cache_control: bucket.cache_control.as_deref().and_then(|value| value.try_into().ok()),
        });
        let policy = compile_bucket(bucket)?.map(Arc::new);
        for (region, name) in &bucket.regions {
            if let Some(index) = regions.iter().position(|known| known == region) {
                let state = BucketState { policy: policy.clone(), ..BucketState::default() };
                let placement = Placement::new(Arc::clone(&shared), name, state);
                placed[index].insert(name.clone(), Arc::new(placement));
            }
        }
    }
    Ok(Store::new(placed, Budget::new(config.upload_capacity, config.spill.clone())))
}

/// The state the mock starts in.
pub(crate) fn switchboard(config: &Config, store: Arc<Store>) -> Result<Switchboard, ConfigError> {
    let identities = config.identities.iter().enumerate();
    let identities = identities.map(|(at, identity)| compile_identity(at, identity, config.seed));
    let identities = identities.collect::<Result<_, _>>()?;
    let accounts = Accounts::new(config);
    let roles = config.roles.iter().map(|role| compile_role(role, &accounts));
    let mut base = Settings::base(identities, config.anonymous);
    base.roles = roles.collect::<Result<_, _>>()?;
    for controls in &config.controls {
        base.controls.insert(controls.account.clone(), compile_controls(controls)?);
    }
    base.signature_v2 = config.signature_v2;
    let regions = config.regions.iter().map(|region| region.name.clone()).collect();
    let buckets = config.buckets.iter().map(|bucket| bucket.name.as_str().into()).collect();
    Ok(Switchboard::new(base, regions, buckets, store, config.seed))
}

fn compile_identity(index: usize, identity: &IdentityConfig, seed: u64) -> Result<Identity, ConfigError> {
    let policy = |source| ConfigError::Policy { owner: identity.name.clone(), source };
    let documents = identity.policies.iter().map(|document| Policy::parse(document, Kind::Identity));
    let policies = documents.collect::<Result<Vec<_>, _>>().map_err(policy)?;
    let generated = || Credentials::generate(seed, &identity.name, 0);
    Ok(Identity {
        name: identity.name.clone(),
        caller: Arc::new(caller(index, identity)),
        credentials: identity.credentials.clone().unwrap_or_else(generated),
        policies,
        boundary: boundary(&identity.name, identity.boundary.as_ref())?,
        withdrawn: Vec::new(),
    })
}

fn compile_role(role: &RoleConfig, accounts: &Accounts) -> Result<Role, ConfigError> {
    let failed = |source| ConfigError::Policy { owner: role.name.clone(), source };
    let policies = role.policies.iter().map(|document| Policy::parse(document, Kind::Identity));
    Ok(Role {
        name: role.name.clone(),
        account: role.account.clone(),
        canonical_id: accounts.of(&role.account).canonical.clone(),
        trust: Policy::parse(&role.trust, Kind::Trust).map_err(failed)?,
        policies: policies.collect::<Result<_, _>>().map_err(failed)?,
        boundary: boundary(&role.name, role.boundary.as_ref())?,
        longest: i64::try_from(role.longest_session.as_secs()).unwrap_or(i64::MAX),
    })
}

/// The identity as authentication and policies see it.
fn caller(index: usize, identity: &IdentityConfig) -> auth::Caller {
    let principal = match identity.root {
        true => Caller::root(&identity.account),
        false => Caller {
            user_id: unique_id("AIDA", &identity.account, &identity.name),
            ..Caller::user(&identity.account, &identity.name)
        },
    };
    let canonical_id = identity.canonical_id.clone().unwrap_or_else(|| canonical_id(&identity.account));
    auth::Caller::user(index, Caller { canonical_id, ..principal })
}

fn boundary(owner: &str, document: Option<&Value>) -> Result<Option<Policy>, ConfigError> {
    let failed = |source| ConfigError::Policy { owner: owner.to_owned(), source };
    document.map(|document| Policy::parse(document, Kind::Identity)).transpose().map_err(failed)
}

fn compile_controls(controls: &AccountControls) -> Result<Controls, ConfigError> {
    let failed = |source| ConfigError::Policy { owner: controls.account.clone(), source };
    Ok(Controls {
        service: levels(&controls.service_control, Kind::Identity).map_err(failed)?,
        resource: levels(&controls.resource_control, Kind::Bucket).map_err(failed)?,
    })
}

/// Policies by level.
pub(crate) fn levels(levels: &[Vec<Value>], kind: Kind) -> Result<Vec<Vec<Policy>>, PolicyError> {
    let level = |level: &Vec<Value>| level.iter().map(|document| Policy::parse(document, kind)).collect();
    levels.iter().map(level).collect()
}

/// A bucket's own policy, and the statement that makes it public.
fn compile_bucket(bucket: &BucketConfig) -> Result<Option<BucketPolicy>, ConfigError> {
    let failed = |source| ConfigError::Policy { owner: bucket.name.clone(), source };
    let mut document = match &bucket.policy {
        Some(document) => document.clone(),
        None if !bucket.public => return Ok(None),
        None => json!({ "Version": "2012-10-17", "Statement": [] }),
    };
    if bucket.public {
        let arn = crate::store::arn(&bucket.name, "");
        let everyone = json!({
            "Sid": "public",
            "Effect": "Allow",
            "Principal": "*",
            "Action": [
                "s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject", "s3:ListBucket"
            ],
            "Resource": [arn, format!("{arn}/*")],
        });
        // Anything but a list is one statement, or refused below.
        match document.get_mut("Statement") {
            Some(Value::Array(list)) => list.push(everyone),
            Some(one) => *one = json!([one.take(), everyone]),
            None => {}
        }
    }
    let compiled = Policy::parse(&document, Kind::Bucket).map_err(failed)?;
    Ok(Some(BucketPolicy { text: document.to_string(), compiled }))
}

/// A state with the user `app` and the role `reader`, for unit tests of other modules.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn settings_for_tests() -> Settings {
    let mut config = Config::new(Arc::new(gatecrash_model::Pool::new(7)), "us-east-1");
    let mut app = IdentityConfig::new("app").allow(&["s3:*"], &["*"]);
    let pair = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    app.credentials = Some(pair);
    config.identities = vec![app, IdentityConfig::new("guest")];
    config.roles = vec![RoleConfig::new("reader", &["arn:aws:iam::000000000001:user/app"])];
    let store = store(&config, &Accounts::new(&config), 0).expect("a valid configuration");
    let switchboard = switchboard(&config, Arc::new(store)).expect("a valid configuration");
    switchboard.settings().as_ref().clone()
}
