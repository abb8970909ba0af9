//! `no-request-desync`: after an early answer, bytes of a request body are never taken for a request.

use std::collections::HashMap;

use gatecrash_model::content::SMUGGLED_KEY;
use gatecrash_model::{AttemptRecord, BodyLaw, Capabilities, Capability, ClientRecord, RequestId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::golden::{Golden, Request, Story, Try};
use crate::judge::Scope;
use crate::verdict::Finding;

/// A connection on which an upload was answered before it was sent whole carries the rest of it, or nothing
/// more.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NoRequestDesync {}

impl Check for NoRequestDesync {
    const INFO: CheckInfo = CheckInfo {
        name: "no-request-desync",
        summary: "body bytes are never taken for a request after an early answer",
        doc: "An upstream may answer an upload before it has read it. The gateway then has to send the rest \
              all the same, or close the connection (RFC 9112 9.3: a client that wants to go on with a \
              connection sends the whole body or closes). One that puts the connection back into its pool is \
              out of step: the upstream takes the next request for the missing body bytes, and what follows, \
              the body of somebody's upload, for a request. Whoever chooses that body chooses the request: \
              smuggling. It fails when, on a connection that carried a request before, bytes that are no \
              request head arrive, or, after an early answer, a request without the id of any client, or at \
              any time a request out of a body. \
              Uploads of the load are made of bytes that are no HTTP, so that taking them for a request \
              shows, or of requests (`writes: { body: http-requests }`), as an attacker makes them. \
              Inconclusive when no upload was answered early (`early-close: { then: keep }` does it \
              on a connection that stays) and none was made of requests.",
        sources: &[
            Source::rfc(9112, "9.3", "Persistence"),
            Source::rfc(9112, "11.2", "Request Smuggling"),
            Source::HTTP1_DESYNC,
        ],
        fixes: Fixes {
            nginx: "no setting for it: a current version closes a connection whose request was not sent \
                    whole; `proxy_request_buffering on` in front of servers that answer early",
            haproxy: "no setting for it: a current version; `option http-server-close` while in doubt, so \
                      that no connection is used twice",
            envoy: "no setting for it: it closes a connection whose answer came before the request was sent \
                    whole",
            others: "in gateways of your own: never pool a connection whose request body is unfinished",
        },
        example: "no-request-desync: {}",
        needs: Capabilities::of(&[Capability::Attempts]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let mut tally = Tally::default();
        let made_of_requests = |c: &ClientRecord| {
            let workload = scope.plan.workloads.get(usize::from(c.workload));
            c.op.is_write() && workload.is_some_and(|w| w.write_body == BodyLaw::HttpRequests)
        };
        for client in scope.clients() {
            let tells = |a: &&AttemptRecord| a.is_answered_early() || made_of_requests(client);
            scope.attempts(client).filter(tells).for_each(|_| tally.good());
        }
        // The last request of each connection so far, and whether any of it was answered early.
        let mut before: HashMap<(u8, u32), (RequestId, bool)> = HashMap::new();
        for attempt in &scope.history.attempts {
            let Some(id) = attempt.id() else { continue };
            let connection = (id.link, id.conn);
            let known = before.get(&connection).copied();
            let is_excused = |id: RequestId| scope.excused.is_some_and(|excused| excused.contains(&id.pack()));
            let counts = scope.includes_time(attempt.start);
            if let Some((last, early)) = known.filter(|(last, _)| counts && !is_excused(*last)) {
                let smuggled = scope.history.text(attempt.key) == SMUGGLED_KEY;
                let nameless = (early || smuggled) && is_nameless(attempt);
                if attempt.has(AttemptRecord::NO_REQUEST) {
                    tally.bad(last, "bytes that are no request came next on its upstream connection");
                } else if nameless {
                    tally.bad(last, "a request of no client came next on its upstream connection");
                }
            }
            if let Some(request) = attempt.request() {
                let early = attempt.is_answered_early() || known.is_some_and(|(_, early)| early);
                before.insert(connection, (request, early));
            }
        }
        tally.finding(scope, "no request but the clients'", "no upload was answered before it was whole")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        use gatecrash_model::Op;
        let upload = |r: Request| r.op(Op::PutObject).tries([Try::status(503, "").early()]);
        let story = move || Story::new().every(10, 0, 50, |r| r).every(10, 50, 60, upload);
        let requests = |tell: fn(Request) -> Request| {
            let mut story = Story::new();
            story.plan.workloads[0].write_body = BodyLaw::HttpRequests;
            // Enough of them for one stranger to be less than the join may lose.
            story.every(10, 0, 2000, move |r| tell(r.op(Op::PutObject)))
        };
        let smuggled = |mut story: Story| {
            let (key, _) = story.history.strings.intern(SMUGGLED_KEY);
            story = story.after_last(0);
            if let Some(last) = story.history.attempts.last_mut() {
                last.key = key;
            }
            story
        };
        vec![
            Golden::pass("no request out of a body comes", Self {}, requests(|r| r)),
            Golden::fail("a request out of a body comes", Self {}, smuggled(requests(|r| r))),
            Golden::pass("the connection is closed", Self {}, story()),
            Golden::fail("body bytes follow", Self {}, story().after_last(AttemptRecord::NO_REQUEST)),
            Golden::fail("a stranger's request follows", Self {}, story().after_last(0)),
            Golden::pass("a probe follows", Self {}, story().after_last(AttemptRecord::PROBE)),
            Golden::fail(
                "bytes that are no request follow a whole one",
                Self {},
                Story::new().every(10, 0, 10, |r| r).after_last(AttemptRecord::NO_REQUEST),
            ),
            Golden::inconclusive("nothing is answered early", Self {}, Story::new().every(10, 0, 50, |r| r)),
        ]
    }
}

fn is_nameless(attempt: &AttemptRecord) -> bool {
    attempt.request().is_none() && !attempt.has(AttemptRecord::PROBE) && !attempt.has(AttemptRecord::NO_HEAD)
}
