//! What the program says: results on stdout, everything else on stderr. A reader who hung up is no error, and never a
//! panic.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueEnum;

/// Set once a result could not be written for another reason than a reader who hung up.
static LOST: AtomicBool = AtomicBool::new(false);

/// Where text goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stream {
    /// Results.
    Stdout,
    /// Progress and logs; results too where stdout is taken by a report.
    Stderr,
}

/// When to use colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set or TERM is `dumb`
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Prints a result.
pub fn print(text: &str) {
    Stream::Stdout.write(text.as_bytes());
}

/// Says one line on stderr.
pub fn note(line: &str) {
    Stream::Stderr.write(format!("{line}\n").as_bytes());
}

/// Whether results were lost: stdout is a full disk, for example.
pub fn is_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// Whether stderr is a terminal on which a line can be rewritten.
pub fn can_rewrite() -> bool {
    io::stderr().is_terminal() && !is_dumb()
}

impl Stream {
    /// Writes and flushes.
    pub fn write(self, bytes: &[u8]) {
        match self {
            Self::Stdout => {
                let mut out = io::stdout().lock();
                let written = out.write_all(bytes).and_then(|()| out.flush());
                if written.is_err_and(|e| e.kind() != io::ErrorKind::BrokenPipe) {
                    LOST.store(true, Ordering::Relaxed);
                }
            }
            Self::Stderr => {
                // Nowhere is left to say that stderr is gone.
                let _ = io::stderr().lock().write_all(bytes);
            }
        }
    }

    fn is_terminal(self) -> bool {
        match self {
            Self::Stdout => io::stdout().is_terminal(),
            Self::Stderr => io::stderr().is_terminal(),
        }
    }
}

impl Colour {
    /// Whether to colour what goes to a stream. NO_COLOR: see no-color.org.
    pub fn on(self, stream: Stream) -> bool {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => stream.is_terminal() && !refused && !is_dumb(),
        }
    }
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}
