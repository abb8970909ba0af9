//! `throttle`: SlowDown above a rate per prefix

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use gatecrash_model::{Nanos, hash};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Gate, Host, Order, S3Order, S3Reply, Terminal, Wait};
use crate::rules::{Facts, Point};
use crate::units::{Rate, Span};

/// Prefixes remembered; beyond, those that have their full allowance again are forgotten.
const REMEMBERED: usize = 1 << 16;

/// Each prefix has a bucket of tokens for reads and one for writes, filled at these rates; a request that finds
/// it empty gets 503 SlowDown.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Throttle {
    /// GET, HEAD and listings, for each prefix. Default: 5500/s.
    #[serde(default = "reads")]
    pub reads: Rate,
    /// PUT, COPY, POST and DELETE, for each prefix. Default: 3500/s.
    #[serde(default = "writes_rate")]
    pub writes: Rate,
    /// How many parts of a key, up to `/`, make its prefix; 0 is the whole bucket. Default: 1.
    #[serde(default = "depth")]
    pub prefix_depth: u8,
    /// How much of unused allowance is kept for later. Default: 1s.
    #[serde(default = "burst")]
    pub burst: Span,
    /// Sent as `Retry-After`, in whole seconds. Default: not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Span>,
    /// Sent as `x-amz-retry-after`, in milliseconds. Default: not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amz_retry_after: Option<Span>,
}

fn reads() -> Rate {
    Rate(5500.0)
}

fn writes_rate() -> Rate {
    Rate(3500.0)
}

fn depth() -> u8 {
    1
}

fn burst() -> Span {
    Span::seconds(1)
}

impl Fault for Throttle {
    const INFO: FaultInfo = FaultInfo {
        name: "throttle",
        summary: "SlowDown above a rate per prefix",
        doc: "Each prefix has a bucket of tokens for reads and one for writes, filled at these rates by the \
              run's clock; a request that finds it empty gets 503 SlowDown. The defaults are what S3 gives \
              a partitioned prefix (AWS: best practices design patterns, optimizing S3 performance).",
        example: "throttle: { reads: 50/s, writes: 20/s, prefix-depth: 1, burst: 100ms }",
        host: Host::Mock,
        points: &[Point::MockHandle],
    };

    fn order(&self, _: Point, _: &Facts<'_>, _: u64) -> Order {
        Order::End(Terminal::S3(S3Order::Error(S3Reply {
            wait: Wait { retry_after: self.retry_after, amz_retry_after: self.amz_retry_after },
            ..S3Reply::of("SlowDown")
        })))
    }

    fn problem(&self) -> Option<&'static str> {
        (self.reads.0 <= 0.0 || self.writes.0 <= 0.0).then_some("`reads` and `writes` above 0/s")
    }

    fn gate(&self) -> Option<Box<dyn Gate>> {
        Some(Box::new(Tokens {
            intervals: [interval(self.reads), interval(self.writes)],
            depth: usize::from(self.prefix_depth),
            burst: self.burst.0,
            due: Mutex::default(),
        }))
    }
}

/// Nanoseconds in which one token comes.
fn interval(rate: Rate) -> Nanos {
    (1e9 / rate.0.max(1e-9)).round() as Nanos
}

/// Token buckets in the form of GCRA (ITU-T I.371): when each bucket would be full.
#[derive(Debug)]
struct Tokens {
    /// Of reads and of writes.
    intervals: [Nanos; 2],
    depth: usize,
    burst: Nanos,
    due: Mutex<HashMap<u64, Nanos>>,
}

impl Gate for Tokens {
    /// Whether there is no token left.
    fn opens(&self, facts: &Facts<'_>) -> bool {
        let kind = usize::from(facts.op.is_write());
        let interval = self.intervals[kind];
        let whose = hash::combine(&[
            hash::bytes(facts.bucket.as_bytes()),
            hash::bytes(prefix(facts.key, self.depth).as_bytes()),
            kind as u64,
            u64::from(facts.region),
        ]);
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        if due.len() >= REMEMBERED {
            due.retain(|_, full| *full > facts.at);
        }
        let full = due.entry(whose).or_insert(0);
        let next = (*full).max(facts.at).saturating_add(interval);
        // A burst smaller than one token still lets one through at a time.
        if next.saturating_sub(facts.at) > self.burst.max(interval) {
            return true;
        }
        *full = next;
        false
    }
}

/// The first `depth` parts of a key, each with its `/`; a key without so many parts is a prefix by its folder.
fn prefix(key: &str, depth: usize) -> &str {
    let mut slashes = key.match_indices('/').map(|(at, _)| at + 1).take(depth);
    let mut end = 0;
    for at in slashes.by_ref() {
        end = at;
    }
    &key[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatecrash_model::Op;

    #[test]
    fn prefixes() {
        let table = [("a/b/c", 0, ""), ("a/b/c", 1, "a/"), ("a/b/c", 2, "a/b/"), ("a/b/c", 9, "a/b/"), ("a", 1, "")];
        for (key, depth, expected) in table {
            assert_eq!(prefix(key, depth), expected, "{key} {depth}");
        }
    }

    #[test]
    fn tokens_come_exactly_at_the_rate() {
        let throttle = Throttle {
            reads: Rate(100.0),
            writes: Rate(10.0),
            prefix_depth: 1,
            burst: Span::millis(50),
            retry_after: None,
            amz_retry_after: None,
        };
        let gate = throttle.gate().unwrap();
        let at = |at, op, key| Facts { at, op, key, ..Facts::connection(0, 1, 0, 0) };
        // 1000 requests a second for 10 s of virtual time: the burst, then one every 10 ms.
        let let_through = |key: &'static str, op| {
            (0..10_000u64).filter(|ms| !gate.opens(&at(ms * 1_000_000, op, key))).count()
        };
        assert_eq!(let_through("a/1", Op::GetObject), 5 + 999);
        assert_eq!(let_through("b/1", Op::GetObject), 5 + 999, "another prefix has its own");
        assert_eq!(let_through("b/2", Op::PutObject), 100, "writes have their own, one at a time");
    }
}
