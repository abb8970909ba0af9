//! A rate that changes linearly, and its inverse: how many arrivals are expected by when.
//!
//! With `a` arrivals a second at the start and `s` more each second, `a t + s t^2 / 2` are expected after `t`
//! seconds. Arrival `k` of an even segment is due when that reaches `k`: the positive root of a quadratic,
//! written so that nothing cancels.

use gatecrash_model::Nanos;

/// The rate over one segment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Line {
    /// Per second, at the start.
    start: f64,
    /// Per second, at the end.
    end: f64,
    length: Nanos,
}

impl Line {
    /// From one rate to another, per second; what is not above 0 counts as 0.
    pub(super) fn new(start: f64, end: f64, length: Nanos) -> Self {
        let rate = |rate: f64| if rate > 0.0 { rate } else { 0.0 };
        Self { start: rate(start), end: rate(end), length }
    }

    /// How long it is.
    pub(super) fn length(self) -> Nanos {
        self.length
    }

    /// The stretch of it from one offset to another.
    pub(super) fn part(self, from: Nanos, until: Nanos) -> Self {
        if !self.is_ramp() {
            return Self { length: until - from, ..self };
        }
        let at = |offset: Nanos| {
            self.start + (self.end - self.start) * (offset as f64 / self.length.max(1) as f64)
        };
        Self::new(at(from), at(until), until - from)
    }

    /// Arrivals expected in all.
    pub(super) fn expected(self) -> f64 {
        (self.start + self.end) / 2.0 * self.length as f64 / 1e9
    }

    /// The offset at which `count` arrivals are expected; `count` is at most [`Line::expected`], or a little
    /// above.
    pub(super) fn when(self, count: f64) -> Nanos {
        if !self.is_ramp() {
            return (count * 1e9 / self.start).round() as Nanos;
        }
        if count <= 0.0 {
            return 0;
        }
        let slope = (self.end - self.start) / (self.length as f64 / 1e9);
        let root = (self.start * self.start + 2.0 * slope * count).max(0.0).sqrt();
        (2.0 * count * 1e9 / (self.start + root)).round() as Nanos
    }

    /// The offset before which `share` (0 to below 1) of all arrivals are expected: always inside.
    pub(super) fn share(self, share: f64) -> Nanos {
        if !self.is_ramp() {
            return (share * self.length as f64) as Nanos;
        }
        self.when(share * self.expected()).min(self.length.saturating_sub(1))
    }

    /// How many arrivals, evenly spread and the first at the start, lie inside.
    pub(super) fn len(self) -> u64 {
        if self.expected() <= 0.0 {
            return 0;
        }
        let mut len = self.expected().ceil() as u64;
        while len > 0 && self.when((len - 1) as f64) >= self.length {
            len -= 1;
        }
        while self.when(len as f64) < self.length {
            len += 1;
        }
        len
    }

    fn is_ramp(self) -> bool {
        self.start.to_bits() != self.end.to_bits()
    }
}
