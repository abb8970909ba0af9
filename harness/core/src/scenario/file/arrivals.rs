//! When requests begin: `open` and `closed` of a workload, and what a phase changes of them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::{Either, Offered};
use crate::scenario::decode::Spanned;
use crate::units::{Rate, Span, UnitError};

/// The open model.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Open {
    /// Requests started per second (or minute, hour); `search` for the workload of `capacity`. Default: what `steps`
    /// or `trace` say.
    #[serde(default)]
    pub(crate) rate: Option<Spanned<Offered>>,
    /// The rate changes linearly, from `rate` on, as the run begins; then it stays. Default: it stays at once.
    #[serde(default)]
    pub(crate) ramp: Option<Spanned<Ramp>>,
    /// Rates one after the other, in place of `rate`. Default: none.
    #[serde(default)]
    pub(crate) steps: Option<Spanned<Vec<Spanned<Step>>>>,
    /// A file that lists when requests start, in place of `rate`. Default: none.
    #[serde(default)]
    pub(crate) trace: Option<Spanned<Either<String, Trace>>>,
    /// How starts are spread. Default: poisson.
    #[serde(default)]
    pub(crate) arrivals: Option<Spanned<Arrivals>>,
    /// Requests that may be in flight; starts beyond are dropped and counted. Default: 1000.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) max_in_flight: Option<Spanned<u32>>,
}

/// The closed model.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Closed {
    /// Users that each wait for their answer before they ask again. Default: what `steps` say.
    #[serde(default)]
    pub(crate) users: Option<Spanned<u32>>,
    /// Users come or leave one by one, from `users` on, as the run begins; then they stay. Default: all at once.
    #[serde(default)]
    pub(crate) ramp: Option<Spanned<Ramp>>,
    /// Numbers of users one after the other, in place of `users`. Default: none.
    #[serde(default)]
    pub(crate) steps: Option<Spanned<Vec<Spanned<Step>>>>,
    /// Pause between an answer and the next request: always as long, such as `20ms`, or `{ mean: 20ms }` for an
    /// exponential law. Default: 0s.
    #[serde(default)]
    pub(crate) think: Option<Spanned<Either<Span, Think>>>,
}

/// Think times that differ.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Think {
    /// Mean of the exponential law.
    pub(crate) mean: Span,
}

/// How starts are spread.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Arrivals {
    /// Independent of each other, as from many clients.
    Poisson,
    /// Evenly spaced.
    Even,
}

/// A linear change of a rate or of a number of users.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "LoadRamp")]
pub(crate) struct Ramp {
    /// Where it leads: a rate such as `400/s`, or a number of users.
    pub(crate) to: Spanned<Amount>,
    /// How long it takes. Default: the whole phase (or run).
    #[serde(default)]
    pub(crate) over: Option<Spanned<Span>>,
}

/// A step: a rate or a number of users, alone or with how long it lasts.
pub(crate) type Step = Either<Amount, StepDetail>;

/// A step with its length.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "LoadStep")]
pub(crate) struct StepDetail {
    /// The rate of an open workload.
    #[serde(default)]
    pub(crate) rate: Option<Spanned<Rate>>,
    /// The users of a closed one.
    #[serde(default)]
    pub(crate) users: Option<Spanned<u32>>,
    /// How long it lasts. Default: an equal part of what the others leave.
    #[serde(default)]
    pub(crate) r#for: Option<Spanned<Span>>,
}

/// A trace with details.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Trace {
    /// The file, relative to this one: an instant a line (or in the first column of a CSV file), in seconds from the
    /// start of the run.
    pub(crate) file: String,
    /// How many times as fast it is played, as in `2` or `2x`. Default: 1.
    #[serde(default)]
    pub(crate) speed: Option<Spanned<Speed>>,
    /// After how long (as played) it starts over. Default: never.
    #[serde(default)]
    pub(crate) repeat: Option<Spanned<Span>>,
}

/// How many times as fast.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Speed(pub(crate) f64);

/// A workload in one phase.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct PhaseLoad {
    /// The rate of an open workload in this phase; `0/s` rests. Default: as the phase before left it, where `ramp`
    /// begins; what `steps` say.
    #[serde(default)]
    pub(crate) rate: Option<Spanned<Rate>>,
    /// The users of a closed workload in this phase; `0` rests. Default: likewise.
    #[serde(default)]
    pub(crate) users: Option<Spanned<u32>>,
    /// The rate or the users change linearly; then they stay. Default: they stay at once.
    #[serde(default)]
    pub(crate) ramp: Option<Spanned<Ramp>>,
    /// Rates or numbers of users one after the other. Default: none.
    #[serde(default)]
    pub(crate) steps: Option<Spanned<Vec<Spanned<Step>>>>,
}

/// A rate, or a number of users.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Amount {
    Rate(Rate),
    Users(u32),
}

// === impl Amount ===

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Ok(users) = text.parse() {
            return Ok(Self::Users(users));
        }
        text.parse().map(Self::Rate).map_err(|_: UnitError| {
            D::Error::custom(format!("expected a rate such as 150/s, or a number of users, found `{text}`"))
        })
    }
}

impl JsonSchema for Amount {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [generator.subschema_for::<Rate>(), { "type": "integer", "minimum": 0 }]
        })
    }
}

// === impl Speed ===

impl<'de> Deserialize<'de> for Speed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let times = text.strip_suffix('x').unwrap_or(&text).trim_end().parse();
        times.map(Self).map_err(|_| D::Error::custom(format!("expected a factor such as 2x, found `{text}`")))
    }
}

impl JsonSchema for Speed {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Speed".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "number", "exclusiveMinimum": 0 },
                { "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?x$" }
            ]
        })
    }
}
