//! Did each fault fire as its draws say? The draws are recomputed and compared with the recorded firings.

use std::collections::{HashMap, HashSet};

use gatecrash_model::{
    AttemptContext, AttemptId, AttemptRecord, Decision, EndedBy, FiringRecord, Nanos, Op, UpstreamRecord,
    draw, hash,
};

use super::super::cause::is_on_accept;
use super::super::scope::Case;
use crate::faults::{FaultSpec, Host, Order};
use crate::history::{IdMap, IdSet, Interval};
use crate::plan::{FaultPlan, Per};
use crate::rules::{Facts, Point};

/// How near to an edge an exchange may lie for its fate to be uncertain.
const EDGE: Nanos = 5_000_000;
/// How far outside an interval a firing is strange.
const STRANGE: Nanos = 50_000_000;

/// What became of one fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// Index in the plan.
    pub fault: u16,
    /// Recorded firings on other attempts than health probes; `None` for faults that are intervals.
    pub fired: Option<u64>,
    /// Attempts (or connections) it could have fired on, when that can be recomputed.
    pub eligible: Option<u64>,
    /// Why the run does not count as exercised by it: a fragment after the fault's name.
    pub undelivered: Option<String>,
    /// What differed from the plan without spoiling it.
    pub remark: Option<String>,
}

/// One exchange that a fault could have fired on.
struct Candidate {
    attempt: u64,
    must: bool,
    planned: bool,
}

/// Compares plan and history, one entry per fault.
pub fn deliveries(case: &Case<'_>) -> Vec<Delivery> {
    let probes = case.history.attempts.iter().filter(|a| a.has(AttemptRecord::PROBE));
    let probes: IdSet = probes.map(|a| a.attempt).collect();
    let mut firings: HashMap<u16, Vec<&FiringRecord>> = HashMap::new();
    for firing in case.history.firings.iter().filter(|f| !probes.contains(&f.attempt)) {
        firings.entry(firing.fault).or_default().push(firing);
    }
    let disturbed = disturbances(case);
    let of = |index: u16| firings.get(&index).map_or(&[][..], Vec::as_slice);
    let faults = case.plan.faults.iter().enumerate().map(|(i, f)| (i as u16, f));
    faults
        .map(|(index, fault)| match fault.spec.info().host {
            // Somebody else's proxy tells of no firings: it is read back instead.
            host @ Host::Link if case.plan.is_toxiproxied(fault) => by_interval(case, index, host),
            Host::Link | Host::Mock => by_rule(case, index, fault, of(index), &disturbed),
            Host::Resolver => by_query(case, index),
            host => by_interval(case, index, host),
        })
        .collect()
}

fn by_interval(case: &Case<'_>, index: u16, host: Host) -> Delivery {
    let intervals = case.intervals.of_fault(index);
    let undelivered = if intervals.is_empty() {
        Some("was never switched on".to_owned())
    } else if intervals.iter().any(|i| !i.confirmed) {
        let probed = matches!(host, Host::Listener | Host::Resolver);
        Some(if probed { "was not confirmed by our own probe" } else { "was not put in force" }.to_owned())
    } else {
        None
    };
    let remark = case.history.means_of(index).map(|by| format!("by {by}"));
    Delivery { fault: index, fired: None, eligible: None, undelivered, remark }
}

/// A wrong answer that nobody asked for proves nothing.
fn by_query(case: &Case<'_>, index: u16) -> Delivery {
    let delivery = by_interval(case, index, Host::Resolver);
    let asked = case.history.queries_under(index);
    let unheard = (asked == Some(0)).then(|| "was met by no query of the gateway".to_owned());
    Delivery { fired: asked, undelivered: delivery.undelivered.or(unheard), ..delivery }
}

fn by_rule(
    case: &Case<'_>,
    index: u16,
    fault: &FaultPlan,
    firings: &[&FiringRecord],
    disturbed: &IdMap<HashSet<u16>>,
) -> Delivery {
    let intervals = case.intervals.of_fault(index);
    let candidates = is_recomputable(fault).then(|| {
        let alone = |attempt: u64| {
            disturbed.get(&attempt).is_none_or(|others| others.iter().all(|other| *other == index))
        };
        candidates(case, fault, intervals, &alone)
    });
    let eligible = candidates.as_ref().map(|c| c.len() as u64);
    let undelivered = match (intervals.is_empty(), firings.is_empty(), eligible) {
        (_, false, _) => None,
        (true, true, _) => Some("was never switched on".to_owned()),
        (false, true, Some(n)) => Some(format!("never fired ({n} exchanges matched)")),
        (false, true, None) => Some("never fired".to_owned()),
    };
    let remark = candidates.and_then(|c| compare(&c, firings, intervals));
    Delivery { fault: index, fired: Some(firings.len() as u64), eligible, undelivered, remark }
}

/// Order-dependent triggers, headers that were not recorded and closes of idle connections cannot be
/// recomputed.
fn is_recomputable(fault: &FaultPlan) -> bool {
    let info = fault.spec.info();
    let in_mock = info.host == Host::Mock;
    fault.matcher.is_recomputable()
        && fault.limit.is_none()
        && fault.trigger.is_recomputable()
        && fault.side.is_upstream()
        && fault.spec.gate().is_none()
        && !matches!(fault.spec, FaultSpec::ExpireToken(_) | FaultSpec::NeverContinue(_))
        && !info.points.contains(&Point::Kept)
        && !is_on_accept(&fault.spec)
        && !(in_mock && (fault.per == Per::Connection || fault.endpoint.is_some()))
}

fn candidates(
    case: &Case<'_>,
    fault: &FaultPlan,
    intervals: &[Interval],
    alone: &dyn Fn(u64) -> bool,
) -> Vec<Candidate> {
    let hash = hash::bytes(fault.name.as_bytes());
    let links = case.plan.links();
    let skipped = AttemptRecord::PROBE | AttemptRecord::NO_HEAD;
    let attempts = case.history.attempts.iter().filter(|a| a.flags & skipped == 0);
    attempts
        .filter_map(|attempt| {
            let inside = intervals.iter().any(|i| i.overlaps(attempt.start, attempt.ended()));
            let id = attempt.id().filter(|_| inside)?;
            let (region, endpoint) = *links.get(usize::from(id.link))?;
            let aimed =
                fault.region.is_none_or(|r| r == region) && fault.endpoint.is_none_or(|e| e == endpoint);
            let facts = aimed.then(|| facts(case, attempt, id, region, endpoint))?;
            if !names(case, attempt, region).any(|bucket| fault.matcher.matches(&Facts { bucket, ..facts })) {
                return None;
            }
            let draw = fault.draw(case.plan.seed, hash, &facts);
            let point = reached(case, fault, attempt, &facts, draw)?;
            let certain = alone(attempt.attempt) && is_surely_inside(attempt, point, intervals);
            let planned = draw::fires(draw, fault.probability.0);
            Some(Candidate { attempt: attempt.attempt, must: planned && certain, planned })
        })
        .collect()
}

fn facts<'a>(
    case: &Case<'a>,
    attempt: &AttemptRecord,
    id: AttemptId,
    region: u16,
    endpoint: u16,
) -> Facts<'a> {
    Facts {
        http2: case.plan.regions.get(usize::from(region)).is_some_and(|r| r.http2),
        tls: case.plan.regions.get(usize::from(region)).is_some_and(|r| r.tls.is_some()),
        ordinal: id.ordinal,
        attempt: AttemptContext {
            attempt: attempt.attempt,
            request: attempt.request,
            number: attempt.number,
        },
        op: attempt.op,
        method: attempt.op.method(),
        key: case.history.text(attempt.key),
        status: attempt.status,
        ..Facts::connection(region, endpoint, id.link, id.conn)
    }
}

/// The names a request's bucket goes by: the scenario's and the region's own.
fn names<'a>(case: &Case<'a>, attempt: &AttemptRecord, region: u16) -> impl Iterator<Item = &'a str> {
    let plan = case.plan;
    let workload = attempt.request().and_then(|r| plan.workloads.get(usize::from(r.workload)));
    let name = workload.map_or("", |w| w.bucket.as_str());
    let region = plan.regions.get(usize::from(region)).map_or("", |r| r.name.as_str());
    let bucket = plan.buckets.iter().find(|b| b.name == name);
    let local = bucket.and_then(|b| b.regions.iter().find(|(r, _)| r == region)).map(|(_, n)| n.as_str());
    std::iter::once(name).chain(local)
}

/// The point at which the fault wants something of this attempt, if the attempt got that far.
fn reached(
    case: &Case<'_>,
    fault: &FaultPlan,
    attempt: &AttemptRecord,
    facts: &Facts<'_>,
    draw: u64,
) -> Option<Point> {
    let points = fault.spec.info().points;
    let wants = |p: &&Point| fault.spec.order(**p, facts, draw) != Order::Continue;
    let point = points.iter().find(wants)?;
    let got_there = match point {
        Point::ResponseHead => {
            // A fault may have thrown away what the upstream answered.
            let dropped =
                || attempt.ended_by == EndedBy::Fault && case.join.upstream(case.history, attempt).is_some();
            attempt.status != 0
                || attempt.first_byte != u32::MAX
                || attempt.has(AttemptRecord::ILLEGAL)
                || dropped()
        }
        Point::MockAuth | Point::MockHandle | Point::MockRespond => {
            let upstream = case.join.upstream(case.history, attempt)?;
            upstream.decision == Decision::Allowed || upstream.has(UpstreamRecord::FAULTED)
        }
        _ => true,
    };
    got_there.then_some(*point)
}

/// Whether the decision fell inside an interval, away from its edges.
fn is_surely_inside(attempt: &AttemptRecord, point: Point, intervals: &[Interval]) -> bool {
    let latest = match point {
        Point::Accept | Point::RequestHead => attempt.start,
        _ => attempt.ended(),
    };
    intervals.iter().any(|i| attempt.start >= i.from + EDGE && latest + EDGE <= i.until)
}

fn compare(candidates: &[Candidate], firings: &[&FiringRecord], intervals: &[Interval]) -> Option<String> {
    let fired: IdSet = firings.iter().map(|f| f.attempt).collect();
    let missing: Vec<_> =
        candidates.iter().filter(|c| c.must && !fired.contains(&c.attempt)).map(|c| c.attempt).collect();
    let planned = candidates.iter().filter(|c| c.must).count();
    let refused: IdSet = candidates.iter().filter(|c| !c.planned).map(|c| c.attempt).collect();
    let near = |at: Nanos| intervals.iter().any(|i| i.from <= at + STRANGE && at <= i.until + STRANGE);
    let unplanned: Vec<_> =
        firings.iter().filter(|f| refused.contains(&f.attempt) || !near(f.at)).map(|f| f.attempt).collect();
    if missing.is_empty() && unplanned.is_empty() {
        return None;
    }
    let mut text = format!("{} of {planned} planned firings are missing", missing.len());
    if let Some(list) = list(&missing) {
        text += &format!(" (attempts {list})");
    }
    text += &format!(", {} were not planned", unplanned.len());
    if let Some(list) = list(&unplanned) {
        text += &format!(" (attempts {list})");
    }
    Some(text)
}

fn list(attempts: &[u64]) -> Option<String> {
    let ids = attempts.iter().filter_map(|a| AttemptId::unpack(*a)).take(5);
    let texts: Vec<_> = ids.map(|id| id.to_string()).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

/// Attempts on which a fault fired that ends or replaces the exchange, and which ones.
fn disturbances(case: &Case<'_>) -> IdMap<HashSet<u16>> {
    let mut all: IdMap<HashSet<u16>> = IdMap::default();
    let facts = Facts { ordinal: u16::MAX, ..Facts::connection(0, 1, 0, 0) };
    let ends: Vec<bool> = case
        .plan
        .faults
        .iter()
        .map(|f| {
            let ends = |point: &Point, op: &Op| {
                let facts = Facts { op: *op, method: op.method(), ..facts };
                [false, true]
                    .into_iter()
                    .any(|http2| f.spec.order(*point, &Facts { http2, tls: true, ..facts }, 0).is_terminal())
            };
            f.spec.info().points.iter().any(|point| Op::ALL.iter().any(|op| ends(point, op)))
        })
        .collect();
    for firing in &case.history.firings {
        if ends.get(usize::from(firing.fault)).copied().unwrap_or(false) && firing.attempt != AttemptId::NONE
        {
            all.entry(firing.attempt).or_default().insert(firing.fault);
        }
    }
    all
}
