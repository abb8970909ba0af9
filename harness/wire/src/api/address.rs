//! Listen addresses as Go's `net` package reads them, with its errors.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::OnceLock;

/// The service names that Go knows without a file (`net/lookup.go`).
const SERVICES: &[(&str, u16)] = &[
    ("domain", 53),
    ("ftp", 21),
    ("ftps", 990),
    ("gopher", 70),
    ("http", 80),
    ("https", 443),
    ("imap2", 143),
    ("imap3", 220),
    ("imaps", 993),
    ("pop3", 110),
    ("pop3s", 995),
    ("smtp", 25),
    ("ssh", 22),
    ("submissions", 465),
    ("telnet", 23),
];

/// `net.ResolveTCPAddr`: the address of `host:port`. No host is the unspecified address, nothing at all is any port
/// of it; of several addresses the first of IPv4. The error is Go's sentence.
pub(crate) async fn resolve(address: &str) -> Result<SocketAddr, String> {
    if address.is_empty() {
        return Ok(SocketAddr::new(unspecified(), 0));
    }
    let (host, port) = split(address)?;
    let port = port_of(port)?;
    if host.is_empty() {
        return Ok(SocketAddr::new(unspecified(), port));
    }
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, port));
    }
    let unknown = || format!("lookup {host}: no such host");
    let found: Vec<SocketAddr> =
        tokio::net::lookup_host((host, port)).await.map_err(|_| unknown())?.collect();
    found.iter().find(|a| a.is_ipv4()).or(found.first()).copied().ok_or_else(unknown)
}

/// What Go's listener says of an address that it cannot bind: `listen tcp 127.0.0.1:3310: bind: address already in
/// use`.
pub(crate) fn bind_error(written: &str, resolved: SocketAddr, why: &io::Error) -> String {
    let place = shown(written, resolved);
    let text = why.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    let lowered: String = letters.next().map(|c| c.to_ascii_lowercase()).into_iter().chain(letters).collect();
    format!("listen tcp {place}: bind: {lowered}")
}

/// Go's `TCPAddr.String`: no host where none was written.
pub(crate) fn shown(written: &str, resolved: SocketAddr) -> String {
    let host_given = split(written).is_ok_and(|(host, _)| !host.is_empty());
    if host_given { resolved.to_string() } else { format!(":{}", resolved.port()) }
}

/// `net.SplitHostPort`.
pub(crate) fn split(address: &str) -> Result<(&str, &str), String> {
    let wrong = |why: &str| Err(format!("address {address}: {why}"));
    let Some((before, port)) = address.rsplit_once(':') else { return wrong("missing port in address") };
    if let Some(rest) = address.strip_prefix('[') {
        let Some((host, behind)) = rest.split_once(']') else { return wrong("missing ']' in address") };
        return match behind.strip_prefix(':') {
            _ if host.contains('[') => wrong("unexpected '[' in address"),
            Some(port) if port.contains(':') => wrong("too many colons in address"),
            Some(port) if port.contains(['[', ']']) => wrong("unexpected '[' in address"),
            Some(port) => Ok((host, port)),
            None => wrong("missing port in address"),
        };
    }
    if before.contains(':') {
        return wrong("too many colons in address");
    }
    if address.contains('[') {
        return wrong("unexpected '[' in address");
    }
    if address.contains(']') {
        return wrong("unexpected ']' in address");
    }
    Ok((before, port))
}

fn port_of(text: &str) -> Result<u16, String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.chars().all(|c| c.is_ascii_digit()) {
        return match text {
            "" | "+" | "-" => Ok(0),
            text => text.parse().map_err(|_| format!("address {text}: invalid port")),
        };
    }
    let named = SERVICES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    named.map(|(_, port)| *port).ok_or_else(|| format!("lookup tcp/{text}: unknown port"))
}

/// All addresses of the machine: IPv6's, which takes IPv4 too, where there is IPv6.
fn unspecified() -> IpAddr {
    static SIX: OnceLock<bool> = OnceLock::new();
    if *SIX.get_or_init(|| UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).is_ok()) {
        Ipv6Addr::UNSPECIFIED.into()
    } else {
        Ipv4Addr::UNSPECIFIED.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_are_refused_in_go_s_words() {
        // Each observed from Toxiproxy 2.12.0 built with Go 1.26.
        let cases = [
            ("foo", "address foo: missing port in address"),
            ("127.0.0.1", "address 127.0.0.1: missing port in address"),
            ("127.0.0.1:99999", "address 99999: invalid port"),
            ("127.0.0.1:-1", "address -1: invalid port"),
            ("127.0.0.1:nosuch", "lookup tcp/nosuch: unknown port"),
            ("::1:0", "address ::1:0: too many colons in address"),
            ("127.0.0.1:1:2", "address 127.0.0.1:1:2: too many colons in address"),
            ("[::1", "address [::1: missing ']' in address"),
            ("[::1]", "address [::1]: missing port in address"),
            ("[::1]x:0", "address [::1]x:0: missing port in address"),
            ("256.1.1.1:0", "lookup 256.1.1.1: no such host"),
        ];
        for (address, expected) in cases {
            assert_eq!(resolve(address).await, Err(expected.to_owned()));
        }
    }

    #[tokio::test]
    async fn addresses_resolve_as_go_resolves_them() {
        let of = async |address| resolve(address).await.map(|a| a.to_string());
        assert_eq!(of("127.0.0.1:http").await, Ok("127.0.0.1:80".into()));
        assert_eq!(of("[::1]:0").await, Ok("[::1]:0".into()));
        assert_eq!(of("localhost:7").await, Ok("127.0.0.1:7".into()));
        for anywhere in ["", ":", ":0"] {
            assert_eq!(resolve(anywhere).await.map(|a| (a.ip().is_unspecified(), a.port())), Ok((true, 0)));
        }
    }

    #[test]
    fn a_taken_port_is_told_as_go_tells_it() {
        let why = io::Error::from_raw_os_error(98);
        let at: SocketAddr = "127.0.0.1:3310".parse().unwrap();
        assert_eq!(
            bind_error("127.0.0.1:3310", at, &why),
            "listen tcp 127.0.0.1:3310: bind: address already in use"
        );
    }
}
