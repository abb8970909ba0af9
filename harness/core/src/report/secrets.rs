//! What must not leave the machine: secret keys never get here, access keys are masked, settings that look
//! like credentials are blanked.
//!
//! A plan has no field for a key of an identity. What a user may write into it by hand (the environment or
//! arguments of a gateway command, recipe parameters, the user part of an address) is blanked by name.

use super::RunReport;
use crate::plan::{GatewayPlan, Plan};

/// Stands in for what is not shown.
const HIDDEN: &str = "…";

/// Parts of names whose values are not for reports.
const TELLING: &[&str] = &[
    "secret",
    "token",
    "passw",
    "authorization",
    "cookie",
    "credential",
    "private",
    "access_key",
    "access-key",
    "api_key",
    "api-key",
];

/// An access key, told apart but not given away: its first four and last two characters. Short ones are
/// hidden.
pub fn mask(access_key: &str) -> String {
    let letters: Vec<char> = access_key.chars().collect();
    if letters.len() < 10 {
        return HIDDEN.into();
    }
    let (head, tail) = (&letters[..4], &letters[letters.len() - 2..]);
    head.iter().copied().chain(HIDDEN.chars()).chain(tail.iter().copied()).collect()
}

/// The report without credentials that a user may have written into the scenario or on the command line.
pub fn redacted(report: &RunReport) -> RunReport {
    let mut report = report.clone();
    redact_plan(&mut report.plan);
    report.environment.reproduce = arguments(&report.environment.reproduce);
    report
}

/// Blanks what looks like a credential in the gateway's settings and in header matches.
pub fn redact_plan(plan: &mut Plan) {
    match &mut plan.gateway {
        GatewayPlan::Embedded { params, .. } | GatewayPlan::Recipe { params, .. } => blank(params),
        GatewayPlan::Command { run, env, .. } => {
            blank(env);
            let mut previous_is_telling = false;
            for argument in run {
                let is_telling = argument.starts_with('-') && is_telling(argument) && !argument.contains('=');
                *argument = if previous_is_telling { HIDDEN.into() } else { word(argument) };
                previous_is_telling = is_telling;
            }
        }
        GatewayPlan::Url { base, .. } => *base = word(base),
    }
    let matchers = plan.faults.iter_mut().map(|f| &mut f.matcher);
    for matcher in matchers.chain(plan.expectations.iter_mut().map(|e| &mut e.matcher)) {
        for (_, glob) in matcher.header.iter_mut().filter(|(name, _)| is_telling(name)) {
            glob.0 = HIDDEN.into();
        }
    }
}

/// One argument of a command line, its value blanked where its name or the mapping it holds tells of a credential.
pub fn redact_argument(argument: &str) -> String {
    word(argument)
}

/// A command line with the values of telling `name=value` words blanked.
pub(super) fn arguments(command: &str) -> String {
    command.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn blank(settings: &mut std::collections::BTreeMap<String, String>) {
    for (_, value) in settings.iter_mut().filter(|(name, _)| is_telling(name)) {
        *value = HIDDEN.into();
    }
    for value in settings.values_mut() {
        *value = without_user(value);
    }
}

fn word(text: &str) -> String {
    let equals = text.match_indices('=').map(|(at, _)| at);
    let telling = equals.clone().find(|at| is_telling(&text[..*at]));
    let mapping = equals.clone().find(|at| is_telling(text) && text[at + 1..].starts_with(['{', '[']));
    match telling.or(mapping) {
        Some(at) => format!("{}={HIDDEN}", &text[..at]),
        None => without_user(text),
    }
}

fn is_telling(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TELLING.iter().any(|part| name.contains(part))
}

/// `http://user:password@host/` without what precedes the `@`.
fn without_user(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.into() };
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..authority].rfind('@') {
        Some(at) => format!("{scheme}://{HIDDEN}{}", &rest[at..]),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn an_access_key_is_told_apart_but_not_given_away() {
        assert_eq!(mask("AKIAIOSFODNN7EXAMPLE"), "AKIA…LE");
        assert_eq!(mask("short"), "…");
        assert_eq!(mask(""), "…");
    }

    #[test]
    fn arguments_are_blanked_however_they_are_written() {
        let blanked = |text: &str| redact_argument(text);
        assert_eq!(blanked("--set=gateway.command.env.TOKEN=a=b"), "--set=gateway.command.env.TOKEN=…");
        assert_eq!(blanked("gateway.command.env={TOKEN: a b}"), "gateway.command.env=…");
        assert_eq!(blanked("load.app.open.rate=50/s"), "load.app.open.rate=50/s");
        assert_eq!(blanked("scenarios/token-expired.yaml"), "scenarios/token-expired.yaml");
    }

    #[test]
    fn credentials_in_a_gateway_command_are_blanked() {
        let mut report = fixtures::passing();
        let env =
            [("AWS_SECRET_ACCESS_KEY", "planted-1"), ("MODE", "fast"), ("PROXY", "http://u:planted-2@p/")];
        report.plan.gateway = GatewayPlan::Command {
            run: ["gw", "--api-token", "planted-3", "--secret-key=planted-4", "-v"]
                .map(String::from)
                .to_vec(),
            template: None,
            env: env.map(|(k, v)| (k.to_string(), v.to_string())).into(),
            ready_path: "/".into(),
            ready_within: crate::units::Span::seconds(1),
            stop_signal: "TERM".into(),
            stop_within: crate::units::Span::seconds(1),
        };
        let header = ("Authorization".to_string(), crate::rules::Glob("planted-6*".into()));
        report.plan.faults[0].matcher.header = [header.clone()].into();
        report.plan.expectations[0].matcher.header = [header].into();
        report.environment.reproduce =
            "gatecrash run x --set gateway.command.env.TOKEN=planted-5 --seed 7".into();
        let shown = serde_json::to_string(&redacted(&report)).unwrap();
        for r in crate::report::RENDERERS {
            let bytes = (r.render)(&report, &crate::report::RenderOptions::default());
            assert!(!String::from_utf8(bytes).unwrap().contains("planted"), "{}", r.name);
        }
        assert!(
            shown.contains("fast") && shown.contains("http://…@p/") && shown.contains("--seed 7"),
            "{shown}"
        );
    }

    #[test]
    fn the_structure_has_no_field_for_a_secret() {
        fn names(value: &serde_json::Value, found: &mut Vec<String>) {
            match value {
                serde_json::Value::Object(map) => {
                    found.extend(map.keys().cloned());
                    map.values().for_each(|v| names(v, found));
                }
                serde_json::Value::Array(items) => items.iter().for_each(|v| names(v, found)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        for (_, report) in fixtures::all() {
            names(&serde_json::to_value(report).unwrap(), &mut found);
        }
        found.retain(|name| is_telling(name));
        assert_eq!(found, Vec::<String>::new());
    }
}
