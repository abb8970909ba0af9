//! One request as a waterfall: the client's wait above the attempts that were made for it, on one scale of time.

use gatecrash_model::{AttemptRecord, Ending, RequestId};

use crate::history::{History, Join};
use crate::plan::Plan;

/// Characters of the scale.
const WIDTH: usize = 60;

/// What the marks of a bar mean.
const LEGEND: &str = "- connects and sends   . waits for the first byte   = receives   | whole   x not whole";

/// One bar: microseconds since the client sent.
struct Bar {
    label: String,
    /// Begins.
    from: u64,
    /// The request was sent.
    sent: u64,
    /// The first byte of the answer; `None` when none came.
    first: Option<u64>,
    /// Ends.
    until: u64,
    whole: bool,
    /// What came of it.
    end: String,
}

/// The waterfall of a request, a line each; empty where it is not in the history or was never sent.
pub fn waterfall(history: &History, join: &Join, plan: &Plan, request: RequestId) -> Vec<String> {
    let Some(client) = join.client(history, request).filter(|c| !c.was_dropped()) else {
        return Vec::new();
    };
    let mut bars = vec![Bar {
        label: "client".into(),
        from: 0,
        sent: 0,
        first: (client.first_byte != u32::MAX).then_some(u64::from(client.first_byte)),
        until: u64::from(client.done),
        whole: client.ending == Ending::Complete,
        end: came_of(client.status, client.ending, ""),
    }];
    bars.extend(join.attempts(history, request).map(|attempt| bar(plan, attempt, client.sent())));
    let total = bars.iter().map(|b| b.until).max().unwrap_or(0).max(1);
    let room = bars.iter().map(|b| b.label.chars().count()).max().unwrap_or(0);
    let scale =
        format!("{:room$}  0 ms{:>rest$}", "", format!("{:.1} ms", total as f64 / 1e3), rest = WIDTH - 4);
    let rows = bars.iter().map(|b| {
        let line = format!("{:room$}  {:WIDTH$}  {}", b.label, b.drawn(total), b.end);
        line.trim_end().to_owned()
    });
    std::iter::once(scale).chain(rows).chain([format!("{:room$}  {LEGEND}", "")]).collect()
}

fn bar(plan: &Plan, attempt: &AttemptRecord, zero: u64) -> Bar {
    let (region, endpoint) = plan.links().get(usize::from(attempt.link())).copied().unwrap_or_default();
    let region = plan.regions.get(usize::from(region)).map_or("?", |r| r.name.as_str());
    let connection = if attempt.has(AttemptRecord::REUSED) { "reused" } else { "new" };
    let from = attempt.start.saturating_sub(zero) / 1000;
    let fault = attempt.fault.checked_sub(1).and_then(|i| plan.faults.get(usize::from(i)));
    let fault = fault.map_or(String::new(), |f| format!(", fault {}", f.name));
    let by = match attempt.ending {
        Ending::Complete => fault,
        _ => format!(" by {}{fault}", attempt.ended_by),
    };
    Bar {
        label: format!("try {} {region}/{endpoint} {connection}", attempt.number),
        from,
        sent: from + u64::from(attempt.request_done),
        first: (attempt.first_byte != u32::MAX).then(|| from + u64::from(attempt.first_byte)),
        until: from + u64::from(attempt.done),
        whole: attempt.ending == Ending::Complete,
        end: came_of(attempt.status, attempt.ending, &by),
    }
}

fn came_of(status: u16, ending: Ending, by: &str) -> String {
    let status = if status == 0 { "no status".to_owned() } else { status.to_string() };
    format!("{status}, {ending}{by}")
}

// === impl Bar ===

impl Bar {
    /// Its marks on the scale; what is shorter than a mark still has its end.
    fn drawn(&self, total: u64) -> String {
        let place = |micros: u64| (micros.min(total) * (WIDTH as u64 - 1) / total) as usize;
        let (from, until) = (place(self.from), place(self.until));
        let sent = place(self.sent.clamp(self.from, self.until));
        let first = self.first.map_or(until, |first| place(first.clamp(self.from, self.until)));
        let mark = |at: usize| match at {
            at if at < from => ' ',
            at if at == until => {
                if self.whole {
                    '|'
                } else {
                    'x'
                }
            }
            at if at >= first => '=',
            at if at >= sent => '.',
            _ => '-',
        };
        (0..=until).map(mark).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{Request, Story, Try};

    fn told(request: Request) -> Vec<String> {
        let story = Story::new().with(request);
        let id = RequestId { workload: 0, k: 0 };
        waterfall(&story.history, &Join::of(&story.history), &story.plan, id)
    }

    #[test]
    fn attempts_hang_below_the_clients_wait() {
        let lines = told(Request::at(5).tries([Try::reset(), Try::status(503, "SlowDown")]));
        assert_eq!(lines.len(), 5, "{lines:#?}");
        assert!(lines[0].trim_start().starts_with("0 ms") && lines[0].ends_with("11.0 ms"), "{}", lines[0]);
        assert!(lines[1].starts_with("client         ......"), "{}", lines[1]);
        assert!(lines[1].contains(".|  503, complete"), "{}", lines[1]);
        assert!(lines[2].starts_with("try 1 a/1 new") && lines[2].contains("x  "), "{}", lines[2]);
        assert!(lines[2].ends_with("no status, dropped-first by fault"), "{}", lines[2]);
        let column = |line: &str, mark: char| line.find(mark).unwrap();
        assert!(column(&lines[3], '=') > column(&lines[2], 'x'), "{lines:#?}");
        assert!(column(&lines[3], '|') < column(&lines[1], '|'), "{lines:#?}");
        assert!(lines.iter().all(|line| line.chars().count() <= 110), "{lines:#?}");
    }

    #[test]
    fn a_request_that_was_never_sent_has_none() {
        assert!(told(Request::at(5).ending(Ending::Dropped)).is_empty());
        let story = Story::new();
        let id = RequestId { workload: 0, k: 9 };
        assert!(waterfall(&story.history, &Join::of(&story.history), &story.plan, id).is_empty());
    }
}
