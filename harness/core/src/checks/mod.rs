//! Checks: pure functions over the recorded history. One check is one file and one line in the table.

use gatecrash_model::Capabilities;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::judge::Scope;
use crate::units::{Rate, Share, Span};
use crate::verdict::Finding;

/// What the catalogue says of a check.
#[derive(Clone, Copy, Debug)]
pub struct CheckInfo {
    /// Name in scenario files.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// What it means, why it matters, which rule says so, typical fixes.
    pub doc: &'static str,
    /// A `check:` value that parses.
    pub example: &'static str,
    /// What must have been observed for it to say anything.
    pub needs: Capabilities,
    /// Least samples when the expectation does not say: 30 for ratios and percentiles, 1 for counts.
    pub min_samples: u64,
}

/// One check.
pub trait Check {
    /// Its entry in the catalogue.
    const INFO: CheckInfo;

    /// Judges. The caller has made sure that what it needs was observed; samples are the check's own business.
    fn judge(&self, scope: &Scope<'_>) -> Finding;
}

/// A lower and an upper bound on a share; at least one is given.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ShareBounds {
    /// At least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Share>,
    /// At most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Share>,
}

/// A bound on a duration.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SpanBounds {
    /// At least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Span>,
    /// At most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Span>,
}

/// A bound on a rate.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RateBounds {
    /// At least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Rate>,
    /// At most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Rate>,
}

macro_rules! checks {
    ($($module:ident: $type:ident = $name:literal,)+) => {
        $(mod $module; pub use $module::$type;)+

        /// A check with its bounds.
        #[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
        pub enum CheckSpec {
            $(
                #[serde(rename = $name)]
                #[expect(missing_docs, reason = "documented where the check is")]
                $type($type),
            )+
        }

        /// Every check, in the order of the reference.
        pub const CHECKS: &[CheckInfo] = &[$(<$type as Check>::INFO,)+];

        impl CheckSpec {
            /// Its catalogue entry.
            pub fn info(&self) -> CheckInfo {
                match self { $(Self::$type(_) => <$type as Check>::INFO,)+ }
            }

            /// Judges.
            pub fn judge(&self, scope: &Scope<'_>) -> Finding {
                match self { $(Self::$type(check) => check.judge(scope),)+ }
            }
        }
    };
}

checks! {
    success_rate: SuccessRate = "success-rate",
    body_complete: BodyComplete = "body-complete",
}
