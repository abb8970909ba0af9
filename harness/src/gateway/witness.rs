//! The second witness: a gateway's own log of the upstream tries of each request, also of those no link could
//! see.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;

/// One client request in the gateway's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WitnessLine {
    /// Value of the request id header, empty when there was none.
    pub id: String,
    /// Status sent to the client.
    pub status: u16,
    /// Upstream tries, failed connects included.
    pub attempts: u32,
    /// Upstream addresses in the order they were tried; only the last where the gateway tells no more.
    pub upstreams: Vec<String>,
    /// What came of each, as the gateway writes it.
    pub statuses: Vec<String>,
    /// The gateway's own code for how the session ended, empty when it has none.
    pub ending: String,
}

/// The line as recipes have it written. Lists are separated by commas (and by colons, nginx's mark for a
/// group that follows another).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: String,
    status: i32,
    upstreams: String,
    statuses: String,
    /// HAProxy: retries, `+` before them when the last went to another server.
    #[serde(default)]
    retries: Option<String>,
    /// Envoy: tries in all, the first included; 0 when no upstream was tried.
    #[serde(default)]
    attempts: Option<u32>,
    #[serde(default)]
    ending: String,
}

/// Reads the JSON lines of a log; other lines in it are not the witness's.
pub(super) fn read(path: &Path) -> io::Result<Vec<WitnessLine>> {
    let mut lines = Vec::new();
    for line in BufReader::new(File::open(path)?).lines() {
        lines.extend(parse(&line?));
    }
    Ok(lines)
}

fn parse(line: &str) -> Option<WitnessLine> {
    let start = line.find("{\"id\"")?;
    let line: Line = serde_json::from_str(&line[start..]).ok()?;
    let split = |list: &str| -> Vec<String> {
        list.replace(" : ", ", ")
            .split(", ")
            .filter(|item| !item.is_empty() && *item != "-")
            .map(str::to_owned)
            .collect()
    };
    let upstreams = split(&line.upstreams);
    let attempts = match &line.retries {
        _ if line.attempts.is_some() => line.attempts.unwrap_or_default(),
        Some(_) if upstreams.is_empty() => 0,
        Some(retries) => retries.trim_start_matches('+').parse::<u32>().ok()? + 1,
        // A group without a live server is logged by its name, which has no port.
        None => upstreams.iter().filter(|upstream| upstream.contains(':')).count() as u32,
    };
    let id = if line.id == "-" { String::new() } else { line.id };
    let status = u16::try_from(line.status).unwrap_or(0);
    Some(WitnessLine {
        id,
        status,
        attempts,
        upstreams,
        statuses: split(&line.statuses),
        ending: line.ending,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nginx_lists_every_try() {
        let line = concat!(
            r#"{"id":"9f2c41aa-0-7","status":200,"#,
            r#""upstreams":"127.0.0.2:4001, 127.0.0.3:4001 : pool","statuses":"502, 200 : 502"}"#
        );
        let line = parse(line).expect("a witness line");
        assert_eq!((line.id.as_str(), line.status, line.attempts), ("9f2c41aa-0-7", 200, 2));
        assert_eq!(line.upstreams, ["127.0.0.2:4001", "127.0.0.3:4001", "pool"]);
        assert_eq!(line.statuses, ["502", "200", "502"]);
    }

    #[test]
    fn envoy_counts_tries() {
        let line = concat!(
            r#"{"id":"9f2c41aa-0-9","status":503,"upstreams":"127.0.0.2:4001","#,
            r#""statuses":"","attempts":2,"ending":"URX,UF"}"#
        );
        let line = parse(line).expect("a witness line");
        assert_eq!((line.attempts, line.ending.as_str(), line.upstreams.len()), (2, "URX,UF", 1));
    }

    #[test]
    fn haproxy_counts_retries() {
        let line = concat!(
            r#"<134>x {"id":"9f2c41aa-0-8","status":503,"upstreams":"127.0.0.2:4001","#,
            r#""statuses":"","retries":"+1","ending":"SC--"}"#
        );
        let line = parse(line).expect("a witness line");
        assert_eq!((line.attempts, line.ending.as_str(), line.upstreams.len()), (2, "SC--", 1));
        assert_eq!(parse("[NOTICE] haproxy version is 2.6.12"), None);
        let none = r#"{"id":"-","status":503,"upstreams":"-","statuses":"","retries":"0","ending":"SC--"}"#;
        assert_eq!(parse(none).map(|line| (line.id, line.attempts)), Some((String::new(), 0)));
    }
}
