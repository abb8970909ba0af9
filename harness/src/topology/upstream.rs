//! The mock S3 of a plan.

use std::sync::Arc;

use gatecrash_core::faults::FaultSpec;
use gatecrash_core::plan::{
    BucketPlan, IdentityPlan, LatencyProfile, Plan, RegionPlan, ReplicationPlan, StatementPlan,
};
use gatecrash_mock_s3::{
    BucketConfig, Config, IdentityConfig, Lag, Latency, RegionConfig, ReplicationConfig,
};
use gatecrash_model::{Pool, Population};

/// The mock's configuration for a plan.
pub fn mock_config(plan: &Plan, pool: Arc<Pool>) -> Result<Config, String> {
    let first = plan.regions.first().map_or("us-east-1", |r| r.name.as_str());
    let mut config = Config::new(pool, first);
    config.seed = plan.seed;
    let latency = |profile| match profile {
        LatencyProfile::AwsLike => Latency::AwsLike,
    };
    let region = |r: &RegionPlan| RegionConfig {
        latency: r.profile.map(latency),
        behind_tls: r.tls.is_some(),
        ..RegionConfig::from(r.name.as_str())
    };
    config.regions = plan.regions.iter().map(region).collect();
    config.buckets = plan.buckets.iter().map(|b| bucket(plan, b)).collect::<Result<_, _>>()?;
    config.identities = plan.identities.iter().map(identity).collect();
    config.remember =
        plan.faults.iter().any(|f| matches!(f.spec, FaultSpec::StaleRead(_) | FaultSpec::StaleList(_)));
    Ok(config)
}

/// The synthetic objects of a bucket: the same value for the mock and for the load generator.
pub fn population(plan: &Plan, bucket: &BucketPlan) -> Result<Population, String> {
    bucket.population(plan.seed).map_err(|e| format!("bucket {}: {e}", bucket.name))
}

fn bucket(plan: &Plan, bucket: &BucketPlan) -> Result<BucketConfig, String> {
    Ok(BucketConfig {
        regions: bucket.regions.clone(),
        public: bucket.public,
        policy: bucket.policy.clone(),
        replication: bucket.replication.as_ref().map(|plan| replication(plan, bucket)),
        objects: vec![population(plan, bucket)?],
        cache_control: bucket.cache_control.clone(),
        ..BucketConfig::new(&bucket.name, &[])
    })
}

fn replication(plan: &ReplicationPlan, bucket: &BucketPlan) -> ReplicationConfig {
    let from = |from: &String| {
        let to = bucket.regions.iter().filter(|(region, _)| region != from);
        to.map(|(to, _)| (from.clone(), to.clone())).collect()
    };
    ReplicationConfig {
        routes: plan.from.as_ref().map_or_else(Vec::new, from),
        lag: Lag { p50: plan.lag.p50.duration(), p99: plan.lag.p99.duration() },
        delete_markers: plan.delete_markers,
    }
}

fn identity(identity: &IdentityPlan) -> IdentityConfig {
    let mut config = IdentityConfig::new(&identity.name);
    config.account.clone_from(&identity.account);
    for statement in &identity.allow {
        let (actions, resources) = borrowed(statement);
        config = config.allow(&actions, &resources);
    }
    for statement in &identity.deny {
        let (actions, resources) = borrowed(statement);
        config = config.deny(&actions, &resources);
    }
    config
}

fn borrowed(statement: &StatementPlan) -> (Vec<&str>, Vec<&str>) {
    (texts(&statement.actions), texts(&statement.resources))
}

fn texts(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}
