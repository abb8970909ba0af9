//! `statuses`: which statuses may, or may not, reach the client.

use gatecrash_model::{Capabilities, Capability};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::golden::{Golden, Story};
use crate::judge::Scope;
use crate::verdict::Finding;

/// Every answer has one of the allowed statuses, or none of the forbidden ones. One of the two lists is
/// given.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Statuses {
    /// Only these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<Vec<u16>>,
    /// None of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forbid: Option<Vec<u16>>,
}

impl Check for Statuses {
    const INFO: CheckInfo = CheckInfo {
        name: "statuses",
        summary: "only allowed statuses reach the client",
        doc: "With `allow`, each answer must have one of these statuses, and a request without any status \
              (a hang, a connection closed on a first request) breaks the rule too; dropped reused \
              connections do not (RFC 9112 9.3.1). With `forbid`, none of these may appear. Clients, \
              caches and alarms are built on the status class: a 500 where 503 was meant is not retried, a \
              404 is cached.",
        sources: &[Source::rfc(9110, "15", "Status Codes"), Source::rfc(9112, "9.3.1", "Retrying Requests")],
        fixes: Fixes {
            nginx: "`proxy_intercept_errors off` for what the upstream says, `error_page` for errors of its \
                    own",
            haproxy: "`errorfile` or `http-error status` for errors of its own; no `http-response \
                      set-status` for those of the upstream",
            envoy: "`local_reply_config` with `mappers` for errors of its own; those of the upstream pass \
                    unchanged",
            others: "",
        },
        example: "statuses: { allow: [200, 206, 503] }",
        needs: Capabilities::of(&[Capability::Framing]),
        min_samples: 1,
        rests: Rests::OnOutcomes,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let mut tally = Tally::default();
        for client in scope.answered() {
            let allowed = self.allow.as_ref().is_none_or(|list| list.contains(&client.status));
            let forbidden = self.forbid.as_ref().is_some_and(|list| list.contains(&client.status));
            tally.count(allowed && !forbidden, client.id(), || match client.status {
                0 => format!("no status ({})", client.ending),
                status => status.to_string(),
            });
        }
        tally.finding(scope, self.wanted(), "no request was answered")
    }

    fn problem(&self) -> Option<&'static str> {
        (self.allow.is_some() == self.forbid.is_some()).then_some("either `allow` or `forbid`")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        use gatecrash_model::Ending;
        let allow = || Self { allow: Some(vec![200, 503]), forbid: None };
        let forbid = || Self { allow: None, forbid: Some(vec![500]) };
        let story = || Story::new().every(10, 0, 50, |r| r).every(10, 50, 80, |r| r.answer(503));
        let with = |status| story().every(10, 80, 100, move |r| r.answer(status));
        vec![
            Golden::pass("200 and 503 are allowed", allow(), story()),
            Golden::pass("500 is forbidden and does not occur", forbid(), with(502)),
            Golden::fail("502 is not allowed", allow(), with(502)),
            Golden::fail("500 is forbidden", forbid(), with(500)),
            Golden::fail(
                "a hang has no status",
                allow(),
                story().every(1, 90, 91, |r| r.ending(Ending::Hang)),
            ),
            Golden::inconclusive("no request", allow(), Story::new()),
        ]
    }
}

impl Statuses {
    fn wanted(&self) -> String {
        let list = |l: &[u16]| l.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        match (&self.allow, &self.forbid) {
            (Some(allow), _) => format!("only {}", list(allow)),
            (None, Some(forbid)) => format!("never {}", list(forbid)),
            (None, None) => "any".into(),
        }
    }
}
