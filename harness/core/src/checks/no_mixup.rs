//! `no-mixup`: response N answers request N.

use gatecrash_model::{AttemptRecord, BodyCheck, Capabilities, Capability, ClientRecord, Op};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::golden::{Golden, Story};
use crate::history::IdSet;
use crate::judge::Scope;
#[cfg(test)]
use crate::plan::WorkloadPlan;
use crate::verdict::Finding;

/// Every response belongs to its request: the upstream exchange it names, its bytes, and nothing after its
/// end.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NoMixup {}

impl Check for NoMixup {
    const INFO: CheckInfo = CheckInfo {
        name: "no-mixup",
        summary: "no response of another request, no surplus bytes",
        doc: "Each response names the upstream exchange it came from, and each body tells whose bytes it \
              holds. A response fed by an exchange for another key or operation, bytes of another object, \
              bytes after the end of a message, or a body where none is allowed (HEAD, 204, 304: RFC 9110 \
              6.4.1) mean that a connection lost count: one customer's data goes to another. A cached or \
              coalesced response of the same key is fine.",
        sources: &[
            Source::rfc(9112, "9.2", "Associating a Response to a Request"),
            Source::rfc(9110, "6.4.1", "Content Semantics"),
        ],
        fixes: Fixes {
            nginx: "`proxy_http_version 1.1` with `keepalive` of a current version; a `proxy_cache_key` that \
                    names all by which objects differ",
            haproxy: "`http-reuse safe` (the default); `option http-server-close` while in doubt",
            envoy: "no setting for it; while in doubt `max_requests_per_connection: 1` in the cluster's \
                    `common_http_protocol_options`",
            others: "in gateways of your own: close upstream connections after a timeout, an early answer or \
                     surplus bytes",
        },
        example: "no-mixup: {}",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let (mut tally, untrue) = (Tally::default(), scope.untrue_attempts());
        for client in scope.clients().filter(|c| c.status != 0) {
            match mixup(scope, client, &untrue) {
                Some(how) => tally.bad(client.id(), how),
                None if scope.fed_by(client).is_some() => tally.good(),
                None => {}
            }
        }
        tally.finding(scope, "each response answers its request", "no response named its upstream exchange")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let story = || Story::new().every(10, 0, 50, |r| r);
        let last =
            |tell: fn(crate::golden::Request) -> crate::golden::Request| story().every(10, 60, 70, tell);
        let copy = |r: crate::golden::Request| r.tries([]).answer(200).body(BodyCheck::Exact).from_other(1);
        let of_another_bucket = || {
            let mut told = story().every(10, 60, 70, |r| copy(r).key("o/1"));
            let other = WorkloadPlan { bucket: "other".into(), ..told.plan.workloads[0].clone() };
            told.plan.workloads.push(other);
            told.history.clients.iter_mut().skip(5).for_each(|client| client.workload = 1);
            told
        };
        let listed = |client: Op| {
            let lists = Story::new().every(10, 0, 50, |r| r.op(Op::ListObjects).key(""));
            lists.every(10, 60, 70, move |r| copy(r).op(client).key("").body(BodyCheck::NotChecked))
        };
        vec![
            Golden::pass("a list without its query, stored, for one with it", Self {}, listed(Op::ListObjectsV2)),
            Golden::fail("a list for an object", Self {}, listed(Op::GetObject)),
            Golden::fail("the same key of another bucket", Self {}, of_another_bucket()),
            Golden::pass("each its own", Self {}, story()),
            Golden::pass("a cached answer of the same key", Self {}, last(|r| r.key("o/1").from_other(1))),
            Golden::fail("fed by another key", Self {}, last(|r| r.key("o/9").from_other(1))),
            Golden::fail("another object's bytes", Self {}, last(|r| r.body(BodyCheck::Other))),
            Golden::fail("surplus bytes", Self {}, last(|r| r.flag(ClientRecord::SURPLUS))),
            Golden::fail(
                "a body after HEAD",
                Self {},
                last(|r| r.op(Op::HeadObject).body(BodyCheck::NotChecked).flag(ClientRecord::UNDUE_BODY)),
            ),
            Golden::inconclusive(
                "only errors of the gateway",
                Self {},
                Story::new().every(10, 0, 50, |r| r.answer(502)),
            ),
        ]
    }
}

fn mixup(scope: &Scope<'_>, client: &ClientRecord, untrue: &IdSet) -> Option<String> {
    if client.has(ClientRecord::SURPLUS) {
        return Some("bytes after the end of the response".into());
    }
    if client.has(ClientRecord::UNDUE_BODY) {
        return Some(format!("a body after {} {}", client.op, client.status));
    }
    let told = || scope.source(client).is_some_and(|a| untrue.contains(&a.attempt));
    if client.shape.body() == BodyCheck::Other && !told() {
        return Some("bytes of another object".into());
    }
    let source = scope.fed_by(client).filter(|a| !belongs(scope, a, client))?;
    let bucket = scope.join.client(scope.history, source.request()?).map_or("", |asked| bucket_of(scope, asked));
    let key = scope.history.text(source.key);
    let place = [bucket, key].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
    Some(format!("fed by the exchange for {} {place}", source.op).trim_end().to_owned())
}

fn belongs(scope: &Scope<'_>, attempt: &AttemptRecord, client: &ClientRecord) -> bool {
    if attempt.request == client.id().pack() {
        return true;
    }
    let asked = attempt.request().and_then(|request| scope.join.client(scope.history, request));
    let same_bucket = asked.is_none_or(|asked| bucket_of(scope, asked) == bucket_of(scope, client));
    let same_key = scope.history.text(attempt.key) == scope.history.text(client.key);
    same_bucket && same_key && is_answered_by(client.op, attempt.op) && !client.op.is_write()
}

/// Whether an exchange of one operation may feed the answer to another: a GET's head answers a HEAD, and a gateway that
/// drops the query asks for both kinds of list with the same request, as it does for its own.
fn is_answered_by(client: Op, attempt: Op) -> bool {
    let is_list = |op| matches!(op, Op::ListObjects | Op::ListObjectsV2);
    client == attempt
        || (client, attempt) == (Op::HeadObject, Op::GetObject)
        || is_list(client) && is_list(attempt)
}

fn bucket_of<'a>(scope: &Scope<'a>, client: &ClientRecord) -> &'a str {
    scope.plan.workloads.get(usize::from(client.workload)).map_or("", |w| w.bucket.as_str())
}
