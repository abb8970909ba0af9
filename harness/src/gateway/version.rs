//! Finds a gateway's program, in the version that is wanted, and asks it for its version.
//!
//! Looked through are the folders of `PATH`, then those where servers live, then those of `GATECRASH_PROGRAMS`, a
//! list like `PATH`: so that what was installed beside the system's programs (another version, a program out of a
//! Python wheel) is found without getting into anybody's way.

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

/// Environment variable with further folders, looked through last.
pub(super) const FURTHER: &str = "GATECRASH_PROGRAMS";

/// How a program tells its version.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Probe {
    /// Arguments that make it print and exit.
    pub args: Vec<String>,
    /// What stands before the version in its output (either stream).
    pub after: String,
}

/// The program's path: as given when it has a slash, else the first of its name.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    find_all(program).into_iter().next()
}

/// Every program of this name, each once, in the order in which folders are looked through.
fn find_all(program: &str) -> Vec<PathBuf> {
    let runnable = |path: &PathBuf| {
        use std::os::unix::fs::PermissionsExt;
        path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    };
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(runnable).into_iter().collect();
    }
    let list = |name: &str| -> Vec<PathBuf> {
        std::env::split_paths(&std::env::var_os(name).unwrap_or_default()).collect()
    };
    let dirs = list("PATH").into_iter().chain(SERVER_DIRS.iter().map(PathBuf::from)).chain(list(FURTHER));
    let mut found: Vec<PathBuf> = dirs.map(|dir| dir.join(program)).filter(runnable).collect();
    let mut seen = std::collections::HashSet::new();
    found.retain(|path| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
    found
}

/// The first program whose version is the wanted one or begins with it, and its version.
pub(super) async fn find_version(
    program: &str,
    how: &Probe,
    wanted: &str,
) -> Result<(PathBuf, String), GatewayError> {
    let mut others = Vec::new();
    for path in find_all(program) {
        let version = probe(&path, how).await?;
        if fits(&version, wanted) {
            return Ok((path, version));
        }
        others.push(format!("{version} at {}", path.display()));
    }
    Err(GatewayError::MissingVersion { program: program.to_owned(), wanted: wanted.to_owned(), others })
}

/// The versions of programs that others of their name hide, each once.
pub(super) async fn others(program: &str, how: &Probe) -> Result<Vec<String>, GatewayError> {
    let mut versions = Vec::new();
    let all = find_all(program);
    if all.len() > 1 {
        for path in &all {
            let version = probe(path, how).await?;
            if !versions.contains(&version) {
                versions.push(version);
            }
        }
    }
    Ok(versions.split_off(versions.len().min(1)))
}

fn fits(version: &str, wanted: &str) -> bool {
    let rest = version.strip_prefix(wanted.trim_end_matches('.'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
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

/// The first number with a dot in it after that text: `2.6.12-1`, `v2.11.7`, `<commit>/1.40.0/Clean`.
fn extract(text: &str, after: &str) -> Option<String> {
    let (_, rest) = text.split_once(after)?;
    let numbers = rest.split(|c: char| !c.is_ascii_digit() && c != '.');
    let mut versions = numbers.map(|word| word.trim_matches('.')).filter(|word| word.contains('.'));
    versions.next().map(str::to_owned)
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
        let envoy = "/opt/v1.0/envoy  version: 9e558093/1.40.0/Clean/RELEASE/BoringSSL";
        assert_eq!(extract(envoy, "version: "), Some("1.40.0".into()));
        assert_eq!(extract("v2.11.7 h1:Xy=", ""), Some("2.11.7".into()));
    }

    #[test]
    fn a_version_begins_with_the_wanted_one() {
        for (version, wanted, is) in
            [("2.8.25", "2.8", true), ("2.8.25", "2", true), ("2.8", "2.8.", true), ("2.80.1", "2.8", false)]
        {
            assert_eq!(fits(version, wanted), is, "{version} {wanted}");
        }
    }

    #[tokio::test]
    async fn what_is_found_in_other_versions_is_named() {
        let how = Probe { args: vec!["-c".into(), "echo version 1.2.3".into()], after: "version ".into() };
        let (path, version) = find_version("sh", &how, "1.2").await.expect("1.2.3");
        assert_eq!((Some(path), version.as_str()), (find("sh"), "1.2.3"));
        let error = find_version("sh", &how, "1.3").await.expect_err("no 1.3").to_string();
        assert!(error.starts_with("`sh` is not here in version 1.3, but 1.2.3 at /"), "{error}");
    }

    #[test]
    fn programs_are_found_by_name_and_by_path() {
        let shell = find("sh").expect("there is a shell");
        assert_eq!(find(&shell.to_string_lossy()), Some(shell));
        assert_eq!(find("no-such-program-anywhere"), None);
    }
}
