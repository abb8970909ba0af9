//! `body-complete`: a body that the upstream cut short must not look whole to the client.

use gatecrash_model::{AttemptRecord, BodyCheck, Capabilities, Capability, Ending};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, CheckInfo};
use crate::judge::Scope;
use crate::verdict::Finding;

/// No response whose upstream body ended early is complete under its client-side framing.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BodyComplete {}

impl Check for BodyComplete {
    const INFO: CheckInfo = CheckInfo {
        name: "body-complete",
        summary: "a body cut by the upstream is never complete for the client",
        doc: "When the upstream ends before its Content-Length or last chunk, the gateway has to pass the break on: an \
              incomplete message must be recognisable as incomplete (RFC 9112 8). Inconclusive when no body was cut.",
        example: "body-complete: {}",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 1,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = "no cut body is complete for the client";
        let cut: Vec<_> = scope
            .clients()
            .filter_map(|c| scope.join.fed_by(scope.history, c).map(|a| (c, a)))
            .filter(|(_, a)| is_cut(a))
            .collect();
        let samples = cut.len() as u64;
        if samples < scope.min_samples {
            return Finding::inconclusive(wanted, samples, "no response body was cut upstream");
        }
        let bad: Vec<_> = cut
            .iter()
            .filter(|(c, _)| c.ending == Ending::Complete && c.status < 300 && c.shape.body() != BodyCheck::Exact)
            .map(|(c, _)| c.id())
            .collect();
        Finding::judged(bad.is_empty(), format!("{} complete", bad.len()), wanted, samples)
            .detail(format!("{} of {samples} responses with a cut upstream body were complete", bad.len()))
            .exemplars(bad)
    }
}

fn is_cut(attempt: &AttemptRecord) -> bool {
    attempt.status != 0
        && matches!(attempt.ending, Ending::CutFin | Ending::CutRst | Ending::Hang)
        && attempt.first_byte != u32::MAX
}
