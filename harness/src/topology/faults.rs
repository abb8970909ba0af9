//! How the plan's faults reach the running parts, and how they are taken back.

use gatecrash_core::faults::{self, ClockOf, FaultSpec, Host};
use gatecrash_core::plan::{FaultPlan, Plan};
use gatecrash_core::stand_in::toxiproxied;
use gatecrash_mock_s3::{
    Capacity, ControlError, Lag, ReplicationMode, ReplicationState, WrongRegion, WrongRegionKind,
};
use gatecrash_wire::ListenerState;

use super::external::External;
use super::hook::elsewhere;
use super::seat::Seat;
use super::{Topology, for_load};

impl Topology {
    /// Puts a fault in force. For faults that have to be seen to be believed: whether they were. A fault that cannot
    /// be put in force is an error, save where the gateway died meanwhile: that is a finding, not a failure of ours.
    pub async fn switch_on(&mut self, plan: &Plan, fault: u16) -> Result<Option<bool>, String> {
        let spec = plan.faults[usize::from(fault)].spec.clone();
        match spec.info().host {
            Host::Link | Host::Mock => {
                self.upstream.rules.switch_at(fault, true, self.clock.now());
                self.put_outside(plan, fault).await
            }
            Host::Listener => {
                let state = listener_state(&spec).unwrap_or(ListenerState::Refuse);
                let outside = self.put_outside(plan, fault).await?.unwrap_or(true);
                Ok(Some(self.set_listeners(plan, fault, state).await && outside))
            }
            Host::Resolver => match &spec {
                FaultSpec::Dns(dns) => {
                    let region = plan.faults[usize::from(fault)].region.map(usize::from);
                    Ok(Some(self.upstream.names.switch_on(fault, dns, region).await))
                }
                _ => Err(format!("{} is not a fault of the name server", spec.name())),
            },
            Host::MockSetting => self.change_setting(plan, fault, &spec).map(|()| Some(true)),
            Host::Process => self.change_gateway(plan, fault, true).await.map(Some),
        }
    }

    /// Takes a fault back, with the same answers.
    pub async fn switch_off(&mut self, plan: &Plan, fault: u16) -> Result<Option<bool>, String> {
        let spec = plan.faults[usize::from(fault)].spec.clone();
        match spec.info().host {
            Host::Link | Host::Mock => {
                self.upstream.rules.switch(fault, false);
                self.take_back_outside(plan, fault).await
            }
            Host::Listener => {
                let outside = self.take_back_outside(plan, fault).await?.unwrap_or(true);
                Ok(Some(self.set_listeners(plan, fault, ListenerState::Open).await && outside))
            }
            Host::Resolver => {
                let region = plan.faults[usize::from(fault)].region.map(usize::from);
                Ok(Some(self.upstream.names.switch_off(fault, region).await))
            }
            Host::MockSetting => {
                if let FaultSpec::ClockSkew(skew) = &spec
                    && skew.of == ClockOf::Clients
                {
                    self.signers.iter().for_each(|(_, signer)| signer.set_skew(0));
                }
                for change in self.changes.remove(&fault).unwrap_or_default() {
                    self.control.undo(change);
                }
                Ok(Some(true))
            }
            Host::Process => self.change_gateway(plan, fault, false).await.map(Some),
        }
    }

    /// How many queries of the gateway a fault of the name server has answered; `None` for other faults.
    pub fn asked_under(&self, fault: u16) -> Option<u64> {
        self.upstream.names.asked_under(fault)
    }

    /// By which means of the system a fault was put in force, where that could differ; said once.
    pub fn means_of(&mut self, fault: u16) -> Option<String> {
        self.means.remove(&fault)
    }

    /// Signing clients switch to the key that a rotation gave their identity.
    pub fn clients_learn(&mut self, fault: u16) {
        if let Some((identity, credentials)) = self.learned.remove(&fault)
            && let Some((source, _)) = self.signers.get(identity)
        {
            source.swap(for_load(credentials));
        }
    }

    async fn set_listeners(&mut self, plan: &Plan, fault: u16, state: ListenerState) -> bool {
        let target = &plan.faults[usize::from(fault)];
        let mut confirmed = true;
        for (seat, (region, endpoint)) in self.upstream.links.iter().zip(plan.links()) {
            if let Seat::Link(link) = seat
                && target.region.is_none_or(|r| r == region)
                && target.endpoint.is_none_or(|e| e == endpoint)
            {
                confirmed &= link.set_listener_for(state, fault).await;
            }
        }
        confirmed
    }

    /// The proxies of an existing Toxiproxy that a fault of links is aimed at.
    fn outside(&self, plan: &Plan, fault: u16) -> Vec<&External> {
        let target = &plan.faults[usize::from(fault)];
        if !matches!(target.spec.info().host, Host::Link | Host::Listener) || !target.side.is_upstream() {
            return Vec::new();
        }
        let seats = self.upstream.links.iter().zip(plan.links());
        let aimed = seats.filter(|(_, (region, endpoint))| {
            target.region.is_none_or(|r| r == *region) && target.endpoint.is_none_or(|e| e == *endpoint)
        });
        let external = aimed.filter_map(|(seat, _)| match seat {
            Seat::External(proxy) => Some(proxy),
            Seat::Link(_) => None,
        });
        external.collect()
    }

    /// Puts a fault in force there; whether it is, where there is any.
    async fn put_outside(&self, plan: &Plan, fault: u16) -> Result<Option<bool>, String> {
        let target = &plan.faults[usize::from(fault)];
        let mut confirmed = None;
        for proxy in self.outside(plan, fault) {
            let put = proxy.put(fault, toxiproxied(target)?, target.probability.0 as f32).await?;
            confirmed = Some(confirmed.unwrap_or(true) && put);
        }
        Ok(confirmed)
    }

    async fn take_back_outside(&self, plan: &Plan, fault: u16) -> Result<Option<bool>, String> {
        let mut confirmed = None;
        for proxy in self.outside(plan, fault) {
            let gone = proxy.take_back(fault).await?;
            confirmed = Some(confirmed.unwrap_or(true) && gone);
        }
        Ok(confirmed)
    }

    fn change_setting(&mut self, plan: &Plan, fault: u16, spec: &FaultSpec) -> Result<(), String> {
        let target = plan.faults[usize::from(fault)].region.and_then(|r| plan.regions.get(usize::from(r)));
        let text = |e: ControlError| e.to_string();
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
            FaultSpec::BlockPublicAccess(block) => {
                made.push(self.control.block_public_access(&block.bucket).map_err(text)?);
            }
            FaultSpec::RotateKey(rotate) => {
                // A rotation stays: the old key is not given back when the fault ends.
                let (_, credentials) = self.control.rotate_key(&rotate.identity).map_err(text)?;
                self.upstream.rules.know_key(&credentials.access_key, &rotate.identity);
                let identity = plan.identities.iter().position(|i| i.name == rotate.identity);
                self.learned.extend(identity.map(|identity| (fault, (identity, credentials))));
            }
            FaultSpec::ClockSkew(skew) => {
                let seconds = (skew.by.0 / 1_000_000_000) as i64;
                if seconds == 0 {
                    return Err(format!("a clock moves by whole seconds, not by {}", skew.by));
                }
                match skew.of {
                    ClockOf::Clients => self.signers.iter().for_each(|(_, signer)| signer.set_skew(seconds)),
                    ClockOf::Upstream => made.push(self.control.set_clock_skew(seconds)),
                }
            }
            FaultSpec::WrongRegion(wrong) => {
                let names: Vec<_> = plan.regions.iter().map(|r| r.name.clone()).collect();
                let here = plan.regions.iter().position(|r| target.is_some_and(|t| t.name == r.name));
                let points_to = elsewhere(&names, here);
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
            FaultSpec::Replication(replication) => {
                let state = ReplicationState {
                    mode: match replication.mode {
                        None => ReplicationMode::Running,
                        Some(faults::ReplicationMode::Pause) => ReplicationMode::Paused,
                        Some(faults::ReplicationMode::Drop) => ReplicationMode::Dropping,
                    },
                    lag: replication.lag.map(|lag| Lag::constant(lag.duration())),
                };
                made.push(self.control.set_replication(&replication.bucket, state).map_err(text)?);
            }
            FaultSpec::RoutingDial(dial) => {
                let shares: Vec<_> =
                    dial.shares.iter().map(|(region, share)| (region.as_str(), share.0)).collect();
                made.push(self.control.set_dials(&shares).map_err(text)?);
            }
            _ => return Err(format!("{} is not a setting of the upstream", spec.name())),
        }
        self.changes.insert(fault, made);
        Ok(())
    }

    async fn change_gateway(&mut self, plan: &Plan, fault: u16, on: bool) -> Result<bool, String> {
        let FaultPlan { spec, until, .. } = &plan.faults[usize::from(fault)];
        let done = match spec {
            FaultSpec::Misconfigure(wrong) => self.gateway.reconfigure(on.then_some(wrong)).await,
            FaultSpec::Descriptors(limit) => self.gateway.limit_descriptors(on.then_some(limit.limit)),
            spec if on => match self.gateway.begin(spec).await {
                Ok(by) => {
                    self.means.extend(by.map(|by| (fault, by)));
                    Ok(())
                }
                Err(error) => Err(error),
            },
            spec => self.gateway.end(spec, *until >= plan.length()).await,
        };
        match done {
            Ok(()) => Ok(true),
            Err(_) if self.gateway.exited().is_some() => Ok(false),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// What a fault makes of a listener, if it is a fault of listeners.
pub fn listener_state(spec: &FaultSpec) -> Option<ListenerState> {
    match spec {
        FaultSpec::Refuse(_) => Some(ListenerState::Refuse),
        FaultSpec::ConnectBlackhole(_) => Some(ListenerState::Blackhole),
        _ => None,
    }
}
