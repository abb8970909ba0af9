//! Live progress as one line: for a terminal that is rewritten in place, and plain for a log. Formatting
//! alone.

use unicode_width::UnicodeWidthChar;

use super::text::{clean, count, millis, ratio, share};
use crate::units::Span;

/// Where a run is, and what the last second looked like.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ProgressLine {
    /// Phase name.
    pub phase: String,
    /// Since T0.
    pub elapsed: Span,
    /// Planned length of the run.
    pub total: Span,
    /// Requests due, per second.
    pub offered: f64,
    /// Users of closed loops, who have no rate.
    pub users: u32,
    /// Requests sent, per second.
    pub achieved: f64,
    /// Share of finished requests that were whole and correct, 0 to 1; absent before the first.
    pub ok_share: Option<f64>,
    /// 99th percentile of the response time, ms.
    pub p99_ms: Option<f64>,
    /// Upstream attempts per client request.
    pub attempts_per_request: Option<f64>,
    /// Names of the faults that are on.
    pub faults_on: Vec<String>,
    /// (region, share of attempts 0 to 1); shown when there are several.
    pub regions: Vec<(String, f64)>,
}

/// Cells of the bar.
const BAR: usize = 16;

impl ProgressLine {
    /// One line for a terminal `width` columns wide, without a line end: a bar and the numbers, cut to fit.
    /// To be written after a carriage return and an "erase line".
    pub fn tty(&self, width: usize) -> String {
        let filled = (self.done() * BAR as f64).round() as usize;
        let bar = format!("{}{}", "█".repeat(filled), "░".repeat(BAR - filled));
        fit(&format!("{bar} {}", self.words()), width.saturating_sub(1))
    }

    /// One line for a log, without a line end: `[ 12s/50s] throttled  150/s of 150/s ...`.
    pub fn plain(&self) -> String {
        self.words()
    }

    fn done(&self) -> f64 {
        if self.total.0 == 0 { 0.0 } else { (self.elapsed.0 as f64 / self.total.0 as f64).clamp(0.0, 1.0) }
    }

    fn words(&self) -> String {
        let whole = |span: Span| format!("{}s", span.0 / 1_000_000_000);
        let total = whole(self.total);
        let mut text = format!("[{:>2$}/{total}] {}  ", whole(self.elapsed), clean(&self.phase), total.len());
        text.push_str(&match (self.users, self.offered > 0.0) {
            // Nothing is due, or the users have left: what is under way ends.
            (0, false) => format!("{:.0}/s", self.achieved),
            (0, true) => format!("{:.0}/s of {:.0}/s", self.achieved, self.offered),
            (users, false) => format!("{:.0}/s by {}", self.achieved, count(u64::from(users), "user")),
            (users, true) => {
                let users = count(u64::from(users), "user");
                format!("{:.0}/s, {:.0}/s due and {users}", self.achieved, self.offered)
            }
        });
        text.extend(self.ok_share.map(|ok| format!("  ok {}", share(ok))));
        text.extend(self.p99_ms.map(|ms| format!("  p99 {}", millis(Some(ms)))));
        text.extend(self.attempts_per_request.map(|a| format!("  {}", ratio(Some(a)))));
        if self.regions.len() > 1 {
            let one = |(name, part): &(String, f64)| format!("{} {:.0}%", clean(name), part * 100.0);
            text.push_str(&format!("  {}", self.regions.iter().map(one).collect::<Vec<_>>().join(" ")));
        }
        if !self.faults_on.is_empty() {
            let names: Vec<_> = self.faults_on.iter().map(|f| clean(f)).collect();
            text.push_str(&format!("  on: {}", names.join(", ")));
        }
        text
    }
}

/// Cuts to a number of columns; a cut shows.
fn fit(text: &str, width: usize) -> String {
    let columns = |c: char| c.width().unwrap_or_default();
    if text.chars().map(columns).sum::<usize>() <= width {
        return text.into();
    }
    let mut used = 1;
    let kept = text.chars().take_while(|c| {
        used += columns(*c);
        used <= width
    });
    format!("{}…", kept.collect::<String>())
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn line() -> ProgressLine {
        ProgressLine {
            phase: "throttled".into(),
            elapsed: Span::millis(12_700),
            total: Span::seconds(50),
            offered: 150.0,
            users: 0,
            achieved: 149.6,
            ok_share: Some(0.9912),
            p99_ms: Some(212.3),
            attempts_per_request: Some(1.241),
            faults_on: vec!["slowdown".into(), "late\x1b[2J".into()],
            regions: vec![("us-east-1".into(), 0.82), ("us-west-2".into(), 0.18)],
        }
    }

    #[test]
    fn a_closed_loop_has_users_in_place_of_a_rate() {
        let closed = ProgressLine { offered: 0.0, users: 8, ..line() };
        assert!(closed.plain().contains("throttled  150/s by 8 users"), "{}", closed.plain());
        let both = ProgressLine { users: 1, ..line() };
        assert!(both.plain().contains("150/s, 150/s due and 1 user"), "{}", both.plain());
    }

    #[test]
    fn lines() {
        let words = "[12s/50s] throttled  150/s of 150/s  ok 99.1%  p99 212ms  1.24x  \
                     us-east-1 82% us-west-2 18%  on: slowdown, late\\u{1b}[2J";
        assert_eq!(line().plain(), words);
        assert_eq!(line().tty(200), format!("████░░░░░░░░░░░░ {words}"));
        assert_eq!(ProgressLine::default().plain(), "[0s/0s]   0/s");
        let late = ProgressLine { elapsed: Span::seconds(9), total: Span::seconds(3), ..Default::default() };
        assert!(late.tty(80).starts_with("████████████████ [9s/3s]"));
    }

    #[test]
    fn a_terminal_line_never_wraps() {
        for width in 0..130 {
            let text = line().tty(width);
            assert!(text.width() < width.max(2), "{width}: {text}");
        }
        assert_eq!(line().tty(30), "████░░░░░░░░░░░░ [12s/50s] t…");
    }
}
