//! From a configuration to the state a mock starts in: checked, compiled, placed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::json;

use crate::auth::{self, Credentials};
use crate::config::{BucketConfig, Config, ConfigError, IdentityConfig, RoleConfig};
use crate::control::Switchboard;
use crate::policy::{Caller, Kind, Policy};
use crate::settings::{Identity, Role, Settings};
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
    let identities = config.identities.iter().enumerate();
    let identities = identities.map(|(at, identity)| compile_identity(at, identity, config.seed));
    let identities = identities.collect::<Result<_, _>>()?;
    let mut policies = HashMap::new();
    for bucket in &config.buckets {
        policies.insert(bucket.name.as_str().into(), compile_bucket(bucket)?);
    }
    let mut base = Settings::base(identities, policies, config.anonymous);
    base.roles = config.roles.iter().map(compile_role).collect::<Result<_, _>>()?;
    base.signature_v2 = config.signature_v2;
    let owners = config.buckets.iter().map(|b| (b.name.as_str().into(), b.account.clone())).collect();
    Ok(Switchboard::new(base, regions.to_vec(), owners, config.seed))
}

fn compile_identity(index: usize, identity: &IdentityConfig, seed: u64) -> Result<Identity, ConfigError> {
    let policy = |source| ConfigError::Policy { owner: identity.name.clone(), source };
    let policies = identity.policies.iter().map(|document| Policy::parse(document, Kind::Identity));
    let generated = || Credentials::generate(seed, &identity.name, 0);
    Ok(Identity {
        name: identity.name.clone(),
        caller: Caller::User {
            arn: format!("arn:aws:iam::{}:user/{}", identity.account, identity.name),
            account: identity.account.clone(),
        },
        who: Arc::new(auth::Caller::user(index, &identity.account, &identity.name)),
        credentials: identity.credentials.clone().unwrap_or_else(generated),
        policies: policies.collect::<Result<_, _>>().map_err(policy)?,
        withdrawn: Vec::new(),
    })
}

fn compile_role(role: &RoleConfig) -> Result<Role, ConfigError> {
    let failed = |source| ConfigError::Policy { owner: role.name.clone(), source };
    let policies = role.policies.iter().map(|document| Policy::parse(document, Kind::Identity));
    Ok(Role {
        name: role.name.clone(),
        account: role.account.clone(),
        trust: crate::sts::trust_policy(&role.trust).map_err(failed)?,
        policies: policies.collect::<Result<_, _>>().map_err(failed)?,
        longest: i64::try_from(role.longest_session.as_secs()).unwrap_or(i64::MAX),
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

/// A state with the user `app` and the role `reader`, for unit tests of other modules.
#[cfg(test)]
pub(crate) fn settings_for_tests() -> Settings {
    let mut config = Config::new(Arc::new(gatecrash_model::Pool::new(7)), "us-east-1");
    let mut app = IdentityConfig::new("app").allow(&["s3:*"], &["*"]);
    let pair = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    app.credentials = Some(pair);
    config.identities = vec![app, IdentityConfig::new("guest")];
    config.roles = vec![RoleConfig::new("reader", &["arn:aws:iam::000000000001:user/app"])];
    let switchboard = switchboard(&config, &["us-east-1".to_owned()]).expect("a valid configuration");
    switchboard.settings().as_ref().clone()
}
