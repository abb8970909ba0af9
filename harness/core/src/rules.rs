//! The rule engine: which fault acts on which exchange. Pure but for counters of its own.
//!
//! A host asks at each point of an exchange; the engine matches, draws by identity and returns [`Orders`].
//! Delays add up, pacing takes the slowest, and the first terminal order wins, in order of the file.

mod matcher;
mod rule;
mod signer;
#[cfg(test)]
mod tests;
mod trigger;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use gatecrash_model::{AttemptContext, Nanos, Op};
pub use matcher::{AgeMatch, ConnectionMatch, Glob, Matcher, SizeMatch};
use rule::Rule;
use signer::access_key;
pub use trigger::{Ramp, RateLimit, Trigger};

use crate::faults::{Pace, Terminal};
use crate::plan::{FaultPlan, Plan, Side};

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
    /// Now, on the run's clock.
    pub at: Nanos,
    /// On which side of the gateway the host stands; a mock is upstream.
    pub side: Side,
    /// Region index.
    pub region: u16,
    /// Endpoint in its region, from 1.
    pub endpoint: u16,
    /// Link index, 255 in the mock.
    pub link: u8,
    /// Connection number on the link.
    pub conn: u32,
    /// Whether the gateway speaks HTTP/2 on the connection.
    pub http2: bool,
    /// Whether the connection is under TLS, or is to be.
    pub tls: bool,
    /// Exchange on the connection, from 0; above 0 means reused. Streams count as exchanges.
    pub ordinal: u16,
    /// How long ago the connection was accepted; the mock leaves it at 0.
    pub age: Nanos,
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
    /// Query as sent, without the `?`.
    pub query: &'a str,
    /// Request headers, names in any case.
    pub headers: &'a [(&'a str, &'a str)],
    /// Part number of a multipart upload, 0 without one.
    pub part: u16,
    /// Declared bytes of the body: the answer's once there is one, else the request's.
    pub size: Option<u64>,
    /// Who signed, by its name in the scenario: known in the mock once it has authenticated, on a link by the
    /// access key.
    pub identity: &'a str,
    /// Response status, 0 before there is one.
    pub status: u16,
}

impl Facts<'_> {
    /// Facts of a connection before any request.
    pub const fn connection(region: u16, endpoint: u16, link: u8, conn: u32) -> Facts<'static> {
        Facts {
            at: 0,
            side: Side::Upstream,
            region,
            endpoint,
            link,
            conn,
            http2: false,
            tls: false,
            ordinal: 0,
            age: 0,
            attempt: AttemptContext::STRANGER,
            op: Op::Unknown,
            method: "",
            bucket: "",
            key: "",
            query: "",
            headers: &[],
            part: 0,
            size: None,
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
    /// Send the request on no faster.
    pub request_pace: Option<Pace>,
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

/// Most rules that a set holds.
pub const MOST_RULES: usize = 1024;

/// Faults ready to decide, and their counters.
///
/// Rules may come and go while exchanges run: once a change has returned, every decision that begins sees the new
/// rules and none that saw the old ones is still being made. An exchange keeps the orders it was given.
#[derive(Debug)]
pub struct RuleSet {
    seed: u64,
    /// How many rules are switched on.
    on: AtomicUsize,
    /// Whether one of them asks who signed.
    asks_who: AtomicBool,
    book: RwLock<Book>,
    /// Identities by their access keys.
    keys: RwLock<HashMap<String, String>>,
}

/// The rules in order, and the number of the next one.
#[derive(Debug, Default)]
struct Book {
    rules: Vec<Rule>,
    next: u16,
}

/// What is known of a rule.
#[derive(Clone, PartialEq, Debug)]
pub struct RuleView {
    /// Names it in the records.
    pub number: u16,
    /// What it does, where and when.
    pub plan: FaultPlan,
    /// Whether it is switched on.
    pub active: bool,
    /// Exchanges that matched and on which it could act.
    pub matched: u64,
    /// How often it fired.
    pub fired: u64,
}

/// Why a rule was not added.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddError {
    /// Its name is taken.
    #[error("a rule of this name exists already")]
    Taken,
    /// The set is full.
    #[error("there are {MOST_RULES} rules already, which is all that fit")]
    Full,
}

impl RuleSet {
    /// All faults of a plan, switched off.
    pub fn new(plan: &Plan) -> Self {
        Self::of(plan.seed, &plan.faults)
    }

    /// These faults, switched off; each is numbered by its place.
    pub fn of(seed: u64, faults: &[FaultPlan]) -> Self {
        let rules = faults.iter().zip(0..).map(|(plan, number)| Rule::new(number, plan.clone())).collect();
        let book = RwLock::new(Book { rules, next: faults.len() as u16 });
        Self {
            seed,
            on: AtomicUsize::new(0),
            asks_who: AtomicBool::new(false),
            book,
            keys: RwLock::default(),
        }
    }

    /// The seed of every draw.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Switches a fault, for good or until it is switched again.
    pub fn switch(&self, fault: u16, on: bool) {
        self.switch_at(fault, on, 0);
    }

    /// Switches a fault at an instant of the run, from which its ramp counts.
    pub fn switch_at(&self, fault: u16, on: bool, at: Nanos) {
        let mut book = self.write();
        if let Some(rule) = book.rules.iter_mut().find(|rule| rule.number == fault) {
            rule.active = on;
            rule.since = at;
            self.count(&book);
        }
    }

    /// Adds a rule after all others, switched on: in force from its `from` after `now` until its `until` after
    /// `now`. Returns its number.
    pub fn add(&self, plan: FaultPlan, now: Nanos) -> Result<u16, AddError> {
        let mut book = self.write();
        if book.rules.iter().any(|rule| rule.plan.name == plan.name) {
            return Err(AddError::Taken);
        }
        let number = book.free_number().ok_or(AddError::Full)?;
        book.rules.push(Rule::live(number, plan, now));
        self.count(&book);
        Ok(number)
    }

    /// Puts a rule in the place of the one of its name, with counters of its own. Returns their number; `None`:
    /// there is none of that name.
    pub fn replace(&self, plan: FaultPlan, now: Nanos) -> Option<u16> {
        let mut book = self.write();
        let old = book.rules.iter_mut().find(|rule| rule.plan.name == plan.name)?;
        let number = old.number;
        *old = Rule::live(number, plan, now);
        self.count(&book);
        Some(number)
    }

    /// Removes the rule of a name and returns it.
    pub fn remove(&self, name: &str) -> Option<FaultPlan> {
        let mut book = self.write();
        let at = book.rules.iter().position(|rule| rule.plan.name == name)?;
        let rule = book.rules.remove(at);
        self.count(&book);
        Some(rule.plan)
    }

    /// Removes every rule.
    pub fn clear(&self) {
        let mut book = self.write();
        book.rules.clear();
        self.count(&book);
    }

    /// All rules in order, with their counters.
    pub fn list(&self) -> Vec<RuleView> {
        let view = |rule: &Rule| RuleView {
            number: rule.number,
            plan: rule.plan.clone(),
            active: rule.active,
            matched: rule.matched.load(Ordering::SeqCst),
            fired: rule.fired.load(Ordering::SeqCst),
        };
        self.read().rules.iter().map(view).collect()
    }

    /// Whether any fault is on: a host may skip building facts otherwise.
    pub fn any_active(&self) -> bool {
        self.on.load(Ordering::SeqCst) > 0
    }

    /// How often a fault fired so far.
    pub fn fired(&self, fault: u16) -> u64 {
        let book = self.read();
        let rule = book.rules.iter().find(|rule| rule.number == fault);
        rule.map_or(0, |rule| rule.fired.load(Ordering::SeqCst))
    }

    /// What must be done at this point of this exchange.
    pub fn decide(&self, point: Point, facts: &Facts<'_>) -> Orders {
        let mut orders = Orders::default();
        if self.any_active() {
            for rule in &self.read().rules {
                rule.decide(self.seed, point, facts, &mut orders);
            }
        }
        orders
    }

    /// Tells whose an access key is, so that links can match on identities.
    pub fn know_key(&self, access_key: &str, identity: &str) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.insert(access_key.to_owned(), identity.to_owned());
    }

    /// Who a request says has signed it, as far as a link can see: the identity of its access key, or the key itself
    /// where nobody told whose it is. Empty without a signature, and while no rule asks.
    pub fn signer(&self, headers: &[(&str, &str)], query: &str) -> String {
        if !self.asks_who.load(Ordering::SeqCst) {
            return String::new();
        }
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = access_key(headers, query).unwrap_or_default();
        keys.get(&key).cloned().unwrap_or(key)
    }

    fn read(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Book> {
        self.book.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts again what is on; the caller holds the lock.
    fn count(&self, book: &Book) {
        let on = || book.rules.iter().filter(|rule| rule.active);
        self.asks_who.store(on().any(|rule| rule.plan.matcher.identity.is_some()), Ordering::SeqCst);
        self.on.store(on().count(), Ordering::SeqCst);
    }
}

impl Book {
    /// The next number that no rule has.
    fn free_number(&mut self) -> Option<u16> {
        if self.rules.len() >= MOST_RULES {
            return None;
        }
        // Records hold one more than the number.
        while self.next == u16::MAX || self.rules.iter().any(|rule| rule.number == self.next) {
            self.next = self.next.wrapping_add(1);
        }
        let number = self.next;
        self.next += 1;
        Some(number)
    }
}

/// Bytes of a request's body as its head declares them: those of the object where an AWS chunked upload names them.
pub fn declared_size(headers: &[(&str, &str)]) -> Option<u64> {
    let of =
        |wanted: &str| headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, v)| *v);
    match (of("x-amz-decoded-content-length").or(of("content-length")), of("transfer-encoding")) {
        (Some(length), _) => length.trim().parse().ok(),
        (None, Some(_)) => None,
        (None, None) => Some(0),
    }
}

/// The part number in a query, 0 without one.
pub fn part_number(query: &str) -> u16 {
    let named = query.split('&').find_map(|pair| pair.strip_prefix("partNumber="));
    named.and_then(|number| number.parse().ok()).unwrap_or(0)
}
