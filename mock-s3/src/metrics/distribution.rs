//! Many values in little memory: count, sum, smallest and largest exactly, percentiles within 3.2 %.

/// Bits of a value below its first one that tell cells apart: 16 cells for each power of two.
const BITS: u32 = 4;

/// The values of a metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
    /// Cells with values in them, in order; at most 976.
    cells: Vec<(u16, u64)>,
}

impl Distribution {
    /// Adds a value.
    pub fn add(&mut self, value: u64) {
        self.min = if self.count == 0 { value } else { self.min.min(value) };
        self.max = self.max.max(value);
        self.count += 1;
        self.sum += u128::from(value);
        self.fill(cell(value), 1);
    }

    /// Adds all values of another one.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        self.min = if self.count == 0 { other.min } else { self.min.min(other.min) };
        self.max = self.max.max(other.max);
        self.count += other.count;
        self.sum += other.sum;
        other.cells.iter().for_each(|(cell, count)| self.fill(*cell, *count));
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their sum.
    pub fn sum(&self) -> u128 {
        self.sum
    }

    /// The smallest one, 0 without any.
    pub fn min(&self) -> u64 {
        self.min
    }

    /// The largest one, 0 without any.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// The mean, 0 without any value.
    pub fn average(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum as f64 / self.count as f64 }
    }

    /// The value that `percent` (0 to 100) of the values do not exceed.
    pub fn percentile(&self, percent: f64) -> f64 {
        if percent >= 100.0 {
            return self.max as f64;
        }
        let rank = ((percent / 100.0 * self.count as f64).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        for (cell, count) in &self.cells {
            seen += count;
            if seen >= rank {
                let (low, high) = bounds(*cell);
                return (low as f64 / 2.0 + high as f64 / 2.0).clamp(self.min as f64, self.max as f64);
            }
        }
        0.0
    }

    fn fill(&mut self, cell: u16, count: u64) {
        match self.cells.binary_search_by_key(&cell, |(known, _)| *known) {
            Ok(at) => self.cells[at].1 += count,
            Err(at) => self.cells.insert(at, (cell, count)),
        }
    }
}

/// Values below 16 have a cell each, larger ones share one with those that agree in the first five bits.
fn cell(value: u64) -> u16 {
    if value < 1 << BITS {
        return value as u16;
    }
    let shift = value.ilog2() - BITS;
    ((shift + 1) << BITS) as u16 + ((value >> shift) as u16 & ((1 << BITS) - 1))
}

/// The smallest and the largest value of a cell.
fn bounds(cell: u16) -> (u64, u64) {
    let (row, place) = (u32::from(cell) >> BITS, u64::from(cell) & ((1 << BITS) - 1));
    if row == 0 {
        return (place, place);
    }
    let low = ((1 << BITS) + place) << (row - 1);
    (low, low + ((1 << (row - 1)) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_its_cell() {
        let values = (0..70).chain((0..64).flat_map(|bit| [1 << bit, (1_u64 << bit) - 1, (1 << bit) + 1]));
        for value in values.chain([u64::MAX]) {
            let (low, high) = bounds(cell(value));
            assert!((low..=high).contains(&value), "{value}: {low}..={high}");
            assert!((high - low) as f64 <= low as f64 / 16.0, "{value}");
        }
    }

    #[test]
    fn percentiles_are_close_and_the_rest_is_exact() {
        let mut all = Distribution::default();
        let (mut odd, mut even) = (Distribution::default(), Distribution::default());
        for value in 1..=10_000 {
            all.add(value);
            if value % 2 == 0 { &mut even } else { &mut odd }.add(value);
        }
        odd.merge(&even);
        assert_eq!(odd, all);
        assert_eq!((all.count(), all.sum(), all.min(), all.max()), (10_000, 50_005_000, 1, 10_000));
        for percent in [1.0, 50.0, 90.0, 99.0, 99.9] {
            let (found, exact) = (all.percentile(percent), percent * 100.0);
            assert!((found / exact - 1.0).abs() < 0.032, "p{percent}: {found}");
        }
        assert_eq!((all.percentile(0.0), all.percentile(100.0)), (1.0, 10_000.0));
        assert_eq!(Distribution::default().percentile(50.0), 0.0);
    }
}
