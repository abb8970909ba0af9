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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use minijinja::context;

    use super::super::parameters;
    use super::super::recipe::{RECIPES, REFERENCE, Recipe, Source};
    use super::*;

    fn declared(source: &Source, primaries: u32, standbys: u32, given: &[(&str, &str)]) -> Declared {
        let recipe = Recipe::parse(source).unwrap();
        let topology = context! { primaries, standbys };
        let renderer = Renderer::new();
        let given: BTreeMap<String, String> =
            given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let params = parameters::settle(&recipe.parameters, &given, &topology, &renderer).unwrap();
        Declared::render(source.declared, context! { params, ..topology }, &renderer)
            .unwrap_or_else(|e| panic!("{}: {e}", source.name))
    }

    #[test]
    fn every_recipe_declares_itself_for_any_topology() {
        for source in RECIPES.iter().chain([&REFERENCE]) {
            for (primaries, standbys) in [(1, 0), (3, 0), (2, 2), (1, 1)] {
                let profile = declared(source, primaries, standbys, &[]).profile;
                assert!(source.name.starts_with(&profile.gateway), "{}", source.name);
                assert!(profile.max_attempts >= 2, "{}: {}", source.name, profile.max_attempts);
            }
        }
    }

    #[test]
    fn nginx_declares_its_lines() {
        let attempts = |primaries, standbys, given: &[(&str, &str)]| {
            declared(&RECIPES[0], primaries, standbys, given).profile.max_attempts
        };
        assert_eq!(attempts(1, 0, &[]), 2);
        assert_eq!(attempts(3, 0, &[]), 3);
        assert_eq!(attempts(2, 2, &[]), 4);
        assert_eq!(attempts(2, 0, &[("tries", "3")]), 4);
        assert_eq!(attempts(2, 0, &[("tries", "3"), ("keepalive", "0")]), 3);
    }

    #[test]
    fn parameters_reach_the_profile() {
        let given = [("tries", "3"), ("connect-timeout", "200ms"), ("retry-on", "none"), ("checks", "false")];
        let haproxy = declared(&RECIPES[1], 2, 0, &given);
        assert_eq!(haproxy.profile.back_off.to_string(), "400ms");
        assert_eq!(haproxy.profile.retries_5xx, [0; 0]);
        assert_eq!(haproxy.probes, []);
        let reference = declared(&REFERENCE, 2, 0, &[("tries", "5"), ("health-path", "/up")]);
        assert_eq!(reference.profile.back_off.to_string(), "375ms");
        assert_eq!(reference.probes[0].target.as_deref(), Some("/up"));
    }
}
