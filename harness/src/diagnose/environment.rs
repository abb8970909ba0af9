//! `gatecrash diagnose --environment`: whether this machine has what a run needs.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use rustix::process::{Resource, getrlimit};

use crate::{environment, gateway};

/// Open files that a run with its load wants; below, connections are short before anything is tested.
const FILES: u64 = 1024;
/// Cores below which timings are those of the machine.
const CORES: u32 = 2;

/// One look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Look {
    /// At what.
    pub what: String,
    /// What was found.
    pub found: String,
    /// Whether runs can do with it.
    pub good: bool,
    /// Whether runs cannot do without.
    pub needed: bool,
}

/// Looks at everything.
pub fn looks() -> Vec<Look> {
    let look =
        |what: &str, found: String, good: bool, needed: bool| Look { what: what.into(), found, good, needed };
    let cores = environment::cores();
    let files = getrlimit(Resource::Nofile).current;
    let mut all = vec![
        look("system", environment::system(), true, false),
        look("cores", cores.to_string(), cores >= CORES, false),
        look(
            "open files",
            files.map_or_else(|| "no limit".to_owned(), |n| format!("{n} (soft limit, `ulimit -n`)")),
            files.is_none_or(|n| n >= FILES),
            true,
        ),
    ];
    for (what, ip) in [
        ("upstream endpoints", Ipv4Addr::new(127, 0, 10, 1)),
        ("name server", Ipv4Addr::new(127, 0, 53, 1)),
        ("gateway", Ipv4Addr::LOCALHOST),
    ] {
        let bound = TcpListener::bind((ip, 0)).and_then(|_| UdpSocket::bind((ip, 0)));
        let found = bound.as_ref().map_or_else(ToString::to_string, |_| "ports are free".to_owned());
        all.push(look(&format!("{ip} for the {what}"), found, bound.is_ok(), true));
    }
    for path in ["/sys/fs/cgroup/cgroup.controllers", "/sys/fs/cgroup/cpu"] {
        if std::path::Path::new(path).exists() {
            all.push(look(
                "control groups",
                format!("{path} is there, for the faults cpu and memory"),
                true,
                false,
            ));
        }
    }
    for listed in gateway::catalogue() {
        let here = !listed.installed.starts_with("not ");
        all.push(look(&format!("gateway {}", listed.name), listed.installed, here, false));
    }
    all
}

/// As text: a line each.
pub fn text(looks: &[Look]) -> String {
    let width = looks.iter().map(|look| look.what.len()).max().unwrap_or_default();
    let mut out = String::new();
    for look in looks {
        let mark = match (look.good, look.needed) {
            (true, _) => "ok     ",
            (false, true) => "LACKING",
            (false, false) => "-      ",
        };
        let _ = writeln!(out, "{mark} {:width$}  {}", look.what, look.found);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_and_every_address_is_looked_at() {
        let all = looks();
        for wanted in [
            "cores",
            "open files",
            "127.0.10.1 for the upstream endpoints",
            "gateway embedded",
            "gateway nginx",
        ] {
            assert!(all.iter().any(|look| look.what == wanted), "{wanted}: {all:?}");
        }
        let bad = [Look { what: "open files".into(), found: "64".into(), good: false, needed: true }];
        assert_eq!(text(&bad), "LACKING open files  64\n");
    }
}
