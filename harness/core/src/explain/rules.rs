//! The rules of the 502 explainer, most specific first. One rule is one function and one line in the table.

use gatecrash_model::{AttemptRecord, BodyCheck, ClientRecord, Decision, Ending};

use super::Evidence;
use crate::faults::{FaultSpec, Host};
use crate::judge::{Cause, cause_of};
use crate::plan::GatewayPlan;

type Rule = fn(&Evidence<'_>) -> Option<String>;

/// Asked in order; the first that knows answers.
pub(super) const RULES: &[Rule] = &[
    gateway_does_not_listen,
    task_died,
    nothing_arrived,
    refused_connection,
    wrong_address,
    out_of_resources,
    ejected_peer,
    mixed_up,
    of_two_versions,
    cut_body_made_whole,
    acknowledged_early,
    retried,
    repeated_without_leave,
    policy_denied,
    s3_code,
    dead_pooled_connection,
    malformed,
    no_time_limit,
    too_slow,
    connection_ended,
    body_broke,
];

fn gateway_does_not_listen(e: &Evidence<'_>) -> Option<String> {
    let refused = matches!(e.client.ending, Ending::Refused | Ending::ConnectFailed);
    refused.then(|| {
        "the gateway did not accept the connection (dead, backlog full, or out of descriptors)".into()
    })
}

fn task_died(e: &Evidence<'_>) -> Option<String> {
    let dropped = match e.client.ending {
        Ending::DroppedFirst | Ending::DroppedReused => true,
        Ending::StreamReset => e.client.status == 0,
        _ => false,
    };
    let reading = e.last().is_some_and(|a| a.has(AttemptRecord::ILLEGAL));
    (dropped && reading).then(|| {
        "the gateway closed the client while reading a malformed response (look for a panic in its log)"
            .into()
    })
}

/// In the whole run no attempt reached an upstream, also when no fault could keep it from one.
fn nothing_arrived(e: &Evidence<'_>) -> Option<String> {
    let quiet = e.history.attempts.is_empty() && e.history.connections.is_empty();
    let undisturbed = |c: &ClientRecord| !c.was_dropped() && !e.intervals.any_active(c.sent(), c.ended());
    let silent = e.client.status >= 500 && quiet && e.history.clients.iter().any(undisturbed);
    let look = match e.plan.gateway {
        GatewayPlan::Url { .. } => {
            "at the addresses that `gatecrash serve upstreams` shows, and its --upstream-port"
        }
        GatewayPlan::Command { .. } => "at the endpoints that its configuration was given",
        _ => "at our endpoints",
    };
    silent.then(|| format!("nothing reached an upstream in the whole run: does the gateway point {look}?"))
}

fn refused_connection(e: &Evidence<'_>) -> Option<String> {
    let on =
        e.faults_on().find(|f| f.spec.info().host == Host::Listener).filter(|_| e.client.status >= 500)?;
    let what = match on.spec {
        FaultSpec::ConnectBlackhole(_) => "connecting to the upstream timed out",
        _ => "the upstream refused connections",
    };
    Some(format!("{what} (fault {}); look at the connect timeout and at failover to another peer", on.name))
}

fn wrong_address(e: &Evidence<'_>) -> Option<String> {
    let on =
        e.faults_on().find_map(|f| if let FaultSpec::Dns(dns) = &f.spec { Some((f, dns)) } else { None });
    let (fault, dns) = on.filter(|_| e.client.status >= 500)?;
    let what = match dns.points_nowhere() {
        true => "the upstream's name led to addresses where nobody serves",
        false => "the upstream's name could not be resolved",
    };
    Some(format!(
        "{what} (fault {}); look at how long answers are kept and what is done without one",
        fault.name
    ))
}

fn out_of_resources(e: &Evidence<'_>) -> Option<String> {
    let on = e.faults_on().find(|f| f.spec.info().host == Host::Process)?;
    let lost = !e.client.is_success() && e.attempts.is_empty();
    lost.then(|| {
        format!(
            "the gateway was short of a resource, stopped or misconfigured (fault {}), no upstream was asked",
            on.name
        )
    })
}

fn ejected_peer(e: &Evidence<'_>) -> Option<String> {
    if !e.attempts.is_empty() || e.client.status < 500 {
        return None;
    }
    let because = e
        .faults_on()
        .next()
        .or_else(|| e.fault_before())
        .map_or(String::new(), |f| format!(" after {}", f.name));
    Some(format!("no upstream was asked: peers are still ejected{because} (fail timeout, health checks)"))
}

fn cut_body_made_whole(e: &Evidence<'_>) -> Option<String> {
    let cut = cause_of(e.plan, e.last()?) == Cause::BodyBroken;
    let whole = e.client.ending == Ending::Complete && matches!(e.client.status, 200..=299);
    (cut && whole && e.client.shape.body() != BodyCheck::Exact).then(|| {
        "the gateway ended a broken upstream body as if it were whole (it must cut the client off, too)"
            .into()
    })
}

fn mixed_up(e: &Evidence<'_>) -> Option<String> {
    (e.client.shape.body() == BodyCheck::Other).then(|| {
        "the client got another request's response (a connection lost count, or two answers were swapped)"
            .into()
    })
}

fn of_two_versions(e: &Evidence<'_>) -> Option<String> {
    (e.client.shape.body() == BodyCheck::Mixed).then(|| {
        "the gateway put a body together from two versions of the object (it resumed, or joined slices, without \
         If-Range)"
            .into()
    })
}

fn acknowledged_early(e: &Evidence<'_>) -> Option<String> {
    let answered = e.client.answered().filter(|_| matches!(e.client.status, 200..=299))?;
    let first = e.attempts.first().filter(|_| e.client.op.is_write())?;
    let upstream_answered = first.start + u64::from(first.first_byte.min(first.done)) * 1_000;
    (answered < upstream_answered).then(|| "the gateway acknowledged a write before its upstream did".into())
}

fn repeated_without_leave(e: &Evidence<'_>) -> Option<String> {
    let last = e.last().filter(|_| e.attempts.len() > 1)?;
    let count = e.attempts.len();
    if !last.op.is_idempotent() {
        return Some(format!("the gateway sent {} {count} times although it is not idempotent", last.op));
    }
    let refused = e.attempts[..count - 1].iter().find(|a| matches!(a.status, 400..=499))?;
    Some(format!("the gateway tried again after {}, which no repeat can change", refused.status))
}

fn retried(e: &Evidence<'_>) -> Option<String> {
    let answered = e.client.answered()?;
    let late = e.attempts.iter().skip(1).any(|a| a.start > answered);
    late.then(|| "the gateway tried again after the client had its first byte".into())
}

fn policy_denied(e: &Evidence<'_>) -> Option<String> {
    let upstream = e.upstream?;
    let setting = e.faults_on().find(|f| f.spec.info().host == Host::MockSetting);
    let because = setting.map_or(String::new(), |f| format!(" (fault {})", f.name));
    match upstream.decision {
        Decision::ExplicitDeny => {
            Some(format!("a policy statement denies the request{because}; no retry will help"))
        }
        Decision::ImplicitDeny => {
            Some(format!("no policy statement allows the request{because}; no retry will help"))
        }
        _ => None,
    }
}

fn s3_code(e: &Evidence<'_>) -> Option<String> {
    let code = e.history.text(e.upstream?.code);
    let text = match code {
        "SlowDown" | "ServiceUnavailable" | "Busy" => {
            "the upstream throttles; retry with back-off and a budget"
        }
        "InternalError" => "the upstream failed; idempotent requests may be retried",
        "SignatureDoesNotMatch" => {
            "the signature does not match: signed headers (Host first) or the path were changed"
        }
        "InvalidAccessKeyId" => "the access key is not known upstream: rotated or deleted",
        "ExpiredToken" => "the session token has expired",
        "RequestTimeTooSkewed" => "clocks differ by more than 15 minutes",
        "AuthorizationHeaderMalformed" | "PermanentRedirect" | "TemporaryRedirect" => {
            "the bucket lives in another region than the one that was asked"
        }
        "NoSuchBucket" => {
            "the upstream does not know the bucket: wrong name or region in the gateway's mapping"
        }
        _ => return None,
    };
    Some(format!("{code}: {text}"))
}

fn dead_pooled_connection(e: &Evidence<'_>) -> Option<String> {
    let last = e.last()?;
    let died = last.has(AttemptRecord::REUSED) && last.first_byte == u32::MAX;
    let ended =
        matches!(last.ending, Ending::CutFin | Ending::CutRst | Ending::DroppedFirst | Ending::DroppedReused);
    (died && ended).then(|| {
        "a pooled upstream connection died under the request (keep-alive below the upstream's; retry \
         idempotent requests once)"
            .into()
    })
}

fn malformed(e: &Evidence<'_>) -> Option<String> {
    let last = e.last().filter(|a| a.has(AttemptRecord::ILLEGAL))?;
    let fault = last.fault.checked_sub(1).and_then(|i| e.plan.faults.get(usize::from(i)))?;
    Some(format!("the upstream's response was not legal HTTP (fault {})", fault.name))
}

fn no_time_limit(e: &Evidence<'_>) -> Option<String> {
    let waits = e.client.ending == Ending::Hang
        && e.last().is_some_and(|a| a.ending == Ending::Hang || a.ended() >= e.client.ended());
    waits.then(|| {
        "the gateway waited on for a silent upstream (nginx proxy_read_timeout, HAProxy timeout server)"
            .into()
    })
}

fn too_slow(e: &Evidence<'_>) -> Option<String> {
    let last = e.last().filter(|a| cause_of(e.plan, a) == Cause::Timeout)?;
    let seconds = f64::from(last.done) / 1e6;
    Some(format!("the upstream did not answer; the gateway gave up after {seconds:.2} s (its read timeout)"))
}

fn connection_ended(e: &Evidence<'_>) -> Option<String> {
    let last = e.last().filter(|a| cause_of(e.plan, a) == Cause::Invalid)?;
    Some(format!("the upstream connection ended before a whole response head ({})", last.ending))
}

fn body_broke(e: &Evidence<'_>) -> Option<String> {
    let last = e.last().filter(|a| cause_of(e.plan, a) == Cause::BodyBroken)?;
    let of = if last.promised == u32::MAX { String::new() } else { format!(" of {}", last.promised) };
    Some(format!("the upstream's body ended ({}) after {}{of} bytes", last.ending, last.response_bytes))
}

#[cfg(test)]
mod tests;
