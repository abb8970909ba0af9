//! What will run: concrete, seeded, validated, printable. Nothing downstream of the planner sees the file.
//!
//! A plan is stored in the run directory; reports and `explain` work from it alone.

mod capacity;

use std::collections::BTreeMap;

use gatecrash_model::population::PatternError;
use gatecrash_model::{BodyLaw, ObjectKeys, Population, SizeLaw};
use serde::{Deserialize, Serialize};

pub use self::capacity::{CapacityPlan, SearchPlan};
use crate::checks::CheckSpec;
use crate::faults::FaultSpec;
use crate::rules::{Matcher, Trigger};
use crate::units::{Share, Span};

mod arrivals;
mod requests;

pub use arrivals::{ClosedPlan, SegmentPlan, ThinkPlan, TracePlan, UsersPlan};
pub use requests::{
    ConditionPlan, KeysPlan, OpPlan, PartsPlan, RangeLaw, RangePlan, SignPlan, SizePlan, TagPlan,
};

mod client;
mod journeys;
mod replay;
pub use client::{AddressingPlan, ClientPlan, EnginePlan, HttpPlan, RetriesPlan};
pub use journeys::{JourneyPlan, JourneysPlan, StepPlan};
pub use replay::{Kind, ListedPlan, ReplayPlan, Script};

/// One case of one scenario.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
    /// Scenario name.
    pub name: String,
    /// What it is about, in the author's words.
    pub about: String,
    /// Matrix case such as `gw=nginx,odds=20%`; empty without a matrix.
    pub case: String,
    /// Tags.
    pub tags: Vec<String>,
    /// The file it came from, as the user named it.
    pub source: String,
    /// The seed of every draw, key, size and byte.
    pub seed: u64,
    /// The gateway under test.
    pub gateway: GatewayPlan,
    /// Regions in the order of the file; the first primary is where clients are meant to be served from.
    pub regions: Vec<RegionPlan>,
    /// Buckets.
    pub buckets: Vec<BucketPlan>,
    /// Identities.
    pub identities: Vec<IdentityPlan>,
    /// Workloads, at most 256.
    pub workloads: Vec<WorkloadPlan>,
    /// Phases in order.
    pub phases: Vec<PhasePlan>,
    /// Faults in order of the file; their index names them in the history.
    pub faults: Vec<FaultPlan>,
    /// Expectations in order of the file.
    pub expectations: Vec<ExpectationPlan>,
    /// Guards.
    pub guards: GuardsPlan,
    /// For a capacity scenario, whose phases are its cases: how each is searched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<CapacityPlan>,
}

/// The gateway under test.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum GatewayPlan {
    /// The reference gateway in a process of its own.
    Embedded {
        /// Behaviour preset.
        preset: String,
        /// Defects switched on.
        defects: Vec<String>,
        /// Share of requests a defect touches.
        defect_rate: Share,
        /// Preset parameters that the scenario overrides (the recipe's `parameters`), as written.
        params: BTreeMap<String, String>,
    },
    /// A released product with a recipe of ours.
    Recipe {
        /// Recipe name.
        name: String,
        /// Version of the program, or the beginning of one (`2.8`); the first that is found when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
        /// Parameters, as written.
        params: BTreeMap<String, String>,
    },
    /// A command of the user's.
    Command {
        /// Program and arguments; `{{ listen }}`, `{{ upstreams... }}` are filled in.
        run: Vec<String>,
        /// Config template file, rendered into the run directory as `{{ config }}`.
        template: Option<String>,
        /// Environment, values are templates too.
        env: BTreeMap<String, String>,
        /// Path that answers below 500 once it is ready.
        ready_path: String,
        /// How long that may take.
        ready_within: Span,
        /// Signal that stops it.
        stop_signal: String,
        /// How long stopping may take.
        stop_within: Span,
    },
    /// Something already running.
    Url {
        /// Base address, `http://host:port` or `https://host:port`.
        base: String,
        /// PEM file of the authorities to trust; those of the system when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ca: Option<String>,
    },
}

impl GatewayPlan {
    /// Whether it is an address that is spoken to over TLS.
    pub fn is_https(&self) -> bool {
        matches!(self, Self::Url { base, .. } if base.starts_with("https://"))
    }
}

/// One upstream region.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RegionPlan {
    /// Region name.
    pub name: String,
    /// Whether traffic belongs here while it is healthy.
    pub primary: bool,
    /// Endpoints, one chaos link each; 1 to 16.
    pub endpoints: u32,
    /// Baseline latency added by the links: median and 99th percentile.
    pub latency: Option<LatencyPlan>,
    /// Whether the gateway speaks HTTP/2 without TLS to it, by prior knowledge.
    #[serde(default, skip_serializing_if = "is_false")]
    pub http2: bool,
    /// How its links terminate TLS; plain HTTP when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsPlan>,
    /// A named law of the upstream itself, by operation and size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<LatencyProfile>,
    /// The Toxiproxy, `host:port`, that stands in for its links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toxiproxy: Option<String>,
}

fn is_bytes(law: &BodyLaw) -> bool {
    *law == BodyLaw::Bytes
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// How links terminate TLS, with certificates of the run's own CA.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TlsPlan {
    /// Whether the gateway has to show a certificate of the CA, too.
    pub client_certificate: bool,
}

/// A named law of latencies, by operation and size.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LatencyProfile {
    /// As S3 has been measured from a host in its region.
    AwsLike,
}

/// A latency law by two quantiles (lognormal fit).
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct LatencyPlan {
    /// Median.
    pub p50: Span,
    /// 99th percentile; equal to the median for a constant.
    pub p99: Span,
}

/// One bucket.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BucketPlan {
    /// Name in the scenario, which clients use.
    pub name: String,
    /// (region, that region's name for the bucket).
    pub regions: Vec<(String, String)>,
    /// Whether anonymous requests may read and write it.
    pub public: bool,
    /// Bucket policy, AWS JSON.
    pub policy: Option<serde_json::Value>,
    /// How what is written comes to the other regions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication: Option<ReplicationPlan>,
    /// Synthetic objects.
    pub objects: u32,
    /// Their key pattern, with `{n}` or `{n:06}`; not of listed ones.
    pub key: String,
    /// Their sizes; not of listed ones.
    pub size: SizePlan,
    /// The objects one by one, in place of a pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<ListedPlan>,
    /// Their Cache-Control; not sent when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// How often each of them has a new version; they never change when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_every: Option<Span>,
}

// === impl BucketPlan ===

impl BucketPlan {
    /// Its synthetic objects: the same value for the mock, the load generator and whoever judges them.
    pub fn population(&self, seed: u64) -> Result<Population, PatternError> {
        let (pattern, sizes) = match &self.listed {
            Some(listed) => (ObjectKeys::Listed(listed.keys.clone()), SizeLaw::Listed(listed.sizes.clone())),
            None => (self.key.parse()?, SizeLaw::from(&self.size)),
        };
        let (bucket, count) = (self.name.clone(), self.objects);
        let change_every = self.change_every.map(|every| every.0);
        Ok(Population { bucket, count, pattern, sizes, seed, change_every })
    }
}

/// Replication of a bucket between its regions.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReplicationPlan {
    /// How long a version takes.
    pub lag: LatencyPlan,
    /// The one region whose writes are replicated; all of them when absent.
    pub from: Option<String>,
    /// Whether delete markers are replicated.
    pub delete_markers: bool,
}

/// One identity with its generated or given key.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct IdentityPlan {
    /// Name.
    pub name: String,
    /// Twelve digits.
    pub account: String,
    /// Allowed (actions, resources).
    pub allow: Vec<StatementPlan>,
    /// Denied (actions, resources).
    pub deny: Vec<StatementPlan>,
}

/// Actions on resources.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StatementPlan {
    /// Actions with wildcards.
    pub actions: Vec<String>,
    /// Resource ARNs with wildcards.
    pub resources: Vec<String>,
}

/// One workload.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct WorkloadPlan {
    /// Name.
    pub name: String,
    /// Arrival rate over the run, at least one segment per phase; empty where users or a trace decide.
    pub segments: Vec<SegmentPlan>,
    /// The closed model, in place of a rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<ClosedPlan>,
    /// A trace, in place of a rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TracePlan>,
    /// Whether arrivals are Poisson (else even).
    pub poisson: bool,
    /// In-flight cap; arrivals beyond it are dropped and counted.
    pub max_in_flight: u32,
    /// Bucket, by its name in the scenario.
    pub bucket: String,
    /// Operations with shares that sum to 1.
    pub ops: Vec<OpPlan>,
    /// Which keys.
    pub keys: KeysPlan,
    /// Share of reads for keys that do not exist.
    pub missing: Share,
    /// Key pattern of writes.
    pub write_key: String,
    /// Sizes of writes.
    pub write_size: SizePlan,
    /// What writes are made of.
    #[serde(default, skip_serializing_if = "is_bytes")]
    pub write_body: BodyLaw,
    /// Who signs.
    pub sign: SignPlan,
    /// Identity index, when somebody signs.
    pub identity: Option<u16>,
    /// From send to the end of the response.
    pub timeout: Span,
    /// Who carries its requests.
    #[serde(default, skip_serializing_if = "ClientPlan::is_default")]
    pub client: ClientPlan,
    /// The log whose requests it makes again; `ops` are then their shares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<ReplayPlan>,
    /// What its users do, step after step; `ops` are then those that the steps come to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journeys: Option<JourneysPlan>,
}

/// One phase.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PhasePlan {
    /// Name.
    pub name: String,
    /// Planned offset from T0.
    pub from: Span,
    /// Planned offset from T0.
    pub until: Span,
}

/// One fault with everything that decides when it fires.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FaultPlan {
    /// Unique name; its hash keys the draws.
    pub name: String,
    /// What it does.
    pub spec: FaultSpec,
    /// Which exchanges.
    pub matcher: Matcher,
    /// Region index; all regions when absent.
    pub region: Option<u16>,
    /// Endpoint of that region, from 1; all when absent.
    pub endpoint: Option<u16>,
    /// Which side of the gateway.
    #[serde(default, skip_serializing_if = "Side::is_upstream")]
    pub side: Side,
    /// Probability.
    pub probability: Share,
    /// What the probability is per.
    pub per: Per,
    /// Most firings.
    pub limit: Option<u64>,
    /// Counts, ramp and rate.
    #[serde(default, skip_serializing_if = "Trigger::is_recomputable")]
    pub trigger: Trigger,
    /// Planned offset from T0.
    pub from: Span,
    /// Planned offset from T0.
    pub until: Span,
    /// Line in the file, from 1.
    pub line: u32,
}

/// On which side of the gateway a link stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Between the gateway and its upstreams.
    #[default]
    Upstream,
    /// Between the clients and the gateway.
    Client,
}

/// The unit of a probability.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// One upstream try: a retry draws again.
    #[default]
    Attempt,
    /// One client request: all its tries share the draw.
    Request,
    /// One connection of the gateway.
    Connection,
    /// One object key.
    Key,
}

/// One expectation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ExpectationPlan {
    /// Stable name from check, phase and match; unique in the plan.
    pub name: String,
    /// Phase index; the whole run when absent.
    pub phase: Option<u16>,
    /// Offset into the phase at which it begins to hold.
    pub after: Option<Span>,
    /// Offset into the phase at which it ceases to hold.
    pub before: Option<Span>,
    /// Which client requests.
    pub matcher: Matcher,
    /// The check.
    pub check: CheckSpec,
    /// How bad a failure is.
    pub severity: Severity,
    /// The author's reason.
    pub because: Option<String>,
    /// Least samples; the check's own default when absent.
    pub min_samples: Option<u64>,
    /// Where to read on when it fails.
    pub runbook: Option<String>,
    /// Line in the file, from 1.
    pub line: u32,
}

/// How bad a failed expectation is.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Fails the run.
    #[default]
    Error,
    /// Printed, does not fail the run.
    Warning,
    /// For information.
    Info,
}

/// Limits on the run itself.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct GuardsPlan {
    /// The run is aborted after this.
    pub deadline: Span,
    /// Largest 99th percentile of schedule lag.
    pub max_lag_p99: Span,
    /// Largest share of arrivals dropped at the in-flight cap.
    pub max_dropped: Share,
    /// Largest share of one core that a thread of the load generator may use.
    #[serde(default = "default_max_cpu")]
    pub max_cpu: Share,
    /// Least share of a phase's arrivals that were sent by the end of the phase.
    #[serde(default = "default_min_achieved")]
    pub min_achieved: Share,
    /// Whether every fault must have fired as its draws say.
    pub fault_fired: bool,
}

/// What guards a plan of an earlier release, too.
pub(crate) const fn default_max_cpu() -> Share {
    Share(0.85)
}

/// The same of what was achieved.
pub(crate) const fn default_min_achieved() -> Share {
    Share(0.99)
}

impl WorkloadPlan {
    /// Request ids that one arrival takes up: arrival `a` has `a * stride()` and those after it. Above 1 where an
    /// operation takes several requests.
    pub fn stride(&self) -> u32 {
        self.ops.iter().map(OpPlan::steps).max().unwrap_or(1)
    }
}

impl Side {
    /// Whether it is the upstreams' side.
    pub fn is_upstream(&self) -> bool {
        *self == Self::Upstream
    }
}

impl Plan {
    /// Name with its case: `name[gw=nginx]`.
    pub fn title(&self) -> String {
        if self.case.is_empty() { self.name.clone() } else { format!("{}[{}]", self.name, self.case) }
    }

    /// Planned length of all phases.
    pub fn length(&self) -> Span {
        self.phases.last().map_or(Span(0), |p| p.until)
    }

    /// (region index, endpoint from 1) of each link, in link order.
    pub fn links(&self) -> Vec<(u16, u16)> {
        let of = |(r, region): (usize, &RegionPlan)| {
            (1..=region.endpoints as u16).map(move |e| (r as u16, e)).collect::<Vec<_>>()
        };
        self.regions.iter().enumerate().flat_map(of).collect()
    }

    /// Region index of a link.
    pub fn region_of_link(&self, link: u8) -> Option<u16> {
        let mut before = u32::from(link);
        for (index, region) in self.regions.iter().enumerate() {
            if before < region.endpoints {
                return Some(index as u16);
            }
            before -= region.endpoints;
        }
        None
    }

    /// Index of a phase by name.
    pub fn phase(&self, name: &str) -> Option<u16> {
        self.phases.iter().position(|p| p.name == name).map(|i| i as u16)
    }
}

#[cfg(test)]
mod tests {
    use crate::golden::Story;

    #[test]
    fn a_links_region_is_the_one_in_the_list_of_links() {
        let mut plan = Story::new().standby("us-west-2").standby("eu-west-1").plan;
        for (region, endpoints) in plan.regions.iter_mut().zip([2, 1, 3]) {
            region.endpoints = endpoints;
        }
        let links = plan.links();
        assert_eq!(links.len(), 6);
        for link in 0..8u8 {
            let listed = links.get(usize::from(link)).map(|(region, _)| *region);
            assert_eq!(plan.region_of_link(link), listed, "link {link}");
        }
    }
}
