//! `status-pass`: an upstream's final error reaches the client untouched.

use gatecrash_model::{AttemptRecord, Capabilities, Capability, ClientRecord, Ending};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::{Cause, Scope};
use crate::verdict::Finding;

/// A whole redirect, 4xx or 5xx answer that ends a request's tries reaches the client with its status, S3 code
/// and request id.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StatusPass {}

impl Check for StatusPass {
    const INFO: CheckInfo = CheckInfo {
        name: "status-pass",
        summary: "upstream errors reach the client with status, code and id",
        doc: "A final error of S3 is for the client: its status, its code in the XML document and its \
              request id decide what an SDK does next and what support can look up (AWS S3 API reference, \
              Error responses). A redirect to another region is an error document too, without a Location \
              that could be followed. Judged against the attempt that fed the response, or the last one. \
              Statuses that the profile retries may be replaced by a later attempt's. Measured: nginx 1.22 \
              and HAProxy 2.6 pass 403, 404, 429 and 5xx through unchanged by default.",
        sources: &[Source::S3_ERRORS, Source::CLOUDFRONT_CUSTOM_ERRORS],
        fixes: Fixes {
            others: "CDN: custom error responses switched off for the path of the API",
            ..Fixes::PASS_ERRORS_ON
        },
        example: "status-pass: {}",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 1,
        rests: Rests::OnOutcomes,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let mut tally = Tally::default();
        for client in scope.clients().filter(|c| !c.ending.invites_retry()) {
            let Some(source) = scope.source(client) else { continue };
            let status = match scope.cause(source) {
                Cause::Status(status) => status,
                Cause::Served if is_redirect(source) => source.status,
                _ => continue,
            };
            if scope.fed_by(client).is_none() && ran_out_meanwhile(scope, client) {
                continue;
            }
            match difference(scope, client, source, status) {
                Some(how) => tally.bad(client.id(), how),
                None => tally.good(),
            }
        }
        tally.finding(scope, "upstream errors pass unchanged", "no request ended in an upstream error")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let denied = || Try::status(403, "AccessDenied");
        let story = || Story::new().every(10, 0, 50, |r| r).every(10, 50, 80, move |r| r.tries([denied()]));
        let told = |status| story().every(10, 80, 90, move |r| r.tries([denied()]).answer(status));
        let moved = |status| {
            let moved = || Try::status(301, "PermanentRedirect");
            Story::new().every(10, 0, 50, move |r| r.tries([moved()]).answer(status).code("PermanentRedirect"))
        };
        let slow = || Try::status(503, "SlowDown");
        let retried = || Story::new().every(10, 0, 50, move |r| r.tries([slow(), slow()]).from_try(0));
        let code = |code| story().every(10, 80, 90, move |r| r.tries([denied()]).code(code));
        vec![
            Golden::pass("403 stays 403", Self {}, story()),
            Golden::pass("the first of two answers is passed on", Self {}, retried()),
            Golden::pass("a redirect stays one", Self {}, moved(301)),
            Golden::fail("a redirect becomes 502", Self {}, moved(502)),
            Golden::fail("403 becomes 502", Self {}, told(502)),
            Golden::fail("403 becomes 404", Self {}, told(404)),
            Golden::fail("the code is another", Self {}, code("InternalError")),
            Golden::inconclusive("nothing fails", Self {}, Story::new().every(10, 0, 50, |r| r)),
        ]
    }
}

/// Whether an answer sends the caller elsewhere; 304 is a success of its own kind.
fn is_redirect(attempt: &AttemptRecord) -> bool {
    matches!(attempt.status, 300..=303 | 305..=399)
}

/// Whether a try after the last one that was seen, or the gateway's total limit, can have decided the answer.
fn ran_out_meanwhile(scope: &Scope<'_>, client: &ClientRecord) -> bool {
    let out_of_time = scope.profile.total_timeout.is_some_and(|t| {
        u64::from(client.done) * 1000 >= t.0 / 10 * 9 && scope.profile.timeout.contains(&client.status)
    });
    out_of_time || scope.hides_attempts(client)
}

fn difference(
    scope: &Scope<'_>,
    client: &ClientRecord,
    source: &AttemptRecord,
    status: u16,
) -> Option<String> {
    if client.status == 0 {
        return Some(format!("{status} became no answer ({})", client.ending));
    }
    if client.status != status {
        return Some(format!("{status} became {}", client.status));
    }
    let upstream = scope.join.upstream(scope.history, source)?;
    let (theirs, ours) = (scope.history.text(upstream.code), scope.history.text(client.code));
    if client.op.method() != "HEAD"
        && !theirs.is_empty()
        && client.ending == Ending::Complete
        && theirs != ours
    {
        return Some(format!(
            "S3 code {theirs} of a {status} became {}",
            if ours.is_empty() { "none" } else { ours }
        ));
    }
    let lost = upstream.request_id != 0 && upstream.request_id != client.request_id;
    lost.then(|| format!("{status} without the upstream's request id"))
}
