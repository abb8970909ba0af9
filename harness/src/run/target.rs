//! Which hosts may be put under load: loopback, and what the user allows by name.

use std::net::IpAddr;

use gatecrash_core::plan::{GatewayPlan, Plan};

use crate::exit::Failure;

/// Refuses a gateway on a host that is neither loopback nor allowed.
pub(super) fn allowed(plan: &Plan, allowed: &[String]) -> Result<(), Failure> {
    let GatewayPlan::Url { base, .. } = &plan.gateway else { return Ok(()) };
    let host = host(base);
    if is_loopback(host) || allowed.iter().any(|a| a.trim_matches(['[', ']']).eq_ignore_ascii_case(host)) {
        return Ok(());
    }
    Err(Failure::usage(format!("{host} is not a loopback address"))
        .hint(format!("load against other hosts needs --allow-target {host}")))
}

/// The host of `scheme://user@host:port/path`, without the brackets of an IPv6 address.
fn host(base: &str) -> &str {
    let rest = base.split_once("://").map_or(base, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    match place.strip_prefix('[').and_then(|v6| v6.split_once(']')) {
        Some((v6, _)) => v6,
        None => place.split(':').next().unwrap_or_default(),
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_loopback() {
        for base in ["http://127.0.0.1:80", "http://localhost/", "http://[::1]:81", "http://127.9.9.9"] {
            assert!(is_loopback(host(base)), "{base}");
        }
        for base in [
            "http://127.evil.example:80",
            "http://[2001:db8::1]:80",
            "http://localhost@gateway.example/",
            "http://gateway.example?localhost",
            "http://10.0.0.1",
            "",
        ] {
            assert!(!is_loopback(host(base)), "{base}");
        }
        assert_eq!(host("http://[2001:db8::1]:80/x"), "2001:db8::1");
    }
}
