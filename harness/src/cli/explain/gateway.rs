//! Pages of gateways with their parameters, and of the presets of the embedded one.

use std::fmt::Write as _;

use gatecrash_reference::PRESETS;

use super::wrap;
use crate::gateway::{Parameter, ParameterKind, RECIPES, described};

/// Names of gateways and presets.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let gateways = ["embedded"].into_iter().chain(RECIPES.iter().map(|recipe| recipe.name));
    gateways.chain(PRESETS.iter().map(|preset| preset.name))
}

/// The page of a gateway.
pub(super) fn page(name: &str) -> Option<String> {
    let gateway = described().ok()?.into_iter().find(|gateway| gateway.name == name)?;
    let how = match name {
        "embedded" => "gateway:\n  embedded: { preset: strict, params: { PARAMETER: VALUE } }".to_owned(),
        _ => format!("gateway:\n  recipe: {{ name: {name}, params: {{ PARAMETER: VALUE }} }}"),
    };
    let set = if name == "embedded" { "embedded" } else { "recipe" };
    let mut text = format!(
        "gateway {name}: {}\n\nin a scenario:\n{how}\n\non the command line:\n  gatecrash run --gateway {name} --set \
         gateway.{set}.params.PARAMETER=VALUE\n\nparameters:\n",
        gateway.recipe.about
    );
    for parameter in &gateway.recipe.parameters {
        let Parameter { name, default, about, .. } = parameter;
        let said = wrap(&format!("{name} ({}, default {default}): {about}", values(parameter)));
        let _ = writeln!(text, "  {}", said.replace('\n', "\n      "));
    }
    if name == "embedded" {
        let presets = PRESETS.iter().map(|preset| format!("  {}: {}\n", preset.name, preset.about));
        text.push_str("\npresets:\n");
        text.extend(presets);
    }
    Some(text)
}

/// The page of a preset: each value with where it is known from.
pub(super) fn preset(name: &str) -> Option<String> {
    let preset = PRESETS.iter().find(|preset| preset.name == name)?;
    let mut text = format!(
        "preset {name}: {}\n\nin a scenario:\ngateway:\n  embedded: {{ preset: {name} }}\n",
        wrap(preset.about)
    );
    if !preset.settings.is_empty() {
        text.push_str("\nwhat differs from `strict`:\n");
    }
    for setting in preset.settings {
        let when =
            setting.when.map_or_else(String::new, |(other, value)| format!(" (with {other}: {value})"));
        let said = wrap(&format!("{}: {}{when}; {}", setting.parameter, setting.value, setting.source));
        let _ = writeln!(text, "  {}", said.replace('\n', "\n      "));
    }
    Some(text)
}

fn values(parameter: &Parameter) -> String {
    let what = match parameter.kind {
        ParameterKind::Span => "time".to_owned(),
        ParameterKind::Size => "size".to_owned(),
        ParameterKind::Count => "whole number".to_owned(),
        ParameterKind::Number => "number".to_owned(),
        ParameterKind::Flag => "true or false".to_owned(),
        ParameterKind::Choice => format!("one of {}", parameter.of.join(", ")),
        ParameterKind::Words => format!("some of {}", parameter.of.join(", ")),
        ParameterKind::Path => "path".to_owned(),
        ParameterKind::Mapping => "integration responses, or none".to_owned(),
        ParameterKind::Text => "text of one line".to_owned(),
    };
    match (&parameter.min, &parameter.max) {
        (Some(min), Some(max)) => format!("{what} from {min} to {max}"),
        (Some(min), None) => format!("{what}, at least {min}"),
        (None, Some(max)) => format!("{what}, at most {max}"),
        (None, None) => what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gateway_and_preset_has_a_page_with_its_parameters() {
        for name in names() {
            assert!(page(name).or_else(|| preset(name)).is_some(), "{name}");
        }
        let nginx = page("nginx").expect("a recipe");
        assert!(nginx.contains("  tries (") && nginx.contains("--set gateway.recipe.params."), "{nginx}");
        assert!(page("embedded").is_some_and(|text| text.contains("cloudfront: ")));
        assert!(preset("cloudfront").is_some_and(|text| text.contains("developer guide")));
        assert_eq!(page("ngnix"), None);
    }
}
