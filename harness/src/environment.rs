//! Facts about the machine and this process, for reports and the generator's health.

use std::time::Instant;

/// Operating system and kernel, such as `linux 6.1.0`.
pub fn system() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{} {}", std::env::consts::OS, release.trim()).trim().to_owned()
}

/// Cores this process may use.
pub fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |n| n.get() as u32)
}

/// The wall clock, RFC 3339 in UTC.
pub fn now_rfc3339() -> String {
    let now = time::OffsetDateTime::now_utc().replace_nanosecond(0);
    now.ok().and_then(|n| n.format(&time::format_description::well_known::Rfc3339).ok()).unwrap_or_default()
}

/// The CPU use of this process between two looks.
#[derive(Debug)]
pub struct OwnUsage {
    at: Instant,
    ticks: u64,
}

impl OwnUsage {
    /// From now on.
    pub fn start() -> Self {
        Self { at: Instant::now(), ticks: own_ticks() }
    }

    /// Cores used since the last look.
    pub fn cores(&mut self) -> f64 {
        let (at, ticks) = (Instant::now(), own_ticks());
        let seconds = at.duration_since(self.at).as_secs_f64().max(0.001);
        // USER_HZ is 100 on every Linux that exposes /proc to user space (proc(5)).
        let cores = ticks.saturating_sub(self.ticks) as f64 / 100.0 / seconds;
        (self.at, self.ticks) = (at, ticks);
        cores
    }
}

fn own_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<u64> = after_name.split_whitespace().skip(11).take(2).filter_map(|f| f.parse().ok()).collect();
    fields.iter().sum()
}
