//! `body-exact`: every byte under a 2xx is the object's.

use gatecrash_model::{BodyCheck, Capabilities, Capability};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Rests};
#[cfg(test)]
use crate::golden::{Golden, Story};
use crate::judge::{Scope, is_untrue};
use crate::verdict::Finding;

/// Bytes delivered under 2xx are a beginning of the object that was asked for.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BodyExact {}

impl Check for BodyExact {
    const INFO: CheckInfo = CheckInfo {
        name: "body-exact",
        summary: "every byte under a 2xx is the object's",
        doc: "Bodies are derived from bucket, key, version and offset, so every byte of every 2xx is \
              compared. Padding, a repeated beginning after a retry in the middle, a resume at the wrong \
              offset and chunk framing mistaken for data all show as wrong bytes; a short but correct \
              beginning is `body-complete`'s business. RFC 9112 8 leaves no room for repair of a broken \
              body. Bytes that an upstream fault made wrong under a true head are not counted: no gateway \
              can know. Typical fixes: no retry once a byte was sent (nginx and HAProxy never do), no \
              body-rewriting filter (`sub_filter`, compression) on objects.",
        example: "body-exact: {}",
        needs: Capabilities::of(&[Capability::Framing]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let mut tally = Tally::default();
        let checked = |body| body != BodyCheck::NotChecked;
        for client in scope.clients() {
            let body = client.shape.body();
            let told = || scope.source(client).is_some_and(|a| is_untrue(scope.plan, a));
            if matches!(client.status, 200..=299) && checked(body) && !told() {
                let wrong = matches!(body, BodyCheck::Wrong | BodyCheck::Other);
                tally.count(!wrong, client.id(), || format!("{} with a body that is {body}", client.status));
            }
        }
        tally.finding(scope, "every byte is the object's", "no object body was delivered under a 2xx")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let with = |body| Story::new().every(10, 0, 90, |r| r).every(10, 90, 100, move |r| r.body(body));
        vec![
            Golden::pass("all bytes are right", Self {}, with(BodyCheck::Exact)),
            Golden::pass("a correct beginning is right", Self {}, with(BodyCheck::Prefix)),
            Golden::fail("zeros at the end", Self {}, with(BodyCheck::Wrong)),
            Golden::fail("another object's bytes", Self {}, with(BodyCheck::Other)),
            Golden::inconclusive("only errors", Self {}, Story::new().every(10, 0, 90, |r| r.answer(502))),
        ]
    }
}
