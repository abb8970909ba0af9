//! Addresses as users write them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// `http://host[:port][/path]`, or https.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url {
    /// https.
    pub secure: bool,
    /// Name or address, without the brackets of an IPv6 address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path without a slash at its end; empty when there is none.
    pub path: String,
}

/// Why a text is no such address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0} is not of the form http://host:port or https://host:port")]
pub struct UrlError(String);

// === impl Url ===

impl Url {
    /// The value of the Host header.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.secure, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// The address, where the host is one.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Whether it can only be this machine.
    pub fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost") || self.address().is_some_and(|ip| ip.is_loopback())
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let wrong = || UrlError(text.to_owned());
        let (secure, rest) = match text.split_once("://").ok_or_else(wrong)? {
            ("http", rest) => (false, rest),
            ("https", rest) => (true, rest),
            _ => return Err(wrong()),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        // Neither secrets of the user, nor what is no part of a place.
        if text.contains(['@', '?', '#', ' ', '\r', '\n']) || authority.is_empty() {
            return Err(wrong());
        }
        let (host, port) = match authority.strip_prefix('[').and_then(|v6| v6.split_once(']')) {
            Some((v6, rest)) => (v6, rest.strip_prefix(':')),
            None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
        };
        let usual = if secure { 443 } else { 80 };
        let port = port.map_or(Ok(usual), str::parse).map_err(|_| wrong())?;
        if host.is_empty() {
            return Err(wrong());
        }
        Ok(Self { secure, host: host.to_owned(), port, path: path.trim_end_matches('/').to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (text, shown, authority) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1:8080"),
            (
                "https://s3.eu-west-1.amazonaws.com/",
                "https://s3.eu-west-1.amazonaws.com",
                "s3.eu-west-1.amazonaws.com",
            ),
            ("https://gw.example:443/media/", "https://gw.example/media", "gw.example"),
            ("http://[::1]:81", "http://[::1]:81", "[::1]:81"),
        ] {
            let url: Url = text.parse().unwrap();
            assert_eq!((url.to_string().as_str(), url.authority().as_str()), (shown, authority));
        }
        for wrong in [
            "gw.example",
            "ftp://gw",
            "http://",
            "http://user@gw",
            "http://gw:port",
            "http://:80",
            "http://gw?x",
        ] {
            assert!(wrong.parse::<Url>().is_err(), "{wrong}");
        }
        assert!("http://127.9.9.9".parse::<Url>().unwrap().is_loopback());
        assert!(!"http://127.evil.example".parse::<Url>().unwrap().is_loopback());
    }
}
