//! Everything around the gateway under test: mock regions, chaos links, the gateway itself.
//!
//! Start order is upstream first; teardown is the reverse, also when a start fails or is given up halfway. How the
//! plan's faults reach the parts is in `faults`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatecrash_core::faults::Host;
use gatecrash_core::plan::{GatewayPlan, Plan, SignPlan};
use gatecrash_core::rules::RuleSet;
use gatecrash_load::{CredentialSource, Signer, Target, TlsTarget};
use gatecrash_mock_s3::{ChangeId, Control, Credentials, MockS3};
use gatecrash_model::{AttemptRegistry, Clock, Event, Pool, RequestId, RunId, Sink};
use gatecrash_wire::dns::NameServer;
use gatecrash_wire::tls::Authority;
use gatecrash_wire::{AttemptCounter, Link, Shared};

use crate::exit::Failure;
use crate::gateway::{self, Endpoint, FrontTls, Gateway, GatewayCredentials, Launch};
use crate::run::{Options, StopLine, asked};

#[cfg_attr(not(feature = "external-toxiproxy"), path = "topology/no_external.rs")]
mod external;
mod faults;
mod hook;
pub mod journeys;
mod links;
pub mod load;
mod names;
mod replay;
mod seat;
mod tls;
pub mod upstream;

pub use self::faults::listener_state;
pub use self::seat::Seat;

/// The running parts of one case.
pub struct Topology {
    upstream: Upstream,
    /// The gateway under test.
    pub gateway: Arc<Gateway>,
    /// Between the clients and the gateway, where a fault asks for it.
    entrance: Option<Link>,
    /// Where clients that speak TLS connect.
    secure: Option<TlsTarget>,
    control: Control,
    clock: Arc<dyn Clock>,
    signers: Vec<(Arc<CredentialSource>, Arc<Signer>)>,
    changes: HashMap<u16, Vec<ChangeId>>,
    means: HashMap<u16, String>,
    learned: HashMap<u16, (usize, Credentials)>,
    dir: PathBuf,
}

/// What all parts share.
#[derive(Clone)]
pub struct Ground {
    /// Run id.
    pub run: RunId,
    /// Clock.
    pub clock: Arc<dyn Clock>,
    /// Where observations go.
    pub sink: Arc<dyn Sink>,
    /// Contents.
    pub pool: Arc<Pool>,
}

/// The upstream half: it can stand alone, for `serve` and for gateways that are started by hand.
pub struct Upstream {
    /// The mock.
    pub mock: MockS3,
    /// One link per endpoint.
    pub links: Vec<Seat>,
    /// The rules the links and the mock ask.
    pub rules: Arc<RuleSet>,
    /// (region, number, address, primary) of each link.
    pub endpoints: Vec<Endpoint>,
    /// Who answers for the names of the regions.
    pub names: NameServer,
    /// Who signs what the links present, where some of them terminate TLS.
    pub authority: Option<Arc<Authority>>,
}

impl Upstream {
    /// Starts mock and links. `port` is the endpoints' shared port, 0 for any free one.
    pub async fn start(plan: &Plan, ground: &Ground, port: u16) -> Result<Self, Failure> {
        let authority = tls::authority(plan, &*ground.clock)?;
        let rules = Arc::new(RuleSet::new(plan));
        let registry = Arc::new(AttemptRegistry::default());
        let hook = hook::RuleHook::new(
            plan,
            Arc::clone(&rules),
            Arc::clone(&ground.sink),
            Arc::clone(&ground.clock),
        );
        let config = upstream::mock_config(plan, Arc::clone(&ground.pool)).map_err(Failure::usage)?;
        let (clock, sink) = (Arc::clone(&ground.clock), Arc::clone(&ground.sink));
        let mock = MockS3::start(config, clock, sink, Arc::clone(&registry), Arc::new(hook))
            .await
            .map_err(|e| Failure::environment(format!("the mock S3 did not start: {e}")))?;
        let shared = Shared {
            clock: Arc::clone(&ground.clock),
            sink: Arc::clone(&ground.sink),
            rules: Arc::clone(&rules),
            registry,
            attempts: Arc::new(AttemptCounter::default()),
        };
        let (links, endpoints) =
            match links::start(plan, ground.run, &mock, &shared, authority.as_ref(), port).await {
                Ok(started) => started,
                Err(failure) => {
                    mock.shutdown().await;
                    return Err(failure);
                }
            };
        match names::start(plan, &endpoints, Arc::clone(&ground.clock)).await {
            Ok(names) => Ok(Self { mock, links, rules, endpoints, names, authority }),
            Err(failure) => {
                stop_links(links).await;
                mock.shutdown().await;
                Err(failure)
            }
        }
    }

    /// Stops name server and links, then mock.
    pub async fn stop(self) {
        self.names.stop().await;
        stop_links(self.links).await;
        self.mock.shutdown().await;
    }
}

impl Topology {
    /// Starts everything, upstream first, and waits until the gateway answers. When that fails, or `stop` asks to
    /// give up, what was started is stopped again.
    pub async fn start(
        plan: &Plan,
        ground: &Ground,
        dir: &Path,
        options: &Options,
        stop: &StopLine,
    ) -> Result<Self, Failure> {
        let upstream = Upstream::start(plan, ground, options.upstream_port).await?;
        let control = upstream.mock.control();
        let ready = async {
            let credentials = identities(plan, &control)?;
            for (identity, credentials) in plan.identities.iter().zip(&credentials) {
                upstream.rules.know_key(&credentials.access_key, &identity.name);
            }
            let (front, secure) = match upstream.authority.as_deref() {
                Some(authority) => {
                    let front = tls::front(authority, plan, dir)?;
                    let secure = front.as_ref().map(|front| tls::target(authority, front)).transpose()?;
                    (front, secure)
                }
                None => (None, None),
            };
            let gateway = launch(plan, ground, dir, options, &upstream, &credentials, front.as_ref()).await?;
            let secure = match &plan.gateway {
                GatewayPlan::Url { ca, .. } if plan.gateway.is_https() => {
                    Some(tls::elsewhere(&gateway, ca.as_deref()).await?)
                }
                _ => secure,
            };
            let entrance = links::entrance(plan, ground, &upstream.rules, gateway.addr())?;
            let signers = load::signers(plan, credentials.into_iter().map(for_load).collect());
            Ok((gateway, entrance, secure, signers))
        };
        let ready = tokio::select! {
            ready = ready => ready,
            // The gateway's processes end with the future that starts them.
            stop = asked(stop) => Err(Failure::stopped(&stop)),
        };
        match ready {
            Ok((gateway, entrance, secure, signers)) => {
                let (changes, learned, means) = (HashMap::new(), HashMap::new(), HashMap::new());
                let (gateway, clock) = (Arc::new(gateway), Arc::clone(&ground.clock));
                let dir = dir.to_owned();
                Ok(Self {
                    upstream,
                    gateway,
                    entrance,
                    secure,
                    control,
                    clock,
                    signers,
                    changes,
                    means,
                    learned,
                    dir,
                })
            }
            Err(failure) => {
                upstream.stop().await;
                Err(failure)
            }
        }
    }

    /// Where clients connect.
    pub fn target(&self) -> Target {
        Target {
            addr: self.entrance.as_ref().map_or_else(|| self.gateway.addr(), Link::addr),
            host_header: self.gateway.host.clone(),
            tls: self.secure.clone(),
        }
    }

    /// The folder of the run.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The mock regions and their links.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// What clients sign with now, by identity in the plan's order.
    pub fn credentials(&self) -> Vec<Arc<gatecrash_load::Credentials>> {
        self.signers.iter().map(|(source, _)| source.current()).collect()
    }

    /// The signers of the identities, in the plan's order.
    pub fn signers(&self) -> Vec<Arc<Signer>> {
        self.signers.iter().map(|(_, signer)| Arc::clone(signer)).collect()
    }

    /// Stops everything in reverse order; the uploads the mock holds become events.
    pub async fn stop(self, plan: &Plan, run: RunId, sink: &dyn Sink) {
        if let Some(entrance) = self.entrance {
            entrance.stop().await;
        }
        self.gateway.stop().await;
        // Links see no attempt that never connected; the gateway's own log may.
        if plan.faults.iter().any(|f| matches!(f.spec.info().host, Host::Listener | Host::Resolver)) {
            for line in self.gateway.witness().unwrap_or_default() {
                let named = RequestId::parse_header(line.id.as_bytes()).filter(|(of, _)| *of == run);
                if let Some((_, id)) = named {
                    sink.event(Event::Witnessed { request: id.pack(), attempts: line.attempts });
                }
            }
        }
        let Upstream { mock, links, names, .. } = self.upstream;
        names.stop().await;
        stop_links(links).await;
        for entry in mock.store_entries() {
            sink.event(Event::Stored(entry));
        }
        mock.shutdown().await;
    }
}

async fn launch(
    plan: &Plan,
    ground: &Ground,
    dir: &Path,
    options: &Options,
    upstream: &Upstream,
    credentials: &[Credentials],
    front: Option<&FrontTls>,
) -> Result<Gateway, Failure> {
    let signs = plan.workloads.iter().find(|w| w.sign == SignPlan::Gateway).and_then(|w| w.identity);
    let key = signs
        .and_then(|identity| credentials.get(usize::from(identity)))
        .map(|c| GatewayCredentials { access_key: c.access_key.clone(), secret_key: c.secret_key.clone() });
    let planted = format!("planted-{}", ground.run);
    let executable = &options.executable;
    let (endpoints, resolver) = (&upstream.endpoints, Some(upstream.names.addr()));
    let upstream_tls = plan.regions.iter().any(|region| region.tls.is_some());
    let authority = upstream.authority.as_deref().filter(|_| upstream_tls);
    let tls = authority.map(|authority| tls::files(authority, plan, dir)).transpose()?;
    let launch = Launch {
        plan,
        endpoints,
        resolver,
        tls: tls.as_ref(),
        front,
        dir,
        executable,
        credentials: key,
        planted: &planted,
    };
    Ok(gateway::launch(launch).await?)
}

async fn stop_links(links: Vec<Seat>) {
    for link in links {
        link.stop().await;
    }
}

fn identities(plan: &Plan, control: &Control) -> Result<Vec<Credentials>, Failure> {
    let of = |name: &str| control.credentials(name).map_err(|e| Failure::environment(e.to_string()));
    plan.identities.iter().map(|i| of(&i.name)).collect()
}

fn for_load(credentials: Credentials) -> gatecrash_load::Credentials {
    gatecrash_load::Credentials {
        access_key: credentials.access_key,
        secret: credentials.secret_key,
        session_token: None,
    }
}
