//! A Poisson process that can be indexed.
//!
//! Time is cut into cells of 100 ms. A seeded draw gives each cell its Poisson-distributed count; the
//! arrivals of a cell are that many seeded uniform offsets, sorted. Given its count, a Poisson process is
//! exactly that, so nothing is approximated, and arrival `k` needs only its own cell. Where the rate changes,
//! the offsets follow its density within the cell.

use gatecrash_model::{Nanos, draw, hash};

use super::line::Line;

const CELL: Nanos = 100_000_000;
/// Larger means are split, so that exp(-mean) stays far from underflow and a draw stays short.
const MEAN_PER_DRAW: f64 = 16.0;
const COUNT: u64 = 1;
const OFFSET: u64 = 2;

/// The cells of one segment.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    seed: u64,
    from: Nanos,
    line: Line,
    /// Arrivals up to and including each cell.
    upto: Vec<u64>,
}

/// The sorted arrival times of the cell looked at last.
#[derive(Debug, Default)]
pub(super) struct Cell {
    of: Option<(u64, Nanos)>,
    times: Vec<Nanos>,
}

impl Cells {
    pub(super) fn new(seed: u64, from: Nanos, line: Line) -> Self {
        let seed = hash::combine(&[seed, from]);
        let mut total = 0;
        let upto = (0..line.length().div_ceil(CELL))
            .map(|cell| {
                total += count(seed, cell, cell_of(line, cell).expected());
                total
            })
            .collect();
        Self { seed, from, line, upto }
    }

    pub(super) fn len(&self) -> u64 {
        self.upto.last().copied().unwrap_or(0)
    }

    /// When arrival `k` of the segment is due; `k` is below [`Cells::len`].
    pub(super) fn time(&self, k: u64, cache: &mut Cell) -> Nanos {
        let index = self.upto.partition_point(|upto| *upto <= k);
        let before = if index == 0 { 0 } else { self.upto[index - 1] };
        let start = index as u64 * CELL;
        if cache.of != Some((self.seed, start)) {
            let cell = cell_of(self.line, index as u64);
            cache.times.clear();
            cache.times.extend((0..self.upto[index] - before).map(|n| {
                let at = draw::unit(hash::combine(&[self.seed, OFFSET, index as u64, n]));
                self.from + start + cell.share(at)
            }));
            cache.times.sort_unstable();
            cache.of = Some((self.seed, start));
        }
        cache.times[(k - before) as usize]
    }
}

fn cell_of(line: Line, cell: u64) -> Line {
    let start = cell * CELL;
    line.part(start, line.length().min(start + CELL))
}

/// A Poisson draw by inversion (Devroye 1986, X.3.3), summed over parts of the mean.
fn count(seed: u64, cell: u64, mean: f64) -> u64 {
    let parts = (mean / MEAN_PER_DRAW).ceil().max(1.0);
    let mean = mean / parts;
    (0..parts as u64)
        .map(|part| {
            let u = draw::unit(hash::combine(&[seed, COUNT, cell, part]));
            let mut n = 0;
            let mut term = (-mean).exp();
            let mut sum = term;
            while u >= sum && term > 0.0 {
                n += 1;
                term *= mean / n as f64;
                sum += term;
            }
            n
        })
        .sum()
}
