//! The process, under the names of Prometheus' process collector; read from /proc, left out where that is not.

use std::fmt::Write;
use std::fs;

use super::head;

pub(super) fn write(text: &mut String) {
    if let Some([cpu, virtual_bytes, resident_bytes]) = stat() {
        single(text, "process_cpu_seconds_total", "Seconds of CPU, of user and system.", "counter", cpu);
        single(text, "process_virtual_memory_bytes", "Virtual memory.", "gauge", virtual_bytes);
        single(text, "process_resident_memory_bytes", "Resident memory.", "gauge", resident_bytes);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        single(text, "process_open_fds", "Open file descriptors.", "gauge", open.count() as f64);
    }
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    if let Some(limit) = limit {
        single(text, "process_max_fds", "Most open file descriptors.", "gauge", limit as f64);
    }
    if let Ok(handle) = tokio::runtime::Handle::try_current() {
        let tasks = handle.metrics().num_alive_tasks();
        single(text, "gatecrash_tasks", "Tasks alive.", "gauge", tasks as f64);
    }
}

fn single(text: &mut String, name: &str, help: &str, kind: &str, value: f64) {
    head(text, name, help, kind);
    _ = writeln!(text, "{name} {value}");
}

/// CPU seconds, virtual and resident bytes, from /proc/self/stat (proc(5)).
fn stat() -> Option<[f64; 3]> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name in brackets may hold anything; behind it is field 3.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let ticks = (field(14)? + field(15)?) as f64 / rustix::param::clock_ticks_per_second() as f64;
    let resident = field(24)? as f64 * rustix::param::page_size() as f64;
    Some([ticks, field(23)? as f64, resident])
}
