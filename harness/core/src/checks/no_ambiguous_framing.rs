//! `no-ambiguous-framing`: what can be read in two ways is refused or rewritten, never passed on.

use gatecrash_model::{AttemptRecord, BodyCheck, Capabilities, Capability, ClientRecord, Ending};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
use crate::faults::FaultSpec;
#[cfg(test)]
use crate::faults::malformed::Kind;
#[cfg(test)]
use crate::golden::{Golden, Request, Story, Try};
use crate::judge::Scope;
use crate::verdict::Finding;

/// A message with two lengths, with a length and a coding, with a length that is none, or with bytes that end
/// lines for one reader and not for another, is refused or rewritten to one framing that is read rightly.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NoAmbiguousFraming {}

impl Check for NoAmbiguousFraming {
    const INFO: CheckInfo = CheckInfo {
        name: "no-ambiguous-framing",
        summary: "a message that can be read in two ways is refused or rewritten",
        doc: "Two Content-Lengths, Content-Length beside Transfer-Encoding, a length that is no number, a \
              coding nobody knows, NUL or a bare CR in a header, folded lines, a space before a colon: \
              where two readers in a row take such a message differently, one of them takes body bytes for \
              the next message (request and response smuggling). RFC 9112 6.3 wants a response with an \
              invalid Content-Length discarded with a 502, and lets Transfer-Encoding override \
              Content-Length, which must then be removed; RFC 9110 5.5 wants CR, LF and NUL in a value \
              rejected or replaced. It fails when the client's head is ambiguous, when the body was read by \
              the wrong framing (the 2xx holds other bytes than the object), and when a request of the \
              gateway states two framings. Inconclusive when no answer with such a head was delivered. \
              Measured: HAProxy 2.6.12 passes a NUL in a value on, nginx 1.22.1 believes the last of two \
              lengths.",
        sources: &[
            Source::rfc(9112, "6.3", "Message Body Length"),
            Source::rfc(9112, "11.2", "Request Smuggling"),
            Source::rfc(9110, "5.5", "Field Values"),
        ],
        fixes: Fixes {
            nginx: "no setting for it: a current version",
            haproxy: "no `option accept-invalid-http-response` and no `option accept-invalid-http-request`",
            envoy: "`allow_chunked_length` off, as it is by default",
            others: "",
        },
        example: "no-ambiguous-framing: {}",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts, Capability::Wire]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let mut tally = Tally::default();
        for client in scope.clients() {
            let tries = || scope.attempts(client);
            if tries().any(|a| a.has(AttemptRecord::AMBIGUOUS)) {
                tally.bad(client.id(), "the gateway's own request states two framings");
            } else if client.has(ClientRecord::AMBIGUOUS) {
                tally.bad(client.id(), "the client's head has no single valid framing");
            } else if tries().any(|a| is_ambiguous(scope, a)) {
                tally.count(!is_misread(client), client.id(), || {
                    format!("a {} whose body was read by the wrong framing", client.status)
                });
            }
        }
        let none = "no answer with an ambiguous head was delivered";
        tally.finding(scope, "no ambiguous message is passed on", none)
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let story = |tell: fn(Request) -> Request| {
            Story::new()
                .fault(malformed(Kind::ClAndTe), 0, 5000)
                .every(10, 0, 50, |r| r)
                .every(10, 50, 100, move |r| tell(r.tries([Try::bad_framing().by(0)])))
        };
        let other = Story::new()
            .fault(malformed(Kind::StatusNines), 0, 5000)
            .every(10, 0, 50, |r| r.tries([Try::garbage().by(0)]).answer(502));
        vec![
            Golden::pass("it is refused", Self {}, story(|r| r.answer(502))),
            Golden::pass("it is rewritten and read rightly", Self {}, story(|r| r)),
            Golden::fail("it is passed on", Self {}, story(|r| r.flag(ClientRecord::AMBIGUOUS))),
            Golden::fail("it is read by the wrong length", Self {}, story(|r| r.body(BodyCheck::Wrong))),
            Golden::fail("half of it is whole", Self {}, story(|r| r.body(BodyCheck::Prefix))),
            Golden::fail(
                "the gateway's request is ambiguous",
                Self {},
                Story::new().every(10, 0, 50, |r| r.tries([Try::served().flag(AttemptRecord::AMBIGUOUS)])),
            ),
            Golden::inconclusive("another rule is broken", Self {}, other),
            Golden::inconclusive("nothing is ambiguous", Self {}, Story::new().every(10, 0, 50, |r| r)),
        ]
    }
}

#[cfg(test)]
fn malformed(kind: Kind) -> FaultSpec {
    FaultSpec::Malformed(crate::faults::Malformed::of(kind))
}

fn is_ambiguous(scope: &Scope<'_>, attempt: &AttemptRecord) -> bool {
    attempt.has(AttemptRecord::ILLEGAL)
        && matches!(scope.fault(attempt), Some(FaultSpec::Malformed(m)) if m.kind.is_ambiguous())
}

/// Whether a 2xx holds other bytes than the object, or looks whole with a part of it.
fn is_misread(client: &ClientRecord) -> bool {
    matches!(client.status, 200..=299)
        && match client.shape.body() {
            BodyCheck::Wrong | BodyCheck::Other | BodyCheck::Mixed => true,
            BodyCheck::Prefix => client.ending == Ending::Complete,
            BodyCheck::Exact | BodyCheck::NotChecked => false,
        }
}
