//! `gatecrash selftest`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use gatecrash_core::plan::Plan;
use gatecrash_core::selftest::{DEFECTS, Score, markdown, terminal};
use gatecrash_core::units::Share;
use gatecrash_core::verdict::Outcome;

use crate::exit::{Exit, Failure};
use crate::live::Live;
use crate::run::{self, Options};
use crate::selftest::rows::Rows;
use crate::selftest::{self, Course};
use crate::side_by_side::usual_lanes;
use crate::suite;

/// Rates, seeds and repetitions of the full form.
const FULL: (&[&str], &[u64], u32) = (&["100%", "10%", "1%"], &[1, 2, 3], 20);

/// File of finished rows in the folder of `--out`.
const ROWS: &str = "selftest.jsonl";

/// Runs the reference gateway correct and with each defect, and compares what the judge says with what it must say.
#[derive(Args, Debug)]
pub(super) struct Selftest {
    /// Only this defect (repeatable)
    #[arg(long, value_name = "DEFECT")]
    defect: Vec<String>,
    /// Shares of requests a defect touches [default: 100%, with --full 100%,10%,1%]
    #[arg(long, visible_alias = "rate", value_delimiter = ',', value_name = "SHARE")]
    rates: Vec<String>,
    /// Seeds [default: 1, with --full 1,2,3]
    #[arg(long, visible_alias = "seed", value_delimiter = ',', value_name = "N")]
    seeds: Vec<u64>,
    /// How often the gateways without a defect run each scenario and seed [default: 1, with --full 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    repeat: Option<u32>,
    /// The whole measure: takes long, and goes on where it was ended. Finished rows are in DIR/selftest.jsonl; runs that
    /// were as they should be keep no directory
    #[arg(long)]
    full: bool,
    /// Lanes for runs side by side, as for `run`; 1 makes them one by one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// Write the rows as JSON, `-` is stdout
    #[arg(long, value_name = "PATH")]
    json: Option<String>,
    /// Write the table as Markdown, `-` is stdout
    #[arg(long, value_name = "PATH")]
    markdown: Option<String>,
    /// Where run directories are made
    #[arg(long, default_value = "runs", value_name = "DIR")]
    out: PathBuf,
    /// No progress on stderr
    #[arg(long, short)]
    quiet: bool,
}

impl Selftest {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let course = self.course()?;
        for path in self.json.iter().chain(&self.markdown).filter(|path| *path != "-") {
            super::wanted_reports::writable(path)?;
        }
        let mut rows = if self.full { Rows::open(&self.out.join(ROWS))? } else { Rows::default() };
        let options = Options {
            out: self.out.clone(),
            executable: run::own_executable()?,
            strict: false,
            reproduce: "gatecrash selftest".into(),
            allow_targets: Vec::new(),
            upstream_port: 0,
        };
        let plans = scenarios()?;
        let live = Live::new(self.quiet);
        let score = super::block_on(async {
            let stop = super::signals::listen()?;
            selftest::measure(&course, &plans, &mut rows, &options, &live, &stop).await
        })?;
        super::print(&terminal(&score));
        self.write(&score)?;
        Ok(match score.outcome() {
            Outcome::Pass => Exit::Pass,
            Outcome::Fail => Exit::Failed,
            Outcome::Inconclusive => Exit::Inconclusive,
        })
    }

    fn course(&self) -> Result<Course, Failure> {
        let known = |name: &String| DEFECTS.iter().any(|d| d.name == *name);
        if let Some(unknown) = self.defect.iter().find(|d| !known(d)) {
            return Err(Failure::usage(format!("there is no defect `{unknown}` with a proof"))
                .hint("`gatecrash list defects` shows the names"));
        }
        let (rates, seeds, repeat) = if self.full { FULL } else { (&FULL.0[..1], &FULL.1[..1], 1) };
        let share = |text: &str| -> Result<Share, Failure> {
            text.parse().map_err(|e| Failure::usage(format!("--rates {text}: expected {e}")))
        };
        let rates = match self.rates.is_empty() {
            true => rates.iter().map(|text| share(text)).collect::<Result<_, _>>()?,
            false => self.rates.iter().map(|text| share(text)).collect::<Result<_, _>>()?,
        };
        Ok(Course {
            only: self.defect.clone(),
            rates,
            seeds: if self.seeds.is_empty() { seeds.to_vec() } else { self.seeds.clone() },
            repeat: self.repeat.unwrap_or(repeat),
            lanes: self.jobs.map_or_else(usual_lanes, usize::from),
            tidy: self.full,
            command: super::reproduce::own_command_line(),
        })
    }

    fn write(&self, score: &Score) -> Result<(), Failure> {
        let json = serde_json::to_string_pretty(score).map_err(|e| Failure::bug(e.to_string()))? + "\n";
        for (path, text) in [(&self.json, json), (&self.markdown, markdown(score))] {
            match path.as_deref() {
                None => {}
                Some("-") => super::print(&text),
                Some(path) => std::fs::write(path, text)
                    .map_err(|e| Failure::environment(format!("cannot write {path}: {e}")))?,
            }
        }
        Ok(())
    }
}

/// The shipped self-test scenarios, by name.
fn scenarios() -> Result<BTreeMap<String, Plan>, Failure> {
    let sources: Vec<_> = suite::shipped().into_iter().filter(|s| s.name.contains("/selftest/")).collect();
    let cases = suite::plan_all(&sources, &super::load_scenarios::plain())?;
    Ok(cases.into_iter().map(|c| (format!("selftest/{}", c.plan.name), c.plan)).collect())
}
