//! Whether there is another attempt, and when: by method, by what went wrong, within the budget, with jitter.

mod budget;
mod course;
mod sdk;
mod wait;

use std::time::Duration;

use http::{Method, StatusCode};

pub(crate) use self::budget::Budget;
pub(crate) use self::course::Course;
pub(crate) use self::sdk::{is_success, pause_as_asked};
pub(crate) use self::wait::{Waits, strip};
use crate::config::{Backoff, RetryBy};
use crate::defects::Active;
use crate::downstream::ClientRequest;
use crate::draw;
use crate::upstream::{Answer, Failed};

/// Whether `outcome` may be followed by another attempt, tries and budget aside.
///
/// Idempotent requests are repeated after a transport failure or a 5xx that says "not now"; any request after
/// a failure to connect; a 4xx is final; a body that was streamed is gone. An SDK has rules of its own.
pub(crate) fn may_repeat(
    outcome: &Result<Answer, Failed>,
    request: &ClientRequest,
    by: RetryBy,
    active: Active,
) -> bool {
    let repeatable = is_idempotent(&request.method) || active.replays(&request.method);
    request.body.replayable()
        && match outcome {
            outcome if by.is_sdk() => sdk::class(outcome).is_some(),
            Ok(answer) => repeatable && (is_passing(answer.status) || active.retries_status(answer.status)),
            Err(failed) if failed.stale && active.shows_dead_connections() => false,
            Err(failed) => failed.failure.is_upstreams() && (repeatable || !failed.wrote),
        }
}

/// Pause before the `retry`-th retry, counted from 1: full jitter, drawn from the request's id.
pub(crate) fn pause(backoff: &Backoff, retry: u32, id: &str, throttled: bool) -> Duration {
    let base = if throttled && backoff.throttling > 0 { backoff.throttling } else { backoff.base };
    let doubled = base.saturating_mul(1_u64.checked_shl(retry - 1).unwrap_or(u64::MAX));
    let bound = Duration::from_millis(doubled.min(backoff.cap));
    bound.mul_f64(draw::unit(id, &format!("pause-{retry}")))
}

/// Whether the upstream asked for less.
pub(crate) fn is_throttled(outcome: &Result<Answer, Failed>, by: RetryBy) -> bool {
    if by.is_sdk() {
        return sdk::class(outcome) == Some(sdk::Class::Throttling);
    }
    outcome.as_ref().is_ok_and(|answer| answer.body.held().iter().any(|bytes| says_slow_down(bytes)))
}

pub(crate) fn says_slow_down(body: &[u8]) -> bool {
    const CODE: &[u8] = b"<Code>SlowDown</Code>";
    body.windows(CODE.len()).any(|window| window == CODE)
}

fn is_idempotent(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::PUT | Method::DELETE)
}

/// Statuses that may be gone a moment later.
fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502 | 503 | 504)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap_and_are_spread() {
        let backoff = Backoff { base: 25, cap: 250, throttling: 0 };
        for (retry, bound) in [(1, 25), (2, 50), (3, 100), (4, 200), (5, 250), (6, 250), (80, 250)] {
            let pauses: Vec<_> = (0..500).map(|k| pause(&backoff, retry, &format!("r-{k}"), false)).collect();
            let bound = Duration::from_millis(bound);
            assert!(pauses.iter().all(|&pause| pause < bound), "retry {retry}");
            assert!(pauses.iter().any(|&pause| pause > bound.mul_f64(0.9)), "retry {retry}");
            assert!(pauses.iter().any(|&pause| pause < bound.mul_f64(0.1)), "retry {retry}");
        }
    }
}
