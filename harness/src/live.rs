//! Live progress on stderr: one line that rewrites itself on a terminal, plain lines now and then elsewhere.

use std::sync::Mutex;
use std::sync::PoisonError;

use gatecrash_core::plan::Plan;
use gatecrash_core::report::ProgressLine;
use gatecrash_core::units::Span;
use gatecrash_load::LiveSnapshot;
use gatecrash_model::Nanos;

use crate::output::{self, Stream};

/// Where progress goes.
#[derive(Debug)]
pub struct Live {
    mode: Mode,
    /// The run it belongs to, where several are under way.
    title: Option<String>,
    last: Mutex<Last>,
}

/// The pulse before: what happened since is the difference.
#[derive(Debug, Default)]
struct Last {
    at: Nanos,
    load: LiveSnapshot,
    attempts: u64,
    slot: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Quiet,
    Plain,
    Terminal,
}

/// What is known at one instant of a run.
#[derive(Debug)]
pub struct Pulse<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Now.
    pub at: Nanos,
    /// The phase we are in.
    pub phase: Option<u16>,
    /// The load's counters.
    pub load: LiveSnapshot,
    /// Attempts recorded so far.
    pub attempts: u64,
}

/// Plain lines come this often, seconds.
const PLAIN_EVERY: u64 = 5;

/// Back to the line's start, and empty it.
const WIPE: &str = "\r\x1b[2K";

impl Live {
    /// By what stderr is; `quiet` silences it.
    pub fn new(quiet: bool) -> Self {
        let mode = match (quiet, output::can_rewrite()) {
            (true, _) => Mode::Quiet,
            (false, true) => Mode::Terminal,
            (false, false) => Mode::Plain,
        };
        Self { mode, title: None, last: Mutex::default() }
    }

    /// For another run that has the terminal to itself.
    pub fn alone(&self) -> Self {
        Self { mode: self.mode, title: None, last: Mutex::default() }
    }

    /// For a run among others: every line says whose it is.
    pub fn beside(&self, title: &str) -> Self {
        Self { title: Some(title.to_owned()), ..self.alone() }
    }

    /// A line of its own.
    pub fn note(&self, text: &str) {
        if self.mode != Mode::Quiet {
            self.clear();
            output::note(text);
        }
    }

    /// Shows a pulse, at most once a second.
    pub fn show(&self, pulse: &Pulse<'_>) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if self.mode == Mode::Quiet || pulse.at < last.at + 1_000_000_000 {
            return;
        }
        let line = pulse.line(&last);
        let whose = self.title.as_ref().map_or_else(String::new, |title| format!("{title}: "));
        let slot = pulse.at / 1_000_000_000 / PLAIN_EVERY;
        if self.mode == Mode::Terminal {
            let room = columns().saturating_sub(whose.chars().count()).max(40);
            Stream::Stderr.write(format!("{WIPE}{whose}{}", line.tty(room)).as_bytes());
        } else if slot > last.slot {
            output::note(&format!("{whose}{}", line.plain()));
        }
        *last = Last { at: pulse.at, load: pulse.load.clone(), attempts: pulse.attempts, slot };
    }

    /// Wipes the line that rewrites itself.
    pub fn clear(&self) {
        if self.mode == Mode::Terminal {
            Stream::Stderr.write(WIPE.as_bytes());
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Last::default();
    }
}

impl Pulse<'_> {
    fn line(&self, last: &Last) -> ProgressLine {
        let seconds = (self.at - last.at) as f64 / 1e9;
        let sent = self.load.sent - last.load.sent;
        let ok = self.load.ok - last.load.ok;
        let on = |f: &&gatecrash_core::plan::FaultPlan| f.from.0 <= self.at && self.at < f.until.0;
        let phase = self.phase.and_then(|p| self.plan.phases.get(usize::from(p)));
        ProgressLine {
            phase: phase.map_or_else(String::new, |p| p.name.clone()),
            elapsed: Span(self.at),
            total: self.plan.length(),
            offered: self.offered(),
            users: self.plan.workloads.iter().filter_map(|w| w.users_at(self.at)).sum(),
            achieved: sent as f64 / seconds,
            ok_share: (sent > 0).then(|| ok as f64 / sent as f64),
            p99_ms: self.load.response.since(&last.load.response).quantile(0.99).map(|us| us as f64 / 1e3),
            attempts_per_request: (sent > 0).then(|| (self.attempts - last.attempts) as f64 / sent as f64),
            faults_on: self.plan.faults.iter().filter(on).map(|f| f.name.clone()).collect(),
            regions: Vec::new(),
        }
    }

    fn offered(&self) -> f64 {
        self.plan.workloads.iter().filter_map(|w| w.rate_at(self.at)).fold(0.0, |a, b| a + b)
    }
}

/// Columns of the terminal on stderr; 100 when it does not say.
fn columns() -> usize {
    rustix::termios::tcgetwinsize(std::io::stderr()).map_or(100, |size| usize::from(size.ws_col).max(40))
}
