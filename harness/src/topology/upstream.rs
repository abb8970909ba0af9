//! The mock S3 of a plan, and the hook through which the plan's rules reach it.

use std::sync::Arc;
use std::time::Duration;

use gatecrash_core::faults::Terminal;
use gatecrash_core::plan::{BucketPlan, IdentityPlan, Plan, SizePlan, StatementPlan};
use gatecrash_core::rules::{self, RuleSet};
use gatecrash_mock_s3::{
    Action, BucketConfig, Config, Facts, FaultHook, IdentityConfig, Point, RegionConfig,
};
use gatecrash_model::population::{KeyPattern, Population, SizeLaw};
use gatecrash_model::{AttemptId, Clock, FiringRecord, Pool, Sink};

/// The mock's link index in firings.
pub const MOCK: u8 = 255;

/// The mock's configuration for a plan.
pub fn mock_config(plan: &Plan, pool: Arc<Pool>) -> Result<Config, String> {
    let first = plan.regions.first().map_or("us-east-1", |r| r.name.as_str());
    let mut config = Config::new(pool, first);
    config.seed = plan.seed;
    config.regions = plan.regions.iter().map(|r| RegionConfig::from(r.name.as_str())).collect();
    config.buckets = plan.buckets.iter().map(|b| bucket(plan, b)).collect::<Result<_, _>>()?;
    config.identities = plan.identities.iter().map(identity).collect();
    Ok(config)
}

/// The synthetic objects of a bucket: the same value for the mock and for the load generator.
pub fn population(plan: &Plan, bucket: &BucketPlan) -> Result<Population, String> {
    let pattern: KeyPattern = bucket.key.parse().map_err(|e| format!("bucket {}: {e}", bucket.name))?;
    let sizes = size_law(&bucket.size);
    Ok(Population { bucket: bucket.name.clone(), count: bucket.objects, pattern, sizes, seed: plan.seed })
}

/// The plan's size law in the model's terms.
pub fn size_law(size: &SizePlan) -> SizeLaw {
    match size {
        SizePlan::Fixed(bytes) => SizeLaw::Fixed(bytes.0),
        SizePlan::Weighted(choices) => SizeLaw::Weighted(choices.iter().map(|(b, s)| (b.0, s.0)).collect()),
    }
}

fn bucket(plan: &Plan, bucket: &BucketPlan) -> Result<BucketConfig, String> {
    Ok(BucketConfig {
        regions: bucket.regions.clone(),
        public: bucket.public,
        policy: bucket.policy.clone(),
        objects: vec![population(plan, bucket)?],
        ..BucketConfig::new(&bucket.name, &[])
    })
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

/// Asks the rule set on the mock's behalf and records what fired.
pub struct RuleHook {
    rules: Arc<RuleSet>,
    sink: Arc<dyn Sink>,
    clock: Arc<dyn Clock>,
    endpoints: Vec<u16>,
}

impl RuleHook {
    /// A hook for a plan's rules.
    pub fn new(plan: &Plan, rules: Arc<RuleSet>, sink: Arc<dyn Sink>, clock: Arc<dyn Clock>) -> Self {
        Self { rules, sink, clock, endpoints: plan.links().iter().map(|(_, endpoint)| *endpoint).collect() }
    }
}

impl FaultHook for RuleHook {
    fn decide(&self, point: Point, facts: &Facts<'_>) -> Action {
        let point = match point {
            Point::Auth => rules::Point::MockAuth,
            Point::Handle => rules::Point::MockHandle,
            Point::Respond => return Action::Continue,
        };
        if !self.rules.any_active() {
            return Action::Continue;
        }
        let headers: Vec<_> =
            facts.headers.iter().filter_map(|(n, v)| Some((n.as_str(), v.to_str().ok()?))).collect();
        let id = AttemptId::unpack(facts.attempt.attempt);
        let orders = self.rules.decide(
            point,
            &rules::Facts {
                region: facts.region as u16,
                endpoint: id.and_then(|id| self.endpoints.get(usize::from(id.link))).copied().unwrap_or(0),
                link: id.map_or(MOCK, |id| id.link),
                conn: id.map_or(0, |id| id.conn),
                ordinal: id.map_or(0, |id| id.ordinal),
                attempt: facts.attempt,
                op: facts.op,
                method: facts.method.as_str(),
                bucket: facts.bucket,
                key: facts.key,
                headers: &headers,
                status: 0,
            },
        );
        for fired in &orders.fired {
            self.sink.firing(FiringRecord {
                at: self.clock.now(),
                attempt: facts.attempt.attempt,
                request: facts.attempt.request,
                draw: fired.draw,
                conn: id.map_or(0, |id| id.conn),
                fault: fired.fault,
                link: MOCK,
                number: facts.attempt.number,
            });
        }
        match orders.terminal {
            Some((_, Terminal::S3Error { status, code, message })) => {
                Action::Error { status, code: code.into(), message: message.into() }
            }
            Some((_, Terminal::Status { status, empty: false })) => Action::Status(status),
            Some((_, Terminal::Status { status, empty: true })) => Action::Empty(status),
            _ if orders.delay > 0 => Action::Delay(Duration::from_nanos(orders.delay)),
            _ => Action::Continue,
        }
    }
}
