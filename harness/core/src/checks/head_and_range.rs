//! `head-and-range`: no body where none belongs, and a body of one piece.

use std::collections::HashSet;

use gatecrash_model::{AttemptRecord, BodyCheck, Capabilities, Capability, ClientRecord, Op};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
use crate::faults::Host;
#[cfg(test)]
use crate::golden::{Golden, Request, Story, Try};
use crate::history::Seen;
use crate::judge::Scope;
use crate::verdict::Finding;

/// Answers to HEAD, 204 and 304 carry no body; a range is the range asked for; and a body that several
/// upstream exchanges made up is one object's, byte for byte.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HeadAndRange {}

impl Check for HeadAndRange {
    const INFO: CheckInfo = CheckInfo {
        name: "head-and-range",
        summary: "no body after HEAD, 204, 304; ranges and resumed bodies fit together",
        doc: "Two places where gateways get bodies wrong. Where none is allowed (HEAD, 204, 304: RFC 9110 \
              6.4.1, RFC 9112 6.3), bytes that follow are read as the next response on that connection. And \
              where a body is put together - a 206, a body resumed from another upstream after a break, \
              slices of a cache - each piece must be of the same version (RFC 9110 15.3.7.3 wants a strong \
              validator, If-Range) and begin where the one before ended. It fails on a body where none is \
              allowed, and on bytes that are not the object's at that place in a 206 or in a 2xx to which \
              more than one upstream exchange gave bytes, and on a 304 to a request without an \
              If-None-Match that fits: a cache that revalidates must not pass on the answer meant for it \
              (RFC 9111 4.3.3). Of objects that change (`change-every`) every body counts: it fails on one \
              that goes on as another version than it began, each byte at its right place, and on one under \
              another version's ETag. Answers the upstream itself made untrue are left \
              out. Inconclusive when no answer was of these kinds.",
        sources: &[
            Source::rfc(9110, "6.4.1", "Content Semantics"),
            Source::rfc(9112, "6.3", "Message Body Length"),
            Source::rfc(9110, "15.3.7.3", "Combining Parts"),
            Source::rfc(9111, "4.3.3", "Handling a Validation Response"),
        ],
        fixes: Fixes {
            nginx: "`proxy_next_upstream` never resumes a begun body; the `slice` module checks that the \
                    ETag of all pieces is the same",
            haproxy: "no setting: it never resumes a begun body and puts none together",
            envoy: "no setting: it never resumes a begun body",
            others: "let the client resume, with If-Range; in gateways of your own close upstream \
                     connections that said more than they may",
        },
        example: "head-and-range: {}",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let (mut tally, altered) = (Tally::default(), altered_by_upstream(scope));
        for client in scope.clients().filter(|c| c.status != 0) {
            let wrong = client.shape.body().is_wrong();
            let seen = Seen::of(scope.history, scope.answers, client).filter(|_| client.op == Op::GetObject);
            let pieces = scope.attempts(client).filter(|a| gave_bytes(a)).count();
            let undue = client.status == 304 && !client.has(ClientRecord::NOT_MODIFIED_DUE);
            if undue && scope.attempts(client).all(|a| a.fault == 0) {
                tally.bad(client.id(), "a 304 to a request that named no copy of its own");
            } else if client.has(ClientRecord::UNDUE_BODY) || is_bodiless(client) {
                tally.count(!client.has(ClientRecord::UNDUE_BODY), client.id(), || {
                    format!("a body after {} {}, or after the answer before it", client.op, client.status)
                });
            } else if altered.contains(&client.id().pack()) {
            } else if client.shape.body() == BodyCheck::Mixed {
                tally.bad(client.id(), format!("a {} with bytes of two versions of the object", client.status));
            } else if seen.is_some_and(|seen| seen.mislabelled().is_some()) {
                tally.bad(client.id(), format!("a {} with another version's ETag than its bytes", client.status));
            } else if matches!(client.status, 200..=299) && pieces > 1 {
                tally.count(!wrong, client.id(), || {
                    format!("a {} of {pieces} exchanges' bytes that do not fit together", client.status)
                });
            } else if client.status == 206 {
                tally.count(!wrong, client.id(), || "a 206 with other bytes than the range asked for".into());
            } else if seen.is_some_and(|seen| seen.is_labelled() && seen.current_when_sent() > 0) {
                tally.good();
            }
        }
        let none = "no answer was to HEAD, a 204, 304 or 206, made of several pieces, or of an object that changed";
        tally.finding(scope, "no undue body, and pieces that fit", none)
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let story = |tell: fn(Request) -> Request| {
            Story::new().every(10, 0, 50, |r| r).every(10, 50, 60, tell)
        };
        let changing = |tell: fn(Request) -> Request| {
            Story::new().changing(1000).every(10, 5000, 5050, |r| r).every(10, 5050, 5060, tell)
        };
        let resumed = |r: Request| r.tries([Try::cut(), Try::served()]);
        vec![
            Golden::pass("HEAD has no body", Self {}, story(|r| r.op(Op::HeadObject))),
            Golden::fail(
                "a body after HEAD",
                Self {},
                story(|r| r.op(Op::HeadObject).flag(ClientRecord::UNDUE_BODY)),
            ),
            Golden::fail(
                "a body after a 304",
                Self {},
                story(|r| r.tries([Try::status(304, "")]).flag(ClientRecord::UNDUE_BODY)),
            ),
            Golden::fail("a 304 that nobody asked for", Self {}, story(|r| r.tries([Try::status(304, "")]))),
            Golden::pass(
                "a 304 that is due",
                Self {},
                story(|r| r.tries([Try::status(304, "")]).flag(ClientRecord::NOT_MODIFIED_DUE)),
            ),
            Golden::pass("resumed rightly", Self {}, story(resumed)),
            Golden::fail("resumed astray", Self {}, {
                Story::new().every(10, 0, 60, move |r| resumed(r).body(BodyCheck::Wrong))
            }),
            Golden::fail(
                "another range",
                Self {},
                story(|r| r.tries([Try::status(206, "")]).body(BodyCheck::Wrong)),
            ),
            Golden::pass("each body of one version", Self {}, changing(|r| r.behind(1).tag_behind(1))),
            Golden::fail("a body of two versions", Self {}, changing(|r| r.behind(2).then_behind(1))),
            Golden::fail("a range of two versions", Self {}, {
                changing(|r| r.tries([Try::status(206, "")]).behind(2).then_behind(1))
            }),
            Golden::fail("another version's ETag", Self {}, changing(|r| r.behind(1).tag_behind(0))),
            Golden::inconclusive("nothing changed yet", Self {}, {
                Story::new().changing(60_000).every(10, 0, 50, |r| r.behind(0).tag_behind(0))
            }),
            Golden::inconclusive("plain GETs", Self {}, Story::new().every(10, 0, 50, |r| r)),
            Golden::inconclusive(
                "the bytes of one exchange are wrong",
                Self {},
                Story::new().every(10, 0, 50, |r| r.body(BodyCheck::Wrong)),
            ),
        ]
    }
}

fn is_bodiless(client: &ClientRecord) -> bool {
    matches!(client.op, Op::HeadObject | Op::HeadBucket) || matches!(client.status, 204 | 304)
}

/// Whether an exchange gave bytes of the object to the gateway.
fn gave_bytes(attempt: &AttemptRecord) -> bool {
    matches!(attempt.status, 200..=299) && attempt.response_bytes > 0
}

/// Packed ids of requests whose answer was made untrue before it reached the gateway.
fn altered_by_upstream(scope: &Scope<'_>) -> HashSet<u64> {
    let untrue = scope.untrue_attempts();
    let in_mock = |fault: u16| {
        scope.plan.faults.get(usize::from(fault)).is_some_and(|f| f.spec.info().host == Host::Mock)
    };
    let told = scope.history.firings.iter().filter(|f| untrue.contains(&f.attempt) || in_mock(f.fault));
    told.map(|f| f.request).collect()
}
