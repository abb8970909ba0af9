//! Finds a gateway's program and asks it for its version.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::process::Command;

use super::error::GatewayError;

/// Patience with the version probe.
const WITHIN: Duration = Duration::from_secs(10);

/// Where servers live that an ordinary user's PATH leaves out.
const SERVER_DIRS: &[&str] = &["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// How a program tells its version.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Probe {
    /// Arguments that make it print and exit.
    pub args: Vec<String>,
    /// What stands before the version in its output (either stream).
    pub after: String,
}

/// The program's path: as given when it has a slash, else on the PATH or where servers live.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let runnable = |path: &Path| {
        use std::os::unix::fs::PermissionsExt;
        path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    };
    if program.contains('/') {
        let path = PathBuf::from(program);
        return runnable(&path).then_some(path);
    }
    let dirs = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&dirs)
        .chain(SERVER_DIRS.iter().map(PathBuf::from))
        .map(|dir| dir.join(program))
        .find(|path| runnable(path))
}

/// Runs the probe and reads the version.
pub(super) async fn probe(program: &Path, probe: &Probe) -> Result<String, GatewayError> {
    let failed = |answer: String| GatewayError::Version { program: program.to_owned(), answer };
    let run = Command::new(program).args(&probe.args).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(WITHIN, run)
        .await
        .map_err(|_| failed(format!("no answer within {} s", WITHIN.as_secs())))?
        .map_err(|e| failed(e.to_string()))?;
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).join("\n");
    extract(&text, &probe.after).ok_or_else(|| failed(text.trim().to_owned()))
}

fn extract(text: &str, after: &str) -> Option<String> {
    let (_, rest) = text.split_once(after)?;
    // `2.6.2` and `v2.11.7` are both ways of it.
    let rest = rest.strip_prefix('v').unwrap_or(rest);
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let version = rest[..end].trim_end_matches('.');
    (!version.is_empty()).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_cut_out() {
        let haproxy = "HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/";
        assert_eq!(extract(haproxy, "version "), Some("2.6.12".into()));
        assert_eq!(extract("\nnginx version: nginx/1.22.1\n", "nginx/"), Some("1.22.1".into()));
        assert_eq!(extract("usage: ...", "nginx/"), None);
        assert_eq!(extract("v2.11.7 h1:Xy=", ""), Some("2.11.7".into()));
    }

    #[test]
    fn programs_are_found_by_name_and_by_path() {
        let shell = find("sh").expect("there is a shell");
        assert_eq!(find(&shell.to_string_lossy()), Some(shell));
        assert_eq!(find("no-such-program-anywhere"), None);
    }
}
