//! The run directory: the plan, the history, what was expected, where it ran. Reports work from it alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gatecrash_core::history::{self, History, StoreError};
use gatecrash_core::plan::Plan;
use gatecrash_core::profile::Profile;
use gatecrash_core::report::Environment;
use gatecrash_model::{Capabilities, Record};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::recorder::{FILES, VERSIONS};

/// A run directory.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
}

/// What a run directory says besides plan and history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunFacts {
    /// Version of the directory's layout, 1.
    pub version: u32,
    /// Run id.
    pub run: String,
    /// What was expected of the gateway.
    pub profile: Profile,
    /// What could be observed.
    pub capabilities: Capabilities,
    /// Where it ran.
    pub environment: Environment,
    /// Whether the run came to its own end; false while it runs and after a kill.
    pub ended: bool,
    /// Why it ended before its plan, if it did: exit code and words.
    pub interrupted: Option<(u8, String)>,
}

/// Why a run directory could not be used.
#[derive(Debug, thiserror::Error)]
pub enum RunDirError {
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{path} is damaged: {why}")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl RunDir {
    /// Makes a new directory `<out>/<name>-<run>`. One that exists is another run's and stays as it is.
    pub fn create(out: &Path, name: &str, run: &str) -> Result<Self, RunDirError> {
        let path = out.join(format!("{}-{run}", file_name(name)));
        let made = fs::create_dir_all(out).and_then(|()| fs::create_dir(&path));
        made.map_err(|source| RunDirError::Write { path: path.clone(), source })?;
        Ok(Self { path })
    }

    /// A directory that exists.
    pub fn open(path: &Path) -> Result<Self, RunDirError> {
        let dir = Self { path: path.to_owned() };
        match fs::metadata(dir.path.join("run.json")) {
            Ok(_) => Ok(dir),
            Err(_) if dir.path.join("plan.json").is_file() => {
                let why = "the run ended before its load began".to_owned();
                Err(RunDirError::Damaged { path: dir.path, why })
            }
            Err(source) => Err(RunDirError::Read { path: dir.path.join("run.json"), source }),
        }
    }

    /// The run directory in `out` whose run id this is; several are possible where directories were copied together.
    pub fn of_run(out: &Path, run: &str) -> Vec<PathBuf> {
        let suffix = format!("-{run}");
        let entries = fs::read_dir(out).into_iter().flatten().flatten();
        let mut found: Vec<_> = entries
            .filter(|e| e.file_name().to_string_lossy().ends_with(&suffix))
            .map(|e| e.path())
            .collect();
        found.sort();
        found
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the history lies.
    pub fn history_path(&self) -> PathBuf {
        self.path.join("history")
    }

    /// Writes the plan.
    pub fn write_plan(&self, plan: &Plan) -> Result<(), RunDirError> {
        self.write_json("plan.json", plan)
    }

    /// Writes the facts, replacing what was there in one step.
    pub fn write_facts(&self, facts: &RunFacts) -> Result<(), RunDirError> {
        self.write_json("run.json", facts)
    }

    /// Writes any file of the directory, whole or not at all.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, RunDirError> {
        let path = self.path.join(name);
        let part = self.path.join(format!("{name}.part"));
        let written = fs::write(&part, bytes).and_then(|()| fs::rename(&part, &path));
        written.map_err(|source| {
            let _ = fs::remove_file(&part);
            RunDirError::Write { path: path.clone(), source }
        })?;
        Ok(path)
    }

    /// Reads the plan.
    pub fn plan(&self) -> Result<Plan, RunDirError> {
        self.read_json("plan.json")
    }

    /// Reads the facts.
    pub fn facts(&self) -> Result<RunFacts, RunDirError> {
        self.read_json("run.json")
    }

    /// Reads the history; a torn last record or line (a kill) is left out.
    pub fn history(&self) -> Result<History, RunDirError> {
        let mut history = History {
            clients: self.records(0)?,
            attempts: self.records(1)?,
            upstreams: self.records(2)?,
            connections: self.records(3)?,
            firings: self.records(4)?,
            versions: if self.history_path().join(FILES[VERSIONS]).exists() {
                self.records(VERSIONS)?
            } else {
                Vec::new()
            },
            evidence: self.lines(5)?,
            events: self.lines(6)?,
            capabilities: self.facts()?.capabilities,
            ..History::default()
        };
        for text in self.lines::<String>(7)? {
            history.strings.intern(&text);
        }
        history.sort();
        Ok(history)
    }

    /// Reads what clients sent, and nothing else of the history.
    pub fn sent(&self) -> Result<History, RunDirError> {
        let mut history = History { clients: self.records(0)?, ..History::default() };
        for text in self.lines::<String>(7)? {
            history.strings.intern(&text);
        }
        history.sort();
        Ok(history)
    }

    fn records<R: Record>(&self, part: usize) -> Result<Vec<R>, RunDirError> {
        let path = self.history_path().join(FILES[part]);
        let bytes = fs::read(&path).map_err(|source| RunDirError::Read { path: path.clone(), source })?;
        history::decode_all(&bytes).map_err(|e: StoreError| RunDirError::Damaged { path, why: e.to_string() })
    }

    fn lines<T: DeserializeOwned>(&self, part: usize) -> Result<Vec<T>, RunDirError> {
        let path = self.history_path().join(FILES[part]);
        let text =
            fs::read_to_string(&path).map_err(|source| RunDirError::Read { path: path.clone(), source })?;
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let parse = |line| {
            serde_json::from_str(line)
                .map_err(|e| RunDirError::Damaged { path: path.clone(), why: e.to_string() })
        };
        whole.lines().map(parse).collect()
    }

    fn write_json<T: Serialize>(&self, name: &str, value: &T) -> Result<(), RunDirError> {
        let why =
            |e: serde_json::Error| RunDirError::Damaged { path: self.path.join(name), why: e.to_string() };
        let mut bytes = serde_json::to_vec_pretty(value).map_err(why)?;
        bytes.push(b'\n');
        self.write(name, &bytes).map(|_| ())
    }

    fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, RunDirError> {
        let path = self.path.join(name);
        let bytes = fs::read(&path).map_err(|source| RunDirError::Read { path: path.clone(), source })?;
        serde_json::from_slice(&bytes).map_err(|e| RunDirError::Damaged { path, why: e.to_string() })
    }
}

/// A file name for a title: no separators, and short enough for any file system with an id behind it.
fn file_name(title: &str) -> String {
    const MOST: usize = 120;
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-_.=".contains(c) { c } else { '-' };
    title.chars().take(MOST).map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_strange_titles_become_file_names() {
        assert_eq!(file_name("a/b [x=1%]"), "a-b--x=1--");
        let out = tempfile::tempdir().expect("a temporary folder");
        let dir = RunDir::create(out.path(), &"é".repeat(5000), "1a2b3c4d").expect("a directory");
        assert!(dir.path().is_dir());
    }

    #[test]
    fn a_directory_belongs_to_one_run() {
        let out = tempfile::tempdir().expect("a temporary folder");
        let first = RunDir::create(&out.path().join("new"), "control", "1a2b3c4d").expect("a directory");
        first.write("plan.json", b"{}").expect("a file");
        assert!(RunDir::create(&out.path().join("new"), "control", "1a2b3c4d").is_err());
        assert_eq!(fs::read(first.path().join("plan.json")).expect("kept"), b"{}");
        assert_eq!(RunDir::of_run(&out.path().join("new"), "1a2b3c4d"), [first.path()]);
        let said = RunDir::open(first.path()).expect_err("no run.json").to_string();
        assert!(said.contains("before its load began"), "{said}");
    }
}
