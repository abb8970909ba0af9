//! A gateway that the user starts by a command of theirs: templates for arguments, environment and config
//! file.

use std::path::Path;
use std::sync::atomic::AtomicU64;

use gatecrash_core::plan::GatewayPlan;
use gatecrash_core::profile::Profile;
use minijinja::Value;

use super::blueprint::{Blueprint, ConfigFile};
use super::error::GatewayError;
use super::recipe::{Ready, Stop};
use super::shim::SIGNALS;

/// What is wrong with a command before it is tried.
pub(super) fn problems(run: &[String], stop_signal: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if run.first().is_none_or(String::is_empty) {
        problems.push("`run` names no program".to_owned());
    }
    if !SIGNALS.iter().any(|(name, _)| *name == stop_signal.trim_start_matches("SIG")) {
        let known: Vec<&str> = SIGNALS.iter().map(|(name, _)| *name).collect();
        problems.push(format!("unknown signal `{stop_signal}` (known: {})", known.join(", ")));
    }
    problems
}

/// The blueprint of a command; `None` for other gateways.
pub(super) fn blueprint(plan: &GatewayPlan, facts: Value) -> Result<Option<Blueprint>, GatewayError> {
    let GatewayPlan::Command { run, template, env, ready_path, ready_within, stop_signal, stop_within } =
        plan
    else {
        return Ok(None);
    };
    let config = template.as_deref().map(read).transpose()?;
    Ok(Some(Blueprint {
        name: "command".into(),
        program: run.first().cloned().unwrap_or_default(),
        package: None,
        wheel: None,
        wanted: None,
        args: run.iter().skip(1).cloned().collect(),
        env: env.clone(),
        shuns_root: false,
        config: config.into_iter().collect(),
        version: None,
        ready: Ready { path: ready_path.clone(), within: *ready_within, up_to: Some(499) },
        stop: Stop { signal: stop_signal.trim_start_matches("SIG").to_owned(), within: *stop_within },
        reload: None,
        can: Vec::new(),
        logs: vec![super::blueprint::OUTPUT.into()],
        witness: None,
        profile: Profile::strict("command"),
        probes: Vec::new(),
        facts,
        written: AtomicU64::new(0),
    }))
}

/// The template file; what it renders to keeps its name without `.j2`.
fn read(template: &str) -> Result<ConfigFile, GatewayError> {
    let text = std::fs::read_to_string(template)
        .map_err(|e| GatewayError::Render { what: template.to_owned(), problem: e.to_string() })?;
    let name = Path::new(template).file_name().map_or("config".into(), |name| name.to_string_lossy());
    let name = name.strip_suffix(".j2").unwrap_or(&name).to_owned();
    Ok(ConfigFile { name, template: text })
}
