//! `gatecrash survey`.

use std::path::{Path, PathBuf};

use clap::Args;
use gatecrash_core::plan::GatewayPlan;
use gatecrash_core::scenario;
use gatecrash_core::survey::{self, Condition, compare, conditions};

use super::load_scenarios::plain;
use crate::exit::{Exit, Failure};
use crate::live::Live;
use crate::run::{self, Options};
use crate::suite;
use crate::survey::{Course, Own, measure};

/// Puts a gateway under every condition of the upstream, one after the other from a fresh start, and tabulates what
/// its clients see: status, ending, tries. Nothing is judged; save the table, and compare it with the one of another
/// version, configuration or gateway.
#[derive(Args, Debug)]
pub(super) struct Survey {
    /// The gateway: embedded, or a recipe such as nginx
    #[arg(long, value_name = "NAME", default_value = "embedded")]
    gateway: String,
    /// The gateway of this scenario, with its parameters, in place of --gateway: also a command or a url
    #[arg(long, value_name = "FILE", conflicts_with = "gateway")]
    scenario: Option<PathBuf>,
    /// Only conditions whose name or group contains this text (repeatable)
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Save the table as JSON
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Write the table as Markdown, too
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Show what differs from a saved table; exit 6 when something does
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Show a saved table in place of measuring one
    #[arg(long, value_name = "FILE", conflicts_with_all = ["gateway", "scenario", "only", "save"])]
    read: Option<PathBuf>,
    /// Conditions measured side by side, each with a gateway of its own
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=32))]
    jobs: u8,
    /// Serve the upstream at 127.0.10.1 on this port, for a gateway given by its address; one condition at a time
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    upstream_port: u16,
    /// Where run directories are made
    #[arg(long, default_value = "runs", value_name = "DIR")]
    out: PathBuf,
    /// No progress on stderr
    #[arg(long, short)]
    quiet: bool,
}

impl Survey {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let other = self.compare.as_deref().map(read).transpose()?;
        for path in self.save.iter().chain(&self.markdown) {
            super::wanted_reports::writable(&path.display().to_string())?;
        }
        let survey = match &self.read {
            Some(path) => read(path)?,
            None => self.measured()?,
        };
        super::print(&survey::terminal(&survey));
        if let Some(path) = &self.save {
            let text = serde_json::to_string_pretty(&survey).map_err(|e| Failure::bug(e.to_string()))?;
            write(path, &(text + "\n"))?;
        }
        if let Some(path) = &self.markdown {
            write(path, &survey::markdown(&survey))?;
        }
        let Some(other) = other else { return Ok(Exit::Pass) };
        let differences = compare(&other, &survey, |condition| self.is_asked(condition));
        super::print(&format!("\nagainst {}: {} differences\n", other.gateway, differences.len()));
        for d in &differences {
            super::print(&format!("  {:<28} {:<14} {} -> {}\n", d.condition, d.op, d.was, d.is));
        }
        Ok(if differences.is_empty() { Exit::Pass } else { Exit::Regression })
    }

    fn measured(&self) -> Result<survey::Survey, Failure> {
        let course = Course {
            conditions: self.conditions()?,
            scenario: scenario::Options { gateway: Some(self.gateway.clone()), ..plain() },
            own: self.scenario.as_deref().map(own).transpose()?,
            // Upstreams at one port are there once.
            jobs: if self.upstream_port == 0 { usize::from(self.jobs) } else { 1 },
        };
        let is_url = course.own.as_ref().is_some_and(|own| matches!(own.gateway, GatewayPlan::Url { .. }));
        if is_url && self.upstream_port == 0 {
            return Err(Failure::usage("a gateway given by address has to know where its upstream will be")
                .hint("point it to 127.0.10.1:9100, and add --upstream-port 9100"));
        }
        let options = Options {
            out: self.out.clone(),
            executable: run::own_executable()?,
            strict: false,
            reproduce: super::reproduce::own_command_line(),
            allow_targets: Vec::new(),
            upstream_port: self.upstream_port,
        };
        let live = Live::new(self.quiet);
        super::block_on(async {
            let stop = super::signals::listen()?;
            measure(&course, &options, &live, &stop).await
        })
    }

    fn is_wanted(&self, c: &Condition) -> bool {
        self.only.is_empty() || self.only.iter().any(|t| c.name.contains(t) || c.group.contains(t))
    }

    /// Whether a condition by this name was asked for; one of another version's survey was where all were.
    fn is_asked(&self, name: &str) -> bool {
        self.only.is_empty() || conditions().iter().any(|c| c.name == name && self.is_wanted(c))
    }

    fn conditions(&self) -> Result<Vec<Condition>, Failure> {
        let chosen: Vec<_> = conditions().into_iter().filter(|c| self.is_wanted(c)).collect();
        if chosen.is_empty() {
            let names: Vec<_> = conditions().into_iter().map(|c| c.name).collect();
            return Err(Failure::usage("no condition has this text in its name")
                .hint(format!("the conditions are {}", names.join(", "))));
        }
        Ok(chosen)
    }
}

fn own(path: &Path) -> Result<Own, Failure> {
    let sources = suite::read(&[path.to_owned()])?;
    let cases = suite::plan_all(&sources, &plain())?;
    let case = cases.into_iter().next().ok_or_else(|| Failure::usage("the scenario has no case"))?;
    Ok(Own::of(&case.plan))
}

fn read(path: &Path) -> Result<survey::Survey, Failure> {
    let told = |why: String| {
        Failure::usage(format!("cannot read the survey {}: {why}", path.display()))
            .hint("`gatecrash survey --save FILE` writes one")
    };
    let text = std::fs::read_to_string(path).map_err(|e| told(e.to_string()))?;
    let survey: survey::Survey = serde_json::from_str(&text).map_err(|e| told(e.to_string()))?;
    match survey.version {
        1 => Ok(survey),
        other => Err(told(format!("its version is {other}, this gatecrash reads version 1"))),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text)
        .map_err(|e| Failure::environment(format!("cannot write {}: {e}", path.display())))
}
