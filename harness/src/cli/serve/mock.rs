//! `gatecrash serve mock`: the mock S3 alone.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use gatecrash_core::diagnostics::SourceText;
use gatecrash_core::identities::{Identities, Identity, PlacedPolicy, Role};
use gatecrash_core::plan::Plan;
use gatecrash_mock_s3::policy::{Kind, Policy};
use gatecrash_mock_s3::{
    Config, ConfigError, Credentials, IdentityConfig, Latency, MockS3, NoFaults, RoleConfig, mask,
};
use serde_json::Value;

use super::watch::Watch;
use super::{ground, plan_of};
use crate::cli::signals;
use crate::exit::{Exit, Failure};
use crate::topology;

/// The identity that may do everything, where nothing says who may what.
const ADMIN: &str = "admin";

/// What is served, and where.
#[derive(Args, Debug)]
pub(super) struct Mock {
    /// The same as --scenario
    #[arg(value_name = "SCENARIO")]
    positional: Option<PathBuf>,
    /// Scenario whose regions, buckets and identities it has. Without one: region us-east-1, and, without
    /// --identities as well, a public bucket `media` and an identity `admin` that may do everything
    #[arg(long, value_name = "FILE", conflicts_with = "positional")]
    scenario: Option<PathBuf>,
    /// Who may sign, besides the scenario's identities: YAML or JSON, see docs/identities.md
    #[arg(long, value_name = "FILE")]
    identities: Option<PathBuf>,
    /// Where the first region listens, the next ones on the ports that follow; port 0 for free ones
    #[arg(long, default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// Short for --listen 127.0.0.1:PORT
    #[arg(long, conflicts_with = "listen")]
    port: Option<u16>,
    #[command(flatten)]
    watch: Watch,
    /// Take as long as S3 does, by operation and size: a named law of latencies. Without it: no time
    #[arg(long, value_name = "LAW", value_parser = Latency::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>())]
    latency: Option<String>,
}

impl Mock {
    pub(super) async fn serve(self) -> Result<Exit, Failure> {
        let end = signals::end()?;
        let plan = self.plan()?;
        let ground = ground(&plan);
        let mut config =
            topology::upstream::mock_config(&plan, Arc::clone(&ground.pool)).map_err(Failure::usage)?;
        self.bind(&mut config)?;
        if let Some(law) = self.latency.as_deref().and_then(Latency::named) {
            config.regions.iter_mut().for_each(|region| region.latency = Some(law));
        }
        self.add_identities(&plan, &mut config)?;
        let identities = config.identities.clone();
        let mock = MockS3::start(config, ground.clock, ground.sink, Arc::default(), Arc::new(NoFaults));
        let mock = mock.await.map_err(cannot_start)?;
        let admin = self.watch.begin(&mock).await?;
        tell(&mock, admin, &plan, &identities);
        crate::output::print("ready\n");
        end.await;
        mock.shutdown().await;
        Ok(Exit::Pass)
    }

    /// What is served: the scenario, or the smallest shipped one. Its bucket is left out when a file says who
    /// may sign: then clients make their own.
    fn plan(&self) -> Result<Plan, Failure> {
        let scenario = self.scenario.as_ref().or(self.positional.as_ref());
        let mut plan = plan_of(scenario.cloned())?;
        if scenario.is_none() && self.identities.is_some() {
            plan.buckets.clear();
        }
        Ok(plan)
    }

    fn bind(&self, config: &mut Config) -> Result<(), Failure> {
        let first = self.port.map_or(self.listen, |port| (Ipv4Addr::LOCALHOST, port).into());
        for (region, offset) in config.regions.iter_mut().zip(0u16..) {
            let port = if first.port() == 0 { Some(0) } else { first.port().checked_add(offset) };
            let port = port
                .ok_or_else(|| Failure::usage("--listen (or --port) leaves no port for the last region"))?;
            region.bind = (first.ip(), port).into();
        }
        Ok(())
    }

    fn add_identities(&self, plan: &Plan, config: &mut Config) -> Result<(), Failure> {
        match &self.identities {
            Some(path) => read(path, config)?,
            None if plan.identities.is_empty() => {
                config.identities.push(IdentityConfig { root: true, ..IdentityConfig::new(ADMIN) });
            }
            None => {}
        }
        Ok(())
    }
}

fn cannot_start(why: ConfigError) -> Failure {
    match why {
        ConfigError::Listen { .. } => Failure::environment(why.to_string())
            .hint("choose another place with --listen or --port; port 0 takes a free one"),
        _ => Failure::usage(why.to_string()),
    }
}

/// Adds the identities and roles of a file; mistakes are shown at their place.
fn read(path: &Path, config: &mut Config) -> Result<(), Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failure::usage(format!("cannot read {}: {e}", path.display())))?;
    let file = Identities::read(&SourceText::new(path.display().to_string(), text))
        .map_err(|mistakes| Failure::usage(mistakes.to_string()))?;
    let check = |policy: &PlacedPolicy, kind| match Policy::parse(&policy.document, kind) {
        Ok(_) => Ok(()),
        Err(why) => Err(Failure::usage(file.refuse(policy, &why.to_string()).to_string())),
    };
    for identity in &file.list {
        let mut policies = identity.policies.iter().chain(&identity.boundary);
        policies.try_for_each(|policy| check(policy, Kind::Identity))?;
    }
    for role in &file.roles {
        check(&role.trust, Kind::Trust)?;
        let mut policies = role.policies.iter().chain(&role.boundary);
        policies.try_for_each(|policy| check(policy, Kind::Identity))?;
    }
    config.identities.extend(file.list.into_iter().map(identity));
    config.roles.extend(file.roles.into_iter().map(role));
    Ok(())
}

fn identity(identity: Identity) -> IdentityConfig {
    IdentityConfig {
        account: identity.account,
        display_name: identity.display_name,
        email: identity.email,
        canonical_id: identity.canonical_id,
        root: identity.root,
        credentials: identity.keys.map(|(access, secret)| Credentials::new(access, secret)),
        policies: documents(identity.policies),
        boundary: identity.boundary.map(|policy| policy.document),
        ..IdentityConfig::new(&identity.name)
    }
}

fn role(role: Role) -> RoleConfig {
    RoleConfig {
        account: role.account,
        trust: role.trust.document,
        policies: documents(role.policies),
        boundary: role.boundary.map(|policy| policy.document),
        longest_session: role.longest_session.duration(),
        ..RoleConfig::new(&role.name, &[])
    }
}

fn documents(policies: Vec<PlacedPolicy>) -> Vec<Value> {
    policies.into_iter().map(|policy| policy.document).collect()
}

/// What a user needs to know to use it. The last line says that it serves.
fn tell(mock: &MockS3, admin: Option<SocketAddr>, plan: &Plan, identities: &[IdentityConfig]) {
    for region in mock.regions() {
        let addr = mock.addr(region).map_or_else(String::new, |a| a.to_string());
        crate::output::print(&format!("{region:<14} http://{addr}\n"));
    }
    if let Some(admin) = admin {
        crate::output::print(&format!("{:<14} http://{admin}\n", "admin"));
    }
    for bucket in &plan.buckets {
        let access = if bucket.public { "public" } else { "signed requests only" };
        let objects = format!("{} objects ({})", bucket.objects, bucket.key);
        crate::output::print(&format!("bucket {:<10} {objects}, {access}\n", bucket.name));
    }
    for identity in identities {
        let owner = mock.canonical_id(&identity.account);
        let line = format!("identity {}: account {}, canonical id {owner}", identity.name, identity.account);
        let keys = match (&identity.credentials, mock.credentials(&identity.name)) {
            (Some(given), _) => format!("access key {}", mask(&given.access_key)),
            // Generated for this mock: the user needs them to sign, and nothing else accepts them.
            (None, Some(made)) => format!("access key {} secret {}", made.access_key, made.secret_key),
            (None, None) => String::new(),
        };
        crate::output::print(&format!("{line}, {keys}\n"));
    }
}
