//! The course of a run: windows of requests with what became of them, and the moment from which all was well.
//!
//! A window is a second of load, or longer where that holds fewer than thirty requests. Everything that is
//! read off windows is known to the length of one of them: its resolution.

use gatecrash_model::{ClientRecord, Nanos};

use super::{nearest_rank, tiles};
use crate::judge::Scope;
use crate::units::Span;

/// Least length of a window.
pub(super) const WINDOW: Nanos = 1_000_000_000;

/// Least requests of a window.
pub(super) const WINDOW_REQUESTS: usize = 30;

/// A stretch of load in numbers.
#[derive(Clone, PartialEq, Debug)]
pub struct Window {
    /// Its first request was due.
    pub from: Nanos,
    /// Where it ends.
    pub until: Nanos,
    /// Requests sent, legal "please retry" drops aside.
    pub requests: u64,
    /// Of those, answered rightly and whole, and within the deadline where there is one.
    pub good: u64,
    /// Requests whose attempts were seen, and how many those were.
    pub tried: (u64, u64),
    /// 99th percentile of the response times of the good ones from their intended start, us.
    pub p99: Option<u64>,
    /// Median time of an attempt upstream: what it takes to be served there, the wait in its queue included.
    pub queue_age: Option<Nanos>,
}

impl Window {
    /// Share of the requests that were good; 1 of none.
    pub fn share(&self) -> f64 {
        if self.requests == 0 { 1.0 } else { self.good as f64 / self.requests as f64 }
    }

    /// Upstream attempts for each request; `None` where none were seen.
    pub fn amplification(&self) -> Option<f64> {
        let (requests, attempts) = self.tried;
        (requests > 0).then(|| attempts as f64 / requests as f64)
    }

    /// Good answers per second.
    pub fn goodput(&self) -> f64 {
        self.good as f64 / Span(self.until.saturating_sub(self.from).max(1)).as_seconds()
    }

    /// Requests per second.
    pub fn offered(&self) -> f64 {
        self.requests as f64 / Span(self.until.saturating_sub(self.from).max(1)).as_seconds()
    }
}

/// Everything between two instants as one window.
pub fn window(scope: &Scope<'_>, from: Nanos, until: Nanos, deadline: Option<Span>) -> Window {
    let clients: Vec<_> = answered(scope, from, until).collect();
    of(scope, &clients, from, until, deadline)
}

/// The windows between two instants, in order.
pub fn course(scope: &Scope<'_>, from: Nanos, until: Nanos, deadline: Option<Span>) -> Vec<Window> {
    let clients: Vec<_> = answered(scope, from, until).collect();
    let due: Vec<_> = clients.iter().map(|c| c.intended).collect();
    let tiles = tiles(&due, WINDOW, WINDOW_REQUESTS);
    let begins = |tile: usize| match tile {
        0 => from,
        tile => tiles.get(tile).map_or(until, |t| due[t.start]),
    };
    let numbered = tiles.iter().enumerate();
    numbered.map(|(n, tile)| of(scope, &clients[tile.clone()], begins(n), begins(n + 1), deadline)).collect()
}

/// The index of the window with which the first stretch begins that lasts at least `hold` and in which all is
/// `well`: its first window, and the whole of it, which `whole` measures.
pub fn first_stretch(
    windows: &[Window],
    hold: Nanos,
    well: impl Fn(&Window) -> bool,
    whole: impl Fn(Nanos, Nanos) -> Window,
) -> Option<usize> {
    (0..windows.len()).find(|&first| {
        let from = windows[first].from;
        let end = windows[first..].iter().map(|w| w.until).find(|until| until - from >= hold);
        end.is_some_and(|end| well(&windows[first]) && well(&whole(from, end)))
    })
}

fn answered<'a>(
    scope: &Scope<'a>,
    from: Nanos,
    until: Nanos,
) -> impl Iterator<Item = &'a ClientRecord> + use<'a> {
    scope.clients_between(from, until).filter(|c| !c.ending.invites_retry())
}

fn of(
    scope: &Scope<'_>,
    clients: &[&ClientRecord],
    from: Nanos,
    until: Nanos,
    deadline: Option<Span>,
) -> Window {
    let in_time = |c: &ClientRecord| deadline.is_none_or(|d| c.response_micros() * 1000 <= d.0);
    let good: Vec<_> = clients.iter().filter(|c| scope.succeeded(c) && in_time(c)).collect();
    let mut times: Vec<_> = good.iter().map(|c| c.response_micros()).collect();
    times.sort_unstable();
    let tries: Vec<_> = clients.iter().filter_map(|c| scope.tries(c)).collect();
    let mut ages: Vec<_> =
        clients.iter().flat_map(|c| scope.attempts(c)).map(|a| u64::from(a.done) * 1000).collect();
    ages.sort_unstable();
    Window {
        from,
        until,
        requests: clients.len() as u64,
        good: good.len() as u64,
        tried: (tries.len() as u64, tries.iter().sum::<usize>() as u64),
        p99: nearest_rank(&times, 0.99),
        queue_age: nearest_rank(&ages, 0.5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{Story, Try, expectation};
    use crate::judge::Case;

    fn windows(shares: &[u64]) -> Vec<Window> {
        let window = |(n, good): (usize, &u64)| Window {
            from: n as u64 * WINDOW,
            until: (n as u64 + 1) * WINDOW,
            requests: 100,
            good: *good,
            tried: (100, 150),
            p99: Some(10),
            queue_age: None,
        };
        shares.iter().enumerate().map(window).collect()
    }

    #[test]
    fn a_stretch_begins_well_and_is_well_as_a_whole() {
        let well = |w: &Window| w.share() >= 0.95;
        let found = |shares: &[u64], seconds| {
            let all = windows(shares);
            let whole = |from, until| {
                let inside: Vec<_> = all.iter().filter(|w| w.from >= from && w.until <= until).collect();
                let (requests, good) =
                    inside.iter().fold((0, 0), |(all, good), w| (all + w.requests, good + w.good));
                Window { from, until, requests, good, ..all[0].clone() }
            };
            first_stretch(&all, seconds * WINDOW, well, whole)
        };
        assert_eq!(found(&[0, 50, 100, 100, 100], 3), Some(2));
        assert_eq!(found(&[100, 100, 0, 100, 100, 100], 3), Some(3));
        assert_eq!(found(&[100, 90, 100, 100], 3), Some(0));
        assert_eq!(found(&[0, 100, 100], 3), None);
        assert_eq!(found(&[], 1), None);
    }

    #[test]
    fn windows_cover_the_time_and_hold_what_was_due_in_them() {
        let story = Story::new()
            .every(10, 0, 2500, |r| r.took(20))
            .every(10, 2500, 4000, |r| r.tries([Try::reset(), Try::reset()]));
        let expectation = expectation(crate::checks::CrashFree {}.into());
        let case = Case::new(&story.plan, &story.profile, &story.history);
        let scope = case.scope(&expectation).unwrap();
        let windows = course(&scope, 0, 4 * WINDOW, None);
        let shares: Vec<_> = windows.iter().map(|w| (w.from, w.until, w.requests, w.good)).collect();
        let ms = 1_000_000;
        assert_eq!(
            shares,
            [(0, 1000, 100, 100), (1000, 2000, 100, 100), (2000, 4000, 200, 50)]
                .map(|(from, until, requests, good)| (from * ms, until * ms, requests, good))
        );
        assert_eq!((windows[2].offered(), windows[2].amplification()), (100.0, Some(1.75)));
        assert_eq!(window(&scope, 0, WINDOW, Some(Span::millis(10))).good, 0);
    }
}
