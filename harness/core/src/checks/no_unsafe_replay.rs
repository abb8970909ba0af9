//! `no-unsafe-replay`: what may not be repeated is not repeated.

use gatecrash_model::{AttemptRecord, Capabilities, Capability, ClientRecord, Op};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::golden::{Golden, Story, Try};
use crate::judge::{Cause, Scope};
use crate::verdict::Finding;

/// Writes that the profile does not declare repeatable reach an upstream at most once after a byte was sent.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NoUnsafeReplay {}

impl Check for NoUnsafeReplay {
    const INFO: CheckInfo = CheckInfo {
        name: "no-unsafe-replay",
        summary: "POST and undeclared writes are never sent twice",
        doc: "A request that is not idempotent, or that the profile does not declare repeatable, may be \
              tried again only if it is known not to have been applied (RFC 9110 9.2.2); once an upstream \
              read its head nobody can know. A replayed POST deletes, completes or charges twice. \
              Inconclusive when no such request failed upstream, for then nothing tempted the gateway. \
              Measured: HAProxy `retry-on all-retryable-errors` replays POST; nginx does not unless told \
              `non_idempotent`.",
        sources: &[Source::rfc(9110, "9.2.2", "Idempotent Methods")],
        fixes: Fixes {
            nginx: "`proxy_next_upstream` without `non_idempotent`",
            haproxy: "`http-request disable-l7-retry if METH_POST`",
            envoy: "`retry_on` does not look at the method: `retriable_request_headers` with `:method` GET \
                    and HEAD, or a route without `retry_policy` for writes",
            others: "",
        },
        example: "no-unsafe-replay: {}",
        needs: Capabilities::of(&[Capability::Attempts, Capability::OwnTries]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let mut tally = Tally::default();
        for client in scope.clients().filter(|c| is_unsafe(scope, c)) {
            let sent: Vec<_> = scope.attempts(client).filter(|a| reached_upstream(a)).collect();
            if sent.len() > 1 {
                tally.bad(client.id(), format!("{} sent {} times", client.op, sent.len()));
            } else if sent.iter().any(|a| tempts(scope.cause(a))) {
                tally.good();
            }
        }
        tally.finding(scope, "sent at most once", "no unrepeatable request failed upstream")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let post = |tries: usize| {
            Story::new().every(10, 0, 50, move |r| r.op(Op::DeleteObjects).tries(vec![Try::reset(); tries]))
        };
        let put =
            || Story::new().every(10, 0, 50, |r| r.op(Op::PutObject).tries([Try::reset(), Try::served()]));
        let fine = || Story::new().every(10, 0, 50, |r| r.op(Op::DeleteObjects));
        vec![
            Golden::pass("POST fails and stays failed", Self {}, post(1)),
            Golden::fail("POST is sent twice", Self {}, post(2)),
            Golden::fail("an undeclared PUT is sent twice", Self {}, put().profile(|p| p.replays.clear())),
            Golden::inconclusive("a declared PUT may be", Self {}, put()),
            Golden::inconclusive("no POST fails", Self {}, fine()),
        ]
    }
}

fn is_unsafe(scope: &Scope<'_>, client: &ClientRecord) -> bool {
    (client.op.is_write() || client.op == Op::Unknown) && !scope.profile.replays.contains(&client.op)
}

/// A head was read: bytes went out, and the gateway cannot know what became of them.
fn reached_upstream(attempt: &AttemptRecord) -> bool {
    !attempt.has(AttemptRecord::NO_HEAD)
}

fn tempts(cause: Cause) -> bool {
    cause.is_failure() || matches!(cause, Cause::Status(500..))
}
