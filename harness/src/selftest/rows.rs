//! The rows that are measured, in memory or in a file with one row a line: what was measured stays when the rest never
//! comes.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use gatecrash_core::selftest::{Row, Trial};

use crate::exit::Failure;

/// Rows, each written down as soon as it is there.
#[derive(Debug, Default)]
pub struct Rows {
    rows: Vec<Row>,
    file: Option<(PathBuf, File)>,
}

impl Rows {
    /// Those of a file, and a place for more. A torn last line, which a kill leaves, is cut off.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(Failure::environment(format!("cannot read {}: {e}", path.display()))),
        };
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        let parse = |(number, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|e| {
                let what = format!("{}:{}: no row of a self-test: {e}", path.display(), number + 1);
                Failure::environment(what).hint("remove the file, or choose another folder with --out")
            })
        };
        let rows = whole.lines().enumerate().map(parse).collect::<Result<_, _>>()?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let opened = std::fs::create_dir_all(folder).and_then(|()| {
            let file = OpenOptions::new().create(true).append(true).open(path)?;
            file.set_len(whole.len() as u64)?;
            Ok(file)
        });
        let file = opened.map_err(|e| cannot_write(path, &e))?;
        Ok(Self { rows, file: Some((path.to_owned(), file)) })
    }

    /// The row of a trial with this plan.
    pub fn row(&self, trial: &Trial, plan: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.trial == *trial && row.plan == plan)
    }

    /// Whether a trial was made with this plan.
    pub fn holds(&self, trial: &Trial, plan: &str) -> bool {
        self.row(trial, plan).is_some()
    }

    /// Keeps one more.
    pub fn keep(&mut self, row: Row) -> Result<(), Failure> {
        if let Some((path, file)) = &mut self.file {
            let mut line = serde_json::to_vec(&row).map_err(|e| Failure::bug(e.to_string()))?;
            line.push(b'\n');
            file.write_all(&line).map_err(|e| cannot_write(path, &e))?;
        }
        self.rows.push(row);
        Ok(())
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::environment(format!("cannot write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use gatecrash_core::selftest::Kind;
    use gatecrash_core::units::Share;

    use super::*;

    fn row(seed: u64) -> Row {
        let trial = Trial {
            kind: Kind::Correct,
            gateway: "correct".into(),
            number: 0,
            scenario: "selftest/silence".into(),
            rate: Share(1.0),
            load: 1,
            seed,
            repeat: 1,
        };
        let (false_alarms, inconclusive) = (Vec::new(), vec!["backoff".into()]);
        let (plan, run) = ("1a2b".into(), "9f2c41aa".into());
        Row { trial, plan, must: Vec::new(), false_alarms, inconclusive, run }
    }

    #[test]
    fn a_killed_measurement_loses_its_torn_row_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("new").join("selftest.jsonl");
        let mut rows = Rows::open(&path).expect("a new file");
        rows.keep(row(1)).expect("kept");
        rows.keep(row(2)).expect("kept");
        let text = std::fs::read(&path).expect("two rows");
        std::fs::write(&path, &text[..text.len() - 7]).expect("torn");

        let mut again = Rows::open(&path).expect("one row");
        assert_eq!(again.row(&row(1).trial, "1a2b"), Some(&row(1)));
        assert!(!again.holds(&row(2).trial, "1a2b"));
        again.keep(row(3)).expect("kept");
        let last = Rows::open(&path).expect("whole lines only");
        assert!(last.holds(&row(1).trial, "1a2b") && last.holds(&row(3).trial, "1a2b"));
    }

    #[test]
    fn a_row_of_another_plan_is_measured_again() {
        let mut rows = Rows::default();
        rows.keep(row(1)).expect("kept");
        assert!(!rows.holds(&row(1).trial, "3c4d"));
    }

    #[test]
    fn a_file_of_something_else_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("selftest.jsonl");
        std::fs::write(&path, "{}\n").expect("a file");
        let said = Rows::open(&path).expect_err("no rows").to_string();
        assert!(said.contains("selftest.jsonl:1: no row of a self-test"), "{said}");
    }
}
