//! An open loop at a fixed rate: whether the schedule is kept, and what waiting for it costs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gatecrash_load::{Arrivals, LiveCounters, Load, Schedule, Segment, Stop, process_cpu, run_load};
use gatecrash_model::MemorySink;

use crate::{Options, Outcome, memory, setup, workload};

pub(crate) fn run(options: &Options) -> Outcome {
    let from = 100_000_000;
    let mut workload = workload(options.size)?;
    workload.schedule = Schedule::new(
        &[Segment {
            from,
            until: from + options.seconds * 1_000_000_000,
            rate: options.rate,
            to: None,
            arrivals: if options.poisson { Arrivals::Poisson } else { Arrivals::Even },
        }],
        crate::SEED,
    );
    workload.client.connections = options.connections;
    let sink = Arc::new(MemorySink::default());
    let cpu = process_cpu();
    let summary = run_load(Load {
        setup: setup(options, &sink),
        workloads: vec![Arc::new(workload)],
        threads: 1,
        stop: Stop::default(),
        live: Arc::new(LiveCounters::default()),
    })?;
    let cpu = process_cpu() - cpu;
    let records = sink.kept().clients;
    let lag = records.iter().map(|r| u64::from(r.lag)).collect();
    let response = records.iter().map(gatecrash_model::ClientRecord::response_micros).collect();
    println!(
        "arrivals={} ok={} dropped={} connections={} peak_mib={} cpu_per_100k={:.3} lag_us: {} response_us: {}",
        summary.arrivals,
        summary.ok,
        summary.dropped,
        summary.client.connections,
        memory("VmHWM:") / 1024,
        cpu as f64 / 1e9 / records.len().max(1) as f64 * 1e5,
        quantiles(lag),
        quantiles(response),
    );
    Ok(())
}

/// The same instants met by a thread that does nothing but sleep until each of them: how late the machine is by itself.
pub(crate) fn pace(options: &Options) -> Outcome {
    let begun = Instant::now();
    let due = |k: u64| Duration::from_secs_f64(k as f64 / options.rate);
    let late = (1..(options.rate as u64) * options.seconds).map(|k| {
        std::thread::sleep(due(k).saturating_sub(begun.elapsed()));
        begun.elapsed().saturating_sub(due(k)).as_micros() as u64
    });
    println!("late_us: {}", quantiles(late.collect()));
    Ok(())
}

fn quantiles(mut micros: Vec<u64>) -> String {
    micros.sort_unstable();
    let at = |share: f64| micros.get((micros.len() as f64 * share) as usize).copied().unwrap_or(0);
    format!("p50={} p90={} p95={} p99={} p999={}", at(0.5), at(0.9), at(0.95), at(0.99), at(0.999))
}
