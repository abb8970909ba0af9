//! Harmless ways to be another gateway: what no check may take for a failure. Each is off by default.
//!
//! The counterpart of the defects: a judge that alarms at one of these is wrong.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use hyper::ext::ReasonPhrase;

use crate::downstream::Reply;
use crate::draw;
use crate::upstream::Failure;

/// One switchable peculiarity.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// Kebab-case name, as written in a configuration.
    pub name: &'static str,
    /// What is different, in one sentence.
    pub what: &'static str,
}

macro_rules! variants {
    ($($switch:ident $name:literal $what:literal;)*) => {
        /// Every variant.
        pub const VARIANTS: &[Variant] = &[$(Variant { name: $name, what: $what }),*];

        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Switch { $($switch),* }
    };
}

variants! {
    Refused503 "refused-503" "A refused or dropped upstream connection is 503 instead of 502.";
    ExtraHeaders "extra-headers" "Responses carry Server, X-Cache, Timing-Allow-Origin and a request id of ours.";
    Chunked "chunked" "Response bodies are chunked, whatever length the upstream stated.";
    TitleCase "title-case" "Header names are written in title case.";
    ReasonPhrases "reason-phrases" "Reason phrases are not those of the RFC.";
    Slower "slower" "Every response comes 5 % later.";
    ClosesReused "closes-reused" "One GET in fifty on a reused client connection: closed without a byte.";
}

/// Share of requests on reused connections that are turned away by a silent close.
const CLOSED: f64 = 0.02;
/// By how much every response is late.
const LATER: f64 = 0.05;

/// The variants switched on in this process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Variants(u32);

// === impl Variants ===

impl Variants {
    /// Names not in the table are ignored: the configuration was checked before.
    pub(crate) fn new(names: &[String]) -> Self {
        let is_on = |variant: &Variant| names.iter().any(|name| name == variant.name);
        let on = VARIANTS.iter().enumerate().filter(|(_, variant)| is_on(variant));
        Self(on.fold(0, |bits, (index, _)| bits | 1 << index))
    }

    fn has(self, switch: Switch) -> bool {
        self.0 & (1 << switch as u32) != 0
    }

    pub(crate) fn title_case(self) -> bool {
        self.has(Switch::TitleCase)
    }

    /// How much later an answer goes out that took so long.
    pub(crate) fn delay(self, took: Duration) -> Option<Duration> {
        self.has(Switch::Slower).then(|| took.mul_f64(LATER))
    }

    /// Whether the connection is closed instead of answering, which is a legal "please retry" (RFC 9112 9.3.1).
    pub(crate) fn closes(self, method: &Method, id: &str, reused: bool) -> bool {
        self.has(Switch::ClosesReused)
            && reused
            && method == Method::GET
            && draw::unit(id, "closes-reused") < CLOSED
    }

    /// The status of an error of ours, where the profile leaves a choice.
    pub(crate) fn status(self, failure: &Failure, status: StatusCode) -> StatusCode {
        let is_choice = matches!(failure, Failure::Connect(_)) && status == StatusCode::BAD_GATEWAY;
        if self.has(Switch::Refused503) && is_choice { StatusCode::SERVICE_UNAVAILABLE } else { status }
    }

    /// The response as it goes out.
    pub(crate) fn dress(self, response: &mut Response<Reply>, method: &Method, id: &str) {
        const EXTRA: [(HeaderName, &str); 3] = [
            (header::SERVER, "edge"),
            (HeaderName::from_static("x-cache"), "Miss from edge"),
            (HeaderName::from_static("timing-allow-origin"), "*"),
        ];
        if self.has(Switch::ExtraHeaders) {
            let headers = response.headers_mut();
            for (name, value) in EXTRA {
                headers.insert(name, HeaderValue::from_static(value));
            }
            if let Ok(id) = HeaderValue::try_from(format!("edge-{id}")) {
                headers.insert(HeaderName::from_static("x-edge-request-id"), id);
            }
        }
        let bodiless = method == Method::HEAD || matches!(response.status().as_u16(), 204 | 304);
        if self.has(Switch::Chunked) && !bodiless {
            response.headers_mut().remove(header::CONTENT_LENGTH);
            response.headers_mut().insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        if self.has(Switch::ReasonPhrases) {
            response.extensions_mut().insert(ReasonPhrase::from_static(b"So It Is"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_well_named_and_in_the_readme() {
        let readme = include_str!("../README.md");
        for Variant { name, what } in VARIANTS {
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{name}");
            assert!(readme.contains(&format!("| `{name}` | {what} |")), "{name}");
        }
    }

    #[test]
    fn a_switch_is_its_line_in_the_table() {
        for (index, variant) in VARIANTS.iter().enumerate() {
            assert_eq!(Variants::new(&[variant.name.to_owned()]).0, 1 << index);
        }
        assert_eq!(Variants::new(&[]).0, 0);
    }

    #[test]
    fn some_gets_on_reused_connections_are_closed_and_nothing_else() {
        let variants = Variants::new(&["closes-reused".to_owned()]);
        let closed = |method: &Method, reused| {
            (0..1000).filter(|k| variants.closes(method, &format!("r-{k}"), reused)).count()
        };
        assert!((5..50).contains(&closed(&Method::GET, true)));
        assert_eq!([closed(&Method::GET, false), closed(&Method::PUT, true)], [0, 0]);
    }
}
