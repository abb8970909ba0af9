//! Surveys as tables.

use super::{Cell, Row, Survey};

impl Cell {
    /// The cell in short: `502 x2`, `200 cut 60%, 502 40%`, `504 1.0s`, or `-` when the fault met nothing.
    pub fn text(&self) -> String {
        let all: u64 = self.seen.iter().map(|s| s.requests).sum();
        let several = self.notable().count() > 1;
        let parts: Vec<_> = self
            .notable()
            .map(|seen| {
                let mut text = seen.outcome.clone();
                if let Some(tries) = seen.tries.filter(|t| *t > 1) {
                    text.push_str(&format!(" x{tries}"));
                }
                if seen.millis >= 500.0 {
                    text.push_str(&format!(" {:.1}s", seen.millis / 1_000.0));
                }
                if several {
                    text.push_str(&format!(" {:.0}%", seen.requests as f64 * 100.0 / all as f64));
                }
                text
            })
            .collect();
        if parts.is_empty() { "-".to_owned() } else { parts.join(", ") }
    }
}

impl Row {
    fn columns(&self) -> [String; 5] {
        let cell = |i: usize| match (&self.skipped, self.cells.get(i)) {
            (Some(_), _) | (None, None) => "-".to_owned(),
            (None, Some(cell)) => cell.text(),
        };
        let after = match (&self.died, &self.skipped) {
            (Some(how), _) => format!("died: {how}"),
            (None, Some(why)) => format!("skipped: {why}"),
            (None, None) if self.recovered == self.after => String::new(),
            (None, None) => format!("{} of {} well", self.recovered, self.after),
        };
        [self.condition.clone(), cell(0), cell(1), cell(2), after]
    }
}

const HEAD: [&str; 5] = ["upstream condition", "GET", "PUT", "POST", "afterwards"];

/// For the terminal.
pub fn terminal(survey: &Survey) -> String {
    let rows: Vec<_> = survey.rows.iter().map(|row| (row.group.as_str(), row.columns())).collect();
    let mut widths = HEAD.map(str::len);
    for (_, columns) in &rows {
        for (width, column) in widths.iter_mut().zip(columns) {
            *width = (*width).max(column.chars().count());
        }
    }
    let line = |columns: &[String; 5]| {
        let padded: Vec<_> = columns.iter().zip(widths).map(|(c, w)| format!("{c:<w$}")).collect();
        format!("  {}\n", padded.join("  ").trim_end())
    };
    let mut out = format!("{}\n\n{}", survey.gateway, line(&HEAD.map(str::to_owned)));
    let mut group = "";
    for (of, columns) in &rows {
        if *of != group {
            out.push_str(&format!("{of}\n"));
            group = of;
        }
        out.push_str(&line(columns));
    }
    out.push_str(LEGEND);
    out
}

/// For a page.
pub fn markdown(survey: &Survey) -> String {
    let row = |columns: &[String; 5]| format!("| {} |\n", columns.join(" | "));
    let mut out = format!("{}\n\n{}|---|---|---|---|---|\n", survey.gateway, row(&HEAD.map(str::to_owned)));
    out.extend(survey.rows.iter().map(|r| row(&r.columns())));
    out
}

const LEGEND: &str = "
a status: a complete answer; cut: closed in the middle, the client can tell; corrupt: complete, but not the object;
drop: closed without a byte; hang: nothing more within 4 s; xN: at most N upstream tries; -: the fault met no request
";
