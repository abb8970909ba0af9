//! `capacity-ratio`: what is left of the capacity of one case in another.

use gatecrash_model::Capabilities;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, CheckInfo, Fixes, Rests, Source, capacity};
use crate::capacity::CaseResult;
#[cfg(test)]
use crate::golden::{Golden, Story};
use crate::judge::Scope;
use crate::units::Share;
use crate::verdict::Finding;

/// The capacity of one case as a share of another's.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CapacityRatio {
    /// The case whose capacity is looked at.
    pub of: String,
    /// The case it is compared with.
    pub to: String,
    /// At least this share of it.
    pub min: Share,
}

impl Check for CapacityRatio {
    const INFO: CheckInfo = CheckInfo {
        name: "capacity-ratio",
        summary: "capacity left in one case of the capacity in another",
        doc: "The capacity of the case `of` divided by that of the case `to`. Both are known between two \
              bounds, and so is the ratio: the check passes when even the lowest ratio is at least `min`, \
              fails when even the highest is below it, and is inconclusive in between. A region that is down \
              should cost the share of the work it did, not all of it: what is left with one part gone is \
              what may be planned with (N-1; AWS Well-Architected, static stability).",
        sources: &[Source::AWS_STATIC_STABILITY, Source::SRE_CASCADING],
        fixes: Fixes {
            nginx: "`max_fails` and `fail_timeout`, a short `proxy_connect_timeout`",
            haproxy: "`option redispatch`, `timeout connect`, `maxconn` for each server",
            envoy: "`outlier_detection`, `max_connections` of the `circuit_breakers`",
            others: "",
        },
        example: "capacity-ratio: { of: brownout, to: clean, min: 60% }",
        needs: Capabilities::of(&[]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = format!("at least {} of {}", self.min, self.to);
        if scope.plan.capacity.is_none() {
            return Finding::inconclusive(wanted, 0, "nothing was searched");
        }
        let result = |name: &str| {
            let phase = scope.plan.phase(name)?;
            CaseResult::of(scope.plan, scope.history, phase)
        };
        let (Some(of), Some(to)) = (result(&self.of), result(&self.to)) else {
            return Finding::inconclusive(wanted, 0, "one of the two cases never began");
        };
        let samples = (of.trials.len() + to.trials.len()) as u64;
        let words = capacity::bounds_in_words;
        let both = format!("{}: {}, {}: {}", self.of, words(&of), self.to, words(&to));
        let (low, high) = (ratio(of.lower(), to.upper()), ratio(of.upper(), to.lower()));
        let observed = match (low, high) {
            (Some(low), Some(high)) => format!("{:.1}% to {:.1}%", low * 100.0, high * 100.0),
            (Some(low), None) => format!("at least {:.1}%", low * 100.0),
            (None, Some(high)) => format!("at most {:.1}%", high * 100.0),
            (None, None) => "not known".into(),
        };
        let silent = of.unfired.iter().chain(&to.unfired).next();
        if let Some(fault) = silent {
            return Finding::inconclusive(wanted, samples, format!("the fault {fault} never fired")).detail(both);
        }
        if low.is_some_and(|low| low >= self.min.0) {
            return Finding::judged(true, observed, wanted, samples).detail(both);
        }
        if high.is_some_and(|high| high < self.min.0) {
            return Finding::judged(false, observed, wanted, samples).detail(both);
        }
        let why = match (&of, &to) {
            (of, _) if of.lower().is_none() || of.upper().is_none() => format!("{}: {}", self.of, of.doubt()),
            (_, to) if to.lower().is_none() || to.upper().is_none() => format!("{}: {}", self.to, to.doubt()),
            _ => "the bounds are too far apart to tell".to_owned(),
        };
        let finding = Finding::inconclusive(wanted, samples, why).detail(both);
        Finding { observed, ..finding }
    }

    fn problem(&self) -> Option<&'static str> {
        if self.of == self.to {
            return Some("two different cases");
        }
        (self.min.0 <= 0.0).then_some("a share above 0%")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let check = |min| Self { of: "case-1".into(), to: "all".into(), min: Share(min) };
        let half = || capacity::searched(&[(0, 800.0), (1, 400.0)]);
        vec![
            Golden::pass("at least 41.7%", check(0.4), half()),
            Golden::fail("at most 60%", check(0.65), half()),
            Golden::inconclusive("the bounds leave it open", check(0.5), half()),
            Golden::inconclusive("the other case never began", check(0.5), capacity::searched(&[(0, 800.0)])),
            Golden::inconclusive("nothing was searched", check(0.5), Story::new()),
        ]
    }
}

fn ratio(of: Option<f64>, to: Option<f64>) -> Option<f64> {
    Some(of? / to?)
}
