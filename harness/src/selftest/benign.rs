//! Gateways that are correct in another way: harmless variants and presets. Every alarm on them is a false one.

use gatecrash_core::plan::{GatewayPlan, Plan};
use gatecrash_reference::{PRESETS, VARIANTS};

/// The scenario they run: its expectations hold for every correct gateway under its own profile.
pub(super) const SCENARIO: &str = "selftest/mixed";

/// Divides the times of presets, so that nobody waits half a minute for a timeout.
const SPEED: &str = "10";

/// Each with its name and its plan.
pub(super) fn gateways(plan: &Plan) -> Vec<(String, Plan)> {
    let variants = VARIANTS.iter().map(|v| (v.name.to_owned(), with(plan, None, ("variants", v.name))));
    let presets = PRESETS.iter().filter(|p| !p.settings.is_empty());
    let presets = presets.map(|p| (format!("preset {}", p.name), with(plan, Some(p.name), ("speed", SPEED))));
    variants.chain(presets).collect()
}

fn with(plan: &Plan, other: Option<&str>, (parameter, value): (&str, &str)) -> Plan {
    let mut plan = plan.clone();
    if let GatewayPlan::Embedded { preset, params, .. } = &mut plan.gateway {
        if let Some(other) = other {
            other.clone_into(preset);
        }
        params.insert(parameter.to_owned(), value.to_owned());
    }
    plan
}
