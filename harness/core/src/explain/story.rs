//! The story of one request, line by line.

use gatecrash_model::{AttemptRecord, BodyCheck, ClientRecord, Decision, EndedBy, RequestId};

use super::likely_cause;
use crate::faults::Host;
use crate::history::{Answers, History, Join, Seen};
use crate::plan::{EnginePlan, FaultPlan, Plan};

/// What is known of a request, in order of time; a single line when it is not in the history.
pub fn story(history: &History, join: &Join, plan: &Plan, request: RequestId) -> Vec<String> {
    let Some(client) = join.client(history, request) else {
        return vec![format!("request {request} is not in this run")];
    };
    let mut lines = told_by_client(history, plan, client);
    for attempt in join.attempts(history, request) {
        lines.push(told_by_link(history, join, plan, client, attempt));
    }
    match join.fed_by(history, client) {
        Some(fed) if fed.request != request.pack() => {
            let other = fed.request().map_or("nobody".to_owned(), |r| r.to_string());
            lines.push(format!("the response came from an attempt of request {other}"));
        }
        None if client.status != 0 => {
            lines.push("the response names no attempt: the gateway made it itself".into())
        }
        _ => {}
    }
    let seen = Seen::of(history, &Answers::of(plan), client);
    lines.extend(seen.map(|seen| format!("the object changes: {}", seen.told())));
    let notes = history.evidence.iter().filter(|e| e.request == request.pack() && !e.note.is_empty());
    lines.extend(notes.map(|e| format!("evidence: {}", e.note)));
    let likely = (!client.is_success()).then(|| likely_cause(plan, history, join, client)).flatten();
    lines.extend(likely.map(|cause| format!("likely: {cause}")));
    lines
}

fn told_by_client(history: &History, plan: &Plan, client: &ClientRecord) -> Vec<String> {
    let bucket = plan.workloads.get(usize::from(client.workload)).map_or("", |w| w.bucket.as_str());
    let key = history.text(client.key);
    let mut lines = vec![format!("request {}: {} {bucket}/{key}", client.id(), client.op)];
    if client.was_dropped() {
        lines
            .push(format!("due at +{}, never sent: the in-flight cap was reached", seconds(client.intended)));
        return lines;
    }
    let engine = plan.workloads.get(usize::from(client.workload)).map(|w| w.client.engine);
    let through = match (engine, client.has(ClientRecord::REUSED)) {
        (Some(EnginePlan::AwsSdk), _) => "through the AWS SDK".to_owned(),
        (_, true) => format!("on a reused connection ({})", client.conn),
        (_, false) => format!("on a new connection ({})", client.conn),
    };
    let (due, lag) = (seconds(client.intended), millis(client.lag));
    lines.push(format!("due at +{due}, sent {lag} later {through}"));
    let answer = answer(client.status, history.text(client.code));
    let first = if client.first_byte == u32::MAX {
        "no byte came".to_owned()
    } else {
        format!("first byte after {}", millis(client.first_byte))
    };
    lines.push(format!(
        "client saw {answer}, {}, {} body bytes{}; {first}, end after {}",
        client.ending,
        client.body_bytes,
        checked(client.shape.body()),
        millis(client.done)
    ));
    lines
}

fn told_by_link(
    history: &History,
    join: &Join,
    plan: &Plan,
    client: &ClientRecord,
    attempt: &AttemptRecord,
) -> String {
    let endpoint = endpoint(plan, attempt);
    let id = attempt.id().map_or("?".to_owned(), |id| id.to_string());
    let reused = if attempt.has(AttemptRecord::REUSED) { "reused" } else { "new" };
    let after = attempt.start.saturating_sub(client.sent()) / 1_000;
    let (fault, status) = (faults(history, join, plan, attempt), answer(attempt.status, ""));
    let sent = match attempt.request_bytes {
        0 => String::new(),
        bytes => format!(", {bytes} request bytes"),
    };
    let upstream = join.upstream(history, attempt).map_or(String::new(), |u| {
        let answer = answer(u.status, history.text(u.code));
        let decision =
            if u.decision == Decision::NotEvaluated { String::new() } else { format!(", {}", u.decision) };
        format!("; upstream said {answer}{decision}")
    });
    let of_try = match attempt.client_try() {
        0 | 1 => String::new(),
        number => format!(" for try {number} of the client"),
    };
    format!(
        "attempt {}{of_try} at +{} ({id}): {endpoint}, {reused} connection{sent}{fault}, {status}, {} body \
         bytes, {}{} after {}{upstream}",
        attempt.number,
        millis(u32::try_from(after).unwrap_or(u32::MAX)),
        attempt.response_bytes,
        attempt.ending,
        by_whom(attempt),
        millis(attempt.done),
    )
}

/// Status and ending as the client saw them.
pub(super) fn by_client(history: &History, client: &ClientRecord) -> String {
    format!(
        "{}, {}{}",
        answer(client.status, history.text(client.code)),
        client.ending,
        checked(client.shape.body())
    )
}

/// The endpoint of an attempt, and how the attempt ended.
pub(super) fn by_link(
    history: &History,
    join: &Join,
    plan: &Plan,
    attempt: &AttemptRecord,
) -> (String, String) {
    let reused = if attempt.has(AttemptRecord::REUSED) { "reused" } else { "new" };
    let code = join.upstream(history, attempt).map_or("", |u| history.text(u.code));
    let (by, status) = (by_whom(attempt), answer(attempt.status, code));
    let fault = faults(history, join, plan, attempt);
    (endpoint(plan, attempt), format!("{reused}{fault}, {status}, {}{by}", attempt.ending))
}

/// Who ended an attempt; nothing where it came to its end.
fn by_whom(attempt: &AttemptRecord) -> String {
    match attempt.ended_by {
        EndedBy::Nobody => String::new(),
        who => format!(" by {who}"),
    }
}

fn endpoint(plan: &Plan, attempt: &AttemptRecord) -> String {
    let (region, endpoint) = plan.links().get(usize::from(attempt.link())).copied().unwrap_or_default();
    let region = plan.regions.get(usize::from(region)).map_or("?", |r| r.name.as_str());
    format!("{region}/{endpoint}")
}

/// What was done to an attempt on purpose, each led by a comma: by a link, by the mock, and the settings of the mock
/// under which it was not served.
fn faults(history: &History, join: &Join, plan: &Plan, attempt: &AttemptRecord) -> String {
    let by_link = attempt.fault.checked_sub(1);
    let fired = history.firings.iter().filter(|f| f.attempt == attempt.attempt).map(|f| f.fault);
    let mut own: Vec<u16> = by_link.into_iter().chain(fired).collect();
    let refused = join.upstream(history, attempt).is_some_and(|u| u.status >= 300);
    let region = plan.region_of_link(attempt.link());
    let concerns = |fault: &FaultPlan| {
        fault.spec.info().host == Host::MockSetting && (fault.region.is_none() || fault.region == region)
    };
    let on = |fault: u16| {
        let intervals = history.fault_intervals(fault);
        intervals.iter().any(|(from, until, _)| *from <= attempt.ended() && attempt.start <= *until)
    };
    let settings =
        plan.faults.iter().enumerate().filter(|(_, f)| refused && concerns(f)).map(|(i, _)| i as u16);
    own.extend(settings.filter(|fault| on(*fault)));
    own.sort_unstable();
    own.dedup();
    let named = own.iter().filter_map(|fault| plan.faults.get(usize::from(*fault)));
    named.map(|f| format!(", fault {} ({})", f.name, f.spec.name())).collect()
}

fn answer(status: u16, code: &str) -> String {
    match (status, code) {
        (0, _) => "no status".into(),
        (status, "") => status.to_string(),
        (status, code) => format!("{status} {code}"),
    }
}

fn checked(body: BodyCheck) -> String {
    if body == BodyCheck::NotChecked { String::new() } else { format!(" ({body})") }
}

fn seconds(nanos: u64) -> String {
    format!("{:.3}s", nanos as f64 / 1e9)
}

fn millis(micros: u32) -> String {
    format!("{:.1}ms", f64::from(micros) / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::{Fault, FaultSpec, S3Error};
    use crate::golden::{Request, Story, Try};

    #[test]
    fn a_request_is_told_from_due_to_end() {
        let told = Story::new().with(Request::at(5).tries([Try::reset(), Try::status(503, "SlowDown")]));
        let lines =
            story(&told.history, &Join::of(&told.history), &told.plan, RequestId { workload: 0, k: 0 });
        assert_eq!(
            lines,
            [
                "request 0-0: GetObject media/o/0",
                "due at +0.005s, sent 0.0ms later on a new connection (0)",
                "client saw 503 SlowDown, complete, 0 body bytes; first byte after 11.0ms, end after 11.0ms",
                "attempt 1 at +1.0ms (0-0-0): a/1, new connection, no status, 0 body bytes, \
                 dropped-first by fault after 4.0ms",
                "attempt 2 at +6.0ms (0-1-0): a/1, new connection, 503, 200 body bytes, \
                 complete after 4.0ms; upstream said 503 SlowDown, allowed",
                "likely: SlowDown: the upstream throttles; retry with back-off and a budget",
            ]
        );
    }

    /// The link passed both on as they came, so its own record names no fault.
    #[test]
    fn faults_of_the_mock_are_named() {
        let told = |spec: &str, status, code| {
            let spec: FaultSpec = serde_saphyr::from_str(spec).unwrap();
            let mut told = Story::new()
                .fault(spec, 0, 1000)
                .with(Request::at(5).tries([Try::status(status, code).by(0)]));
            told.history.attempts[0].fault = 0;
            let join = Join::of(&told.history);
            story(&told.history, &join, &told.plan, RequestId { workload: 0, k: 0 })[3].clone()
        };
        let slow = told(S3Error::INFO.example, 503, "SlowDown");
        assert!(slow.contains("fault s3-error-0 (s3-error), 503"), "{slow}");
        let denied = told("iam: { identity: app, deny: [s3:GetObject] }", 403, "AccessDenied");
        assert!(denied.contains("fault iam-0 (iam), 403"), "{denied}");
    }

    #[test]
    fn settings_of_the_mock_are_named_where_it_refuses() {
        let spec: FaultSpec = serde_saphyr::from_str("iam: { identity: app, deny: [s3:GetObject] }").unwrap();
        let told = Story::new().fault(spec, 0, 1000);
        let told = told.with(Request::at(5).tries([Try::status(403, "AccessDenied")])).with(Request::at(6));
        let join = Join::of(&told.history);
        let names = |k| {
            story(&told.history, &join, &told.plan, RequestId { workload: 0, k })[3].contains("fault iam-0")
        };
        assert_eq!([names(0), names(1)], [true, false]);
    }

    #[test]
    fn of_a_changing_object_the_version_is_told() {
        let told = Story::new().changing(1000).with(Request::at(5500).key("o/1").behind(2));
        let id = RequestId { workload: 0, k: 0 };
        let lines = story(&told.history, &Join::of(&told.history), &told.plan, id);
        let line = lines.last().unwrap();
        assert!(line.starts_with("the object changes: version ") && line.contains("replaced"), "{line}");
    }

    #[test]
    fn unknown_requests_are_said_to_be() {
        let told = Story::new();
        let id = RequestId { workload: 0, k: 9 };
        let lines = story(&told.history, &Join::of(&told.history), &told.plan, id);
        assert_eq!(lines, ["request 0-9 is not in this run"]);
    }
}
