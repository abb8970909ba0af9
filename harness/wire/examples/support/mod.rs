//! What the examples share: a clock, and a look at a process in /proc.

#![expect(dead_code, reason = "each example uses its part")]

use std::time::Instant;

use gatecrash_model::{Clock, Nanos};

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Counts from when it was made.
pub(crate) struct Ticker(pub(crate) Instant);

impl Clock for Ticker {
    fn now(&self) -> Nanos {
        self.0.elapsed().as_nanos() as u64
    }
    fn wall_seconds(&self) -> i64 {
        0
    }
}

/// User and system time of this process, at the usual 100 ticks per second.
pub(crate) fn cpu_seconds() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).map_or(Ok(0.0), |f| f.parse::<f64>());
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

/// Resident memory of this process in KiB.
pub(crate) fn resident() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    Ok(line.split_whitespace().nth(1).unwrap_or_default().parse()?)
}

/// Open descriptors of this process.
pub(crate) fn descriptors() -> Result<usize, Failure> {
    Ok(std::fs::read_dir("/proc/self/fd")?.count())
}

/// A value at a share of a sorted list.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted.get(((sorted.len() as f64 - 1.0) * share).round() as usize).copied().unwrap_or(f64::NAN)
}
