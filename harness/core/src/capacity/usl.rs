//! The Universal Scalability Law (Gunther, "Guerrilla Capacity Planning", 2007) as an explanation of a closed-loop sweep:
//! X(N) = g N / (1 + a (N - 1) + b N (N - 1)), with g the throughput of one, a what waits in line (contention) and b what
//! everyone tells everyone (coherency).

use gatecrash_model::hash::{combine, mix};
use serde::{Deserialize, Serialize};

/// So many different levels of concurrency are needed.
pub const LEVELS: usize = 6;
const RESAMPLES: u64 = 1_000;

/// The three coefficients; none is negative.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usl {
    /// g: requests per second with one request in flight.
    pub single: f64,
    /// a: the share of the work that waits for others.
    pub contention: f64,
    /// b: the cost of agreeing, per pair.
    pub coherency: f64,
}

/// A fit with 95 % intervals (low, high) from resampled residuals.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UslFit {
    /// The coefficients.
    pub law: Usl,
    /// The interval of the throughput of one.
    pub single: (f64, f64),
    /// The interval of contention.
    pub contention: (f64, f64),
    /// The interval of coherency. Where it reaches 0, a peak is not established.
    pub coherency: (f64, f64),
    /// The share of the variance that the law explains.
    pub r_squared: f64,
}

// === impl Usl ===

impl Usl {
    /// Requests per second at a concurrency.
    pub fn throughput(&self, concurrency: f64) -> f64 {
        let others = concurrency - 1.0;
        self.single * concurrency / (1.0 + self.contention * others + self.coherency * concurrency * others)
    }

    /// The concurrency of the highest throughput, sqrt((1 - a) / b); `None` when more always helps.
    pub fn peak(&self) -> Option<f64> {
        (self.coherency > 1e-12 && self.contention < 1.0)
            .then(|| ((1.0 - self.contention) / self.coherency).sqrt())
    }

    /// Fits the law to (concurrency, requests per second) by least squares of relative errors; `None` with fewer than
    /// [`LEVELS`] levels, or points that are not above zero. The seed makes the intervals repeatable.
    pub fn fit(points: &[(f64, f64)], seed: u64) -> Option<UslFit> {
        let mut levels: Vec<u64> = points.iter().map(|point| point.0.to_bits()).collect();
        levels.sort_unstable();
        levels.dedup();
        let usable = points.iter().all(|(n, x)| *n >= 1.0 && *x > 0.0 && n.is_finite() && x.is_finite());
        if levels.len() < LEVELS || !usable {
            return None;
        }
        let law = least_squares(points)?;
        let laws = resampled(points, &law, seed);
        let interval = |of: fn(&Usl) -> f64| {
            let mut values: Vec<f64> = laws.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
            (at(0.025), at(0.975))
        };
        let mean = points.iter().map(|point| point.1).sum::<f64>() / points.len() as f64;
        let off = |of: &dyn Fn(f64) -> f64| points.iter().map(|(n, x)| (x - of(*n)).powi(2)).sum::<f64>();
        Some(UslFit {
            law,
            single: interval(|law| law.single),
            contention: interval(|law| law.contention),
            coherency: interval(|law| law.coherency),
            r_squared: 1.0 - off(&|n| law.throughput(n)) / off(&|_| mean).max(f64::MIN_POSITIVE),
        })
    }
}

/// Points made of the fit and of its own relative errors, drawn with replacement.
fn resampled(points: &[(f64, f64)], law: &Usl, seed: u64) -> Vec<Usl> {
    let count = points.len() as u64;
    // Three coefficients have eaten three of the errors.
    let widened = (count as f64 / (count as f64 - 3.0)).sqrt();
    let errors: Vec<f64> = points.iter().map(|(n, x)| (x / law.throughput(*n) - 1.0) * widened).collect();
    let sample = |round: u64| -> Vec<(f64, f64)> {
        let drawn = |index: usize| (mix(combine(&[seed, round, index as u64])) % count) as usize;
        let point = |(index, (n, _)): (usize, &(f64, f64))| {
            (*n, law.throughput(*n) * (1.0 + errors[drawn(index)]).max(0.01))
        };
        points.iter().enumerate().map(point).collect()
    };
    let laws = (0..RESAMPLES).filter_map(|round| least_squares(&sample(round)));
    laws.chain([*law]).collect()
}

/// N / X is linear in (1, N - 1, N (N - 1)) with coefficients (1, a, b) / g, none negative. Weighted by the fitted X / N
/// the errors are relative ones of X.
fn least_squares(points: &[(f64, f64)]) -> Option<Usl> {
    let mut fitted: Vec<f64> = points.iter().map(|point| point.1).collect();
    let mut law = None;
    for _ in 0..5 {
        let rows: Vec<([f64; 3], f64)> = points
            .iter()
            .zip(&fitted)
            .map(|((n, x), fitted)| {
                let weight = fitted / n;
                ([weight, weight * (n - 1.0), weight * n * (n - 1.0)], weight * n / x)
            })
            .collect();
        let [base, line, pairs] = not_negative(&rows)?;
        let next = Usl { single: 1.0 / base, contention: line / base, coherency: pairs / base };
        fitted = points.iter().map(|(n, _)| next.throughput(*n)).collect();
        law = Some(next);
    }
    law
}

/// The best of the solutions with some of the last two coefficients held at zero that are not negative.
fn not_negative(rows: &[([f64; 3], f64)]) -> Option<[f64; 3]> {
    let candidates = [[true, true, true], [true, true, false], [true, false, true], [true, false, false]];
    candidates
        .into_iter()
        .filter_map(|free| solve(rows, free))
        .filter(|found| found[0] > 0.0 && found[1] >= 0.0 && found[2] >= 0.0)
        .min_by(|a, b| error(rows, a).total_cmp(&error(rows, b)))
}

fn error(rows: &[([f64; 3], f64)], found: &[f64; 3]) -> f64 {
    let off = |(row, y): &([f64; 3], f64)| (0..3).map(|k| row[k] * found[k]).sum::<f64>() - y;
    rows.iter().map(|row| off(row).powi(2)).sum()
}

/// Normal equations by Gaussian elimination; the coefficients that are not free are zero.
fn solve(rows: &[([f64; 3], f64)], free: [bool; 3]) -> Option<[f64; 3]> {
    let mut system = [[0.0; 4]; 3];
    for (i, equation) in system.iter_mut().enumerate() {
        for (j, cell) in equation[..3].iter_mut().enumerate() {
            *cell = match free[i] && free[j] {
                true => rows.iter().map(|(row, _)| row[i] * row[j]).sum(),
                false => f64::from(u8::from(i == j)),
            };
        }
        equation[3] = if free[i] { rows.iter().map(|(row, y)| row[i] * y).sum() } else { 0.0 };
    }
    for pivot in 0..3 {
        let best = (pivot..3).max_by(|a, b| system[*a][pivot].abs().total_cmp(&system[*b][pivot].abs()))?;
        system.swap(pivot, best);
        let chosen = system[pivot];
        if chosen[pivot].abs() < f64::MIN_POSITIVE {
            return None;
        }
        for equation in &mut system[pivot + 1..] {
            let factor = equation[pivot] / chosen[pivot];
            equation.iter_mut().zip(chosen).for_each(|(cell, above)| *cell -= factor * above);
        }
    }
    let mut found = [0.0; 3];
    for k in (0..3).rev() {
        let known: f64 = (k + 1..3).map(|j| system[k][j] * found[j]).sum();
        found[k] = (system[k][3] - known) / system[k][k];
    }
    found.iter().all(|value| value.is_finite()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAW: Usl = Usl { single: 900.0, contention: 0.05, coherency: 0.0004 };

    fn sweep(law: Usl, noise: f64) -> Vec<(f64, f64)> {
        [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0]
            .into_iter()
            .enumerate()
            .map(|(k, n)| (n, law.throughput(n) * (1.0 + noise * [1.0, -1.0, -0.5, 0.5][k % 4])))
            .collect()
    }

    #[test]
    fn a_law_is_found_again() {
        let fit = Usl::fit(&sweep(LAW, 0.0), 1).unwrap();
        assert!((fit.law.single - 900.0).abs() < 1e-6 && (fit.law.contention - 0.05).abs() < 1e-9, "{fit:?}");
        assert!((fit.law.peak().unwrap() - (0.95f64 / 0.0004).sqrt()).abs() < 1e-3, "{fit:?}");
        assert!(fit.r_squared > 0.999_999);
    }

    #[test]
    fn noise_widens_the_intervals_and_they_hold_the_truth() {
        let fit = Usl::fit(&sweep(LAW, 0.03), 1).unwrap();
        let holds = |(low, high): (f64, f64), value: f64| low <= value && value <= high && high > low;
        assert!(holds(fit.contention, 0.05) && holds(fit.coherency, 0.0004), "{fit:?}");
        assert_eq!(Usl::fit(&sweep(LAW, 0.03), 1), Some(fit), "the same seed, the same intervals");
    }

    #[test]
    fn without_coherency_there_is_no_peak() {
        let linear = Usl { single: 100.0, contention: 0.0, coherency: 0.0 };
        let fit = Usl::fit(&sweep(linear, 0.0), 1).unwrap();
        assert_eq!(fit.law.peak(), None, "{fit:?}");
        // Better than linear (caches warming): coefficients stay at zero, not below.
        let points: Vec<(f64, f64)> = (1..9).map(|n| (f64::from(n), f64::from(n * n))).collect();
        let law = Usl::fit(&points, 1).unwrap().law;
        assert_eq!((law.contention, law.coherency), (0.0, 0.0));
    }

    #[test]
    fn too_few_levels_or_an_empty_level_are_not_fitted() {
        assert_eq!(Usl::fit(&sweep(LAW, 0.0)[..5], 1), None);
        let mut points = sweep(LAW, 0.0);
        points[3].1 = 0.0;
        assert_eq!(Usl::fit(&points, 1), None);
    }
}
