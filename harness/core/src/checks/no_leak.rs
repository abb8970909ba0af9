//! `no-leak`: errors the gateway makes do not tell what is behind it.

use gatecrash_model::{AttemptId, Capabilities, Capability, ClientRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::golden::{Golden, Story};
use crate::judge::Scope;
use crate::verdict::Finding;

/// No error made by the gateway holds an upstream address, a region's bucket name, a credential or an
/// exception.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NoLeak {}

impl Check for NoLeak {
    const INFO: CheckInfo = CheckInfo {
        name: "no-leak",
        summary: "gateway-made errors do not name upstreams or secrets",
        doc: "Responses that no upstream exchange fed are searched for what only the gateway's \
              configuration knows: upstream addresses and ports, per-region bucket names, keys, exception \
              texts. An attacker needs nothing more than one broken request to map the network behind the \
              gateway (CWE-209). Inconclusive when the gateway made no error itself.",
        sources: &[Source::CWE_ERROR_MESSAGES],
        fixes: Fixes {
            nginx: "`error_page` with a page of your own, `server_tokens off`",
            haproxy: "`errorfile` or `http-error status` with a page of your own",
            envoy: "a `body_format` of `local_reply_config` without `%LOCAL_REPLY_BODY%`, which names the \
                    transport's failure; `suppress_envoy_headers` of the router",
            others: "in gateways of your own: no stack traces and no exception messages in handlers",
        },
        example: "no-leak: {}",
        needs: Capabilities::of(&[Capability::Framing]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let mut tally = Tally::default();
        let own = |c: &&ClientRecord| c.attempt == AttemptId::NONE && c.status != 0;
        for client in scope.clients().filter(own) {
            let leaks = client.has(ClientRecord::LEAK);
            if client.status >= 400 || leaks {
                tally.count(!leaks, client.id(), || {
                    format!("{} that names what is behind the gateway", client.status)
                });
            }
        }
        tally.finding(scope, "no secrets in errors", "the gateway made no error itself")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let story = || Story::new().every(10, 0, 50, |r| r.answer(502));
        let leak = |r: crate::golden::Request| r.answer(502).flag(ClientRecord::LEAK);
        let upstreams = |r: crate::golden::Request| r.flag(ClientRecord::LEAK);
        vec![
            Golden::pass("plain errors", Self {}, story()),
            Golden::pass("an upstream's own words", Self {}, story().every(10, 60, 70, upstreams)),
            Golden::fail("an address in a 502", Self {}, story().every(10, 60, 70, leak)),
            Golden::inconclusive("no errors", Self {}, Story::new().every(10, 0, 50, |r| r)),
        ]
    }
}
