//! A closed loop of keep-alive connections with everything on (id, times, framing, byte-exact body check, one record
//! kept for each request), to compare the client's cost with other tools.
//!
//! Prints requests, failures, seconds and CPU seconds of this process per 100,000 requests.
//!
//! ```text
//! closed_loop --write DIR          writes DIR/bench/object-0, to be served by the other side
//! closed_loop --addr 127.0.0.1:80  [--requests 200000] [--connections 64] [--size 1024]
//! ```

use std::cell::Cell;
use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatecrash_load::{
    Client, EvidenceBudget, KeyLaw, OpPlan, Schedule, Session, Setup, Target, Workload, Writes, process_cpu,
};
use gatecrash_model::{ClientRecord, Clock, MemorySink, Nanos, Pool, Population, RunId, Sink, SizeLaw};

const SEED: u64 = 7;

struct Options {
    write: Option<PathBuf>,
    addr: SocketAddr,
    requests: u32,
    connections: usize,
    size: u64,
}

struct SinceStart(Instant);

impl Clock for SinceStart {
    fn now(&self) -> Nanos {
        self.0.elapsed().as_nanos() as Nanos
    }
    fn wall_seconds(&self) -> i64 {
        0
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options()?;
    let workload = Arc::new(workload(options.size)?);
    let pool = Arc::new(Pool::new(SEED));
    if let Some(dir) = &options.write {
        let population = &workload.population;
        let content = pool.content(&population.bucket, &population.key(0), 0);
        let bytes: Vec<u8> =
            (0..options.size).flat_map(|at| content.chunk(&pool, at, 1).iter().copied()).collect();
        std::fs::create_dir_all(dir.join(&population.bucket))?;
        std::fs::write(dir.join(&population.bucket).join(population.key(0)), bytes)?;
        return Ok(());
    }
    let sink = Arc::new(MemorySink::default());
    let setup = Setup {
        target: Target { addr: options.addr, host_header: options.addr.to_string() },
        run: RunId(1),
        clock: Arc::new(SinceStart(Instant::now())),
        sink: Arc::clone(&sink) as Arc<dyn Sink>,
        pool,
        needles: Arc::from([]),
        evidence: EvidenceBudget::default(),
    };
    let client = Rc::new(Client::new(Arc::new(Session::new(setup, std::slice::from_ref(&workload)))));
    let (begun, cpu) = (Instant::now(), process_cpu());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    let next = Rc::new(Cell::new(0));
    for _ in 0..options.connections {
        let (client, workload, next) = (Rc::clone(&client), Arc::clone(&workload), Rc::clone(&next));
        local.spawn_local(async move {
            while next.get() < options.requests {
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
        "requests={} failed={failed} seconds={:.3} cpu_per_100k={:.3}",
        records.len(),
        took.as_secs_f64(),
        cpu as f64 / 1e9 / records.len() as f64 * 1e5,
    );
    Ok(())
}

fn workload(size: u64) -> Result<Workload, Box<dyn Error>> {
    Ok(Workload {
        index: 0,
        name: "bench".into(),
        seed: SEED,
        schedule: Schedule::new(&[], 0),
        ops: vec![(OpPlan::GetObject { range: None }, 1.0)],
        population: Population {
            bucket: "bench".into(),
            count: 1,
            pattern: "object-{n}".parse()?,
            sizes: SizeLaw::Fixed(size),
            seed: SEED,
        },
        keys: KeyLaw::Sequential,
        missing: 0.0,
        writes: Writes::under("bench", size)?,
        signing: None,
        timeout: Duration::from_secs(10),
        max_in_flight: usize::MAX,
        headers: Vec::new(),
    })
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        write: None,
        addr: SocketAddr::from(([127, 0, 0, 1], 80)),
        requests: 200_000,
        connections: 64,
        size: 1024,
    };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().ok_or(format!("{name} needs a value"))?;
        match name.as_str() {
            "--write" => options.write = Some(value.into()),
            "--addr" => options.addr = value.parse()?,
            "--requests" => options.requests = value.parse()?,
            "--connections" => options.connections = value.parse()?,
            "--size" => options.size = value.parse()?,
            _ => return Err(format!("unknown option {name}").into()),
        }
    }
    Ok(options)
}
