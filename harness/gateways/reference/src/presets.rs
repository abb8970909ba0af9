//! Named behaviours of the gateway. A preset is one line here; `strict` is the configuration's defaults.

use crate::config::ConfigError;

/// A named behaviour.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Kebab-case name.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
}

/// The presets that can be run.
pub const PRESETS: &[Preset] = &[Preset {
    name: "strict",
    about: "A correct S3-aware reverse proxy: 502 for refused or invalid, 504 for timeouts, no unsafe \
            replay, retries within a budget, failover and failback by health.",
}];

/// Presets that are planned, so that asking for one is told apart from a slip of the pen.
const PLANNED: &[&str] = &["cloudfront", "api-gateway", "app-server"];

pub(crate) fn find(name: &str) -> Result<&'static Preset, ConfigError> {
    match PRESETS.iter().find(|preset| preset.name == name) {
        Some(preset) => Ok(preset),
        None if PLANNED.contains(&name) => Err(ConfigError::PresetNotSupportedYet(name.to_owned())),
        None => Err(ConfigError::unknown_preset(name)),
    }
}
