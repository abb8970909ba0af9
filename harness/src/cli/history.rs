//! `gatecrash history`.

use std::path::{Path, PathBuf};

use clap::Args;
use gatecrash_core::report::word_of;
use serde::{Deserialize, Serialize};

use crate::exit::{Exit, Failure};
use crate::stored;

/// Lists the stored runs, the newest first, with their labels.
#[derive(Args, Debug)]
pub(super) struct History {
    /// Where run directories are
    #[arg(long, default_value = "runs", value_name = "DIR")]
    out: PathBuf,
    /// Only runs whose title, gateway or label contains this text
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20)]
    last: usize,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// One stored run.
#[derive(Serialize)]
struct Row {
    started: String,
    verdict: &'static str,
    exit: u8,
    case: String,
    gateway: String,
    directory: String,
    labels: Vec<String>,
}

/// What of a stored report is listed.
#[derive(Deserialize)]
struct Kept {
    exit: u8,
    plan: Name,
    profile: Gateway,
    environment: Surroundings,
}

#[derive(Deserialize)]
struct Name {
    name: String,
    #[serde(default)]
    case: String,
}

#[derive(Deserialize)]
struct Gateway {
    gateway: String,
}

#[derive(Deserialize)]
struct Surroundings {
    started: String,
    gateway: String,
}

impl History {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        if !self.out.is_dir() {
            return Err(Failure::usage(format!("there is no folder {}", self.out.display()))
                .hint("`gatecrash run` makes it; give --out DIR for another"));
        }
        let labels: Vec<_> = stored::labels(&self.out)
            .into_iter()
            .map(|name| {
                Ok((stored::label(&self.out, &name)?.map_or_else(Vec::new, |label| label.runs), name))
            })
            .collect::<Result<_, Failure>>()?;
        let rows = stored::in_folder(&self.out)?.into_iter().map(|dir| row(&dir, &labels));
        let mut rows: Vec<Row> = rows.filter(|row| self.wants(row)).collect();
        rows.sort_by(|a, b| b.started.cmp(&a.started).then_with(|| a.directory.cmp(&b.directory)));
        rows.truncate(self.last);
        if self.json {
            let text = serde_json::to_string_pretty(&rows).map_err(|e| Failure::bug(e.to_string()))?;
            super::print(&format!("{text}\n"));
        } else {
            rows.iter().for_each(|row| super::print(&row.line()));
        }
        Ok(Exit::Pass)
    }

    fn wants(&self, row: &Row) -> bool {
        let Some(text) = &self.only else { return true };
        row.labels.iter().chain([&row.case, &row.gateway]).any(|told| told.contains(text))
    }
}

impl Row {
    fn line(&self) -> String {
        let labels =
            if self.labels.is_empty() { String::new() } else { format!("  [{}]", self.labels.join(", ")) };
        format!(
            "{:<20}  {:<12}  {}  {}  {}{labels}\n",
            self.started, self.verdict, self.case, self.gateway, self.directory
        )
    }
}

/// A run without a whole report was killed, or is still running.
fn row(dir: &Path, labels: &[(Vec<String>, String)]) -> Row {
    let name = dir.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let of = labels.iter().filter(|(runs, _)| runs.contains(&name)).map(|(_, label)| label.clone());
    let row = Row {
        started: String::new(),
        verdict: "no report",
        exit: Exit::Aborted.code(),
        case: String::new(),
        gateway: String::new(),
        directory: dir.display().to_string(),
        labels: of.collect(),
    };
    let text = std::fs::read(dir.join("result.json")).unwrap_or_default();
    let Ok(kept) = serde_json::from_slice::<Kept>(&text) else { return row };
    let Name { name, case } = kept.plan;
    Row {
        verdict: word_of(kept.exit),
        exit: kept.exit,
        started: kept.environment.started,
        case: if case.is_empty() { name } else { format!("{name}[{case}]") },
        gateway: format!("{} {}", kept.profile.gateway, kept.environment.gateway).trim().to_owned(),
        ..row
    }
}
