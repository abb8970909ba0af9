//! The scenario file as it is written, version 1. Doc comments become the descriptions of the published
//! schema.
//!
//! Nothing here has a default that is not said in its comment; what runs is the plan.

mod arrivals;
mod capacity;
mod client;
mod expect;
mod gateway;
mod journeys;
mod load;
mod replay;
mod requests;
mod shapes;
mod timeline;
mod world;

pub(crate) use arrivals::{Amount, Arrivals, Closed, Open, PhaseLoad, Ramp, Speed, Step, Trace};
pub(crate) use capacity::{Capacity, Offered, Search};
pub(crate) use client::{Addressing, Client, Engine, Http, Retries};
pub(crate) use expect::{Expectation, Guards};
pub(crate) use gateway::{Command, Embedded, Gateway, Recipe, Url};
pub(crate) use journeys::{Journey, Step as JourneyStep};
pub(crate) use load::{Bodies, Workload};
pub(crate) use replay::FromLog;
pub(crate) use requests::{Bytes, Keys, OpDetail, Presigned, Shares, Sign, SignDetail};
use schemars::JsonSchema;
use serde::Deserialize;
pub(crate) use shapes::{Anything, Either, Flag, Named, OneOrMany, Word};
pub(crate) use timeline::{Inject, Phase};
pub(crate) use world::{
    Bucket, ClientCertificate, Identity, Latency, Lognormal, Protocol, Replication, Role, SizeLaw, Sizes,
    StandIn, Statement, Upstream, UpstreamTls,
};

use super::decode::Spanned;
use crate::units::Span;

/// Most time of a case of a capacity scenario, where nothing is said.
const WITHIN: Span = Span::seconds(8 * 60);

/// The version of the format that this release reads.
pub(crate) const VERSION: u32 = 1;

/// A gatecrash scenario, format version 1.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Scenario")]
pub(crate) struct File {
    /// Version of the format: 1. The first key.
    #[expect(dead_code, reason = "checked in the first pass")]
    #[schemars(range(min = 1, max = 1))]
    pub(crate) gatecrash: Spanned<u32>,
    /// Name, unique among the scenarios of a run; letters, digits, `-`, `_` and `.`.
    pub(crate) name: Spanned<String>,
    /// What it is about, in a sentence. Default: empty.
    #[serde(default)]
    pub(crate) about: Spanned<String>,
    /// Tags to select by. Default: none.
    #[serde(default)]
    pub(crate) tags: Vec<Spanned<String>>,
    /// Seed of every draw, key, size and byte. Default: 1.
    #[serde(default)]
    pub(crate) seed: Option<Spanned<u64>>,
    /// Fragment files, relative to this one, whose named upstreams, buckets, identities and workloads are
    /// added. A name defined twice is an error unless the local entry says `replace: true`. Default: none.
    #[serde(default)]
    #[expect(dead_code, reason = "read in a pass of its own, before the types; here for the schema")]
    pub(crate) r#use: Vec<Spanned<String>>,
    /// Variables, written `${name}` in values (inside quotes where the value stands in { } or [ ]).
    /// Default: none.
    #[serde(default)]
    #[expect(dead_code, reason = "read in a pass of its own, before the types; here for the schema")]
    pub(crate) vars: Named<Word>,
    /// Axes of variables: one case runs for each combination. `exclude` lists combinations to leave out,
    /// `include` combinations to add. Default: one case.
    #[serde(default)]
    #[expect(dead_code, reason = "read in a pass of its own, before the types; here for the schema")]
    pub(crate) matrix: Named<Anything>,
    /// Ignored: a place for YAML anchors.
    #[serde(default)]
    #[expect(dead_code, reason = "ignored by intent")]
    pub(crate) x: Anything,
    /// The gateway under test. Default: the embedded reference gateway, preset strict, no defects.
    #[serde(default)]
    pub(crate) gateway: Option<Spanned<Gateway>>,
    /// The gateways it is for, `embedded` or recipes: what it asks of their process others do not survive, say. With
    /// another `--gateway` it is skipped. Default: any.
    #[serde(default)]
    pub(crate) only_on: Vec<Spanned<String>>,
    /// Upstream regions by name. Default: us-east-1 with one endpoint.
    #[serde(default)]
    pub(crate) upstreams: Named<Upstream>,
    /// Buckets by the name that clients use. Default: `media` in every region.
    #[serde(default)]
    pub(crate) buckets: Named<Bucket>,
    /// Identities by name; each gets a generated access key. Default: none, requests are not signed.
    #[serde(default)]
    pub(crate) identities: Named<Identity>,
    /// Workloads by name; they run together.
    pub(crate) load: Spanned<Named<Workload>>,
    /// Phases in order, each with its faults. Either this or `capacity`.
    #[serde(default)]
    pub(crate) timeline: Spanned<Vec<Phase>>,
    /// A search for the highest rate within an objective, in place of a `timeline`.
    #[serde(default)]
    pub(crate) capacity: Option<Spanned<Capacity>>,
    /// What has to hold. Default: nothing, in a capacity scenario; others need it.
    #[serde(default)]
    pub(crate) expect: Spanned<Vec<Spanned<Expectation>>>,
    /// Limits on the run itself.
    #[serde(default)]
    pub(crate) guards: Guards,
}

// === impl File ===

impl File {
    /// Makes the cases of a capacity scenario its phases: what refers to phases then refers to them.
    pub(crate) fn cases_become_phases(&mut self) {
        let Some(capacity) = self.capacity.as_mut().filter(|_| self.timeline.value.is_empty()) else {
            return;
        };
        let length = capacity.value.within.unwrap_or(Spanned { value: WITHIN, place: capacity.place });
        let mut cases = std::mem::take(&mut capacity.value.cases.0);
        if cases.is_empty() {
            let name = Spanned { value: "clean".to_owned(), place: capacity.place };
            cases.push((name, capacity::CapacityCase::default()));
        }
        let phase = |(phase, case): (Spanned<String>, capacity::CapacityCase)| Phase {
            phase,
            r#for: length,
            inject: case.inject,
            load: Named::default(),
        };
        let phases = cases.into_iter().map(phase).collect();
        self.timeline = Spanned { value: phases, place: capacity.place };
    }
}

/// A fragment: named parts for other files to `use`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(dead_code, reason = "checks the shape; the parts are read where they are used")]
pub(crate) struct Fragment {
    /// Version of the format: 1.
    pub(crate) gatecrash: Spanned<u32>,
    /// What it is for.
    #[serde(default)]
    pub(crate) about: String,
    /// Ignored: a place for YAML anchors.
    #[serde(default)]
    pub(crate) x: Anything,
    /// Upstream regions.
    #[serde(default)]
    pub(crate) upstreams: Named<Anything>,
    /// Buckets.
    #[serde(default)]
    pub(crate) buckets: Named<Anything>,
    /// Identities.
    #[serde(default)]
    pub(crate) identities: Named<Anything>,
    /// Workloads.
    #[serde(default)]
    pub(crate) load: Named<Anything>,
}
