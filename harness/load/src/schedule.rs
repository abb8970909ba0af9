//! When arrivals are due: a closed form by index, so that any worker can compute any arrival on its own.
//!
//! A schedule never depends on what the target does. Arrivals are counted through the segments in order;
//! inside a segment they are either evenly spaced or Poisson. See `schedule/poisson.rs` for how a random
//! process is indexed.

use gatecrash_model::Nanos;

mod poisson;

/// How arrivals are spread over a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrivals {
    /// At equal distances, the first one at the start of the segment.
    Even,
    /// Independent of each other, at the rate on average.
    Poisson,
}

/// A time span with one rate.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Segment {
    /// Start, inclusive.
    pub from: Nanos,
    /// End, exclusive.
    pub until: Nanos,
    /// Arrivals per second; 0 or less (or NaN) means none.
    pub rate: f64,
    /// How they are spread.
    pub arrivals: Arrivals,
}

/// All arrivals of one workload. Immutable and cheap to share.
#[derive(Clone, Debug)]
pub struct Schedule {
    spans: Vec<Span>,
    len: u64,
    /// Number of the first arrival.
    begin: u64,
}

/// Walks a schedule in steps, remembering what the last arrival cost to compute.
#[derive(Debug)]
pub struct Cursor<'a> {
    schedule: &'a Schedule,
    k: u64,
    step: u64,
    cell: poisson::Cell,
}

#[derive(Clone, Debug)]
struct Span {
    /// Arrivals in the spans before.
    first: u64,
    len: u64,
    from: Nanos,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Even { rate: f64 },
    Poisson(poisson::Cells),
}

// === impl Schedule ===

impl Schedule {
    /// The schedule of consecutive segments, which must be in order of time. `seed` decides Poisson arrivals;
    /// give each workload its own.
    pub fn new(segments: &[Segment], seed: u64) -> Self {
        let mut spans: Vec<Span> = Vec::with_capacity(segments.len());
        let mut first = 0;
        for segment in segments {
            debug_assert!(spans.last().is_none_or(|s| s.from <= segment.from), "segments out of order");
            let length = segment.until.saturating_sub(segment.from);
            let rate = if segment.rate > 0.0 { segment.rate } else { 0.0 };
            let (len, kind) = match segment.arrivals {
                Arrivals::Even => (even_len(length, rate), Kind::Even { rate }),
                Arrivals::Poisson => {
                    let cells = poisson::Cells::new(seed, segment.from, length, rate);
                    (cells.len(), Kind::Poisson(cells))
                }
            };
            spans.push(Span { first, len, from: segment.from, kind });
            first += len;
        }
        Self { spans, len: first, begin: 0 }
    }

    /// The same arrivals, numbered from `begin`: for a load that follows another in the same run, whose request ids
    /// must not come twice.
    pub fn numbered_from(mut self, begin: u64) -> Self {
        self.spans.iter_mut().for_each(|span| span.first = span.first - self.begin + begin);
        Self { begin, ..self }
    }

    /// How many arrivals there are.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// When arrival `k` is due; `None` past the end. Use [`Schedule::cursor`] to walk through many.
    pub fn time(&self, k: u64) -> Option<Nanos> {
        self.time_with(k, &mut poisson::Cell::default())
    }

    /// Walks arrivals `first`, `first + step`, ... `step` is at least 1.
    pub fn cursor(&self, first: u64, step: u64) -> Cursor<'_> {
        Cursor { schedule: self, k: self.begin + first, step: step.max(1), cell: poisson::Cell::default() }
    }

    fn time_with(&self, k: u64, cell: &mut poisson::Cell) -> Option<Nanos> {
        let span = &self.spans[self.spans.partition_point(|s| s.first + s.len <= k)..];
        let span = span.first()?;
        let within = k.checked_sub(span.first)?;
        Some(match &span.kind {
            Kind::Even { rate } => span.from + even_offset(within, *rate),
            Kind::Poisson(cells) => cells.time(within, cell),
        })
    }
}

// === impl Cursor ===

impl Iterator for Cursor<'_> {
    type Item = (u64, Nanos);

    fn next(&mut self) -> Option<Self::Item> {
        let k = self.k;
        let at = self.schedule.time_with(k, &mut self.cell)?;
        self.k += self.step;
        Some((k, at))
    }
}

fn even_offset(k: u64, rate: f64) -> Nanos {
    (k as f64 * 1e9 / rate).round() as Nanos
}

/// The number of `k` with `even_offset(k) < length`.
fn even_len(length: Nanos, rate: f64) -> u64 {
    if rate <= 0.0 || length == 0 {
        return 0;
    }
    let mut len = (length as f64 * rate / 1e9).ceil() as u64;
    while len > 0 && even_offset(len - 1, rate) >= length {
        len -= 1;
    }
    while even_offset(len, rate) < length {
        len += 1;
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Nanos = 1_000_000_000;

    fn one(rate: f64, seconds: u64, arrivals: Arrivals) -> Schedule {
        Schedule::new(&[Segment { from: 0, until: seconds * SECOND, rate, arrivals }], 7)
    }

    proptest! {
        #[test]
        fn even_is_exact(rate in 0.1f64..50_000.0, millis in 1u64..20_000) {
            let until = millis * 1_000_000;
            let schedule = Schedule::new(&[Segment { from: 0, until, rate, arrivals: Arrivals::Even }], 1);
            let ideal = until as f64 * rate / 1e9;
            prop_assert!((schedule.len() as f64 - ideal).abs() <= 1.0, "{} for {ideal}", schedule.len());
            let last = schedule.time(schedule.len() - 1).unwrap();
            prop_assert!(last < until);
            prop_assert_eq!(schedule.time(0), Some(0));
            prop_assert_eq!(schedule.time(schedule.len()), None);
        }

        #[test]
        fn any_index_agrees_with_the_walk(
            seed: u64, rates in proptest::collection::vec(0.0f64..3_000.0, 1..4), step in 1u64..5,
        ) {
            let segments: Vec<Segment> = rates.iter().enumerate().map(|(n, rate)| Segment {
                from: n as u64 * 350_000_000,
                until: (n as u64 + 1) * 350_000_000,
                rate: *rate,
                arrivals: if n % 2 == 0 { Arrivals::Poisson } else { Arrivals::Even },
            }).collect();
            let schedule = Schedule::new(&segments, seed);
            let all: Vec<Nanos> = schedule.cursor(0, 1).map(|(_, at)| at).collect();
            prop_assert_eq!(all.len() as u64, schedule.len());
            prop_assert!(all.is_sorted());
            for (k, at) in schedule.cursor(step - 1, step) {
                prop_assert_eq!(at, all[k as usize]);
                prop_assert_eq!(schedule.time(k), Some(at));
            }
            prop_assert!(all.iter().all(|at| *at < rates.len() as u64 * 350_000_000));
        }
    }

    #[test]
    fn a_load_that_follows_another_goes_on_counting() {
        let schedule = one(100.0, 1, Arrivals::Even);
        let later = schedule.clone().numbered_from(40).numbered_from(1000);
        assert_eq!(later.len(), schedule.len());
        assert_eq!((later.time(999), later.time(1000)), (None, Some(0)));
        let shifted = later.cursor(1, 3).map(|(k, at)| (k - 1000, at));
        assert!(shifted.eq(schedule.cursor(1, 3)));
    }

    #[test]
    fn even_rates_are_exact_to_a_thousandth() {
        for (rate, seconds) in [(5_000.0, 10), (333.0, 30), (0.5, 100), (1.0, 1)] {
            assert_eq!(one(rate, seconds, Arrivals::Even).len(), (rate * seconds as f64) as u64);
        }
    }

    #[test]
    fn poisson_counts_have_the_mean_and_variance_of_a_poisson_process() {
        for rate in [20.0, 1_000.0, 12_000.0] {
            let seconds = 120;
            let schedule = one(rate, seconds, Arrivals::Poisson);
            let mut counts = vec![0f64; seconds as usize];
            for (_, at) in schedule.cursor(0, 1) {
                counts[(at / SECOND) as usize] += 1.0;
            }
            let n = counts.len() as f64;
            let mean = counts.iter().sum::<f64>() / n;
            let variance = counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / (n - 1.0);
            assert!((mean - rate).abs() < 4.0 * (rate / n).sqrt(), "{rate}: mean {mean}");
            // The ratio has a standard deviation of sqrt(2 / (n - 1)) = 0.13.
            assert!((0.6..1.5).contains(&(variance / rate)), "{rate}: variance {variance}");
        }
    }

    #[test]
    fn poisson_gaps_are_exponential() {
        let schedule = one(500.0, 60, Arrivals::Poisson);
        let times: Vec<Nanos> = schedule.cursor(0, 1).map(|(_, at)| at).collect();
        let mean = 1e9 / 500.0;
        let beyond = times.windows(2).filter(|w| (w[1] - w[0]) as f64 > mean).count() as f64;
        let share = beyond / (times.len() - 1) as f64;
        assert!((share - (-1f64).exp()).abs() < 0.015, "{share} of the gaps exceed the mean");
    }

    #[test]
    fn a_pause_between_segments_and_a_rate_of_zero_hold_no_arrivals() {
        let segment = |from, until, rate| Segment {
            from: from * SECOND,
            until: until * SECOND,
            rate,
            arrivals: Arrivals::Even,
        };
        let schedule = Schedule::new(&[segment(1, 2, 3.0), segment(2, 4, 0.0), segment(5, 6, 2.0)], 0);
        let times: Vec<Nanos> = schedule.cursor(0, 1).map(|(_, at)| at).collect();
        assert_eq!(times, [1_000_000_000, 1_333_333_333, 1_666_666_667, 5_000_000_000, 5_500_000_000]);
        assert!(Schedule::new(&[], 0).is_empty());
    }
}
