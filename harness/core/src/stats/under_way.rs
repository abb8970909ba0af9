//! Requests under way: how many at once, and whether that agrees with how long they take.

use gatecrash_model::{ClientRecord, Nanos};

/// How far mean in-flight and throughput x latency may be apart before one of them is wrong or nothing was steady.
pub const LITTLE: f64 = 0.05;

/// Requests under way between two instants, on average over time. A request counts from when it was sent to its end.
pub fn mean_under_way<'a>(clients: impl Iterator<Item = &'a ClientRecord>, from: Nanos, until: Nanos) -> f64 {
    let inside = |c: &ClientRecord| c.ended().min(until).saturating_sub(c.sent().max(from));
    let area: Nanos = clients.filter(|c| !c.was_dropped()).map(inside).sum();
    area as f64 / until.saturating_sub(from).max(1) as f64
}

/// Requests under way in each second between two instants; a last part of a second is left out.
pub fn course_under_way(clients: &[&ClientRecord], from: Nanos, until: Nanos) -> Vec<f64> {
    const SECOND: Nanos = 1_000_000_000;
    let seconds = until.saturating_sub(from) / SECOND;
    let mut areas = vec![0; seconds as usize];
    for client in clients.iter().filter(|c| !c.was_dropped()) {
        let (begin, end) = (client.sent().max(from), client.ended().min(from + seconds * SECOND));
        let touched = begin.saturating_sub(from) / SECOND..end.saturating_sub(from).div_ceil(SECOND);
        for n in touched.filter(|_| begin < end) {
            let second = from + n * SECOND;
            areas[n as usize] += end.min(second + SECOND) - begin.max(second);
        }
    }
    areas.into_iter().map(|area: Nanos| area as f64 / SECOND as f64).collect()
}

/// By how much one value after the other grows, per step: the slope of the least-squares line.
pub fn slope(values: &[f64]) -> f64 {
    let mean = |sum: f64| sum / values.len().max(1) as f64;
    let (x, y) = (mean((0..values.len()).map(|n| n as f64).sum()), mean(values.iter().sum()));
    let points = values.iter().enumerate().map(|(n, value)| (n as f64 - x, value - y));
    let (above, below) =
        points.fold((0.0, 0.0), |(above, below), (dx, dy)| (above + dx * dy, below + dx * dx));
    if below == 0.0 { 0.0 } else { above / below }
}

/// By how much the mean number under way differs from throughput x mean latency, as a share of the latter (Little's
/// law): near 0 where nothing grows or drains in this time. `None` where nothing ended.
pub fn little_mismatch(clients: &[&ClientRecord], from: Nanos, until: Nanos) -> Option<f64> {
    let ended: Vec<_> =
        clients.iter().filter(|c| !c.was_dropped() && (from..until).contains(&c.ended())).collect();
    let latency: Nanos = ended.iter().map(|c| c.ended() - c.sent()).sum();
    let expected = latency as f64 / until.saturating_sub(from).max(1) as f64;
    let under_way = mean_under_way(clients.iter().copied(), from, until);
    (expected > 0.0).then(|| under_way / expected - 1.0)
}

/// The coefficient of variation: standard deviation over mean. `None` of fewer than two values, or of none but 0.
pub fn variation(values: &[f64]) -> Option<f64> {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (values.len() > 1 && mean > 0.0).then(|| (squares / (values.len() - 1) as f64).sqrt() / mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::Story;

    #[test]
    fn a_steady_load_obeys_littles_law_and_does_not_grow() {
        let story = Story::new().every(10, 0, 4000, |r| r.took(200));
        let clients: Vec<_> = story.history.clients.iter().collect();
        let (from, until) = (1_000_000_000, 3_000_000_000);
        assert_eq!(mean_under_way(clients.iter().copied(), from, until), 20.0);
        assert_eq!(course_under_way(&clients, from, until), [20.0, 20.0]);
        let all = course_under_way(&clients, 500_000_000, 4_600_000_000);
        let means = (0..4).map(|n| n * 1_000_000_000 + 500_000_000);
        let means = means.map(|at| mean_under_way(clients.iter().copied(), at, at + 1_000_000_000));
        assert_eq!(all, means.collect::<Vec<_>>());
        assert!(little_mismatch(&clients, from, until).unwrap().abs() < 1e-9);
    }

    #[test]
    fn a_queue_that_fills_breaks_it() {
        let story = Story::new().every(10, 0, 2000, |r| r.took(5000));
        let clients: Vec<_> = story.history.clients.iter().collect();
        let course = course_under_way(&clients, 0, 2_000_000_000);
        assert!((slope(&course) - 100.0).abs() < 1e-9, "{course:?}");
        assert_eq!(little_mismatch(&clients, 0, 2_000_000_000), None);
    }

    #[test]
    fn slopes_and_variations() {
        assert_eq!([slope(&[1.0, 3.0, 5.0]), slope(&[4.0]), slope(&[])], [2.0, 0.0, 0.0]);
        assert_eq!(variation(&[2.0, 2.0, 2.0]), Some(0.0));
        assert_eq!(variation(&[1.0, 3.0]), Some(2f64.sqrt() / 2.0));
        assert_eq!((variation(&[1.0]), variation(&[0.0, 0.0])), (None, None));
    }
}
