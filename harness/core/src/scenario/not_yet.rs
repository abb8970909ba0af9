//! What the format has and this release does not: refused by name at its line, never ignored.

/// Keys by path (`*` for any name or number; a leading `**` for any beginning), with advice.
const KEYS: &[(&str, &str)] = &[
    ("report", "choose formats on the command line"),
    ("upstreams.*.bandwidth", "the fault `bandwidth` limits a link"),
    ("upstreams.*.health", ""),
    ("buckets.*.replication-lag", "write `replication: { lag: 2s }`"),
    ("buckets.*.versioning", ""),
    ("identities.*.keys", "keys are generated"),
    ("identities.*.policy", "use allow and deny"),
    ("identities.*.session-token", ""),
    ("identities.*.expiry", ""),
    ("gateway.recipe.cpus", ""),
    ("gateway.command.reload", ""),
    ("gateway.url.drain", ""),
    ("gateway.url.serve", ""),
    ("load.*.client.redirects", "no client follows a redirect by itself"),
    ("load.*.engine", "write `client: { engine: ... }`"),
    ("load.*.sizes", "sizes belong to `buckets` and `writes`"),
    ("timeline.*.until", "phases end after `for`"),
    ("**.target.direction", ""),
    ("**.rotate-key.old-key", "the old key is rejected"),
    ("**.iam.propagation", "changes hold at once"),
    ("**.bucket-policy.propagation", "changes hold at once"),
    ("**.NotAction", ""),
    ("**.NotResource", ""),
    ("**.NotPrincipal", ""),
    ("guards.abort-when", ""),
];

/// Names of fixed sets by the key that holds them, with advice.
const NAMES: &[(&str, &str, &str)] = &[
    ("keys", "missing", "write `missing: 2%` beside `keys`"),
    ("size", "fixed", "write the size alone, as in `size: 16KiB`"),
];

/// Advice on a key that is not built yet; `None` when the format has no such key.
pub(super) fn key(path: &[String]) -> Option<&'static str> {
    KEYS.iter().find(|(pattern, _)| fits(pattern, path)).map(|(_, help)| *help)
}

/// Advice on a name that is not built yet.
pub(super) fn name(what: &str, name: &str, path: &[String]) -> Option<&'static str> {
    match what {
        "gateway" => None,
        _ => {
            let holders = path.iter().map(String::as_str).collect::<Vec<_>>();
            let mut found = NAMES.iter().filter(|(holder, n, _)| *n == name && holders.contains(holder));
            found.next().map(|(_, _, help)| *help)
        }
    }
}

fn fits(pattern: &str, path: &[String]) -> bool {
    let pattern: Vec<_> = pattern.split('.').collect();
    let same = |pattern: &[&str], path: &[String]| {
        pattern.len() == path.len() && pattern.iter().zip(path).all(|(p, s)| *p == "*" || p == s)
    };
    match pattern.split_first() {
        Some((&"**", tail)) => path.len() >= tail.len() && same(tail, &path[path.len() - tail.len()..]),
        _ => same(&pattern, path),
    }
}

/// Whether the format knows a preset of the embedded gateway, built or not.
pub(super) fn is_preset(name: &str) -> bool {
    ["strict", "cloudfront", "api-gateway", "app-server"].contains(&name)
}
