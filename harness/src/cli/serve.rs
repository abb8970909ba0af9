//! `gatecrash serve`: the long-running parts alone.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use gatecrash_core::diagnostics::SourceText;
use gatecrash_core::plan::Plan;
use gatecrash_model::{Clock, NullSink, Pool, RunId, Sink};

use crate::clock::RunClock;
use crate::exit::{Exit, Failure};
use crate::suite;
use crate::topology::{Ground, Upstream};

mod mock;
pub(super) mod proxy;
mod watch;

/// Which part.
#[derive(Args, Debug)]
pub(super) struct Serve {
    #[command(subcommand)]
    part: Part,
}

#[derive(Subcommand, Debug)]
enum Part {
    /// The mock S3 alone, with the buckets and identities of a scenario, of a file, or of its own
    Mock(mock::Mock),
    /// The chaos proxy, a drop-in toxiproxy-server; or, with --upstream, one link with faults
    Proxy(proxy::Proxy),
    /// The reference gateway; SIGHUP reads its configuration again
    Gateway {
        /// Its configuration, JSON
        #[arg(long)]
        config: PathBuf,
    },
    /// Mock and links of a scenario on stable ports, for a gateway you start yourself
    Upstreams {
        /// Scenario
        scenario: PathBuf,
        /// Port all endpoints share, each on its own loopback address
        #[arg(long, default_value_t = 9100)]
        port: u16,
    },
}

impl Serve {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        super::block_on(async {
            match self.part {
                Part::Mock(mock) => mock.serve().await,
                Part::Proxy(proxy) => proxy.serve().await,
                Part::Gateway { config } => reference(&config).await,
                Part::Upstreams { scenario, port } => upstreams(scenario, port).await,
            }
        })
    }
}

async fn upstreams(scenario: PathBuf, port: u16) -> Result<Exit, Failure> {
    let end = super::signals::end()?;
    let plan = plan_of(Some(scenario))?;
    let upstream = Upstream::start(&plan, &ground(&plan), port).await?;
    for endpoint in &upstream.endpoints {
        let role = if endpoint.primary { "primary" } else { "standby" };
        let tls = plan.regions.iter().any(|region| region.name == endpoint.region && region.tls.is_some());
        let scheme = if tls { "https" } else { "http" };
        super::print(&format!(
            "{:<14} {role:<8} endpoint {}  {scheme}://{}\n",
            endpoint.region, endpoint.number, endpoint.addr
        ));
    }
    if let Some(authority) = &upstream.authority {
        super::print(&authority.root_pem());
    }
    end.await;
    upstream.stop().await;
    Ok(Exit::Pass)
}

async fn reference(path: &std::path::Path) -> Result<Exit, Failure> {
    crate::reference::serve(path, super::signals::end()?).await?;
    Ok(Exit::Pass)
}

fn plan_of(scenario: Option<PathBuf>) -> Result<Plan, Failure> {
    let source = match scenario {
        Some(path) => suite::read(&[path])?.remove(0),
        None => suite::shipped()
            .into_iter()
            .find(|s| s.name.ends_with("smoke/control.yaml"))
            .ok_or_else(|| Failure::environment("no shipped scenario"))?,
    };
    one_plan(&source)
}

pub(super) fn one_plan(source: &SourceText) -> Result<Plan, Failure> {
    let cases = suite::plan_all(std::slice::from_ref(source), &super::load_scenarios::plain())?;
    let case = cases.into_iter().next().ok_or_else(|| Failure::usage("the scenario has no case"))?;
    Ok(case.plan)
}

pub(super) fn ground(plan: &Plan) -> Ground {
    let clock = RunClock::start();
    clock.set_zero();
    Ground {
        run: RunId(0),
        clock: Arc::new(clock) as Arc<dyn Clock>,
        sink: Arc::new(NullSink) as Arc<dyn Sink>,
        pool: Arc::new(Pool::new(plan.seed)),
    }
}
