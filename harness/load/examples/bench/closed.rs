//! A closed loop of keep-alive connections: what a request costs the client.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use gatecrash_load::{Client, Session, process_cpu};
use gatecrash_model::{ClientRecord, MemorySink};

use crate::{Options, Outcome, peak_memory, setup, workload};

pub(crate) fn run(options: &Options) -> Outcome {
    let workload = Arc::new(workload(options.size)?);
    let sink = Arc::new(MemorySink::default());
    let session = Session::new(setup(options, &sink), std::slice::from_ref(&workload));
    let client = Rc::new(Client::new(Arc::new(session)));
    let (begun, cpu) = (Instant::now(), process_cpu());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    let (next, end) = (Rc::new(Cell::new(0)), options.requests);
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
    let records = sink.kept().clients;
    let failed = records.iter().filter(|record| !ClientRecord::is_success(record)).count();
    println!(
        "requests={} failed={failed} seconds={:.3} peak_mib={} cpu_per_100k={:.3}",
        records.len(),
        took.as_secs_f64(),
        peak_memory(),
        cpu as f64 / 1e9 / records.len() as f64 * 1e5,
    );
    Ok(())
}
