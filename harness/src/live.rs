//! Live progress on stderr: one line that rewrites itself on a terminal, plain lines now and then elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::PoisonError;

use gatecrash_core::plan::Plan;
use gatecrash_core::report::progress::ProgressLine;
use gatecrash_load::LiveCounters;
use gatecrash_model::Nanos;

/// Where progress goes.
#[derive(Debug)]
pub struct Live {
    mode: Mode,
    last: Mutex<Option<u64>>,
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
    pub counters: &'a LiveCounters,
    /// Attempts recorded so far.
    pub attempts: u64,
}

/// Plain lines come this often, seconds.
const PLAIN_EVERY: u64 = 5;

impl Live {
    /// By what stderr is; `quiet` silences it.
    pub fn new(quiet: bool) -> Self {
        let mode = match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Mode::Quiet,
            (false, true) => Mode::Terminal,
            (false, false) => Mode::Plain,
        };
        Self { mode, last: Mutex::new(None) }
    }

    /// A line of its own.
    pub fn note(&self, text: &str) {
        if self.mode != Mode::Quiet {
            self.clear();
            eprintln!("{text}");
        }
    }

    /// Shows a pulse.
    pub fn show(&self, pulse: &Pulse<'_>) {
        match self.mode {
            Mode::Quiet => {}
            Mode::Terminal => {
                eprint!("\r\x1b[2K{}", pulse.line().terminal());
                let _ = std::io::stderr().flush();
            }
            Mode::Plain => {
                let slot = pulse.at / 1_000_000_000 / PLAIN_EVERY;
                let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
                if slot > 0 && *last != Some(slot) {
                    *last = Some(slot);
                    eprintln!("{}", pulse.line().plain());
                }
            }
        }
    }

    /// Wipes the line that rewrites itself.
    pub fn clear(&self) {
        if self.mode == Mode::Terminal {
            eprint!("\r\x1b[2K");
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Pulse<'_> {
    fn line(&self) -> ProgressLine {
        let _ = self;
        todo_line()
    }
}
