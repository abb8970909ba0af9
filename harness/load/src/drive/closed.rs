//! The closed-loop driver: one task for each user.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use gatecrash_model::{ClientRecord, Ending, Nanos, hash};
use tokio::task::JoinSet;

use super::{Shared, Thread};
use crate::plan::RequestPlan;
use crate::users::Users;

/// The runtime's timer is good to a millisecond: so much later than planned a think time may end. Beyond it a
/// request counts as late.
const TIMER: Nanos = 2_000_000;

/// A user that cannot connect does not try again at once: a refused connection takes no time, and a loop of
/// them would measure the generator.
const REFUSED_PAUSE: Nanos = 10_000_000;

/// What the draws of think times are keyed by, beside the seed and the workload.
const THINK: u64 = 0x0074_6869_6e6b;

/// Waits until every user has left.
pub(super) async fn gone(users: &mut JoinSet<()>) {
    while let Some(left) = users.join_next().await {
        if let Err(error) = left
            && let Ok(panic) = error.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Shared {
    /// Starts the users of all workloads that belong to a thread. Dropping the set ends them where they are.
    pub(super) fn users(self: &Arc<Self>, thread: &Arc<Thread>, number: u64, threads: u64) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for (slot, workload) in self.workloads.iter().enumerate() {
            let most = workload.users.as_ref().map_or(0, Users::most);
            for user in (0..most).filter(|user| u64::from(*user) % threads == number) {
                tasks.spawn(Arc::clone(self).user(Arc::clone(thread), slot, user));
            }
        }
        tasks
    }

    /// One user from its first request to its last. An answer that it waits for when its time ends is awaited.
    async fn user(self: Arc<Self>, thread: Arc<Thread>, slot: usize, user: u32) {
        let workload = &self.workloads[slot];
        let Some(users) = &workload.users else { return };
        let setup = self.session.setup();
        let seed = hash::combine(&[workload.seed, THINK, u64::from(workload.index)]);
        let mut request = 0;
        for (from, until) in users.presence(user) {
            let mut due = from + users.first_pause(seed, user);
            while due < until && !self.stop.is_asked() {
                let Some(k) = users.arrival(user, request) else { return };
                let now = self.wait_until(due).await;
                if self.stop.is_asked() {
                    return;
                }
                self.live.begin();
                thread.begin();
                thread.begun.fetch_add(1, Ordering::Relaxed);
                let plan = workload.plan_at(&setup.pool, k, now);
                let mut refused = false;
                let seen = |plan: &RequestPlan, record: &ClientRecord| {
                    refused = matches!(record.ending, Ending::Refused | Ending::ConnectFailed);
                    self.live.count(plan, record);
                };
                thread.engines[slot].exchange_all(plan, now.min(due + TIMER), seen).await;
                self.live.leave();
                thread.end();
                let least = if refused { REFUSED_PAUSE } else { 0 };
                due = setup.clock.now() + users.pause(seed, k).max(least);
                request += 1;
            }
        }
    }

    /// Returns the instant at which it returned.
    async fn wait_until(&self, due: Nanos) -> Nanos {
        let clock = &self.session.setup().clock;
        let now = clock.now();
        if now >= due {
            return now;
        }
        tokio::time::sleep(Duration::from_nanos(due - now)).await;
        clock.now().max(due)
    }
}
