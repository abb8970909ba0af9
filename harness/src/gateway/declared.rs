//! What a gateway declares of itself under one set of parameters: the profile it is judged by and its probes.

use gatecrash_core::profile::{ProbePattern, Profile};
use minijinja::Value;
use serde::Deserialize;

use super::error::GatewayError;
use super::render::Renderer;
use super::yaml;

/// `declared.yaml`, rendered.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Declared {
    pub(super) profile: Profile,
    #[serde(default)]
    pub(super) probes: Vec<ProbePattern>,
}

impl Declared {
    pub(super) fn render(template: &str, facts: Value, renderer: &Renderer) -> Result<Self, GatewayError> {
        let what = "declared.yaml";
        let text = renderer.text(what, template, facts)?;
        yaml::parse(&text).map_err(|problem| GatewayError::Render { what: what.into(), problem })
    }
}
