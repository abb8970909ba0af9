//! The `capacity` block.

use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer};

use super::{Inject, Named};
use crate::checks::CheckSpec;
use crate::scenario::decode::Spanned;
use crate::units::{Rate, Share, Span};

/// Finds the highest rate within a service-level objective, for each case.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Capacity {
    /// The workload whose rate varies; its `open.rate` is `search`. Default: the only one.
    #[serde(default)]
    pub(crate) workload: Option<Spanned<String>>,
    /// Where to search. Default: nowhere, only the rates that `capacity: { min: ... }` expects are tried.
    #[serde(default)]
    pub(crate) search: Option<Spanned<Search>>,
    /// What a trial is made of.
    #[serde(default)]
    pub(crate) step: Step,
    /// The trials that decide a rate.
    #[serde(default)]
    pub(crate) confirm: Confirm,
    /// Share of the deciding time that may be bad at a rate that still counts as carried. Default: 35%.
    #[serde(default)]
    pub(crate) exceed: Option<Spanned<Share>>,
    /// What every trial has to keep: checks success-rate, goodput, latency, error-latency, amplification and statuses.
    pub(crate) slo: Spanned<Vec<Spanned<CheckSpec>>>,
    /// Cases by name, each with the faults that are on in all of its trials. Default: one, `clean`, without faults.
    #[serde(default)]
    pub(crate) cases: Named<CapacityCase>,
    /// Whether 1.5 and 2 times the capacity are offered as well, to see what is left of it. Default: true with
    /// `search`.
    #[serde(default)]
    pub(crate) overload: Option<Spanned<bool>>,
    /// Hard limit on the time of a case. Default: 8m.
    #[serde(default)]
    pub(crate) within: Option<Spanned<Span>>,
    /// The rate you plan for: headroom and the number of instances are computed for it. Default: none.
    #[serde(default)]
    pub(crate) target: Option<Spanned<Rate>>,
}

/// The range of a search.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Search {
    /// First and lowest rate.
    pub(crate) from: Spanned<Rate>,
    /// Highest rate.
    pub(crate) to: Spanned<Rate>,
    /// Factor from one rate to the next while nothing breaks. Default: 2.
    #[serde(default)]
    pub(crate) grow: Option<Spanned<f64>>,
    /// How near the bounds have to come to each other. Default: 4%.
    #[serde(default)]
    pub(crate) precision: Option<Spanned<Share>>,
}

/// One trial.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Step {
    /// Warm-up, not judged. Default: 2s.
    #[serde(default)]
    pub(crate) settle: Option<Spanned<Span>>,
    /// Judged part of the first, short trials. Default: 2s.
    #[serde(default)]
    pub(crate) measure: Option<Spanned<Span>>,
}

/// The trials that decide a rate.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Confirm {
    /// Judged part of each. Default: 5s; longer where `measure` is, and where a latency limit takes longer to be passed by
    /// a queue that grows by `precision`: limit / precision / quantile.
    #[serde(default)]
    pub(crate) r#for: Option<Spanned<Span>>,
    /// How many. Default: as many as make up 45s, at least 3.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) times: Option<Spanned<u32>>,
}

/// One case.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct CapacityCase {
    /// Faults that are on in all of its trials. Default: none.
    #[serde(default)]
    pub(crate) inject: Vec<Spanned<Inject>>,
}

/// A rate, or that it is searched.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Offered {
    /// `search`.
    Search,
    /// A rate.
    At(Rate),
}

// === impl Offered ===

impl<'de> Deserialize<'de> for Offered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "search" {
            return Ok(Self::Search);
        }
        Rate::from_str(&text)
            .map(Self::At)
            .map_err(|e| de::Error::custom(format!("expected {e}, found `{text}`")))
    }
}

impl JsonSchema for Offered {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Offered".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^([0-9]+(\.[0-9]+)?/(s|m|h)|search)$",
            "description": "A rate with its unit: 150/s, 30/m; or `search`, for the workload of `capacity`."
        })
    }
}
