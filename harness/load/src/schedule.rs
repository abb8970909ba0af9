//! When arrivals are due: a closed form by index, so that any worker can compute any arrival on its own.
//!
//! A schedule never depends on what the target does. Arrivals are counted through the segments in order;
//! inside a segment, whose rate is constant or changes linearly, they are either evenly spaced or Poisson; or
//! a trace lists them. See `schedule/line.rs` for the quadratic of a ramp, `schedule/poisson.rs` for how a
//! random process is indexed.

use std::sync::Arc;

use gatecrash_model::Nanos;

mod line;
mod poisson;
#[cfg(test)]
mod tests;
mod trace;

use line::Line;

/// How arrivals are spread over a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrivals {
    /// At equal distances of the count expected so far, the first one at the start of the segment.
    Even,
    /// Independent of each other, at the rate on average.
    Poisson,
}

/// A time span with one rate, or with one that changes linearly.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Segment {
    /// Start, inclusive.
    pub from: Nanos,
    /// End, exclusive.
    pub until: Nanos,
    /// Arrivals per second at the start; 0 or less (or NaN) means none.
    pub rate: f64,
    /// Arrivals per second at the end; as at the start when absent.
    pub to: Option<f64>,
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
    Even(Line),
    Poisson(poisson::Cells),
    Trace(trace::Listed),
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
            let line = Line::new(segment.rate, segment.to.unwrap_or(segment.rate), length);
            let (len, kind) = match segment.arrivals {
                Arrivals::Even => (line.len(), Kind::Even(line)),
                Arrivals::Poisson => {
                    let cells = poisson::Cells::new(seed, segment.from, line);
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

    /// The arrivals that a trace lists: `instants` since T0, sorted, up to `until`. With `every`, they start
    /// over after so long; those that late or later are left out then.
    pub fn trace(instants: Arc<[Nanos]>, every: Option<Nanos>, until: Nanos) -> Self {
        debug_assert!(instants.is_sorted(), "a trace out of order");
        let listed = trace::Listed::new(instants, every);
        let len = listed.len(until);
        Self { spans: vec![Span { first: 0, len, from: 0, kind: Kind::Trace(listed) }], len, begin: 0 }
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
            Kind::Even(line) => span.from + line.when(within as f64),
            Kind::Poisson(cells) => cells.time(within, cell),
            Kind::Trace(listed) => listed.time(within),
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
