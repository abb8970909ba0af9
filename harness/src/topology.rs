//! Everything around the gateway under test: mock regions, chaos links, the gateway itself; and how faults reach them.
//!
//! Start order is upstream first; teardown is the reverse.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use gatecrash_core::faults::{ClockOf, FaultSpec, Host};
use gatecrash_core::plan::{Plan, SignPlan};
use gatecrash_core::rules::RuleSet;
use gatecrash_load::{CredentialSource, Signer};
use gatecrash_mock_s3::{Capacity, ChangeId, Control, Credentials, MockS3, WrongRegion, WrongRegionKind};
use gatecrash_model::{AttemptRegistry, Clock, Event, Pool, RequestId, RunId, Sink};
use gatecrash_wire::{AttemptCounter, Link, LinkConfig, ListenerState, Shared};

use crate::exit::Failure;
use crate::gateway::{self, Endpoint, Gateway, GatewayCredentials, Launch};
use crate::run::Options;

pub mod load;
pub mod upstream;

/// The running parts of one case.
pub struct Topology {
    mock: MockS3,
    links: Vec<Link>,
    /// The gateway under test.
    pub gateway: Arc<Gateway>,
    rules: Arc<RuleSet>,
    control: Control,
    signers: Vec<(Arc<CredentialSource>, Arc<Signer>)>,
    changes: HashMap<u16, Vec<ChangeId>>,
    learned: HashMap<u16, (usize, Credentials)>,
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
    pub links: Vec<Link>,
    /// The rules the links and the mock ask.
    pub rules: Arc<RuleSet>,
    /// (region, number, address, primary) of each link.
    pub endpoints: Vec<Endpoint>,
}

impl Upstream {
    /// Starts mock and links. `port` is the endpoints' shared port, 0 for any free one.
    pub async fn start(plan: &Plan, ground: &Ground, port: u16) -> Result<Self, Failure> {
        let rules = Arc::new(RuleSet::new(plan));
        let registry = Arc::new(AttemptRegistry::default());
        let hook = upstream::RuleHook::new(
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
        let (links, endpoints) = start_links(plan, ground.run, &mock, &shared, port).await?;
        Ok(Self { mock, links, rules, endpoints })
    }

    /// Stops links, then mock.
    pub async fn stop(self) {
        for link in self.links {
            link.stop().await;
        }
        self.mock.shutdown().await;
    }
}

impl Topology {
    /// Starts everything, upstream first, and waits until the gateway answers.
    pub async fn start(plan: &Plan, ground: &Ground, dir: &Path, options: &Options) -> Result<Self, Failure> {
        let Upstream { mock, links, rules, endpoints } =
            Upstream::start(plan, ground, options.upstream_port).await?;
        let control = mock.control();
        let credentials = identities(plan, &control)?;
        let signs = plan.workloads.iter().find(|w| w.sign == SignPlan::Gateway).and_then(|w| w.identity);
        let key = signs.and_then(|identity| credentials.get(usize::from(identity))).map(|c| {
            GatewayCredentials { access_key: c.access_key.clone(), secret_key: c.secret_key.clone() }
        });
        let planted = format!("planted-{}", ground.run);
        let executable = &options.executable;
        let launch =
            Launch { plan, endpoints: &endpoints, dir, executable, credentials: key, planted: &planted };
        let gateway = match gateway::launch(launch).await {
            Ok(gateway) => Arc::new(gateway),
            Err(error) => {
                Upstream { mock, links, rules, endpoints }.stop().await;
                return Err(error.into());
            }
        };
        let signers = load::signers(plan, credentials.into_iter().map(for_load).collect());
        let (changes, learned) = (HashMap::new(), HashMap::new());
        Ok(Self { mock, links, gateway, rules, control, signers, changes, learned })
    }

    /// The signers of the identities, in the plan's order.
    pub fn signers(&self) -> Vec<Arc<Signer>> {
        self.signers.iter().map(|(_, signer)| Arc::clone(signer)).collect()
    }

    /// How often a fault fired so far.
    pub fn fired(&self, fault: u16) -> u64 {
        self.rules.fired(fault)
    }

    /// Puts a fault in force. For connect faults: whether our own probes saw it.
    pub async fn switch_on(&mut self, plan: &Plan, fault: u16) -> Option<bool> {
        let spec = plan.faults[usize::from(fault)].spec.clone();
        match spec.info().host {
            Host::Link | Host::Mock => {
                self.rules.switch(fault, true);
                None
            }
            Host::Listener => {
                let state = match spec {
                    FaultSpec::ConnectBlackhole(_) => ListenerState::Blackhole,
                    _ => ListenerState::Refuse,
                };
                Some(self.set_listeners(plan, fault, state).await)
            }
            Host::MockSetting => Some(self.change_setting(plan, fault, &spec).is_ok()),
            Host::Process => Some(self.change_gateway(&spec, true).await),
        }
    }

    /// Takes a fault back. For connect faults: whether our own probes could connect again.
    pub async fn switch_off(&mut self, plan: &Plan, fault: u16) -> Option<bool> {
        let spec = plan.faults[usize::from(fault)].spec.clone();
        match spec.info().host {
            Host::Link | Host::Mock => {
                self.rules.switch(fault, false);
                None
            }
            Host::Listener => Some(self.set_listeners(plan, fault, ListenerState::Open).await),
            Host::MockSetting => {
                if let FaultSpec::ClockSkew(skew) = &spec
                    && skew.of == ClockOf::Clients
                {
                    self.signers.iter().for_each(|(_, signer)| signer.set_skew(0));
                }
                for change in self.changes.remove(&fault).unwrap_or_default() {
                    self.control.undo(change);
                }
                Some(true)
            }
            Host::Process => Some(self.change_gateway(&spec, false).await),
        }
    }

    /// Signing clients switch to the key that a rotation gave their identity.
    pub fn clients_learn(&mut self, fault: u16) {
        if let Some((identity, credentials)) = self.learned.remove(&fault)
            && let Some((source, _)) = self.signers.get(identity)
        {
            source.swap(for_load(credentials));
        }
    }

    /// Stops everything in reverse order; the uploads the mock holds become events.
    pub async fn stop(self, plan: &Plan, run: RunId, sink: &dyn Sink) {
        self.gateway.stop().await;
        // Links see no attempt that never connected; the gateway's own log may.
        if plan.faults.iter().any(|f| f.spec.info().host == Host::Listener) {
            for line in self.gateway.witness().unwrap_or_default() {
                let named = RequestId::parse_header(line.id.as_bytes()).filter(|(of, _)| *of == run);
                if let Some((_, id)) = named {
                    sink.event(Event::Witnessed { request: id.pack(), attempts: line.attempts });
                }
            }
        }
        for link in self.links {
            link.stop().await;
        }
        for entry in self.mock.store_entries() {
            sink.event(Event::Stored(entry));
        }
        self.mock.shutdown().await;
    }

    async fn set_listeners(&mut self, plan: &Plan, fault: u16, state: ListenerState) -> bool {
        let target = &plan.faults[usize::from(fault)];
        let mut confirmed = true;
        for (link, (region, endpoint)) in self.links.iter_mut().zip(plan.links()) {
            if target.region.is_none_or(|r| r == region) && target.endpoint.is_none_or(|e| e == endpoint) {
                confirmed &= link.set_listener_for(state, fault).await;
            }
        }
        confirmed
    }

    fn change_setting(&mut self, plan: &Plan, fault: u16, spec: &FaultSpec) -> Result<(), String> {
        let target = plan.faults[usize::from(fault)].region.and_then(|r| plan.regions.get(usize::from(r)));
        let text = |e: gatecrash_mock_s3::ControlError| e.to_string();
        let json = |e: serde_json::Error| e.to_string();
        let mut made = Vec::new();
        match spec {
            FaultSpec::Iam(iam) => {
                for action in &iam.remove {
                    made.push(self.control.remove_action(&iam.identity, action).map_err(text)?);
                }
                if !iam.deny.is_empty() {
                    let actions: Vec<_> = iam.deny.iter().map(String::as_str).collect();
                    made.push(self.control.deny(&iam.identity, &actions, &["*"]).map_err(text)?);
                }
            }
            FaultSpec::BucketPolicy(policy) => {
                if let Some(statement) = &policy.add {
                    let statement = serde_json::to_value(statement).map_err(json)?;
                    made.push(
                        self.control.add_bucket_policy_statement(&policy.bucket, &statement).map_err(text)?,
                    );
                }
                if let Some(statements) = &policy.replace {
                    let document = serde_json::json!({ "Version": "2012-10-17", "Statement": statements });
                    made.push(self.control.replace_bucket_policy(&policy.bucket, &document).map_err(text)?);
                }
            }
            FaultSpec::RotateKey(rotate) => {
                // A rotation stays: the old key is not given back when the fault ends.
                let (_, credentials) = self.control.rotate_key(&rotate.identity).map_err(text)?;
                let identity = plan.identities.iter().position(|i| i.name == rotate.identity);
                self.learned.extend(identity.map(|identity| (fault, (identity, credentials))));
            }
            FaultSpec::ClockSkew(skew) => {
                let seconds = (skew.by.0 / 1_000_000_000) as i64;
                match skew.of {
                    ClockOf::Clients => self.signers.iter().for_each(|(_, signer)| signer.set_skew(seconds)),
                    ClockOf::Upstream => made.push(self.control.set_clock_skew(seconds)),
                }
            }
            FaultSpec::WrongRegion(wrong) => {
                let away = plan.regions.iter().find(|r| target.is_none_or(|t| t.name != r.name));
                let points_to =
                    away.filter(|_| plan.regions.len() > 1).map_or("eu-central-1", |r| r.name.as_str());
                made.push(
                    self.control
                        .set_wrong_region(WrongRegion {
                            bucket: Some(wrong.bucket.clone()),
                            region: target.map(|r| r.name.clone()),
                            op: None,
                            kind: WrongRegionKind::Redirect,
                            points_to: points_to.to_owned(),
                        })
                        .map_err(text)?,
                );
            }
            FaultSpec::Capacity(capacity) => {
                for region in plan.regions.iter().filter(|r| target.is_none_or(|t| t.name == r.name)) {
                    let limits = Capacity {
                        servers: capacity.servers,
                        service_time: capacity.service_time.duration(),
                        queue: capacity.queue,
                    };
                    made.push(self.control.set_capacity(&region.name, Some(limits)).map_err(text)?);
                }
            }
            _ => return Err(format!("{} is not a setting of the upstream", spec.name())),
        }
        self.changes.insert(fault, made);
        Ok(())
    }

    async fn change_gateway(&mut self, spec: &FaultSpec, on: bool) -> bool {
        let done = match spec {
            FaultSpec::Misconfigure(wrong) => self.gateway.reconfigure(on.then_some(wrong)).await,
            FaultSpec::Descriptors(limit) => self.gateway.limit_descriptors(on.then_some(limit.limit)),
            _ => return false,
        };
        done.is_ok()
    }
}

/// One link per endpoint, each on its own address of 127.0.0.0/8 and all on one port.
async fn start_links(
    plan: &Plan,
    run: RunId,
    mock: &MockS3,
    shared: &Shared,
    port: u16,
) -> Result<(Vec<Link>, Vec<Endpoint>), Failure> {
    let mut last = None;
    for _ in 0..20 {
        let mut links: Vec<Link> = Vec::new();
        let mut endpoints = Vec::new();
        for (index, (region, number)) in plan.links().into_iter().enumerate() {
            let place = &plan.regions[usize::from(region)];
            let shared_port = links.first().map_or(port, |l: &Link| l.addr().port());
            let ip = Ipv4Addr::new(127, 0, 10, index as u8 + 1);
            let config = LinkConfig {
                index: index as u8,
                region,
                endpoint: number,
                listen: SocketAddr::new(IpAddr::V4(ip), shared_port),
                upstream: mock
                    .addr(&place.name)
                    .ok_or_else(|| Failure::environment("the mock lost a region"))?,
                run,
                baseline: place.latency,
                probes: vec![gateway::probe_pattern()],
            };
            match Link::start(config, shared.clone()) {
                Ok(link) => {
                    endpoints.push(Endpoint {
                        region: place.name.clone(),
                        number,
                        addr: link.addr(),
                        primary: place.primary,
                    });
                    links.push(link);
                }
                Err(error) => {
                    last = Some((ip, shared_port, error));
                    break;
                }
            }
        }
        if links.len() == plan.links().len() {
            return Ok((links, endpoints));
        }
        for link in links {
            link.stop().await;
        }
        if port != 0 {
            break;
        }
    }
    let what = last.map_or("no endpoint".to_owned(), |(ip, port, e)| format!("{ip}:{port}: {e}"));
    Err(Failure::environment(format!("an upstream endpoint cannot listen on {what}"))
        .hint("each endpoint needs its own address in 127.0.0.0/8 and one port that is free on all of them"))
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
