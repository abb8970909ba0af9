//! Named behaviours of the gateway: what the parameters of its recipe are set to, each with its source. One
//! preset is one file here and one line in the table; `strict` is the configuration's defaults.

mod api_gateway;
mod app_server;
mod cloudfront;
mod strict;

use crate::config::ConfigError;

/// A named behaviour.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Kebab-case name.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// What differs from `strict`, by the names of the gateway's parameters, at the product's own speed.
    pub settings: &'static [Setting],
}

/// One parameter of a preset.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The parameter, as scenarios name it.
    pub parameter: &'static str,
    /// Its value, as scenarios write it.
    pub value: &'static str,
    /// Where the value is known from.
    pub source: &'static str,
    /// Holds only where another parameter has this value.
    pub when: Option<(&'static str, &'static str)>,
}

/// The presets that can be run.
pub const PRESETS: &[Preset] = &[strict::PRESET, cloudfront::PRESET, api_gateway::PRESET, app_server::PRESET];

pub(crate) fn find(name: &str) -> Result<&'static Preset, ConfigError> {
    match PRESETS.iter().find(|preset| preset.name == name) {
        Some(preset) => Ok(preset),
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
    fn the_readme_lists_every_setting_with_its_source() {
        let readme = include_str!("../README.md");
        for Preset { name, about, settings } in PRESETS.iter().filter(|preset| !preset.settings.is_empty()) {
            assert!(readme.contains(&format!("### {name}\n\n{about}\n")), "{name}");
            for Setting { parameter, value, source, .. } in *settings {
                let row = format!("| `{parameter}` | `{value}` | {source} |");
                assert!(source.len() > 10 && readme.contains(&row), "{name}: {row}");
            }
        }
    }
}
