//! Keeps goose from changing the process it runs in: logging, Ctrl-C and stdout are ours.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;

/// A logger that says nothing.
struct Nothing;

impl log::Log for Nothing {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        false
    }
    fn log(&self, _: &log::Record<'_>) {}
    fn flush(&self) {}
}

/// Installs a logger before goose installs its own, which would print every start, phase and failed request. What
/// matters of it comes back as a result.
pub(super) fn take_the_log() {
    // Where somebody else was first, goose cannot be either.
    let _ = log::set_logger(&Nothing);
}

/// Lets Ctrl-C stay with the process: goose would take it for itself, and end the process at the second one, but gives
/// in where a handler of its kind is there already. Call it before the process installs the handler it means to use
/// (a handler installed later calls those before, and this one does nothing); without journeys it is of no use.
pub fn leave_ctrl_c_alone() {
    // An error means that there is one already.
    let _ = ctrlc::set_handler(|| {});
}

/// Sends what the process writes to stdout into a file: goose prints how many users it has launched, and no option of
/// it turns that off. Nothing else is under way that would write there.
pub(super) struct Stdout {
    real: OwnedFd,
}

impl Stdout {
    pub(super) fn into_file(path: &Path) -> io::Result<Self> {
        let file = File::create(path)?;
        io::stdout().flush()?;
        let real = rustix::io::fcntl_dupfd_cloexec(io::stdout(), 3)?;
        rustix::stdio::dup2_stdout(&file)?;
        Ok(Self { real })
    }
}

impl Drop for Stdout {
    fn drop(&mut self) {
        // Where it fails, stdout was gone before.
        let _ = io::stdout().flush();
        let _ = rustix::stdio::dup2_stdout(&self.real);
    }
}
