//! `upload-once`: what was acknowledged is stored, whole and once.

use std::collections::{HashMap, HashSet};

use gatecrash_model::{Capabilities, Capability, ClientRecord, Ending, Op, StoreEntry, StrId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::uploaded::Uploads;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::golden::{Golden, Request, Stored, Story, Try};
use crate::faults::FaultSpec;
use crate::history::IdSet;
use crate::judge::Scope;
use crate::verdict::Finding;

/// An upload answered 2xx is in the store, whole and applied once; any other is absent or whole.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct UploadOnce {}

impl Check for UploadOnce {
    const INFO: CheckInfo = CheckInfo {
        name: "upload-once",
        summary: "acknowledged uploads are stored whole and once",
        doc: "Each PutObject, and each completed multipart upload, answered 2xx must have been applied by an \
              upstream with exactly the bytes that were sent, and be there at the end of the run unless it \
              was deleted; one that was not acknowledged is absent or whole, never torn. A PUT applied more \
              than once is a failure unless the profile declares PUT repeatable and the content is the same \
              (RFC 9110 9.2.2, 9.3.4); completing an upload again changes nothing. A 200 to \
              CompleteMultipartUpload whose document is an error acknowledges nothing. What the fault \
              `lost-write` lost is left out. Acknowledging before the upstream did loses data silently.",
        sources: &[
            Source::rfc(9110, "9.2.2", "Idempotent Methods"),
            Source::rfc(9110, "9.3.4", "PUT"),
            Source::S3_COMPLETE_UPLOAD,
        ],
        fixes: Fixes {
            nginx: "`proxy_request_buffering on`, so that a retry has the whole body; `proxy_next_upstream` \
                    without `non_idempotent`",
            haproxy: "`http-request disable-l7-retry` for writes; a retry needs the whole request in one \
                      `tune.bufsize`",
            envoy: "a route without `retry_policy` for writes; a retry needs the whole body within the \
                    route's `per_request_buffer_limit_bytes`",
            others: "in gateways of your own: answer only after the upstream's 2xx; no retry of half a body",
        },
        example: "upload-once: {}",
        needs: Capabilities::of(&[Capability::Framing, Capability::Store]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let store = Store::of(scope);
        let mut tally = Tally::default();
        let is_upload = |c: &&ClientRecord| matches!(c.op, Op::PutObject | Op::CompleteMultipartUpload);
        for client in scope.clients().filter(is_upload) {
            // What the upstream itself acknowledged and lost is no fault of the gateway.
            if store.lost.contains(&client.id().pack()) {
                continue;
            }
            match store.wrong(scope, client) {
                Some(how) => tally.bad(client.id(), how),
                None => tally.good(),
            }
        }
        tally.finding(scope, "stored whole, once", "nothing was uploaded")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let put = |r: Request| r.op(Op::PutObject);
        let kept =
            move |r: Request| put(r).tries([Try::served().applied(Stored::Whole)]).stored(Stored::Whole);
        let told = move |tell: fn(Request) -> Request| {
            Story::new().every(10, 0, 50, kept).every(10, 50, 60, move |r| tell(put(r)))
        };
        let twice = || {
            told(|r| {
                let applied = || Try::served().applied(Stored::Whole);
                r.tries([applied(), applied()]).stored(Stored::Whole)
            })
        };
        vec![
            Golden::pass("all are kept", Self {}, Story::new().every(10, 0, 50, kept)),
            Golden::pass(
                "one after the other under one key",
                Self {},
                Story::new().every(10, 0, 50, move |r| kept(r.key("o/1"))),
            ),
            Golden::pass("a failed one is absent", Self {}, told(|r| r.tries([Try::reset()]))),
            Golden::pass(
                "a failed one is whole",
                Self {},
                told(|r| r.tries([Try::reset().applied(Stored::Whole)]).stored(Stored::Whole)),
            ),
            Golden::pass("a repeated one is declared", Self {}, twice()),
            Golden::fail("acknowledged and absent", Self {}, told(|r| r.tries([Try::reset()]).answer(200))),
            Golden::fail(
                "acknowledged and torn",
                Self {},
                told(|r| r.tries([Try::served().applied(Stored::Torn)]).stored(Stored::Torn)),
            ),
            Golden::fail(
                "failed and torn",
                Self {},
                told(|r| r.tries([Try::reset().applied(Stored::Torn)]).stored(Stored::Torn)),
            ),
            Golden::fail("applied twice, not declared", Self {}, twice().profile(|p| p.replays.clear())),
            Golden::fail(
                "acknowledged, applied, gone",
                Self {},
                told(|r| r.tries([Try::served().applied(Stored::Whole)])),
            ),
            Golden::pass("in parts", Self {}, Story::new().in_parts(Stored::Whole, Stored::Whole)),
            Golden::fail("in parts, torn", Self {}, Story::new().in_parts(Stored::Whole, Stored::Torn)),
            Golden::fail("in parts, gone", Self {}, Story::new().in_parts(Stored::Whole, Stored::Absent)),
            Golden::inconclusive("no upload", Self {}, Story::new().every(10, 0, 50, |r| r)),
        ]
    }
}

/// The mock's side of all uploads.
struct Store<'a> {
    uploads: Uploads<'a>,
    at_end: HashMap<(&'a str, &'a str), Vec<&'a StoreEntry>>,
    deletes: bool,
    /// Objects that the load uploads more than once, as a replayed log may: any of the versions is the last.
    overwritten: HashSet<(&'a str, StrId)>,
    /// Requests on which the fault `lost-write` fired.
    lost: IdSet,
}

impl<'a> Store<'a> {
    fn of(scope: &Scope<'a>) -> Self {
        let mut at_end: HashMap<_, Vec<_>> = HashMap::new();
        for entry in scope.history.stored() {
            at_end.entry((entry.bucket.as_str(), entry.key.as_str())).or_default().push(entry);
        }
        let is_delete = |c: &ClientRecord| matches!(c.op, Op::DeleteObject | Op::DeleteObjects);
        let deletes = scope.history.clients.iter().any(is_delete);
        let mut uploaded = HashSet::new();
        let bucket = |c: &ClientRecord| {
            scope.plan.workloads.get(usize::from(c.workload)).map_or("", |workload| workload.bucket.as_str())
        };
        let uploads = scope.history.clients.iter().filter(|c| c.op == Op::PutObject);
        let overwritten = uploads.map(|c| (bucket(c), c.key)).filter(|object| !uploaded.insert(*object)).collect();
        let loses = |fault: u16| {
            let fault = scope.plan.faults.get(usize::from(fault));
            fault.is_some_and(|fault| matches!(fault.spec, FaultSpec::LostWrite(_)))
        };
        let lost = scope.history.firings.iter().filter(|f| loses(f.fault)).map(|f| f.request).collect();
        Self { uploads: Uploads::of(scope), at_end, deletes, overwritten, lost }
    }

    /// What is wrong with one upload, in words.
    fn wrong(&self, scope: &Scope<'_>, client: &ClientRecord) -> Option<String> {
        let workload = scope.plan.workloads.get(usize::from(client.workload))?;
        let key = scope.history.text(client.key);
        let sent = self.uploads.sent(scope, client)?;
        let applied = self.uploads.applied(client);
        let whole = applied.iter().filter(|u| sent.is_what_came(u)).count();
        let entries = self.at_end.get(&(workload.bucket.as_str(), key)).map_or(&[][..], Vec::as_slice);
        let overwritten = self.overwritten.contains(&(workload.bucket.as_str(), client.key));
        let torn = !overwritten && entries.iter().any(|e| e.hash != sent.hash || e.length != sent.length);
        let in_parts = client.op == Op::CompleteMultipartUpload;
        let acknowledged = client.ending == Ending::Complete
            && matches!(client.status, 200..=299)
            && !(in_parts && client.has(ClientRecord::S3_ERROR));
        let word = if acknowledged { "acknowledged" } else { "not acknowledged" };
        if (whole < applied.len() && !in_parts) || torn {
            return Some(format!("{word}, and stored with other bytes than were sent"));
        }
        if applied.len() > 1 && !in_parts && !scope.profile.replays.contains(&Op::PutObject) {
            return Some(format!("{word}, and applied {} times", applied.len()));
        }
        if acknowledged && applied.is_empty() {
            return Some("acknowledged, and applied by no upstream".into());
        }
        let gone = acknowledged && entries.is_empty() && !self.deletes;
        gone.then(|| "acknowledged and applied, and gone at the end".into())
    }
}
