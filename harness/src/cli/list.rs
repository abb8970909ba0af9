//! `gatecrash list`.

use clap::{Args, ValueEnum};
use gatecrash_core::checks::CHECKS;
use gatecrash_core::diagnose::CAUSES;
use gatecrash_core::faults::malformed::KINDS;
use gatecrash_core::faults::{FAULTS, HTTP2_KINDS};
use gatecrash_core::report::RENDERERS;
use gatecrash_model::Op;
use serde::Serialize;

use crate::exit::{BY_PRECEDENCE, Exit, Failure};
use crate::{gateway, suite};

/// Prints a catalogue.
#[derive(Args, Debug)]
pub(super) struct List {
    /// What to list
    what: What,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum What {
    /// Shipped scenarios
    Scenarios,
    /// Faults
    Faults,
    /// Malformed responses, the kinds of the fault `malformed`
    Malformed,
    /// Misuses of HTTP/2, the kinds of the fault `http2`
    Http2,
    /// Checks
    Checks,
    /// Gateways with a recipe
    Gateways,
    /// Defects of the reference gateway
    Defects,
    /// Causes that `diagnose` can name
    Causes,
    /// S3 operations
    Ops,
    /// Report formats
    Reports,
    /// Exit codes
    Codes,
}

#[derive(Serialize)]
struct Row {
    name: String,
    summary: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
}

impl List {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let rows = rows(self.what)?;
        if self.json {
            let text =
                serde_json::to_string_pretty(&rows).map_err(|e| Failure::environment(e.to_string()))?;
            super::print(&format!("{text}\n"));
        } else {
            let width = rows.iter().map(|r| r.name.len()).max().unwrap_or(0);
            let line = |r: &Row| format!("{:width$}  {}{}\n", r.name, r.summary, r.bracketed());
            super::print(&rows.iter().map(line).collect::<String>());
        }
        Ok(Exit::Pass)
    }
}

fn rows(what: What) -> Result<Vec<Row>, Failure> {
    let row = |name: &str, summary: &str, detail: &str| Row {
        name: name.to_owned(),
        summary: summary.to_owned(),
        detail: detail.to_owned(),
        tags: Vec::new(),
    };
    Ok(match what {
        What::Scenarios => suite::headers(&super::load_scenarios::plain())?
            .iter()
            .map(|h| Row { tags: h.tags.clone(), ..row(&h.file, &h.about, "") })
            .collect(),
        What::Faults => FAULTS.iter().map(|f| row(f.name, f.summary, "")).collect(),
        What::Malformed => KINDS.iter().map(|k| row(k.name, k.what, k.group)).collect(),
        What::Http2 => HTTP2_KINDS.iter().map(|k| row(k.name, k.what, "")).collect(),
        What::Checks => CHECKS.iter().map(|c| row(c.name, c.summary, "")).collect(),
        What::Gateways => {
            gateway::catalogue().iter().map(|g| row(&g.name, &g.summary, &g.installed)).collect()
        }
        What::Defects => gatecrash_reference::DEFECTS
            .iter()
            .map(|d| row(d.name, d.what, &format!("number {}", d.number)))
            .collect(),
        What::Causes => CAUSES.iter().map(|c| row(c.name, c.summary, "")).collect(),
        What::Ops => Op::ALL
            .iter()
            .filter(|o| !matches!(o, Op::Unknown | Op::Probe))
            .map(|o| row(o.name(), o.method(), ""))
            .collect(),
        What::Reports => RENDERERS.iter().map(|r| row(r.name, r.summary, "")).collect(),
        What::Codes => BY_PRECEDENCE.iter().map(|(_, code, what)| row(&code.to_string(), what, "")).collect(),
    })
}

impl Row {
    fn bracketed(&self) -> String {
        let detail = if self.detail.is_empty() { self.tags.join(", ") } else { self.detail.clone() };
        if detail.is_empty() { detail } else { format!("  [{detail}]") }
    }
}
