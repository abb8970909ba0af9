//! The command line that reproduces a run, for reports.

use std::path::Path;

use gatecrash_core::plan::{GatewayPlan, Plan};
use gatecrash_core::report::redact_argument;

/// Options that a single run needs as well; what selects, repeats, compares or reports it does not need.
const NEEDED: &[&str] = &["defect", "set", "strict", "out", "upstream-port", "allow-target", "target", "at"];

/// Our own command line without the seed (a run adds the one it used) and without what looks like a credential.
pub(super) fn own_command_line() -> String {
    of(std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()))
}

/// Our own command line, narrowed to one case: its scenario, its case, and the gateway it ran on where one was asked
/// for.
pub(super) fn own_command_line_for(plan: &Plan, is_asked: bool) -> String {
    let arguments = std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned());
    of_case(&super::description(), arguments, plan, is_asked)
}

fn of_case(
    all: &clap::Command,
    mut arguments: impl Iterator<Item = String>,
    plan: &Plan,
    is_asked: bool,
) -> String {
    let name = arguments.next().unwrap_or_default();
    let command = all.find_subcommand(&name);
    let mut words = vec![name.clone(), scenario(&plan.source)];
    if name == "run" && !plan.case.is_empty() {
        words.extend(["--case".to_owned(), plan.title()]);
    }
    if is_asked && let Some(gateway) = gateway(&plan.gateway) {
        words.extend(["--gateway".to_owned(), gateway]);
    }
    while let Some(argument) = arguments.next() {
        let Some(option) = argument.strip_prefix("--") else { continue };
        let long = option.split('=').next().unwrap_or_default();
        let known = command.and_then(|c| c.get_arguments().find(|a| a.get_long() == Some(long)));
        let takes = known.is_some_and(|a| a.get_action().takes_values());
        let value = if takes && long == option { arguments.next() } else { None };
        // Of `capacity` a case is a part of a scenario.
        if NEEDED.contains(&long) || (name != "run" && long == "case") {
            words.extend([Some(argument), value].into_iter().flatten());
        }
    }
    of(words.into_iter())
}

/// A shipped scenario by its name, a file as it was named.
fn scenario(source: &str) -> String {
    let shipped = source.strip_prefix("scenarios/").filter(|_| !Path::new(source).exists());
    shipped.map_or(source, |name| name.trim_end_matches(".yaml")).to_owned()
}

fn gateway(plan: &GatewayPlan) -> Option<String> {
    match plan {
        GatewayPlan::Embedded { .. } => Some("embedded".to_owned()),
        GatewayPlan::Recipe { name, version: None, .. } => Some(name.clone()),
        GatewayPlan::Recipe { name, version: Some(version), .. } => Some(format!("{name}@{version}")),
        GatewayPlan::Command { .. } | GatewayPlan::Url { .. } => None,
    }
}

fn of(arguments: impl Iterator<Item = String>) -> String {
    let mut words = vec!["gatecrash".to_owned()];
    let mut is_seed = false;
    for argument in arguments {
        let skip = std::mem::take(&mut is_seed);
        is_seed = !skip && argument == "--seed";
        if !skip && !is_seed && !argument.starts_with("--seed=") {
            words.push(quoted(&redact_argument(&argument)));
        }
    }
    words.join(" ")
}

/// As a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=:,@%+…".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(arguments: &[&str]) -> String {
        of(arguments.iter().map(|a| (*a).to_owned()))
    }

    #[test]
    fn a_shell_reads_it_back() {
        assert_eq!(
            line(&["run", "a b.yaml", "--set", "x=it's"]),
            r"gatecrash run 'a b.yaml' --set 'x=it'\''s'"
        );
        assert_eq!(line(&["run", "--set", "a=[x;y]", ""]), "gatecrash run --set 'a=[x;y]' ''");
    }

    #[test]
    fn the_seed_is_left_to_the_run() {
        assert_eq!(line(&["run", "--seed", "random", "x", "--seed=7", "-q"]), "gatecrash run x -q");
    }

    #[test]
    fn one_case_of_many_is_named() {
        let mut plan = gatecrash_core::golden::Story::new().plan;
        plan.source = "scenarios/smoke/shipped.yaml".into();
        let line = |plan: &Plan, arguments: &str| {
            let arguments = arguments.split_whitespace().map(str::to_owned);
            let is_asked = matches!(plan.gateway, GatewayPlan::Recipe { .. });
            of_case(&crate::cli::description(), arguments, plan, is_asked)
        };
        assert_eq!(line(&plan, "run --tag smoke -q --repeat 3 --seed 43"), "gatecrash run smoke/shipped");
        plan.case = "rate=5/s".into();
        plan.gateway = GatewayPlan::Recipe {
            name: "haproxy".into(),
            version: Some("2.8".into()),
            params: Default::default(),
        };
        let title = plan.title();
        assert_eq!(
            line(&plan, "run a.yaml b --gateway all --strict --set x=1 --report json:a --set=y=2"),
            format!(
                "gatecrash run smoke/shipped --case '{title}' --gateway haproxy@2.8 --strict --set x=1 --set=y=2"
            )
        );
        plan.source = "mine.yaml".into();
        assert_eq!(
            line(&plan, "capacity mine.yaml other.yaml --case clean --target 50/s --seed=4"),
            "gatecrash capacity mine.yaml --gateway haproxy@2.8 --case clean --target 50/s"
        );
    }

    #[test]
    fn credentials_are_blanked() {
        let given = [
            "run",
            "--set=gateway.command.env.TOKEN=planted",
            "--set",
            "gateway.command.env={TOKEN: planted}",
        ];
        assert!(!line(&given).contains("planted"), "{}", line(&given));
    }
}
