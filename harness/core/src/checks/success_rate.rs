//! `success-rate`: the share of requests with a whole, correct 2xx answer.

use gatecrash_model::{Capabilities, Capability, Ending};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, CheckInfo};
use crate::judge::Scope;
use crate::units::Share;
use crate::verdict::Finding;

/// Share of requests answered 2xx (or 304), whole, with every byte right. Dropped reused connections are a legal
/// "please retry" and count neither way.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SuccessRate {
    /// At least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Share>,
    /// At most (to prove that a fault bites).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Share>,
}

impl Check for SuccessRate {
    const INFO: CheckInfo = CheckInfo {
        name: "success-rate",
        summary: "share of requests with a whole, correct answer",
        doc: "A request succeeds when its answer is 2xx or 304, complete under its own framing, and every body byte is \
              the object's. Requests dropped on a reused client connection are a legal retry signal (RFC 9112 9.3.1) \
              and count neither as success nor as failure.",
        example: "success-rate: { min: 99% }",
        needs: Capabilities::of(&[Capability::Framing]),
        min_samples: 30,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = match (self.min, self.max) {
            (Some(min), Some(max)) => format!("between {min} and {max}"),
            (Some(min), None) => format!("at least {min}"),
            (None, Some(max)) => format!("at most {max}"),
            (None, None) => "any".into(),
        };
        let counted: Vec<_> = scope.clients().filter(|c| c.ending != Ending::DroppedReused).collect();
        let samples = counted.len() as u64;
        if samples < scope.min_samples {
            return Finding::inconclusive(wanted, samples, format!("{samples} requests, {} needed", scope.min_samples));
        }
        let good = counted.iter().filter(|c| c.is_success()).count();
        let share = good as f64 / samples as f64;
        let holds = self.min.is_none_or(|m| share >= m.0) && self.max.is_none_or(|m| share <= m.0);
        let failed = counted.iter().filter(|c| !c.is_success()).map(|c| c.id());
        Finding::judged(holds, format!("{:.2}%", share * 100.0), wanted, samples)
            .detail(format!("{} of {samples} requests did not succeed", samples - good as u64))
            .exemplars(failed)
    }
}
