//! `gatecrash run`.

use std::path::PathBuf;

use clap::Args;
use gatecrash_core::plan::Plan;
use gatecrash_core::report::RunReport;
use tokio::sync::watch;

use super::load_scenarios::Selection;
use crate::exit::{Exit, Failure};
use crate::live::Live;
use crate::reports;
use crate::run::{self, Options, Stop};

/// Runs scenarios one after the other and judges each case.
#[derive(Args, Debug)]
pub(super) struct Run {
    #[command(flatten)]
    selection: Selection,
    /// Where run directories are made
    #[arg(long, default_value = "runs", value_name = "DIR")]
    out: PathBuf,
    /// Write a report: FORMAT:PATH, `-` is stdout (repeatable)
    #[arg(long, value_name = "FORMAT:PATH")]
    report: Vec<String>,
    /// Run every case this many times
    #[arg(long, default_value_t = 1)]
    repeat: u32,
    /// Stop after the first case that does not pass
    #[arg(long)]
    fail_fast: bool,
    /// Judge without the known deviations of the gateway's profile
    #[arg(long)]
    strict: bool,
    /// More detail on the terminal
    #[arg(long)]
    full: bool,
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

impl Run {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let wanted = self.wanted_reports()?;
        let plans = self.selection.plans()?;
        let live = Live::new(self.quiet);
        let options = Options {
            out: self.out.clone(),
            executable: run::own_executable()?,
            strict: self.strict,
            reproduce: reproduce(),
            allow_targets: self.allow_target.clone(),
            upstream_port: self.upstream_port,
        };
        let (reports, worst) = super::runtime()?.block_on(self.all(&plans, &options, &live))?;
        if reports.len() > 1 {
            super::print(&tally(&reports));
        }
        for (format, path) in wanted {
            reports::write_to(&format, &path, &reports)?;
        }
        if std::env::var_os("GITHUB_ACTIONS").is_some_and(|v| v == "true") {
            reports::write_to("github", "-", &reports)?;
        }
        Ok(worst)
    }

    async fn all(
        &self,
        plans: &[Plan],
        options: &Options,
        live: &Live,
    ) -> Result<(Vec<RunReport>, Exit), Failure> {
        let stop = listen_for_signals();
        let mut reports = Vec::new();
        let mut worst = Exit::Pass;
        for plan in plans.iter().flat_map(|p| std::iter::repeat_n(p, self.repeat as usize)) {
            match run::run_case(plan, options, live, &stop).await {
                Ok((report, dir)) => {
                    reports::keep(&dir, &report)?;
                    super::print(&String::from_utf8_lossy(&reports::render(
                        "terminal",
                        std::slice::from_ref(&report),
                        self.full,
                    )?));
                    worst = worst.worse(Exit::from_code(report.exit));
                    reports.push(report);
                }
                Err(failure) => {
                    eprintln!("{}: {failure}", plan.title());
                    worst = worst.worse(failure.exit());
                }
            }
            let asked = stop.borrow().clone();
            if let Some(stop) = asked {
                worst = worst.worse(stop.exit);
                break;
            }
            if self.fail_fast && worst != Exit::Pass {
                break;
            }
        }
        Ok((reports, worst))
    }

    fn wanted_reports(&self) -> Result<Vec<(String, String)>, Failure> {
        let pair = |text: &String| {
            let (format, path) = text.split_once(':').ok_or_else(|| {
                Failure::usage(format!("--report {text} has no path"))
                    .hint("for example --report junit:out/junit.xml")
            })?;
            reports::known(format)?;
            Ok((format.to_owned(), path.to_owned()))
        };
        self.report.iter().map(pair).collect()
    }
}

/// The first signal ends the run with a partial report, the second ends the process at once.
pub(super) fn listen_for_signals() -> run::StopLine {
    let (sender, receiver) = watch::channel(None);
    tokio::spawn(async move {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        loop {
            let stop = tokio::select! {
                _ = interrupt.recv() => Stop { exit: Exit::Interrupted, why: "interrupted by Ctrl-C".into() },
                _ = terminate.recv() => Stop { exit: Exit::Terminated, why: "ended by SIGTERM".into() },
            };
            if sender.borrow().is_some() {
                // Children carry a parent-death signal: they end with us.
                std::process::exit(i32::from(stop.exit.code()));
            }
            eprintln!("\n{}: writing a partial report (once more to end at once)", stop.why);
            sender.send_replace(Some(stop));
        }
    });
    receiver
}

fn reproduce() -> String {
    let quoted = |a: String| {
        if a.contains(|c: char| c.is_whitespace() || "*$\"'".contains(c)) { format!("'{a}'") } else { a }
    };
    let arguments: Vec<_> = std::env::args().skip(1).map(quoted).collect();
    format!("gatecrash {}", arguments.join(" "))
}

fn tally(reports: &[RunReport]) -> String {
    let passed = reports.iter().filter(|r| r.exit == 0).count();
    let seconds: f64 = reports.iter().filter_map(|r| r.phases.last()).map(|p| p.until).sum();
    let mut text = format!("\n{passed} of {} cases passed, {seconds:.0} s under load\n", reports.len());
    for report in reports.iter().filter(|r| r.exit != 0) {
        let why = crate::exit::BY_PRECEDENCE
            .iter()
            .find(|(_, code, _)| *code == report.exit)
            .map_or("", |(.., w)| w);
        text.push_str(&format!("  exit {:>3}  {}  ({why})\n", report.exit, report.plan.title()));
    }
    text
}
