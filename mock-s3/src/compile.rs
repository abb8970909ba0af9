//! From a configuration to the state a mock starts in: checked, compiled, placed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::json;

use crate::auth::Credentials;
use crate::config::{BucketConfig, Config, ConfigError, IdentityConfig};
use crate::control::Switchboard;
use crate::policy::{Caller, Kind, Policy};
use crate::settings::{Identity, Settings};
use crate::store::{Bucket, Keyspace, Placement, Store, first_twice};

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
pub(crate) fn store(config: &Config, regions: &[String], now: i64) -> Store {
    let mut placed: Vec<BTreeMap<String, Arc<Placement>>> = vec![BTreeMap::new(); regions.len()];
    for bucket in &config.buckets {
        let shared = Arc::new(Bucket {
            name: bucket.name.as_str().into(),
            account: bucket.account.clone(),
            created: now,
            keyspaces: bucket.objects.iter().cloned().map(Keyspace::new).collect(),
        });
        for (region, name) in &bucket.regions {
            if let Some(index) = regions.iter().position(|known| known == region) {
                placed[index].insert(name.clone(), Arc::new(Placement::new(Arc::clone(&shared), name)));
            }
        }
    }
    Store::new(placed, config.upload_capacity)
}

/// The state the mock starts in.
pub(crate) fn switchboard(config: &Config, regions: &[String]) -> Result<Switchboard, ConfigError> {
    let identities = config.identities.iter().map(|identity| compile_identity(identity, config.seed));
    let identities = identities.collect::<Result<_, _>>()?;
    let mut policies = HashMap::new();
    for bucket in &config.buckets {
        policies.insert(bucket.name.as_str().into(), compile_bucket(bucket)?);
    }
    let base = Settings::base(identities, policies, config.anonymous);
    let owners = config.buckets.iter().map(|b| (b.name.as_str().into(), b.account.clone())).collect();
    Ok(Switchboard::new(base, regions.to_vec(), owners, config.seed))
}

fn compile_identity(identity: &IdentityConfig, seed: u64) -> Result<Identity, ConfigError> {
    let policy = |source| ConfigError::Policy { owner: identity.name.clone(), source };
    let documents = identity.policies.iter().map(|document| Policy::parse(document, Kind::Identity));
    let mut policies = documents.collect::<Result<Vec<_>, _>>().map_err(policy)?;
    let arn = if identity.root {
        let all = json!({ "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } });
        policies = vec![Policy::parse(&all, Kind::Identity).map_err(policy)?];
        format!("arn:aws:iam::{}:root", identity.account)
    } else {
        format!("arn:aws:iam::{}:user/{}", identity.account, identity.name)
    };
    let generated = || Credentials::generate(seed, &identity.name, 0);
    Ok(Identity {
        name: identity.name.clone(),
        caller: Caller::User { arn, account: identity.account.clone() },
        credentials: identity.credentials.clone().unwrap_or_else(generated),
        policies,
        withdrawn: Vec::new(),
    })
}

/// A bucket's own policy, and the statement that makes it public.
fn compile_bucket(bucket: &BucketConfig) -> Result<Policy, ConfigError> {
    let failed = |source| ConfigError::Policy { owner: bucket.name.clone(), source };
    let mut policy = match &bucket.policy {
        Some(document) => Policy::parse(document, Kind::Bucket).map_err(failed)?,
        None => Policy::default(),
    };
    if bucket.public {
        let arn = crate::store::arn(&bucket.name, "");
        let everyone = json!({ "Statement": {
            "Sid": "public",
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"],
            "Resource": [arn, format!("{arn}/*")],
        }});
        policy.statements.extend(Policy::parse(&everyone, Kind::Bucket).map_err(failed)?.statements);
    }
    Ok(policy)
}
