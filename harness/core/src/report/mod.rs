//! Reports: one [`RunReport`], many renderers. One format is one file and one line in the table.
//!
//! Renderers are pure: the same report gives the same bytes. They show the same words (`story`) and the same
//! standing of each verdict ([`Standing`]), make text from the wire harmless (`text`), and hold back
//! credentials ([`redacted`]).

mod capacity;
mod comparison;
pub(crate) mod github;
mod html;
mod json;
mod junit;
pub(crate) mod markdown;
mod progress;
mod replay;
mod resilience;
mod secrets;
mod spread;
mod standing;
mod story;
mod terminal;
pub(crate) mod text;

#[cfg(test)]
pub(crate) mod fixtures;

use serde::{Deserialize, Serialize};

pub use comparison::{Cell, CellResult, Comparison, Row};
pub use progress::ProgressLine;
pub use replay::replayed;
pub use resilience::{Consequences, Effort, Resilience, Timing};
pub use secrets::{mask, redact_argument, redact_plan, redacted};
pub use spread::{Flaky, PhaseSpread, Spread};
pub use standing::{Standing, Tally, standing, word, word_of};
pub(crate) use story::gateway;

use crate::capacity::CapacityReport;
use crate::explain::Waterfall;
use crate::plan::Plan;
use crate::profile::Profile;
use crate::verdict::Verdict;

/// Renders one run.
pub type Render = fn(&RunReport, &RenderOptions) -> Vec<u8>;

/// Renders several runs into one document.
pub type RenderMany = fn(&[RunReport], &RenderOptions) -> Vec<u8>;

/// One report format.
#[derive(Clone, Copy, Debug)]
pub struct Renderer {
    /// Name on the command line.
    pub name: &'static str,
    /// Extension of its files, without the dot.
    pub extension: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Renders one run.
    pub render: Render,
    /// Renders several runs into one document; absent where each run has a document of its own.
    pub render_many: Option<RenderMany>,
}

/// How to render; formats ignore what does not concern them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RenderOptions {
    /// ANSI colours (terminal only).
    pub colour: bool,
    /// Columns, at least 40 (terminal only).
    pub width: usize,
    /// Status tables, passed expectations and the environment too (terminal only).
    pub full: bool,
}

/// Every format, in the order of the reference.
pub const RENDERERS: &[Renderer] = &[
    terminal::RENDERER,
    json::RENDERER,
    junit::RENDERER,
    markdown::RENDERER,
    github::RENDERER,
    html::RENDERER,
];

/// A format by its name on the command line.
pub fn renderer(name: &str) -> Option<&'static Renderer> {
    RENDERERS.iter().find(|r| r.name == name)
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self { colour: false, width: 110, full: false }
    }
}

/// Everything a renderer may use: computed from a stored run alone, so that re-rendering is byte-equal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunReport {
    /// Version of this structure, 1.
    pub version: u32,
    /// Whether everything that can fail the run passed: `exit == 0`.
    pub ok: bool,
    /// Exit code of this case alone (design: 0 pass, 1 fail, 3 inconclusive, 4 environment, 5 aborted,
    /// 130/143).
    pub exit: u8,
    /// Run id, eight hex digits.
    pub run: String,
    /// The plan.
    pub plan: Plan,
    /// What was expected of the gateway.
    pub profile: Profile,
    /// One line per phase.
    pub phases: Vec<PhaseSummary>,
    /// One entry per fault.
    pub faults: Vec<FaultSummary>,
    /// One verdict per expectation, in order.
    pub verdicts: Vec<Verdict>,
    /// Exemplary requests of verdicts that did not pass, as waterfalls; at most two dozen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<Waterfall>,
    /// What the faults cost, and what the retries did.
    #[serde(default, skip_serializing_if = "Resilience::is_empty")]
    pub resilience: Resilience,
    /// Guards that spoke.
    pub guards: Vec<GuardNote>,
    /// Per-second series for charts.
    pub series: Vec<Second>,
    /// How late requests were sent; absent without any, and in reports of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag: Option<LagSummary>,
    /// Where it ran.
    pub environment: Environment,
    /// Why the run ended before its plan, if it did.
    pub interrupted: Option<String>,
    /// What a capacity scenario found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<CapacityReport>,
}

/// One phase in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PhaseSummary {
    /// Name.
    pub name: String,
    /// Recorded start, seconds from T0.
    pub from: f64,
    /// Recorded end, seconds from T0.
    pub until: f64,
    /// Requests sent.
    pub requests: u64,
    /// Of those, whole and correct.
    pub succeeded: u64,
    /// Median response time of successes from the intended start, ms.
    pub p50_ms: Option<f64>,
    /// 99th percentile, ms.
    pub p99_ms: Option<f64>,
    /// Upstream attempts per client request, probes excluded.
    pub attempts_per_request: Option<f64>,
    /// Tries of the client per request, where an SDK may retry by itself; the gateway's attempts for each of these
    /// are `attempts_per_request` over this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_tries_per_request: Option<f64>,
    /// (status, count); 0 for exchanges without a status.
    pub statuses: Vec<(u16, u64)>,
    /// Median service time of successes, from when a request was sent, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_p50_ms: Option<f64>,
    /// 99th percentile, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_p99_ms: Option<f64>,
    /// 99th percentile of the lag between when a request was due and when it was sent, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_p99_ms: Option<f64>,
    /// (attempts of a request, requests), probes excluded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<(u32, u64)>,
    /// (what was wrong with a message, count): cut bodies, wrong bytes, heads that can be read in two ways.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endings: Vec<(String, u64)>,
    /// Seconds from the start until 99 % of what follows is whole and correct; absent when the last is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<f64>,
}

/// One fault in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FaultSummary {
    /// Name in the scenario.
    pub name: String,
    /// Kind.
    pub kind: String,
    /// Recorded intervals, seconds from T0.
    pub intervals: Vec<(f64, f64)>,
    /// Times it fired; absent for faults that are intervals.
    pub fired: Option<u64>,
    /// Attempts it could have fired on.
    pub eligible: Option<u64>,
}

/// Something a guard has to say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct GuardNote {
    /// Guard name: deadline, generator, fault-fired, join, crash.
    pub guard: String,
    /// Whether it makes verdicts inconclusive.
    pub spoils: bool,
    /// One sentence.
    pub text: String,
}

/// One second of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub struct Second {
    /// Start, seconds from T0.
    pub at: u32,
    /// Requests due in it.
    pub offered: u64,
    /// Of those, whole and correct.
    pub good: u64,
    /// Median response time, ms.
    pub p50_ms: Option<f64>,
    /// 99th percentile, ms.
    pub p99_ms: Option<f64>,
    /// Counts by class: 2xx, 3xx, 4xx, 5xx, broken (no whole answer).
    pub classes: [u64; 5],
    /// Attempts that started in it, per region.
    pub attempts: Vec<u64>,
}

/// How far the load generator was behind its schedule, or behind its users' think times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LagSummary {
    /// Requests sent.
    pub requests: u64,
    /// Median, ms.
    pub p50_ms: f64,
    /// 99th percentile, ms.
    pub p99_ms: f64,
    /// Longest, ms.
    pub max_ms: f64,
    /// (up to ms, requests) in steps of 1, 2 and 5; a request counts once, in the first that holds it.
    pub histogram: Vec<(f64, u64)>,
}

/// Where a run took place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub struct Environment {
    /// gatecrash version.
    pub gatecrash: String,
    /// Gateway version as probed.
    pub gateway: String,
    /// Operating system and kernel.
    pub system: String,
    /// Cores.
    pub cores: u32,
    /// Model of the processor; empty where the system does not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub processor: String,
    /// Wall-clock start, RFC 3339.
    pub started: String,
    /// The command that reproduces it.
    pub reproduce: String,
    /// Run directory, as the user named it.
    pub directory: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        let names: Vec<_> = RENDERERS.iter().map(|r| r.name).collect();
        assert_eq!(names, ["terminal", "json", "junit", "markdown", "github", "html"]);
        for r in RENDERERS {
            assert!(
                !r.summary.is_empty() && !r.summary.ends_with('.') && !r.extension.starts_with('.'),
                "{r:?}"
            );
            assert_eq!(renderer(r.name).map(|found| found.extension), Some(r.extension));
        }
        assert!(renderer("pdf").is_none());
    }

    #[test]
    fn every_format_renders_every_report_the_same_way_twice() {
        let options = RenderOptions { full: true, ..RenderOptions::default() };
        for (name, report) in fixtures::all() {
            let stored: RunReport = serde_json::from_slice(&serde_json::to_vec(&report).unwrap()).unwrap();
            for r in RENDERERS {
                let first = (r.render)(&report, &options);
                assert!(std::str::from_utf8(&first).is_ok(), "{} of {name}", r.name);
                assert!(first == (r.render)(&stored, &options), "{} of {name}", r.name);
            }
        }
    }
}
