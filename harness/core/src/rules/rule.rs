//! One fault with all that decides when it fires, and its counters.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use gatecrash_model::draw::{self, DrawKey};
use gatecrash_model::{AttemptId, Nanos, RequestId, hash};

use super::trigger::Bucket;
use super::{Facts, Fired, Orders, Point};
use crate::faults::{Gate, Order, Pace};
use crate::plan::{FaultPlan, Per};

/// One rule of a set.
#[derive(Debug)]
pub(super) struct Rule {
    /// Names it in the records; another rule has it only once this one is gone.
    pub(super) number: u16,
    pub(super) plan: FaultPlan,
    pub(super) active: bool,
    /// When it came, or comes, into force: its ramp counts from there.
    pub(super) since: Nanos,
    /// Where it has a window of its own, whoever switches it.
    pub(super) window: Range<Nanos>,
    hash: u64,
    /// For faults that count.
    gate: Option<Box<dyn Gate>>,
    above: Option<Bucket>,
    at_most: Option<Bucket>,
    pub(super) matched: AtomicU64,
    pub(super) fired: AtomicU64,
}

// === impl Rule ===

impl Rule {
    /// Switched off, its counters at zero.
    pub(super) fn new(number: u16, plan: FaultPlan) -> Self {
        Self {
            number,
            hash: hash::bytes(plan.name.as_bytes()),
            gate: plan.spec.gate(),
            above: plan.trigger.above(),
            at_most: plan.trigger.at_most(),
            plan,
            active: false,
            since: 0,
            window: 0..Nanos::MAX,
            matched: AtomicU64::new(0),
            fired: AtomicU64::new(0),
        }
    }

    /// Switched on `now`.
    pub(super) fn live(number: u16, plan: FaultPlan, now: Nanos) -> Self {
        let (since, until) = (now.saturating_add(plan.from.0), now.saturating_add(plan.until.0));
        // At once is at once, whenever a host began to look.
        let from = if plan.from.0 == 0 { 0 } else { since };
        Self { active: true, since, window: from..until, ..Self::new(number, plan) }
    }

    /// Adds what it wants of an exchange at a point.
    pub(super) fn decide(&self, seed: u64, point: Point, facts: &Facts<'_>, orders: &mut Orders) {
        let plan = &self.plan;
        if !self.active
            || !self.window.contains(&facts.at)
            || plan.side != facts.side
            || plan.region.is_some_and(|r| r != facts.region)
            || plan.endpoint.is_some_and(|e| e != facts.endpoint && facts.endpoint != 0)
            || !plan.spec.acts_at(point)
            || !plan.matcher.matches(facts)
        {
            return;
        }
        let draw = plan.draw(seed, self.hash, facts);
        let order = plan.spec.order(point, facts, draw);
        if order == Order::Continue || !self.triggers(facts, draw, &order, orders) {
            return;
        }
        orders.fired.push(Fired { fault: self.number, draw });
        match order {
            Order::Continue => {}
            Order::Delay(nanos) => orders.delay += nanos,
            Order::PaceHead(pace) => orders.head_pace = Some(Pace::slower(orders.head_pace, pace)),
            Order::PaceBody(pace) => orders.body_pace = Some(Pace::slower(orders.body_pace, pace)),
            Order::PaceAll(pace) => {
                orders.head_pace = Some(Pace::slower(orders.head_pace, pace));
                orders.body_pace = Some(Pace::slower(orders.body_pace, pace));
            }
            Order::PaceUpload(pace) => orders.upload_pace = Some(Pace::slower(orders.upload_pace, pace)),
            Order::PaceRequest(pace) => {
                orders.request_pace = Some(Pace::slower(orders.request_pace, pace));
            }
            Order::NoContinue => orders.no_continue = true,
            Order::End(terminal) => orders.terminal = Some((self.number, terminal)),
        }
    }

    /// Whether the fault fires on an exchange that matches. Counts what it asks about, in this order: the turn, the
    /// rate above which it fires, the draw, the fault's own memory, the rate and the number of its firings.
    fn triggers(&self, facts: &Facts<'_>, draw: u64, order: &Order, orders: &Orders) -> bool {
        let plan = &self.plan;
        let matched = self.matched.fetch_add(1, Ordering::SeqCst) + 1;
        let Some(turn) = plan.trigger.turn(matched) else { return false };
        let elapsed = facts.at.saturating_sub(self.since);
        let probability = plan.trigger.probability(plan.probability, elapsed);
        if plan.matcher.nth.is_some_and(|n| !turn.is_multiple_of(n.max(1)))
            || self.above.as_ref().is_some_and(|bucket| bucket.take(facts.at))
            || !draw::fires(draw, probability)
            || (order.is_terminal() && orders.terminal.is_some())
            || self.gate.as_ref().is_some_and(|gate| !gate.opens(facts))
            || self.at_most.as_ref().is_some_and(|bucket| !bucket.take(facts.at))
        {
            return false;
        }
        let count = self.fired.fetch_add(1, Ordering::SeqCst);
        let within = plan.limit.is_none_or(|limit| count < limit);
        if !within {
            self.fired.fetch_sub(1, Ordering::SeqCst);
        }
        within
    }
}

impl FaultPlan {
    /// The draw of this fault for an exchange: a pure function of seed, name and identity.
    pub fn draw(&self, seed: u64, name_hash: u64, facts: &Facts<'_>) -> u64 {
        let by_connection = DrawKey::Connection { link: facts.link, conn: facts.conn };
        let key = match self.per {
            Per::Attempt if facts.attempt.request != RequestId::NONE => {
                DrawKey::Attempt { request: facts.attempt.request, attempt: facts.attempt.number }
            }
            // A connection without a head, or somebody else's request: try 0 of the attempt's own id.
            Per::Attempt if facts.attempt.attempt != AttemptId::NONE => {
                DrawKey::Attempt { request: facts.attempt.attempt, attempt: 0 }
            }
            Per::Attempt => by_connection,
            Per::Request => RequestId::unpack(facts.attempt.request).map_or(by_connection, DrawKey::Request),
            Per::Connection => by_connection,
            Per::Key => DrawKey::Key(hash::bytes(facts.key.as_bytes())),
        };
        draw::draw(seed, name_hash, key)
    }
}
