//! Named behaviours of the gateway: what the parameters of its recipe are set to, each with its source. One
//! preset is one file here and one line in the table.
//!
//! A preset is data: the configuration that a run writes holds the values themselves, and `preset` only names them.

mod api_gateway;
mod app_server;
mod strict;

use crate::config::ConfigError;

/// A named behaviour.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Kebab-case name.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// What differs from the recipe's defaults.
    pub settings: &'static [Setting],
}

/// One parameter's value under a preset.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Name of the recipe's parameter.
    pub parameter: &'static str,
    /// Its value, as written in a scenario.
    pub value: &'static str,
    /// Where the value is from.
    pub source: &'static str,
    /// Holds only where another parameter has this value.
    pub when: Option<(&'static str, &'static str)>,
}

/// The presets that can be run.
pub const PRESETS: &[Preset] = &[strict::PRESET, api_gateway::PRESET, app_server::PRESET];

/// Presets that are planned, so that asking for one is told apart from a slip of the pen.
const PLANNED: &[&str] = &["cloudfront"];

pub(crate) fn find(name: &str) -> Result<&'static Preset, ConfigError> {
    match PRESETS.iter().find(|preset| preset.name == name) {
        Some(preset) => Ok(preset),
        None if PLANNED.contains(&name) => Err(ConfigError::PresetNotSupportedYet(name.to_owned())),
        None => Err(ConfigError::unknown_preset(name)),
    }
}

/// A setting that always holds.
const fn set(parameter: &'static str, value: &'static str, source: &'static str) -> Setting {
    Setting { parameter, value, source, when: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_states_its_source() {
        for preset in PRESETS {
            assert!(preset.about.ends_with('.'), "{}", preset.name);
            for setting in preset.settings {
                assert!(setting.source.len() > 10, "{}: {}", preset.name, setting.parameter);
            }
        }
    }
}
