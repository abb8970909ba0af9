//! What a preset of the embedded gateway makes of its parameters.

use std::collections::BTreeMap;

use gatecrash_core::units::Span;
use gatecrash_reference::PRESETS;

/// Parameters under a preset: what a scenario gives stays, times of the preset are divided by `speed`.
pub(super) fn applied(preset: &str, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let settings = PRESETS.iter().find(|p| p.name == preset).map_or(&[][..], |p| p.settings);
    let speed = given.get("speed").and_then(|text| text.parse::<f64>().ok()).filter(|speed| *speed >= 1.0);
    let holds = |parameter: &str, value: &str| match given.get(parameter) {
        Some(given) => given == value,
        None => value == default_of(parameter),
    };
    let mut all = given.clone();
    for setting in settings {
        if setting.when.is_none_or(|(parameter, value)| holds(parameter, value)) {
            let value = || sooner(setting.value, speed.unwrap_or(1.0));
            all.entry(setting.parameter.to_owned()).or_insert_with(value);
        }
    }
    all
}

/// The value that chooses among settings when none is given: the recipe's default.
fn default_of(parameter: &str) -> &'static str {
    if parameter == "retry-rules" { "standard" } else { "" }
}

/// A time divided by `speed`, in whole milliseconds and at least one; anything else as it is.
fn sooner(value: &str, speed: f64) -> String {
    match value.parse::<Span>() {
        Ok(span) => format!("{}ms", ((span.0 as f64 / 1e6 / speed).round() as u64).max(1)),
        Err(_) => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(preset: &str, given: &[(&str, &str)]) -> BTreeMap<String, String> {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        applied(preset, &given)
    }

    #[test]
    fn a_preset_sets_what_the_scenario_leaves_open() {
        let params = of("api-gateway", &[("tries", "2")]);
        assert_eq!([&params["read-timeout"], &params["tries"]], ["29000ms", "2"]);
        assert!(of("strict", &[]).is_empty());
    }

    #[test]
    fn speed_divides_times_alone() {
        let params = of("api-gateway", &[("speed", "10")]);
        assert_eq!([&params["total-timeout"], &params["request-limit"]], ["2900ms", "10MB"]);
    }

    #[test]
    fn retry_rules_choose_among_settings() {
        assert_eq!(of("app-server", &[])["retry-cost"], "5");
        let new = of("app-server", &[("retry-rules", "2026")]);
        assert_eq!([&new["retry-cost"], &new["back-off"]], ["14", "50ms"]);
    }
}
