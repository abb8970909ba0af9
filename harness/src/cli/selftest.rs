//! `gatecrash selftest`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use crate::exit::{Exit, Failure};
use crate::live::Live;
use crate::run::{self, Options};
use crate::selftest::{self, Course};
use crate::suite;

/// Runs the reference gateway correct and with each defect, and compares what the judge says with what it must say.
#[derive(Args, Debug)]
pub(super) struct Selftest {
    /// Only this defect (repeatable)
    #[arg(long, value_name = "DEFECT")]
    defect: Vec<String>,
    /// Share of requests a defect touches
    #[arg(long, default_value = "100%")]
    rate: String,
    /// Seed (repeatable)
    #[arg(long, default_values_t = [1])]
    seed: Vec<u64>,
    /// Write the table as JSON, `-` is stdout
    #[arg(long, value_name = "PATH")]
    json: Option<String>,
    /// Where run directories are made
    #[arg(long, default_value = "runs", value_name = "DIR")]
    out: PathBuf,
    /// No progress on stderr
    #[arg(long, short)]
    quiet: bool,
}

impl Selftest {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let rate =
            self.rate.parse().map_err(|e| Failure::usage(format!("--rate {}: expected {e}", self.rate)))?;
        self.known_defects()?;
        if let Some(path) = self.json.as_deref().filter(|path| *path != "-") {
            super::wanted_reports::writable(path)?;
        }
        let course = Course { only: self.defect.clone(), rate, seeds: self.seed.clone() };
        let options = Options {
            out: self.out.clone(),
            executable: run::own_executable()?,
            strict: false,
            reproduce: "gatecrash selftest".into(),
            allow_targets: Vec::new(),
            upstream_port: 0,
        };
        let scenario_options = super::load_scenarios::plain();
        let sources: Vec<_> =
            suite::shipped().into_iter().filter(|s| s.name.contains("/selftest/")).collect();
        let plans: BTreeMap<_, _> = suite::plan_all(&sources, &scenario_options)?
            .into_iter()
            .map(|c| (format!("selftest/{}", c.plan.name), c.plan))
            .collect();
        let live = Live::new(self.quiet);
        let score = super::block_on(async {
            let stop = super::signals::listen()?;
            selftest::measure(&course, &plans, &options, &live, &stop).await
        })?;
        super::print(&score.table());
        if let Some(path) = &self.json {
            let text =
                serde_json::to_string_pretty(&score).map_err(|e| Failure::environment(e.to_string()))? + "\n";
            if path == "-" {
                super::print(&text);
            } else {
                std::fs::write(path, text)
                    .map_err(|e| Failure::environment(format!("cannot write {path}: {e}")))?;
            }
        }
        Ok(score.exit())
    }

    fn known_defects(&self) -> Result<(), Failure> {
        let known = |name: &String| gatecrash_core::selftest::DEFECTS.iter().any(|d| d.name == *name);
        match self.defect.iter().find(|d| !known(d)) {
            Some(unknown) => Err(Failure::usage(format!("there is no defect `{unknown}` with a proof"))
                .hint("`gatecrash list defects` shows the names")),
            None => Ok(()),
        }
    }
}
