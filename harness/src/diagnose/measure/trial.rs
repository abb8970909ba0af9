//! One case: a setting is started, the cause put in force, the probes look, and everything ends again.

use std::fmt::Write as _;
use std::fs;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use gatecrash_core::diagnose::{Place, Verdict, diagnose};
use gatecrash_core::diagnostics::SourceText;
use gatecrash_core::faults::Host;
use gatecrash_core::plan::Plan;
use gatecrash_core::scenario;
use gatecrash_load::sign::path;
use gatecrash_load::{CredentialSource, Signer};
use gatecrash_model::{Clock, NullSink, Pool, RunId, Sink};
use gatecrash_wire::dns::host_name;
use tokio::sync::watch;

use super::Options;
use super::injections::Injection;
use super::matrix::{CANNOT_TELL, Outcome};
use crate::clock::RunClock;
use crate::diagnose::{Course, Roots, Site, Url, milliseconds, observe};
use crate::exit::Failure;
use crate::topology::{Ground, Topology};
use crate::{gateway, run, suite};

/// The gateways there are: read once for all cases.
static KNOWN: OnceLock<scenario::Known> = OnceLock::new();
/// The region of the bucket.
const REGION: &str = "us-east-1";
/// Longer than the gateway's own three seconds: its 504 is to be seen.
const PATIENCE: Duration = Duration::from_millis(3500);

/// What a case is made of: a scenario, and what the probes are told.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    seed: u64,
    faults: Vec<String>,
    pub(super) endpoints: u32,
    pub(super) tls: bool,
    pub(super) latency: &'static str,
    /// The bucket is private, and requests are signed.
    pub(super) signed: bool,
    /// What the probes ask for.
    pub(super) bucket: &'static str,
    pub(super) key: &'static str,
    pub(super) probe_region: &'static str,
    pub(super) wrong_secret: bool,
    pub(super) wrong_key: bool,
    pub(super) unsigned_probes: bool,
}

// === impl Setting ===

impl Setting {
    pub(super) fn of(injection: &Injection, case: u32) -> Self {
        let mut setting = Self {
            seed: 1000 + u64::from(case) * 37,
            faults: Vec::new(),
            endpoints: 1,
            tls: false,
            latency: "{}",
            signed: false,
            bucket: "media",
            key: "o/1",
            probe_region: REGION,
            wrong_secret: false,
            wrong_key: false,
            unsigned_probes: false,
        };
        injection.ways[case as usize % injection.ways.len()](&mut setting, case);
        setting
    }

    /// Adds a fault, as in a list of `inject`.
    pub(super) fn inject(&mut self, fault: &str) {
        self.faults.push(fault.to_owned());
    }

    pub(super) fn scenario(&self) -> String {
        let Self { seed, endpoints, tls, .. } = self;
        let upstream = match self.latency {
            "{}" => format!("{{ endpoints: {endpoints}, tls: {tls} }}"),
            latency => latency.to_owned(),
        };
        let mut text = format!(
            "gatecrash: 1\nname: diagnosed\nabout: One seed cause.\nseed: {seed}\n\
             upstreams:\n  {REGION}: {upstream}\n\
             identities:\n  app:\n    allow: {{ actions: ['s3:*'], resources: ['*'] }}\nbuckets:\n"
        );
        for bucket in ["media", "other"] {
            let public = !self.signed;
            let _ = writeln!(
                text,
                "  {bucket}: {{ in: [{REGION}], public: {public}, objects: {{ count: 20, key: 'o/{{n}}', size: 16KiB }} }}"
            );
        }
        let signed = if self.signed { "as: app, sign: client, " } else { "" };
        let _ = write!(
            text,
            "load:\n  readers: {{ {signed}open: {{ rate: 1/s }}, bucket: media, ops: {{ GetObject: 100% }} }}\n\
             timeline:\n  - phase: whole\n    for: 10s\n    inject: ["
        );
        for (index, fault) in self.faults.iter().enumerate() {
            let _ = write!(text, "{{ name: seed-cause-{index}, {fault} }}, ");
        }
        text.push_str("]\nexpect:\n  - { check: { crash-free: {} } }\n");
        text
    }

    pub(super) fn plan(&self) -> Result<Plan, String> {
        let source = SourceText::new("diagnose/case", self.scenario());
        let known = KNOWN.get_or_init(gateway::known).clone();
        let options = scenario::Options { known, ..scenario::Options::default() };
        let loaded = suite::load(&source, &options).map_err(|e| e.to_string())?;
        loaded.cases.into_iter().next().map(|case| case.plan).ok_or_else(|| "no case".to_owned())
    }

    /// The probes' signer, where they sign.
    fn signer(&self, topology: &Topology) -> Option<Arc<Signer>> {
        if !self.signed || self.unsigned_probes {
            return None;
        }
        if !self.wrong_secret && !self.wrong_key && self.probe_region == REGION {
            // That of the clients, which faults of their clocks reach.
            return topology.signers().into_iter().next();
        }
        let mut credentials = (*topology.credentials().into_iter().next()?).clone();
        if self.wrong_secret {
            credentials.secret = credentials.secret.chars().rev().collect();
        }
        if self.wrong_key {
            credentials.access_key = "AKIAGATECRASHNOBODY0".to_owned();
        }
        Some(Arc::new(Signer::new(Arc::new(CredentialSource::new(credentials)), self.probe_region)))
    }

    fn course(&self, topology: &Topology) -> Result<Course, Failure> {
        let upstream = topology.upstream();
        let port = upstream.endpoints.first().map_or(0, |e| e.addr.port());
        let endpoint = Url { secure: self.tls, host: host_name(REGION), port, path: String::new() };
        let gateway = topology.target().addr;
        let gateway =
            Url { secure: false, host: gateway.ip().to_string(), port: gateway.port(), path: String::new() };
        let object = path(self.bucket, self.key, false);
        let list = |bucket: &str| Some((path(bucket, "", true), "list-type=2&max-keys=1".to_owned()));
        let signer = self.signer(topology);
        let site = |place, url: &Url, object: &str, list| Site {
            place,
            url: url.clone(),
            object: object.to_owned(),
            list,
            signer: signer.clone(),
        };
        let roots = match &upstream.authority {
            Some(authority) => Roots::in_pem(&authority.root_pem()),
            None => Roots::in_pem(""),
        };
        Ok(Course {
            sites: vec![
                site(Place::Endpoint, &endpoint, &object, list(self.bucket)),
                site(Place::Gateway, &gateway, &object, None),
                site(Place::CanaryBucket, &endpoint, "", list("other")),
            ],
            region: self.probe_region.to_owned(),
            resolver: Some(upstream.names.addr()),
            roots: roots.map_err(|e| Failure::bug(e.to_string()))?,
            patience: PATIENCE,
            slow: Duration::from_secs(1),
            gateway_timeout: Some(Duration::from_secs(1)),
            repeat: 24,
            burst: 24,
            within: Duration::from_secs(60),
        })
    }
}

/// Runs one case.
pub(super) async fn run(
    injection: &'static Injection,
    case: u32,
    options: &Options,
) -> Result<Outcome, Failure> {
    let setting = Setting::of(injection, case);
    let plan = setting.plan().map_err(|e| Failure::bug(format!("{} {case}: {e}", injection.cause)))?;
    let dir = options.results.with_extension("cases").join(format!("{}-{case}", injection.cause));
    fs::create_dir_all(&dir).map_err(|e| super::unwritable(&dir, &e))?;
    let clock = RunClock::start();
    clock.set_zero();
    let ground = Ground {
        run: RunId(case),
        clock: Arc::new(clock) as Arc<dyn Clock>,
        sink: Arc::new(NullSink) as Arc<dyn Sink>,
        pool: Arc::new(Pool::new(plan.seed)),
    };
    let running = run::Options {
        out: dir.clone(),
        executable: options.executable.clone(),
        strict: false,
        reproduce: String::new(),
        allow_targets: Vec::new(),
        upstream_port: 0,
    };
    let (_nobody, stop) = watch::channel(None);
    // The embedded gateway asks for no names: what the name server does is between it and the probes.
    let mut of_gateway = plan.clone();
    of_gateway.faults.retain(|fault| fault.spec.info().host != Host::Resolver);
    let mut topology = Topology::start(&of_gateway, &ground, &dir, &running, &stop).await?;
    let looked = look(&setting, &plan, &mut topology).await;
    topology.stop(&plan, ground.run, &NullSink).await;
    let (seen, took) = looked?;
    let diagnosis = diagnose(&seen);
    let named = match diagnosis.verdict {
        Verdict::Healthy => vec!["healthy".to_owned()],
        Verdict::CannotTell => vec![CANNOT_TELL.to_owned()],
        Verdict::Found => diagnosis.findings.iter().map(|f| f.cause.to_owned()).collect(),
    };
    let right = named.first().is_some_and(|first| first == injection.cause);
    // What was right needs no second look.
    let kept = if right { fs::remove_dir_all(&dir) } else { keep(&dir, &setting, &seen) };
    kept.map_err(|e| super::unwritable(&dir, &e))?;
    Ok(Outcome {
        cause: injection.cause.to_owned(),
        case,
        how: setting.faults.join("; "),
        named,
        evidence: diagnosis.findings.into_iter().next().map_or_else(Vec::new, |f| f.evidence),
        took: (milliseconds(took) / 100.0).round() / 10.0,
    })
}

async fn look(
    setting: &Setting,
    plan: &Plan,
    topology: &mut Topology,
) -> Result<(gatecrash_core::diagnose::Observations, Duration), Failure> {
    let course = setting.course(topology)?;
    for fault in 0..plan.faults.len() as u16 {
        let failed =
            |why: String| Failure::environment(format!("a seed cause cannot be put in force: {why}"));
        if topology.switch_on(plan, fault).await.map_err(failed)? == Some(false) {
            return Err(failed("our own look did not meet it".to_owned()));
        }
    }
    let started = tokio::time::Instant::now();
    let seen = observe(&course).await;
    let took = started.elapsed();
    for fault in 0..plan.faults.len() as u16 {
        // A gateway that was killed is not started again for nobody.
        _ = topology.switch_off(plan, fault).await;
    }
    Ok((seen, took))
}

fn keep(
    dir: &std::path::Path,
    setting: &Setting,
    seen: &gatecrash_core::diagnose::Observations,
) -> std::io::Result<()> {
    fs::write(dir.join("scenario.yaml"), setting.scenario())?;
    fs::write(dir.join("observations.json"), serde_json::to_string_pretty(seen)?)
}
