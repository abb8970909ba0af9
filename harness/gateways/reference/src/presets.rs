//! Named behaviours of the gateway: one file each, one line here. `strict` is the configuration's defaults; the
//! others say in which parameters they differ, and from where that is known.

mod cloudfront;

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
}

/// The presets that can be run.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "strict",
        about: "A correct S3-aware reverse proxy: 502 for refused or invalid, 504 for timeouts, no unsafe \
                replay, retries within a budget, failover and failback by health.",
        settings: &[],
    },
    cloudfront::PRESET,
];

/// Presets that are planned, so that asking for one is told apart from a slip of the pen.
const PLANNED: &[&str] = &["api-gateway", "app-server"];

pub(crate) fn find(name: &str) -> Result<&'static Preset, ConfigError> {
    match PRESETS.iter().find(|preset| preset.name == name) {
        Some(preset) => Ok(preset),
        None if PLANNED.contains(&name) => Err(ConfigError::PresetNotSupportedYet(name.to_owned())),
        None => Err(ConfigError::unknown_preset(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_lists_every_setting_with_its_source() {
        let readme = include_str!("../README.md");
        for Preset { name, about, settings } in PRESETS.iter().filter(|preset| !preset.settings.is_empty()) {
            assert!(readme.contains(&format!("### {name}\n\n{about}\n")), "{name}");
            for Setting { parameter, value, source } in *settings {
                let row = format!("| `{parameter}` | `{value}` | {source} |");
                assert!(source.len() > 10 && readme.contains(&row), "{name}: {row}");
            }
        }
    }
}
