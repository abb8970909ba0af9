//! Systems with a capacity that is known, in virtual time. Every draw is a hash of (seed, what, number).

use gatecrash_model::hash::{combine, mix};

/// What a trial at a rate tells: whether the objective held, and how much was answered within it.
pub(crate) struct Answer {
    pub(crate) good: bool,
    pub(crate) goodput: f64,
}

/// Something to measure. Trial numbers make the draws differ.
pub(crate) trait System {
    fn trial(&self, number: u64, rate: f64, seconds: f64) -> Answer;
    /// The rate at which the objective breaks.
    fn capacity(&self) -> f64;
}

/// A threshold in noise. Capacity during a trial of d seconds is C (1 + e + f): e is noise of measurement with deviation
/// `noise / sqrt(d)`, f the machine's mood with deviation `mood` whatever d is. A second is spoiled with probability
/// `stalls` (a garbage collection, a neighbour), and a trial with a spoiled second is bad at any rate.
/// C is where a trial without a spoiled second is as often good as bad.
pub(crate) struct Threshold {
    pub(crate) seed: u64,
    pub(crate) capacity: f64,
    pub(crate) noise: f64,
    pub(crate) mood: f64,
    pub(crate) stalls: f64,
}

impl Threshold {
    /// As noisy as a small shared machine: 3 % in a second, 0.5 % from trial to trial, one second in 200 spoiled.
    pub(crate) fn noisy(seed: u64) -> Self {
        Self { seed, capacity: some_capacity(seed), noise: 0.03, mood: 0.005, stalls: 0.005 }
    }

    /// Without noise.
    pub(crate) fn quiet(seed: u64) -> Self {
        Self { seed, capacity: some_capacity(seed), noise: 0.0, mood: 0.0, stalls: 0.0 }
    }
}

impl System for Threshold {
    fn trial(&self, number: u64, rate: f64, seconds: f64) -> Answer {
        let mut draws = Draws::new(combine(&[self.seed, number]));
        let e = self.noise / seconds.sqrt() * draws.normal() + self.mood * draws.normal();
        let held = self.capacity * (1.0 + e);
        let spoiled = draws.unit() > (1.0 - self.stalls).powf(seconds);
        Answer { good: rate <= held && !spoiled, goodput: rate.min(held) }
    }

    fn capacity(&self) -> f64 {
        self.capacity
    }
}

/// Between 200/s and 20,000/s, evenly in logarithms: no search may profit from its grid.
fn some_capacity(seed: u64) -> f64 {
    200.0 * 100f64.powf(Draws::new(combine(&[seed, 0xC])).unit())
}

/// M/M/c/K: Poisson arrivals, `servers` with exponential service times, at most `room` requests inside, the others
/// refused. The objective: at most a share of `refusals` of a trial's arrivals is refused.
/// C is where Erlang's formula for the stationary state gives exactly that share.
pub(crate) struct Queue {
    pub(crate) seed: u64,
    pub(crate) servers: usize,
    pub(crate) room: usize,
    /// Services per second of one server.
    pub(crate) service: f64,
    pub(crate) refusals: f64,
}

impl Queue {
    /// The stationary probability that an arrival finds the room full.
    fn blocking(&self, rate: f64) -> f64 {
        let offered = rate / self.service;
        let (mut weight, mut sum) = (1.0, 1.0);
        for inside in 1..=self.room {
            weight *= offered / inside.min(self.servers) as f64;
            sum += weight;
        }
        weight / sum
    }
}

impl System for Queue {
    fn trial(&self, number: u64, rate: f64, seconds: f64) -> Answer {
        let mut draws = Draws::new(combine(&[self.seed, number]));
        // Two seconds settle and do not count.
        let (settle, mut now, mut inside) = (2.0, 0.0, 0usize);
        let (mut arrivals, mut refused) = (0u64, 0u64);
        // Exponential all over: the next event is an arrival or an end, in proportion to the rates of both.
        while now < settle + seconds {
            let busy = inside.min(self.servers) as f64 * self.service;
            now += -(1.0 - draws.unit()).ln() / (rate + busy);
            if draws.unit() * (rate + busy) >= rate {
                inside -= 1;
                continue;
            }
            let full = inside == self.room;
            inside += usize::from(!full);
            if now >= settle {
                arrivals += 1;
                refused += u64::from(full);
            }
        }
        let good = refused as f64 <= self.refusals * arrivals as f64;
        Answer { good, goodput: (arrivals - refused) as f64 / seconds }
    }

    fn capacity(&self) -> f64 {
        let (mut low, mut high) = (0.0, 2.0 * self.servers as f64 * self.service);
        for _ in 0..60 {
            let middle = (low + high) / 2.0;
            if self.blocking(middle) <= self.refusals { low = middle } else { high = middle }
        }
        low
    }
}

struct Draws {
    state: u64,
}

impl Draws {
    fn new(seed: u64) -> Self {
        Self { state: mix(seed) }
    }

    /// In [0, 1).
    fn unit(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        (mix(self.state) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Standard normal (Box and Muller).
    fn normal(&mut self) -> f64 {
        let (a, b) = (1.0 - self.unit(), self.unit());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }
}
