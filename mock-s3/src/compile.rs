//! From a configuration to the state a mock starts in: checked, compiled, placed.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatecrash_model::hash;
use serde_json::{Value, json};

use crate::accounts::Accounts;
use crate::auth::Credentials;
use crate::config::{BucketConfig, Config, ConfigError, IdentityConfig};
use crate::control::Switchboard;
use crate::policy::{Caller, Kind, Policy};
use crate::settings::{Identity, Settings};
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
    let identities = config.identities.iter().map(|identity| compile_identity(identity, config.seed));
    let identities = identities.collect::<Result<_, _>>()?;
    let base = Settings::base(identities, config.anonymous);
    let regions = config.regions.iter().map(|region| region.name.clone()).collect();
    let buckets = config.buckets.iter().map(|bucket| bucket.name.as_str().into()).collect();
    Ok(Switchboard::new(base, regions, buckets, store, config.seed))
}

fn compile_identity(identity: &IdentityConfig, seed: u64) -> Result<Identity, ConfigError> {
    let policy = |source| ConfigError::Policy { owner: identity.name.clone(), source };
    let policies = identity.policies.iter().map(|document| Policy::parse(document, Kind::Identity));
    let generated = || Credentials::generate(seed, &identity.name, 0);
    Ok(Identity {
        name: identity.name.clone(),
        caller: caller(identity),
        credentials: identity.credentials.clone().unwrap_or_else(generated),
        policies: policies.collect::<Result<_, _>>().map_err(policy)?,
        withdrawn: Vec::new(),
    })
}

/// The identity as policies see it.
fn caller(identity: &IdentityConfig) -> Caller {
    let caller = match identity.root {
        true => Caller::root(&identity.account),
        false => Caller::user(&identity.account, &identity.name),
    };
    let canonical_id = identity.canonical_id.clone().unwrap_or_else(|| canonical_id(&identity.account));
    Caller { canonical_id, ..caller }
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
            "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"],
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
