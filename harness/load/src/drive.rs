//! The drivers. Open loop: every arrival is sent when it is due, whatever became of those before. Closed loop
//! (`drive/closed.rs`): every user waits for its answer first.
//!
//! Threads of its own, each with a single-threaded runtime and a client; arrival `k` belongs to thread
//! `k mod threads`, and so does user `k`. A late arrival keeps its intended time and is sent at once; its lag is
//! recorded. Over the in-flight cap an arrival is recorded as not sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use gatecrash_model::{Event, Nanos};
use tokio::sync::Notify;

use crate::engine::Engine;
use crate::health::{self, Meters};
use crate::histogram::Counts;
use crate::live::LiveCounters;
use crate::pace::Pacer;
use crate::schedule::Cursor;
use crate::stop::Stop;
use crate::wire::{ClientStats, Session, Setup};
use crate::workload::Workload;

mod closed;
mod crowd;

/// Overdue arrivals released in a row before requests under way get a turn.
const BATCH: usize = 32;

/// Everything a load needs.
pub struct Load {
    /// What clients work with.
    pub setup: Setup,
    /// What is sent, with distinct indexes. Arrivals are instants of the run's clock.
    pub workloads: Vec<Arc<Workload>>,
    /// Threads, at least 1. One carries some 50,000 requests a second.
    pub threads: usize,
    /// Ends the load early.
    pub stop: Stop,
    /// For a progress view. Begins at zero: the summary is read from it.
    pub live: Arc<LiveCounters>,
}

/// What became of a load.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LoadSummary {
    /// Arrivals that came due.
    pub arrivals: u64,
    /// Exchanges that ended, however they did.
    pub sent: u64,
    /// Of those, whole and correct answers.
    pub ok: u64,
    /// Of those, all others.
    pub failed: u64,
    /// Arrivals over an in-flight cap.
    pub dropped: u64,
    /// Requests given up by an abort, without a record.
    pub abandoned: u64,
    /// Arrivals of schedules that never came due, because the load was stopped.
    pub cancelled: u64,
    /// From due to sent, us.
    pub lag: Counts,
    /// When the last request had ended.
    pub ended: Nanos,
    /// Counts of the clients.
    pub client: ClientStats,
}

/// Why a load could not start.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A thread or its runtime.
    #[error("failed to start a load thread: {0}")]
    Thread(#[from] std::io::Error),
    /// A request id has 32 bits for its number.
    #[error("workload {0} has more than 4294967295 requests")]
    TooManyArrivals(String),
    /// The engine of journeys.
    #[error("workload {0}: {1}")]
    Journeys(String, String),
}

struct Shared {
    session: Arc<Session>,
    workloads: Vec<Arc<Workload>>,
    in_flight: Vec<AtomicUsize>,
    meters: Arc<Meters>,
    live: Arc<LiveCounters>,
    stop: Stop,
}

#[derive(Default)]
struct Done {
    arrivals: u64,
    cancelled: u64,
    abandoned: u64,
}

/// Runs a load to its end and blocks until then. Returns once every request has ended, at the latest one
/// timeout after the last arrival. Writes a [`Event::Generator`] each second and a [`Event::LoadEnd`] at the
/// end.
pub fn run_load(load: Load) -> Result<LoadSummary, LoadError> {
    let Load { setup, workloads, threads, stop, live } = load;
    if let Some(workload) = workloads.iter().find(|w| ids_of(w) > u64::from(u32::MAX)) {
        return Err(LoadError::TooManyArrivals(workload.name.clone()));
    }
    let threads = threads.max(1);
    let (clock, sink) = (Arc::clone(&setup.clock), Arc::clone(&setup.sink));
    // The thread of the journeys comes after the others, and stays when they have nothing to do.
    let walkers = usize::from(workloads.iter().any(|workload| workload.journeys.is_some()));
    let teller = if walkers == 0 { 0 } else { threads };
    let shared = Arc::new(Shared {
        session: Arc::new(Session::new(setup, &workloads)),
        in_flight: workloads.iter().map(|_| AtomicUsize::new(0)).collect(),
        meters: Arc::new(Meters::new(threads + walkers, teller)),
        workloads,
        live,
        stop,
    });
    let mut runtimes = Vec::new();
    for _ in 0..threads {
        runtimes.push(tokio::runtime::Builder::new_current_thread().enable_all().build()?);
    }
    let mut running = Vec::new();
    for (number, runtime) in runtimes.into_iter().enumerate() {
        let worker = Arc::clone(&shared);
        let body = move || {
            let done = runtime.block_on(worker.drive(number as u64, threads as u64));
            drop(runtime); // Gives up what an abort left.
            done
        };
        match std::thread::Builder::new().name(format!("load-{number}")).spawn(body) {
            Ok(thread) => running.push(thread),
            Err(error) => {
                shared.stop.abort();
                return Err(error.into());
            }
        }
    }
    let mut summary = LoadSummary::default();
    let walked = crowd::walk(&shared, threads);
    for thread in running {
        let done = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        summary.arrivals += done.arrivals;
        summary.cancelled += done.cancelled;
        summary.abandoned += done.abandoned;
    }
    let walked = walked?;
    summary.arrivals += walked.arrivals;
    summary.abandoned += walked.abandoned;
    let live = shared.live.snapshot();
    summary.ended = clock.now();
    sink.event(Event::LoadEnd { at: summary.ended });
    Ok(LoadSummary {
        sent: live.sent,
        ok: live.ok,
        failed: live.failed,
        dropped: live.dropped,
        lag: live.lag,
        client: shared.session.stats(),
        ..summary
    })
}

impl Shared {
    /// Watches the thread that it is called on, as number `thread` of the load's, while its runtime lives.
    fn measure(&self, thread: usize) {
        let (session, live) = (Arc::clone(&self.session), Arc::clone(&self.live));
        tokio::spawn(health::measure(session, live, Arc::clone(&self.meters), thread));
    }

    async fn drive(self: Arc<Self>, number: u64, threads: u64) -> Done {
        let thread = Arc::new(Thread {
            engines: Engine::open_all(&self.session, &self.workloads, number, threads),
            begun: AtomicU64::new(0),
            under_way: AtomicUsize::new(0),
            idle: Notify::new(),
        });
        self.measure(number as usize);
        let mut done = Done::default();
        let mut users = self.users(&thread, number, threads);
        let all = async {
            tokio::join!(self.release_all(&thread, number, threads, &mut done), closed::gone(&mut users));
        };
        tokio::select! {
            biased;
            () = self.stop.asked() => {}
            () = all => {}
        }
        let due: u64 = self.workloads.iter().map(|w| share(w.schedule.len(), number, threads)).sum();
        done.cancelled = due - done.arrivals;
        tokio::select! {
            () = self.stop.aborted() => {}
            () = thread.drained() => {}
        }
        done.arrivals += thread.begun.load(Ordering::Relaxed);
        done.abandoned = thread.under_way.load(Ordering::Relaxed) as u64;
        thread.engines.iter().for_each(|engine| engine.close_idle());
        done
    }

    async fn release_all(self: &Arc<Self>, thread: &Arc<Thread>, first: u64, step: u64, done: &mut Done) {
        let pacer = Pacer::new();
        let clock = &self.session.setup().clock;
        let mut due = Due::new(&self.workloads, first, step);
        while let Some((slot, k, at)) = due.next() {
            loop {
                let now = clock.now();
                if now >= at {
                    break;
                }
                pacer.wait(at - now).await;
            }
            self.release(thread, slot, k as u32, at);
            done.arrivals += 1;
            if done.arrivals.is_multiple_of(BATCH as u64) {
                tokio::task::yield_now().await;
            }
        }
    }

    fn release(self: &Arc<Self>, thread: &Arc<Thread>, slot: usize, k: u32, at: Nanos) {
        let workload = &self.workloads[slot];
        let plan = workload.plan_at(&self.session.setup().pool, k, at);
        if self.in_flight[slot].fetch_add(1, Ordering::Relaxed) >= workload.max_in_flight {
            self.in_flight[slot].fetch_sub(1, Ordering::Relaxed);
            self.session.drop_arrival(&plan, at);
            self.live.drop_one();
            return;
        }
        self.live.begin();
        thread.begin();
        let (shared, thread) = (Arc::clone(self), Arc::clone(thread));
        tokio::spawn(async move {
            thread.engines[slot].exchange_all(plan, at, |plan, record| shared.live.count(plan, record)).await;
            shared.live.leave();
            shared.in_flight[slot].fetch_sub(1, Ordering::Relaxed);
            thread.end();
        });
    }
}

/// One thread's clients by workload, and how many of its requests are under way.
struct Thread {
    engines: Vec<Arc<Engine>>,
    /// Requests that users have begun.
    begun: AtomicU64,
    under_way: AtomicUsize,
    idle: Notify,
}

impl Thread {
    fn begin(&self) {
        self.under_way.fetch_add(1, Ordering::Relaxed);
    }

    fn end(&self) {
        if self.under_way.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.idle.notify_one();
        }
    }

    async fn drained(&self) {
        while self.under_way.load(Ordering::Relaxed) > 0 {
            // The notification may be an old one.
            let _ = tokio::time::timeout(Duration::from_millis(50), self.idle.notified()).await;
        }
    }
}

/// The arrivals of all workloads in order of time.
struct Due<'a> {
    cursors: Vec<std::iter::Peekable<Cursor<'a>>>,
}

impl<'a> Due<'a> {
    fn new(workloads: &'a [Arc<Workload>], first: u64, step: u64) -> Self {
        Self { cursors: workloads.iter().map(|w| w.schedule.cursor(first, step).peekable()).collect() }
    }

    /// (place of the workload, k, due).
    fn next(&mut self) -> Option<(usize, u64, Nanos)> {
        let heads = self.cursors.iter_mut().enumerate();
        let (slot, _) =
            heads.filter_map(|(n, c)| c.peek().map(|(_, at)| (n, *at))).min_by_key(|(_, at)| *at)?;
        self.cursors[slot].next().map(|(k, at)| (slot, k, at))
    }
}

/// Request ids that a workload may take up.
fn ids_of(workload: &Workload) -> u64 {
    workload.schedule.len().saturating_mul(u64::from(workload.stride()))
}

/// How many of `len` arrivals belong to a thread.
fn share(len: u64, number: u64, threads: u64) -> u64 {
    len.saturating_sub(number).div_ceil(threads)
}
