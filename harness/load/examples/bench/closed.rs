//! A closed loop of keep-alive connections: what a request costs the client.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatecrash_load::{Client, Session, process_cpu};
use gatecrash_model::{ClientRecord, MemorySink};

use crate::{Options, Outcome, memory, setup, workload};

/// How often memory is told while the load runs.
const EVERY: Duration = Duration::from_secs(1);

pub(crate) fn run(options: &Options) -> Outcome {
    let workload = Arc::new(workload(options.size)?);
    let sink = Arc::new(MemorySink::default());
    let session = Session::new(setup(options, &sink), std::slice::from_ref(&workload));
    let client = Rc::new(Client::new(Arc::new(session)));
    let (begun, cpu) = (Instant::now(), process_cpu());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    let (next, end) = (Rc::new(Cell::new(0)), options.requests);
    if options.watch {
        let (sink, next) = (Arc::clone(&sink), Rc::clone(&next));
        local.spawn_local(async move {
            while next.get() < end {
                tokio::time::sleep(EVERY).await;
                tell_memory(&sink);
            }
        });
    }
    for _ in 0..options.connections.map_or(64, NonZeroUsize::get) {
        let (client, workload, next) = (Rc::clone(&client), Arc::clone(&workload), Rc::clone(&next));
        local.spawn_local(async move {
            while next.get() < end {
                let k = next.replace(next.get() + 1);
                let setup = client.session().setup();
                let plan = workload.plan(&setup.pool, k);
                client.exchange(&plan, setup.clock.now()).await;
            }
        });
    }
    runtime.block_on(local);
    let (took, cpu) = (begun.elapsed(), process_cpu() - cpu);
    let peak = memory("VmHWM:") / 1024;
    sink.look(|kept| {
        let requests = kept.clients.len();
        let failed = kept.clients.iter().filter(|record| !ClientRecord::is_success(record)).count();
        println!(
            "requests={requests} failed={failed} seconds={:.3} peak_mib={peak} cpu_per_100k={:.3}",
            took.as_secs_f64(),
            cpu as f64 / 1e9 / requests as f64 * 1e5,
        );
    });
    Ok(())
}

/// What the process holds now, and how much of it are the records.
fn tell_memory(sink: &MemorySink) {
    let records = sink.look(|kept| kept.clients.len());
    let own = records * size_of::<ClientRecord>() / 1024;
    println!("held requests={records} rss_kib={} records_kib={own}", memory("VmRSS:"));
}
