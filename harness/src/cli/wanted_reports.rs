//! The reports that `--report FORMAT:PATH` asks for.

use std::fs::OpenOptions;
use std::path::Path;

use gatecrash_core::report::RunReport;

use crate::exit::Failure;
use crate::output::Stream;
use crate::reports;

/// One report and its place.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    format: String,
    path: String,
}

impl Wanted {
    /// Reads `FORMAT:PATH` and sees to it that the place can be written before anything runs.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        Self::of(text, |format| reports::known(format).map(|_| ()))
    }

    /// Reads `FORMAT:PATH` of any kind of formats.
    pub(super) fn of(text: &str, known: impl Fn(&str) -> Result<(), Failure>) -> Result<Self, Failure> {
        let (format, path) = text.split_once(':').filter(|(_, path)| !path.is_empty()).ok_or_else(|| {
            Failure::usage(format!("--report {text} has no path"))
                .hint("for example --report junit:out/junit.xml")
        })?;
        known(format)?;
        let wanted = Self { format: format.to_owned(), path: path.to_owned() };
        if !wanted.is_stdout() {
            writable(path)?;
        }
        Ok(wanted)
    }

    pub(super) fn is_stdout(&self) -> bool {
        self.path == "-"
    }

    pub(super) fn format(&self) -> &str {
        &self.format
    }

    pub(super) fn write(&self, all: &[RunReport]) -> Result<(), Failure> {
        self.put(reports::render(&self.format, all, true, false)?)
    }

    /// Writes what was rendered to its place.
    pub(super) fn put(&self, bytes: Vec<u8>) -> Result<(), Failure> {
        if self.is_stdout() {
            Stream::Stdout.write(&bytes);
            return Ok(());
        }
        std::fs::write(&self.path, bytes).map_err(|e| cannot_write(&self.path, &e))
    }
}

/// Makes the folders of a path and tries whether the file can be written; what it holds stays.
pub(super) fn writable(path: &str) -> Result<(), Failure> {
    let place = Path::new(path);
    let is_new = !place.exists();
    if let Some(parent) = place.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(|e| cannot_write(path, &e))?;
    }
    OpenOptions::new().create(true).append(true).open(place).map_err(|e| cannot_write(path, &e))?;
    if is_new {
        // An empty report would say that nothing was wrong.
        let _ = std::fs::remove_file(place);
    }
    Ok(())
}

fn cannot_write(path: &str, error: &std::io::Error) -> Failure {
    Failure::environment(format!("cannot write {path}: {error}")).hint("choose another place for the report")
}
