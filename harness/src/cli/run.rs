//! `gatecrash run`.

use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use gatecrash_core::plan::Plan;
use gatecrash_core::report::{Comparison, RenderOptions, RunReport, Spread};

use super::against::{Against, Baseline};
use super::load_scenarios::Selection;
use super::wanted_reports::Wanted;
use crate::exit::{BY_PRECEDENCE, Exit, Failure};
use crate::live::Live;
use crate::output::{self, Colour, Stream};
use crate::reports;
use crate::run::{self, Options, StopLine};
use crate::side_by_side::{Ended, Errand, InOrder, Judged, run_all, usual_lanes};

/// `--gateway all`: each that is installed, and a table of gateways and checks at the end.
const ALL: &str = "all";

/// Runs scenarios, as many at once as do not disturb each other, and judges each case.
#[derive(Args, Debug)]
pub(super) struct Run {
    #[command(flatten)]
    pub(super) selection: Selection,
    /// Where run directories are made
    #[arg(long, default_value = "runs", value_name = "DIR")]
    out: PathBuf,
    /// Write a report: FORMAT:PATH, `-` is stdout (repeatable)
    #[arg(long, value_name = "FORMAT:PATH")]
    report: Vec<String>,
    /// Run every case this many times, in turns, and show how far the runs spread and which verdicts are flaky
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,
    #[command(flatten)]
    against: Against,
    /// Stop after the first case that does not pass; cases run one by one then
    #[arg(long)]
    fail_fast: bool,
    /// Lanes for cases side by side: one for every 150 requests per second a case offers, all of them for a case that
    /// must be alone; 1 runs them one by one. Four for each core where nothing is said, two in a debug build, and one
    /// with --against
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// Judge without the known deviations of the gateway's profile
    #[arg(long)]
    strict: bool,
    /// More detail on the terminal
    #[arg(long)]
    full: bool,
    /// Colours in the summary
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Colour,
    /// No progress on stderr
    #[arg(long, short)]
    quiet: bool,
    /// Port all upstream endpoints share, for a gateway you start yourself; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    upstream_port: u16,
    /// Allow load against a host that is not loopback (repeatable)
    #[arg(long, value_name = "HOST")]
    allow_target: Vec<String>,
}

/// What became of the cases so far.
#[derive(Default)]
struct Tally {
    reports: Vec<RunReport>,
    /// Of the baseline that took turns.
    others: Vec<RunReport>,
    cases: Vec<(String, Exit)>,
    stopped: Option<Exit>,
}

/// One run to make.
struct Turn {
    plan: Plan,
    round: u32,
    /// Whether it is of the baseline.
    is_other: bool,
}

impl Run {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let plans = self.selected_plans()?;
        self.make(plans)
    }

    /// What is to be run, on one gateway or on all.
    pub(super) fn selected_plans(&self) -> Result<Vec<Plan>, Failure> {
        let plans = match self.selection.gateway.as_deref() {
            Some(ALL) => self.selection.plans_of_all_gateways(),
            _ => self.selection.plans(),
        };
        self.selection.possible(plans?, run::built_for)
    }

    /// Runs plans, reports them, and says how the process ends.
    pub(super) fn make(self, plans: Vec<Plan>) -> Result<Exit, Failure> {
        let baseline = self.against.baseline(&self.selection, &plans, &self.out, self.strict)?;
        let others: &[Plan] = if let Baseline::InTurns(_, others) = &baseline { others } else { &[] };
        let turns = turns(&plans, others, self.repeat);
        let wanted = self.report.iter().map(|text| Wanted::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let options = Options {
            out: self.out.clone(),
            executable: run::own_executable()?,
            strict: self.strict,
            reproduce: String::new(),
            allow_targets: self.allow_target.clone(),
            upstream_port: self.upstream_port,
        };
        // Where a report takes stdout, it has it for itself.
        let taken = wanted.iter().any(Wanted::is_stdout);
        let summary = if taken { Stream::Stderr } else { Stream::Stdout };
        let tally = super::block_on(async {
            let stop = super::signals::listen()?;
            Ok(self.all(&turns, &options, summary, &stop).await)
        })?;
        if tally.cases.len() > 1 {
            summary.write(tally.text().as_bytes());
        }
        if let Some(table) = Comparison::of(&tally.reports) {
            summary.write(table.terminal(RenderOptions::default().width).as_bytes());
        }
        for spread in Spread::all(&tally.reports) {
            summary.write(spread.terminal().as_bytes());
        }
        let mut exit = tally.exit();
        for written in wanted.iter().map(|w| w.write(&tally.reports)) {
            exit = complain(written, exit);
        }
        if std::env::var_os("GITHUB_ACTIONS").is_some_and(|v| v == "true") {
            summary.write(&reports::render("github", &tally.reports, true, false)?);
        }
        if tally.stopped.is_some() {
            return Ok(exit);
        }
        let was = match &baseline {
            Baseline::None => None,
            Baseline::Stored(name, reports) => Some((name.as_str(), reports.as_slice())),
            Baseline::InTurns(name, _) => Some((name.as_str(), tally.others.as_slice())),
        };
        let shown = (summary, self.color.on(summary));
        let concluded = self.against.conclude(was, &tally.reports, &self.out, shown, exit);
        Ok(concluded.unwrap_or_else(|failure| complain(Err(failure), exit)))
    }

    async fn all(&self, turns: &[Turn], options: &Options, summary: Stream, stop: &StopLine) -> Tally {
        let live = Live::new(self.quiet);
        let mut tally = Tally::default();
        let errands = turns.iter().map(|turn| Errand {
            plan: turn.plan.clone(),
            options: self.options_for(turn, options),
            round: turn.round,
        });
        let mut order = InOrder::default();
        let lanes = self.lanes(turns.iter().any(|turn| turn.is_other));
        let made = run_all(errands.collect(), lanes, &live, stop, |index, ended| {
            for (index, ended) in order.put(index, ended) {
                let exit = self.judged(&turns[index], ended, options, summary, &live, &mut tally);
                if self.fail_fast && exit != Exit::Pass {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        });
        let broken = made.await.err();
        for (index, ended) in order.rest() {
            self.judged(&turns[index], ended, options, summary, &live, &mut tally);
        }
        tally.stopped = stop.borrow().as_ref().map(|stop| stop.exit);
        if let Some(failure) = broken {
            tally.stopped = Some(complain(Err(failure), tally.stopped.unwrap_or(Exit::Pass)));
        }
        tally
    }

    /// With the command that makes this run alone again; a baseline in turns is made by the whole command.
    fn options_for(&self, turn: &Turn, options: &Options) -> Options {
        let reproduce = match turn.is_other {
            true => super::reproduce::own_command_line(),
            false => super::reproduce::own_command_line_for(&turn.plan, self.selection.gateway.is_some()),
        };
        Options { reproduce, ..options.clone() }
    }

    /// What one port or one verdict at a time asks for is one lane.
    fn lanes(&self, takes_turns: bool) -> usize {
        match self.jobs {
            _ if self.fail_fast || self.upstream_port != 0 => 1,
            Some(jobs) => usize::from(jobs),
            None if takes_turns => 1,
            None => usual_lanes(),
        }
    }

    /// Shows what became of a case.
    fn judged(
        &self,
        turn: &Turn,
        ended: Ended,
        options: &Options,
        summary: Stream,
        live: &Live,
        tally: &mut Tally,
    ) -> Exit {
        let plan = &turn.plan;
        if turn.is_other {
            return other(plan, ended, live, tally);
        }
        let exit = match ended {
            Ok(Judged { report, kept }) => {
                let colour = self.color.on(summary);
                let shown = reports::render("terminal", std::slice::from_ref(&report), self.full, colour);
                live.clear();
                let exit = complain(shown.map(|text| summary.write(&text)), Exit::from_code(report.exit));
                tally.reports.push(report);
                complain(kept, exit)
            }
            Err(failure) => {
                output::note(&format!("{}: {failure}", plan.title()));
                let options = self.options_for(turn, options);
                tally.reports.push(run::report_without_run(plan, &failure, &options));
                failure.exit()
            }
        };
        let case = match self.selection.gateway.as_deref() {
            Some(ALL) => format!("{} on {}", plan.title(), run::gateway_name(plan)),
            _ => plan.title(),
        };
        tally.cases.push((case, exit));
        exit
    }
}

/// Every case in each round; where the baseline takes turns, it is first in one round and last in the next.
fn turns(plans: &[Plan], others: &[Plan], repeat: u32) -> Vec<Turn> {
    let mut turns = Vec::new();
    for round in 0..repeat {
        for plan in plans {
            let turn = |plan: &Plan, is_other| Turn { plan: plan.clone(), round, is_other };
            turns.push(turn(plan, false));
            if let Some(other) = others.iter().find(|other| other.title() == plan.title()) {
                let place = if round % 2 == 0 { turns.len() - 1 } else { turns.len() };
                turns.insert(place, turn(other, true));
            }
        }
    }
    turns
}

/// Takes a run of the baseline in: its verdicts are no concern of the exit code, unless it could not run.
fn other(plan: &Plan, ended: Ended, live: &Live, tally: &mut Tally) -> Exit {
    let title = format!("{} on {} (baseline)", plan.title(), run::gateway_name(plan));
    match ended {
        Ok(Judged { report, kept }) => {
            live.clear();
            output::note(&format!("{title}: {}", gatecrash_core::report::word(&report).to_lowercase()));
            tally.others.push(report);
            complain(kept, Exit::Pass)
        }
        Err(failure) => {
            output::note(&format!("{title}: {failure}"));
            tally.cases.push((title, failure.exit()));
            Exit::Pass
        }
    }
}

/// Says what failed after a case was judged; the worse of both exits.
fn complain(done: Result<(), Failure>, exit: Exit) -> Exit {
    match done {
        Ok(()) => exit,
        Err(failure) => {
            output::note(&failure.to_string());
            exit.worse(failure.exit())
        }
    }
}

impl Tally {
    fn exit(&self) -> Exit {
        let exits = self.cases.iter().map(|(_, exit)| *exit).chain(self.stopped);
        exits.fold(Exit::Pass, Exit::worse)
    }

    fn text(&self) -> String {
        let passed = self.cases.iter().filter(|(_, exit)| *exit == Exit::Pass).count();
        let seconds: f64 = self.reports.iter().filter_map(|r| r.phases.last()).map(|p| p.until).sum();
        let what = if Spread::all(&self.reports).is_empty() { "cases" } else { "runs" };
        let mut text =
            format!("\n{passed} of {} {what} passed, {seconds:.0} s under load\n", self.cases.len());
        for (title, exit) in self.cases.iter().filter(|(_, exit)| *exit != Exit::Pass) {
            let why = BY_PRECEDENCE.iter().find(|(e, ..)| e == exit).map_or("", |(.., what)| what);
            text.push_str(&format!("  exit {:>3}  {title}  ({why})\n", exit.code()));
        }
        text
    }
}
