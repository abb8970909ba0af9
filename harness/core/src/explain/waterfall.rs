//! One request as a waterfall: the client's time and each attempt's, side by side on one axis.

use gatecrash_model::{AttemptRecord, ClientRecord, RequestId};
use serde::{Deserialize, Serialize};

use super::story::{by_client, by_link};
use crate::history::{History, Join};
use crate::plan::Plan;

/// Requests of one report that are drawn at most, and attempts of each.
pub(crate) const MOST: usize = 24;
const MOST_ATTEMPTS: usize = 12;

/// The client's row, then one for each attempt. Times are microseconds since the request was due.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Waterfall {
    /// `<workload>-<k>`.
    pub request: String,
    /// When the last row ends.
    pub until: u64,
    /// The client first.
    pub rows: Vec<Row>,
    /// Attempts beyond those shown.
    pub more: u64,
}

/// Who, when, and how it ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Row {
    /// `client`, `eu-1/2`.
    pub who: String,
    /// What was done when, in order, without overlap.
    pub stretches: Vec<Stretch>,
    /// How it ended, in words.
    pub end: String,
}

/// A part of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Stretch {
    /// What was done.
    pub doing: Doing,
    /// Begin.
    pub from: u64,
    /// End, not before the begin.
    pub until: u64,
}

/// What one side did for a while.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doing {
    /// Due and not sent.
    Late,
    /// Connecting.
    Connecting,
    /// The request was on its way.
    Sending,
    /// The request was there, the answer was not.
    Waiting,
    /// The answer was on its way.
    Receiving,
}

// === impl Waterfall ===

impl Waterfall {
    /// Of a request; nothing when it is not in the history or was never sent.
    pub fn of(history: &History, join: &Join, plan: &Plan, request: RequestId) -> Option<Self> {
        let client = join.client(history, request).filter(|c| !c.was_dropped())?;
        let attempts: Vec<_> = join.attempts(history, request).collect();
        let mut rows = vec![client_row(history, client)];
        let shown = attempts.iter().take(MOST_ATTEMPTS);
        rows.extend(shown.map(|attempt| attempt_row(history, join, plan, client, attempt)));
        let until = rows.iter().flat_map(|r| &r.stretches).map(|s| s.until).max().unwrap_or_default();
        let more = attempts.len().saturating_sub(MOST_ATTEMPTS) as u64;
        Some(Self { request: request.to_string(), until, rows, more })
    }

    /// As lines of text; a bar has so many columns.
    pub fn lines(&self, columns: usize) -> Vec<String> {
        let width = self.rows.iter().map(|r| r.who.chars().count()).max().unwrap_or_default();
        let mut lines: Vec<_> = self
            .rows
            .iter()
            .map(|row| format!("{:width$} |{}| {}", row.who, self.bar(row, columns), row.end))
            .collect();
        if self.more > 0 {
            lines.push(format!("{:width$}  and {} more attempts", "", self.more));
        }
        let end = format!("{:.1}ms", self.until as f64 / 1e3);
        let legend = Doing::ALL.iter().map(|d| format!("{} {}", d.mark(), d.word())).collect::<Vec<_>>();
        lines.push(format!("{:width$} 0{end:>columns$}   {}", "", legend.join("  ")));
        lines
    }

    fn bar(&self, row: &Row, columns: usize) -> String {
        let mut bar = vec![' '; columns];
        let column = |at: u64| ((at as f64 / self.until.max(1) as f64) * columns as f64) as usize;
        for stretch in &row.stretches {
            let from = column(stretch.from).min(columns.saturating_sub(1));
            let until = column(stretch.until).max(from + 1).min(columns);
            bar[from..until].fill(stretch.doing.mark());
        }
        bar.into_iter().collect()
    }
}

impl Doing {
    /// Every one, in order of time.
    pub const ALL: [Self; 5] = [Self::Late, Self::Connecting, Self::Sending, Self::Waiting, Self::Receiving];

    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Connecting => "connecting",
            Self::Sending => "sending",
            Self::Waiting => "waiting",
            Self::Receiving => "receiving",
        }
    }

    fn mark(self) -> char {
        match self {
            Self::Late => '.',
            Self::Connecting => '~',
            Self::Sending => '>',
            Self::Waiting => '-',
            Self::Receiving => '#',
        }
    }
}

fn client_row(history: &History, client: &ClientRecord) -> Row {
    let sent = u64::from(client.lag);
    let connecting = sent.saturating_sub(u64::from(client.connect));
    let end = sent + u64::from(client.done);
    let first =
        if client.first_byte == u32::MAX { end } else { (sent + u64::from(client.first_byte)).min(end) };
    let marks = [
        (Doing::Late, 0, connecting),
        (Doing::Connecting, connecting, sent),
        (Doing::Waiting, sent, first),
        (Doing::Receiving, first, end),
    ];
    Row { who: "client".into(), stretches: stretches(&marks), end: by_client(history, client) }
}

fn attempt_row(
    history: &History,
    join: &Join,
    plan: &Plan,
    client: &ClientRecord,
    attempt: &AttemptRecord,
) -> Row {
    let start = attempt.start.saturating_sub(client.intended) / 1_000;
    let end = start + u64::from(attempt.done);
    let at = |mark: u32| if mark == u32::MAX { end } else { (start + u64::from(mark)).min(end) };
    let first = at(attempt.first_byte);
    let sent = at(attempt.request_done).min(first);
    let marks =
        [(Doing::Sending, start, sent), (Doing::Waiting, sent, first), (Doing::Receiving, first, end)];
    let (who, end) = by_link(history, join, plan, attempt);
    Row { who, stretches: stretches(&marks), end }
}

fn stretches(marks: &[(Doing, u64, u64)]) -> Vec<Stretch> {
    let lasting = marks.iter().filter(|(_, from, until)| until > from);
    lasting.map(|&(doing, from, until)| Stretch { doing, from, until }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{Request, Story, Try};

    #[test]
    fn rows_share_one_axis() {
        let told = Story::new().with(Request::at(5).tries([Try::reset(), Try::status(503, "SlowDown")]));
        let join = Join::of(&told.history);
        let fall = Waterfall::of(&told.history, &join, &told.plan, RequestId { workload: 0, k: 0 });
        let fall = fall.expect("the request is there");
        assert_eq!(
            fall.lines(22),
            [
                "client |----------------------| 503 SlowDown, complete",
                "a/1    |  --------            | new, no status, dropped-first by fault",
                "a/1    |            --######  | new, 503 SlowDown, complete",
                "       0                11.0ms   . late  ~ connecting  > sending  - waiting  # receiving",
            ]
        );
    }

    #[test]
    fn what_is_not_there_is_not_drawn() {
        let told = Story::new();
        let join = Join::of(&told.history);
        let id = RequestId { workload: 0, k: 9 };
        assert_eq!(Waterfall::of(&told.history, &join, &told.plan, id), None);
    }
}
