//! Runs that are on disk: found by path, run id or label, and judged again.
//!
//! Labels lie beside the runs, in `<out>/labels/<name>.json`, and name run directories of the same folder.

use std::fs;
use std::path::{Path, PathBuf};

use gatecrash_core::report::RunReport;
use gatecrash_model::RunId;
use serde::{Deserialize, Serialize};

use crate::exit::Failure;
use crate::run::{self, is_run_dir};
use crate::run_dir::{RunDir, RunDirError};
use crate::{environment, output};

/// The folder of the labels in the folder of the runs.
const LABELS: &str = "labels";

/// A name for a set of runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Label {
    /// Version of this structure, 1.
    pub version: u32,
    /// When it was set, RFC 3339.
    pub set: String,
    /// Names of run directories beside the folder of the labels.
    pub runs: Vec<String>,
}

/// The run directories that a name stands for: a run directory, a folder of them, a run id or a label of `out`.
pub fn find(out: &Path, name: &str) -> Result<Vec<PathBuf>, Failure> {
    let path = Path::new(name);
    if is_run_dir(path) || path.join("plan.json").is_file() {
        return Ok(vec![path.to_owned()]);
    }
    if path.is_dir() {
        let found = in_folder(path)?;
        return if found.is_empty() {
            Err(Failure::usage(format!("{name} holds no run")).hint("`gatecrash run --out DIR` makes runs"))
        } else {
            Ok(found)
        };
    }
    if name.len() == 8 && name.parse::<RunId>().is_ok() {
        let found = RunDir::of_run(out, name);
        if !found.is_empty() {
            return Ok(found);
        }
    }
    match label(out, name)? {
        Some(label) => Ok(label.runs.iter().map(|run| out.join(run)).collect()),
        None => Err(unknown(out, name)),
    }
}

/// Judges stored runs as a run that just ended is judged.
pub fn judge(dirs: &[PathBuf], strict: bool) -> Result<Vec<RunReport>, Failure> {
    dirs.iter().map(|dir| run::judge(&RunDir::open(dir)?, strict)).collect()
}

/// Sets a label; runs are those of the folder `out`.
pub fn set_label(out: &Path, name: &str, runs: &[&RunReport]) -> Result<(), Failure> {
    let directory = |report: &&RunReport| {
        let path = Path::new(&report.environment.directory);
        path.file_name().map(|name| name.to_string_lossy().into_owned())
    };
    let runs = runs.iter().filter_map(directory).collect();
    let label = Label { version: 1, set: environment::now_rfc3339(), runs };
    let text = serde_json::to_vec_pretty(&label).map_err(|e| Failure::bug(e.to_string()))?;
    let path = label_path(out, name);
    let part = path.with_extension("part");
    let made = fs::create_dir_all(out.join(LABELS)).and_then(|()| fs::write(&part, text));
    made.and_then(|()| fs::rename(&part, &path))
        .map_err(|source| RunDirError::Write { path: path.clone(), source }.into())
}

/// Whether a label of this name may be set.
pub fn check_label(name: &str) -> Result<(), Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !name.is_empty() && name.len() <= 100 && !name.starts_with('.') && name.chars().all(plain) {
        return Ok(());
    }
    Err(Failure::usage(format!("`{name}` cannot be a label"))
        .hint("letters, digits, `-`, `_` and `.`, such as last-green"))
}

/// The label of a name, if there is one.
pub fn label(out: &Path, name: &str) -> Result<Option<Label>, Failure> {
    if check_label(name).is_err() {
        return Ok(None);
    }
    let path = label_path(out, name);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(RunDirError::Read { path, source }.into()),
    };
    let damaged = |e: serde_json::Error| RunDirError::Damaged { path, why: e.to_string() };
    Ok(Some(serde_json::from_slice(&text).map_err(damaged)?))
}

/// Names of all labels, in order.
pub fn labels(out: &Path) -> Vec<String> {
    let entries = fs::read_dir(out.join(LABELS)).into_iter().flatten().flatten();
    let name = |e: fs::DirEntry| e.file_name().to_str()?.strip_suffix(".json").map(str::to_owned);
    let mut names: Vec<_> = entries.filter_map(name).collect();
    names.sort();
    names
}

/// The run directories in a folder, in order of name; those whose load never began are named and left out.
pub fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let cannot = |source| RunDirError::Read { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if is_run_dir(&path) {
            found.push(path);
        } else if path.join("plan.json").is_file() {
            output::note(&format!("note: {} was left out: its load never began", path.display()));
        }
    }
    found.sort();
    Ok(found)
}

fn label_path(out: &Path, name: &str) -> PathBuf {
    out.join(LABELS).join(format!("{name}.json"))
}

fn unknown(out: &Path, name: &str) -> Failure {
    let names = labels(out);
    let known = match names.as_slice() {
        [] => format!("there are no labels in {}; `gatecrash run --label NAME` sets one", out.display()),
        names => format!("labels in {}: {}", out.display(), names.join(", ")),
    };
    Failure::usage(format!("`{name}` is no run directory, no folder of runs, no run id and no label"))
        .hint(known)
}

#[cfg(test)]
mod tests {
    use gatecrash_core::golden::Story;
    use gatecrash_core::stats::run_report;

    use super::*;

    fn report(directory: &str) -> RunReport {
        let story = Story::new();
        let mut report =
            run_report(&story.plan, &story.profile, &story.history, Default::default(), RunId(1), None);
        report.environment.directory = directory.into();
        report
    }

    #[test]
    fn a_label_names_runs_of_its_folder_wherever_that_is() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let out = home.path().join("runs");
        let (a, b) = (report("elsewhere/runs/control-00000001"), report("runs/control-00000002"));
        set_label(&out, "last-green", &[&a, &b]).expect("set");
        let found = find(&out, "last-green").expect("found");
        assert_eq!(found, [out.join("control-00000001"), out.join("control-00000002")]);
        set_label(&out, "last-green", &[&b]).expect("moved");
        assert_eq!(find(&out, "last-green").expect("found").len(), 1);
        assert_eq!(labels(&out), ["last-green"]);
        let said = find(&out, "last-gren").expect_err("no such label").to_string();
        assert!(said.contains("labels in") && said.contains("last-green"), "{said}");
    }

    #[test]
    fn labels_stay_in_their_folder() {
        for name in ["", "..", "a/b", ".hidden", "a b"] {
            assert!(check_label(name).is_err(), "{name}");
        }
        check_label("main-2026.11").expect("a label");
    }
}
