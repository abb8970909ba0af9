//! Measures the load generator itself, against anything that serves one object; see `benches/` for the
//! comparison.
//!
//! ```text
//! bench write DIR [--size 1024]                   writes DIR/bench/object-0 for the other side to serve
//! bench closed --addr HOST:PORT [--requests 200000] [--connections 64] [--size 1024] [--watch yes]
//! bench open --addr HOST:PORT [--rate 5000] [--seconds 10] [--connections 16] [--poisson yes] [--size 1024]
//! bench pace [--rate 5000] [--seconds 10]         what waiting for instants alone costs, on a thread that only sleeps
//! ```
//!
//! Everything is on: ids, times, framing, byte-exact body check, one record kept for each request.

use std::error::Error;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatecrash_load::{
    ClientOptions, EvidenceBudget, KeyLaw, OpPlan, Schedule, Setup, Target, Workload, Writes,
};
use gatecrash_model::{Clock, MemorySink, Nanos, Pool, Population, RunId, Sink, SizeLaw};

mod closed;
mod open;

type Outcome = Result<(), Box<dyn Error>>;

const SEED: u64 = 7;

struct Options {
    addr: SocketAddr,
    requests: u32,
    connections: Option<NonZeroUsize>,
    size: u64,
    rate: f64,
    seconds: u64,
    poisson: bool,
    watch: bool,
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

fn main() -> Outcome {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some("write") => {
            let dir = args.next().ok_or("write needs a directory")?;
            write(dir.into(), options(args)?.size)
        }
        Some("closed") => closed::run(&options(args)?),
        Some("open") => open::run(&options(args)?),
        Some("pace") => open::pace(&options(args)?),
        _ => Err("one of write, closed, open, pace".into()),
    }
}

/// Writes the object that the load expects to read.
fn write(dir: PathBuf, size: u64) -> Outcome {
    let (pool, population) = (Pool::new(SEED), workload(size)?.population);
    let content = pool.content(&population.bucket, &population.key(0), 0);
    let bytes: Vec<u8> = (0..size).flat_map(|at| content.chunk(&pool, at, 1).iter().copied()).collect();
    std::fs::create_dir_all(dir.join(&population.bucket))?;
    Ok(std::fs::write(dir.join(&population.bucket).join(population.key(0)), bytes)?)
}

/// Memory of this process, KiB: what it holds (`VmRSS:`) or the most it ever held (`VmHWM:`).
fn memory(which: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(which));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn setup(options: &Options, sink: &Arc<MemorySink>) -> Setup {
    Setup {
        target: Target { addr: options.addr, host_header: options.addr.to_string(), tls: None },
        run: RunId(1),
        clock: Arc::new(SinceStart(Instant::now())),
        sink: Arc::clone(sink) as Arc<dyn Sink>,
        pool: Arc::new(Pool::new(SEED)),
        needles: Arc::from([]),
        evidence: EvidenceBudget::default(),
    }
}

fn workload(size: u64) -> Result<Workload, Box<dyn Error>> {
    Ok(Workload {
        index: 0,
        name: "bench".into(),
        seed: SEED,
        schedule: Schedule::new(&[], 0),
        users: None,
        ops: vec![(OpPlan::GetObject { range: None }, 1.0)],
        population: Population {
            bucket: "bench".into(),
            count: 1,
            pattern: "object-{n}".parse()?,
            sizes: SizeLaw::Fixed(size),
            seed: SEED,
            change_every: None,
        },
        keys: KeyLaw::Sequential,
        missing: 0.0,
        writes: Writes::under("bench", size)?,
        signing: None,
        timeout: Duration::from_secs(10),
        max_in_flight: 10_000,
        headers: Vec::new(),
        replay: None,
        journeys: None,
        client: ClientOptions::default(),
    })
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        addr: SocketAddr::from(([127, 0, 0, 1], 80)),
        requests: 200_000,
        connections: None,
        size: 1024,
        rate: 5_000.0,
        seconds: 10,
        poisson: false,
        watch: false,
    };
    while let Some(name) = args.next() {
        let value = args.next().ok_or(format!("{name} needs a value"))?;
        match name.as_str() {
            "--addr" => options.addr = value.parse()?,
            "--requests" => options.requests = value.parse()?,
            "--connections" => options.connections = Some(value.parse()?),
            "--size" => options.size = value.parse()?,
            "--rate" => options.rate = value.parse()?,
            "--seconds" => options.seconds = value.parse()?,
            "--poisson" => options.poisson = value == "yes",
            "--watch" => options.watch = value == "yes",
            _ => return Err(format!("unknown option {name}").into()),
        }
    }
    Ok(options)
}
