//! What one user does in a transaction: one step of its journey.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use ::goose::goose::{GooseUser, TransactionError, TransactionFunction, TransactionResult};
use gatecrash_model::{BodyCheck, ClientRecord, Ending, Op};

use crate::engine::Engine;
use crate::journey::{self, Journeys, Step, Upload};
use crate::live::LiveCounters;
use crate::plan::RequestPlan;
use crate::stop::Stop;
use crate::wire::Session;
use crate::workload::Workload;

/// How long a user that has nothing more to do stays where it is: goose looks twice a second whether it should end,
/// and a step that returned at once would be walked again and again until then.
const UNTIL_NOTICED: Duration = Duration::from_millis(600);

/// A user that cannot connect does not try again at once: a refused connection takes no time.
const REFUSED_PAUSE: Duration = Duration::from_millis(10);

/// What all users of an attack share.
pub(super) struct Road {
    session: Arc<Session>,
    /// The one of the workload.
    engines: Vec<Arc<Engine>>,
    workload: Arc<Workload>,
    live: Arc<LiveCounters>,
    stop: Stop,
    users: u32,
    next_user: AtomicU32,
    over: AtomicBool,
    begun: AtomicU64,
    abandoned: AtomicU64,
}

/// A request that ended.
struct Told {
    op: Op,
    record: ClientRecord,
    right: bool,
}

/// Where one user is.
#[derive(Clone, Debug)]
struct Walker {
    user: u32,
    requests: u32,
    upload: Option<Upload>,
    /// Why the rest of this round is left out.
    broken: bool,
}

impl Road {
    pub(super) fn new(
        session: &Arc<Session>,
        workload: &Arc<Workload>,
        journeys: &Journeys,
        live: &Arc<LiveCounters>,
        stop: &Stop,
    ) -> Self {
        Self {
            session: Arc::clone(session),
            engines: Engine::open_all(session, std::slice::from_ref(workload), 0, 1),
            workload: Arc::clone(workload),
            live: Arc::clone(live),
            stop: stop.clone(),
            users: journeys.users(),
            next_user: AtomicU32::new(0),
            over: AtomicBool::new(false),
            begun: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
        }
    }

    /// Returns when no more steps may begin, and sees to it.
    pub(super) async fn over(&self, until: Duration) {
        let clock = &self.session.setup().clock;
        let time = async {
            while clock.now() < until.as_nanos() as u64 {
                tokio::time::sleep(Duration::from_nanos(until.as_nanos() as u64 - clock.now())).await;
            }
        };
        tokio::select! {
            () = time => {}
            () = self.stop.asked() => {}
        }
        self.over.store(true, Ordering::Relaxed);
    }

    pub(super) async fn aborted(&self) {
        self.stop.aborted().await;
    }

    /// A last look at idle connections.
    pub(super) fn close(&self) {
        self.engines.iter().for_each(|engine| engine.close_idle());
    }

    /// Requests begun, and those given up.
    pub(super) fn begun(&self) -> (u64, u64) {
        (self.begun.load(Ordering::Relaxed), self.abandoned.load(Ordering::Relaxed))
    }

    /// A step as goose wants it.
    pub(super) fn transaction(road: &Arc<Self>, step: Step, first: bool) -> TransactionFunction {
        let road = Arc::clone(road);
        Arc::new(move |user| {
            let road = Arc::clone(&road);
            Box::pin(async move { road.step(user, step, first).await })
        })
    }

    async fn step(&self, user: &mut GooseUser, step: Step, first: bool) -> TransactionResult {
        if self.over.load(Ordering::Relaxed) {
            self.stay().await;
            return Ok(());
        }
        let mut walker = self.walker(user, first);
        if walker.broken {
            return failed("left out: the journey's upload failed");
        }
        let Some(k) = journey::number(walker.user, walker.requests, self.users) else {
            self.stay().await;
            return failed("no more request numbers");
        };
        let pool = &self.session.setup().pool;
        let Some(plan) = self.workload.step(pool, k, step, walker.upload.as_ref()) else {
            return failed("nothing to remove");
        };
        let plan = plan.of_time(pool, self.session.setup().clock.now());
        walker.requests += 1;
        let (told, ended) = self.exchange(&plan).await;
        let wrong = told.iter().find(|one| !one.right).map(|one| tag(&one.record));
        match step {
            _ if !ended => {}
            Step::Put | Step::Multipart(_) if wrong.is_none() => walker.upload = plan.uploads(pool),
            Step::Put | Step::Multipart(_) => walker.broken = true,
            Step::Delete => walker.upload = None,
            _ => {}
        }
        user.set_session_data(walker);
        for Told { op, record, right } in told {
            let tag = if right { None } else { Some(tag(&record)) };
            let took = Duration::from_micros(record.response_micros());
            let status = (record.status != 0).then_some(record.status);
            let (method, name) = (op.method(), op.name());
            user.record_custom_request_duration(method, name, took, right, status, tag.as_deref()).await?;
        }
        wrong.map_or(Ok(()), |tag| failed(&tag))
    }

    /// Does nothing for a while.
    async fn stay(&self) {
        tokio::select! {
            () = tokio::time::sleep(UNTIL_NOTICED) => {}
            () = self.aborted() => {}
        }
    }

    /// Where the user is, at the beginning of a round or in it.
    fn walker(&self, user: &mut GooseUser, first: bool) -> Walker {
        let known = user.get_session_data::<Walker>().cloned();
        let mut walker = known.unwrap_or_else(|| Walker {
            user: self.next_user.fetch_add(1, Ordering::Relaxed),
            requests: 0,
            upload: None,
            broken: false,
        });
        if first {
            (walker.upload, walker.broken) = (None, false);
        }
        walker
    }

    /// One request that is due now, and those that follow from its answer: those that ended, and whether all did. Of one
    /// that was given up neither we nor goose keep a record.
    async fn exchange(&self, plan: &RequestPlan) -> (Vec<Told>, bool) {
        let mut told = Vec::new();
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.live.begin();
        let now = self.session.setup().clock.now();
        let seen = |plan: &RequestPlan, record: &ClientRecord| {
            self.live.count(plan, record);
            told.push(Told { op: plan.op, record: *record, right: plan.is_answered_by(record) });
        };
        let ended = tokio::select! {
            biased;
            () = self.engines[0].exchange_all(plan.clone(), now, seen) => true,
            () = self.aborted() => false,
        };
        if ended {
            self.live.leave();
        } else {
            self.abandoned.fetch_add(1, Ordering::Relaxed);
        }
        let refused = |one: &Told| matches!(one.record.ending, Ending::Refused | Ending::ConnectFailed);
        if told.last().is_some_and(refused) {
            tokio::time::sleep(REFUSED_PAUSE).await;
        }
        (told, ended)
    }
}

/// What was wrong, in few words of which there are few: goose keeps a line for each text it has not seen.
fn tag(record: &ClientRecord) -> String {
    match (record.ending, record.status, record.shape.body()) {
        (Ending::Complete, 200..=299, BodyCheck::NotChecked | BodyCheck::Exact) => "wrong answer".to_owned(),
        (Ending::Complete, 200..=299, body) => format!("body {body}"),
        (Ending::Complete, status @ 400..=599, _) => format!("status {status}"),
        (Ending::Complete, ..) => "status outside 2xx, 4xx and 5xx".to_owned(),
        (ending, ..) => format!("ended {ending}"),
    }
}

fn failed(why: &str) -> TransactionResult {
    Err(Box::new(TransactionError::Custom(why.to_owned())))
}
