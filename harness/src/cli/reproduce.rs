//! The command line that reproduces a run, for reports.

use gatecrash_core::report::redact_argument;

/// Our own command line without the seed (a run adds the one it used) and without what looks like a credential.
pub(super) fn own_command_line() -> String {
    of(std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()))
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
