//! How the plan's rules reach the mock: asked at every point of an exchange, recorded when they fire.

use std::sync::Arc;
use std::time::Duration;

use gatecrash_core::faults::{self, S3Order, S3Reply, Terminal, Wait, With};
use gatecrash_core::plan::{Plan, Side};
use gatecrash_core::rules::{self, RuleSet};
use gatecrash_mock_s3::{
    Action, Alteration, Facts, FaultHook, Point, RangeLie, Trickle, WrongRegionKind, known_code,
};
use gatecrash_model::{AttemptId, Clock, FiringRecord, Sink};
use http::header::{HeaderName, HeaderValue, RETRY_AFTER};

/// The mock's link index in firings.
const MOCK: u8 = 255;

/// Asks the rule set on the mock's behalf and records what fired.
pub(super) struct RuleHook {
    rules: Arc<RuleSet>,
    sink: Arc<dyn Sink>,
    clock: Arc<dyn Clock>,
    endpoints: Vec<u16>,
    regions: Vec<String>,
}

impl RuleHook {
    /// A hook for a plan's rules.
    pub(super) fn new(plan: &Plan, rules: Arc<RuleSet>, sink: Arc<dyn Sink>, clock: Arc<dyn Clock>) -> Self {
        let endpoints = plan.links().iter().map(|(_, endpoint)| *endpoint).collect();
        let regions = plan.regions.iter().map(|region| region.name.clone()).collect();
        Self { rules, sink, clock, endpoints, regions }
    }

    /// What the mock is to do.
    fn action(&self, order: S3Order, region: usize) -> Action {
        match order {
            S3Order::Error(reply) => error(reply),
            S3Order::Unread(reply) => Action::Unread(Box::new(error(reply))),
            S3Order::Status { status, empty, wait } => {
                asking(wait, if empty { Action::Empty(status) } else { Action::Status(status) })
            }
            S3Order::Drop(with) => Action::Close { reset: with == With::Rst },
            S3Order::Forget => Action::Forget,
            S3Order::Trickle { every, lasts, error } => Action::Trickle(Trickle {
                every: Duration::from_nanos(every),
                lasts: Duration::from_nanos(lasts),
                error: error.map(|reply| reply.code),
            }),
            S3Order::Alter(alteration) => Action::Alter(altered(alteration)),
            S3Order::Stale(age) => Action::Stale(Duration::from_nanos(age)),
            S3Order::Redirect { status, to } => Action::Redirect {
                kind: match status {
                    307 => WrongRegionKind::Temporary,
                    _ => WrongRegionKind::Redirect,
                },
                to: to.unwrap_or_else(|| elsewhere(&self.regions, Some(region)).to_owned()),
            },
        }
    }
}

/// A region other than this one: of the scenario, or one it does not have.
pub(super) fn elsewhere(regions: &[String], than: Option<usize>) -> &str {
    let other = regions.iter().enumerate().find(|(index, _)| Some(*index) != than && regions.len() > 1);
    other.map_or("eu-central-1", |(_, name)| name.as_str())
}

fn error(reply: S3Reply) -> Action {
    let S3Reply { code, status, message, wait } = reply;
    let (usual, words) = known_code(&code).unwrap_or((400, "Injected by the scenario."));
    let error = Action::Error {
        status: status.unwrap_or(usual),
        message: message.map_or(words.into(), Into::into),
        code: code.into(),
    };
    asking(wait, error)
}

/// The action, asking its client to wait.
fn asking(wait: Wait, action: Action) -> Action {
    let seconds =
        wait.retry_after.map(|span| (RETRY_AFTER, HeaderValue::from(span.0.div_ceil(1_000_000_000))));
    let millis = wait.amz_retry_after.map(|span| {
        (HeaderName::from_static("x-amz-retry-after"), HeaderValue::from(span.0.div_ceil(1_000_000)))
    });
    let headers: Vec<_> = seconds.into_iter().chain(millis).collect();
    if headers.is_empty() { action } else { Action::Headers(headers, Box::new(action)) }
}

fn altered(alteration: faults::Alteration) -> Alteration {
    match alteration {
        faults::Alteration::ETag => Alteration::ETag,
        faults::Alteration::Checksum => Alteration::Checksum,
        faults::Alteration::Object => Alteration::Object,
        faults::Alteration::Length(bytes) => Alteration::Length(bytes),
        faults::Alteration::Range(faults::RangeLie::Shifted) => Alteration::Range(RangeLie::Shifted),
        faults::Alteration::Range(faults::RangeLie::Total) => Alteration::Range(RangeLie::Total),
        faults::Alteration::Range(faults::RangeLie::Missing) => Alteration::Range(RangeLie::Missing),
        faults::Alteration::Range(faults::RangeLie::Ignored) => Alteration::Range(RangeLie::Ignored),
    }
}

impl FaultHook for RuleHook {
    fn decide(&self, point: Point, facts: &Facts<'_>) -> Action {
        let point = match point {
            Point::Auth => rules::Point::MockAuth,
            Point::Handle => rules::Point::MockHandle,
            Point::Respond => rules::Point::MockRespond,
        };
        if !self.rules.any_active() {
            return Action::Continue;
        }
        let headers: Vec<_> =
            facts.headers.iter().filter_map(|(n, v)| Some((n.as_str(), v.to_str().ok()?))).collect();
        let id = AttemptId::unpack(facts.attempt.attempt);
        let orders = self.rules.decide(
            point,
            &rules::Facts {
                at: facts.at,
                side: Side::Upstream,
                age: 0,
                region: facts.region as u16,
                endpoint: id.and_then(|id| self.endpoints.get(usize::from(id.link))).copied().unwrap_or(0),
                link: id.map_or(MOCK, |id| id.link),
                conn: id.map_or(0, |id| id.conn),
                http2: false,
                tls: false,
                ordinal: id.map_or(0, |id| id.ordinal),
                attempt: facts.attempt,
                op: facts.op,
                method: facts.method.as_str(),
                bucket: facts.bucket,
                key: facts.key,
                query: facts.query,
                headers: &headers,
                size: rules::declared_size(&headers),
                part: rules::part_number(facts.query),
                identity: facts.identity.map_or("", |(_, name)| name),
                status: 0,
            },
        );
        for fired in &orders.fired {
            self.sink.firing(FiringRecord {
                at: self.clock.now(),
                attempt: facts.attempt.attempt,
                request: facts.attempt.request,
                draw: fired.draw,
                conn: id.map_or(0, |id| id.conn),
                fault: fired.fault,
                link: MOCK,
                number: facts.attempt.number,
            });
        }
        let action = match orders.terminal {
            Some((_, Terminal::S3(order))) => self.action(order, facts.region),
            _ => Action::Continue,
        };
        match Duration::from_nanos(orders.delay) {
            Duration::ZERO => action,
            delay if action == Action::Continue => Action::Delay(delay),
            delay => Action::After(delay, Box::new(action)),
        }
    }
}
