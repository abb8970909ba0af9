//! The `gateway` block.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Named, Word};
use crate::scenario::decode::Spanned;
use crate::units::{Share, Span};

/// The gateway under test: one of four kinds.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Gateway {
    /// The reference gateway that comes with gatecrash, in a process of its own.
    Embedded(Embedded),
    /// A released product, started from a recipe of ours.
    Recipe(Recipe),
    /// A command of your own.
    Command(Command),
    /// Something that already runs.
    Url(Url),
}

/// The reference gateway.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Embedded {
    /// Behaviour. Default: strict.
    #[serde(default)]
    pub(crate) preset: Option<Spanned<String>>,
    /// Defects switched on, to prove that checks can fail. Default: none.
    #[serde(default)]
    pub(crate) defects: Vec<Spanned<String>>,
    /// Share of requests that a defect touches. Default: 100%.
    #[serde(default)]
    pub(crate) defect_rate: Option<Spanned<Share>>,
    /// Parameters that differ from the preset's. Default: none.
    #[serde(default)]
    pub(crate) params: Named<Spanned<Word>>,
}

/// A recipe.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Recipe {
    /// Its name, such as nginx or haproxy.
    pub(crate) name: Spanned<String>,
    /// Version of the program, or the beginning of one, such as 2.8. Default: the first program that is found.
    #[serde(default)]
    pub(crate) version: Option<Spanned<Word>>,
    /// Parameters that differ from the recipe's defaults. Default: none.
    #[serde(default)]
    pub(crate) params: Named<Spanned<Word>>,
}

/// A command.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Command {
    /// Program and arguments. `{{ listen }}`, `{{ listen_port }}`, `{{ upstreams }}` and `{{ config }}` are
    /// filled in.
    pub(crate) run: Spanned<Vec<Word>>,
    /// Config template, relative to this file, rendered into the run directory. Default: none.
    #[serde(default)]
    pub(crate) template: Option<Spanned<String>>,
    /// Environment variables; values are templates too. Default: none.
    #[serde(default)]
    pub(crate) env: Named<Word>,
    /// When it is ready.
    #[serde(default)]
    pub(crate) ready: Ready,
    /// How it is stopped.
    #[serde(default)]
    pub(crate) stop: Stop,
}

/// Readiness of a command.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Ready {
    /// Path that answers (any status below 500) once it is ready. Default: `/`.
    #[serde(default)]
    pub(crate) http: Option<Spanned<String>>,
    /// How long that may take. Default: 10s.
    #[serde(default)]
    pub(crate) within: Option<Spanned<Span>>,
}

/// Stopping a command.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Stop {
    /// Signal: TERM, INT, QUIT or KILL. Default: TERM.
    #[serde(default)]
    pub(crate) signal: Option<Spanned<String>>,
    /// How long that may take before it is killed. Default: 5s.
    #[serde(default)]
    pub(crate) within: Option<Spanned<Span>>,
}

/// Something that already runs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Url {
    /// Base address, `http://host:port` or `https://host:port`.
    pub(crate) base: Spanned<String>,
    /// PEM file of the authorities that may have signed its certificate. Default: those the system trusts.
    #[serde(default)]
    pub(crate) ca: Option<Spanned<String>>,
}
