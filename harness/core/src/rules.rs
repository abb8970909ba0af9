//! The rule engine: which fault acts on which exchange. Pure but for counters of its own.
//!
//! A host asks at each point of an exchange; the engine matches, draws by identity and returns [`Orders`].
//! Delays add up, pacing takes the slowest, and the first terminal order wins, in order of the file.

mod matcher;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use gatecrash_model::draw::{self, DrawKey};
use gatecrash_model::{AttemptContext, AttemptId, Nanos, Op, RequestId, hash};
pub use matcher::{ConnectionMatch, Glob, Matcher};

use crate::faults::{Gate, Order, Pace, Terminal};
use crate::plan::{FaultPlan, Per, Plan};

/// Where in an exchange a host asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Point {
    /// A link accepted a connection; nothing was read yet.
    Accept,
    /// A link read a request head.
    RequestHead,
    /// A link read the upstream's response head; orders may concern head and body.
    ResponseHead,
    /// A link finished an exchange on a connection that could be kept.
    Kept,
    /// The mock is about to authenticate.
    MockAuth,
    /// The mock is about to carry out an authorised request.
    MockHandle,
    /// The mock has carried out a request and is about to answer.
    MockRespond,
}

/// What is known of an exchange at a point. Unknown parts are empty.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Now, on the run's clock; links leave it at 0.
    pub at: Nanos,
    /// Region index.
    pub region: u16,
    /// Endpoint in its region, from 1.
    pub endpoint: u16,
    /// Link index, 255 in the mock.
    pub link: u8,
    /// Connection number on the link.
    pub conn: u32,
    /// Exchange on the connection, from 0; above 0 means reused.
    pub ordinal: u16,
    /// Attempt, request and try number.
    pub attempt: AttemptContext,
    /// Operation.
    pub op: Op,
    /// HTTP method.
    pub method: &'a str,
    /// Bucket as named in the request (links) or in the scenario (mock).
    pub bucket: &'a str,
    /// Key, decoded.
    pub key: &'a str,
    /// Request headers, names in any case.
    pub headers: &'a [(&'a str, &'a str)],
    /// Part number of a multipart upload, 0 without one.
    pub part: u16,
    /// Who signed, by its name in the scenario; known in the mock once it has authenticated.
    pub identity: &'a str,
    /// Response status, 0 before there is one.
    pub status: u16,
}

impl Facts<'_> {
    /// Facts of a connection before any request.
    pub const fn connection(region: u16, endpoint: u16, link: u8, conn: u32) -> Facts<'static> {
        Facts {
            at: 0,
            region,
            endpoint,
            link,
            conn,
            ordinal: 0,
            attempt: AttemptContext::STRANGER,
            op: Op::Unknown,
            method: "",
            bucket: "",
            key: "",
            headers: &[],
            part: 0,
            identity: "",
            status: 0,
        }
    }
}

/// What the host must do, all rules taken together.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Orders {
    /// Hold this long before going on.
    pub delay: Nanos,
    /// Trickle the response head.
    pub head_pace: Option<Pace>,
    /// Trickle the response body.
    pub body_pace: Option<Pace>,
    /// Read the request body no faster.
    pub upload_pace: Option<Pace>,
    /// Keep interim 100s from the gateway.
    pub no_continue: bool,
    /// The one thing that ends or replaces the exchange, with the fault that ordered it.
    pub terminal: Option<(u16, Terminal)>,
    /// Every rule that fired, with its draw: the host records them.
    pub fired: Vec<Fired>,
}

/// One rule that fired.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fired {
    /// Fault index.
    pub fault: u16,
    /// Its draw.
    pub draw: u64,
}

/// The faults of a plan, ready to decide, and their counters.
#[derive(Debug)]
pub struct RuleSet {
    seed: u64,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    plan: FaultPlan,
    hash: u64,
    /// For faults that count.
    gate: Option<Box<dyn Gate>>,
    active: AtomicBool,
    matched: AtomicU64,
    fired: AtomicU64,
}

impl RuleSet {
    /// All faults of a plan, switched off.
    pub fn new(plan: &Plan) -> Self {
        Self::of(plan.seed, &plan.faults)
    }

    /// These faults, switched off.
    pub fn of(seed: u64, faults: &[FaultPlan]) -> Self {
        let rule = |plan: &FaultPlan| Rule {
            hash: hash::bytes(plan.name.as_bytes()),
            gate: plan.spec.gate(),
            plan: plan.clone(),
            active: AtomicBool::new(false),
            matched: AtomicU64::new(0),
            fired: AtomicU64::new(0),
        };
        Self { seed, rules: faults.iter().map(rule).collect() }
    }

    /// The seed of every draw.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Switches a fault. Exchanges that ask after this returns see it.
    pub fn switch(&self, fault: u16, on: bool) {
        if let Some(rule) = self.rules.get(usize::from(fault)) {
            rule.active.store(on, Ordering::SeqCst);
        }
    }

    /// Whether any fault is on: a host may skip building facts otherwise.
    pub fn any_active(&self) -> bool {
        self.rules.iter().any(|r| r.active.load(Ordering::SeqCst))
    }

    /// How often a fault fired so far.
    pub fn fired(&self, fault: u16) -> u64 {
        self.rules.get(usize::from(fault)).map_or(0, |r| r.fired.load(Ordering::SeqCst))
    }

    /// What must be done at this point of this exchange.
    pub fn decide(&self, point: Point, facts: &Facts<'_>) -> Orders {
        let mut orders = Orders::default();
        for (index, rule) in self.rules.iter().enumerate() {
            if rule.active.load(Ordering::SeqCst) {
                rule.decide(self.seed, index as u16, point, facts, &mut orders);
            }
        }
        orders
    }
}

impl Rule {
    fn decide(&self, seed: u64, index: u16, point: Point, facts: &Facts<'_>, orders: &mut Orders) {
        let plan = &self.plan;
        if plan.region.is_some_and(|r| r != facts.region)
            || plan.endpoint.is_some_and(|e| e != facts.endpoint && facts.endpoint != 0)
        {
            return;
        }
        if !plan.spec.acts_at(point) || !plan.matcher.matches(facts) {
            return;
        }
        let draw = plan.draw(seed, self.hash, facts);
        let order = plan.spec.order(point, facts, draw);
        if order == Order::Continue {
            return;
        }
        let matched = self.matched.fetch_add(1, Ordering::SeqCst) + 1;
        if plan.matcher.nth.is_some_and(|n| !matched.is_multiple_of(n.max(1)))
            || !draw::fires(draw, plan.probability.0)
            || (order.is_terminal() && orders.terminal.is_some())
            || self.gate.as_ref().is_some_and(|gate| !gate.opens(facts))
        {
            return;
        }
        let count = self.fired.fetch_add(1, Ordering::SeqCst);
        if plan.limit.is_some_and(|limit| count >= limit) {
            self.fired.fetch_sub(1, Ordering::SeqCst);
            return;
        }
        orders.fired.push(Fired { fault: index, draw });
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
            Order::NoContinue => orders.no_continue = true,
            Order::End(terminal) => orders.terminal = Some((index, terminal)),
        }
    }
}

/// The part number in a query, 0 without one.
pub fn part_number(query: &str) -> u16 {
    let named = query.split('&').find_map(|pair| pair.strip_prefix("partNumber="));
    named.and_then(|number| number.parse().ok()).unwrap_or(0)
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
