//! The presets of the embedded gateway: parameters under those that a scenario gives, with their times scaled.

use std::collections::BTreeMap;

use gatecrash_core::units::Span;
use gatecrash_reference::PRESETS;

/// Parameter by which the times of a preset are divided, such as `10x`.
const SPEED: &str = "speed";

/// What parameters that choose among settings are when they are not given: the recipe's defaults.
const CHOICES: &[(&str, &str)] = &[("retry-rules", "standard")];

/// The parameters of the embedded gateway: those given, else the preset's at the speed given.
pub(super) fn parameters(
    preset: &str,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, String> {
    let mut given = given.clone();
    let speed = match given.get(SPEED).map(|text| text.trim_end_matches('x')) {
        None => 1.0,
        Some(text) => {
            let speed = text.parse().ok().filter(|speed: &f64| speed.is_finite() && *speed > 0.0);
            speed.ok_or_else(|| {
                format!("parameter `{SPEED}`: expected a factor such as 10x, found `{text}`")
            })?
        }
    };
    if given.contains_key(SPEED) {
        given.insert(SPEED.into(), speed.to_string());
    }
    let preset = PRESETS.iter().find(|p| p.name == preset);
    let chosen = |(choice, value): (&str, &str)| match given.get(choice) {
        Some(given) => given == value,
        None => CHOICES.contains(&(choice, value)),
    };
    let settings = preset.map_or(&[][..], |preset| preset.settings).iter();
    let settings: Vec<_> = settings.filter(|setting| setting.when.is_none_or(chosen)).collect();
    for setting in settings {
        let scaled = || match setting.value.parse::<Span>() {
            Ok(Span(nanos)) => Span::millis((nanos as f64 / speed / 1e6).ceil() as u64).to_string(),
            Err(_) => setting.value.to_owned(),
        };
        given.entry(setting.parameter.to_owned()).or_insert_with(scaled);
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::super::recipe::{REFERENCE, Recipe};
    use super::*;

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn every_setting_is_a_parameter_of_the_gateway() {
        let recipe = Recipe::parse(&REFERENCE).unwrap();
        for preset in PRESETS {
            for (name, value) in parameters(preset.name, &given(&[("speed", "10x")])).unwrap() {
                let parameter = recipe.parameters.iter().find(|p| p.name == name);
                let parameter = parameter.unwrap_or_else(|| panic!("{}: {name}", preset.name));
                parameter.value(&value).unwrap_or_else(|e| panic!("{}: {name}: {e}", preset.name));
            }
        }
    }

    #[test]
    fn times_are_scaled_and_what_is_given_stays() {
        let settled = parameters("cloudfront", &given(&[("speed", "20x"), ("read-timeout", "7s")])).unwrap();
        assert_eq!(settled["connect-timeout"], "500ms");
        assert_eq!(settled["read-timeout"], "7s");
        assert_eq!(settled["tries"], "3");
        assert!(parameters("strict", &given(&[])).unwrap().is_empty());
        assert!(parameters("cloudfront", &given(&[("speed", "0")])).is_err());
    }

    #[test]
    fn retry_rules_choose_among_settings() {
        let settled = |pairs| parameters("app-server", &given(pairs)).unwrap();
        let old = settled(&[]);
        assert_eq!([&old["retry-cost"], &old["back-off"], &old["retry-by"]], ["10", "1s", "sdk"]);
        let new = settled(&[("retry-rules", "2026")]);
        assert_eq!([&new["retry-cost"], &new["back-off"], &new["retry-by"]], ["14", "50ms", "sdk-2026"]);
    }

    #[test]
    fn what_chooses_is_the_default_of_the_recipe() {
        let recipe = Recipe::parse(&REFERENCE).unwrap();
        for (name, value) in CHOICES {
            let parameter = recipe.parameters.iter().find(|p| p.name == *name).unwrap();
            assert_eq!(parameter.default, *value);
        }
    }
}
