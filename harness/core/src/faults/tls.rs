//! `tls`: spoils the TLS session

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Terminal};
use crate::rules::{Facts, Point};

/// On a link that terminates TLS, the handshake of a connection fails, or the certificate is one that must not be
/// accepted, or the session ends so that a cut cannot be told from an end. Elsewhere it never fires.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tls {
    /// How.
    pub kind: TlsKind,
}

/// One line of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct TlsKindInfo {
    /// The kind.
    pub kind: TlsKind,
    /// Name in scenario files.
    pub name: &'static str,
    /// When it acts: on a connection just accepted, or on an answer.
    pub point: Point,
    /// What goes on the wire.
    pub what: &'static str,
    /// Which real condition it imitates, and what a client has to make of it.
    pub why: &'static str,
    /// What OpenSSL 3.0 says to it as a client (`openssl s_client -verify_return_error`).
    pub openssl: &'static str,
}

macro_rules! kinds {
    ($($variant:ident = $name:literal at $point:ident, $what:literal, $why:literal, $openssl:literal;)+) => {
        /// A named failure of TLS.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum TlsKind {
            $(
                #[doc = $what]
                #[serde(rename = $name)]
                $variant,
            )+
        }

        /// Every kind, in the order of the reference.
        pub const TLS_KINDS: &[TlsKindInfo] = &[$(TlsKindInfo {
            kind: TlsKind::$variant,
            name: $name,
            point: Point::$point,
            what: $what,
            why: $why,
            openssl: $openssl,
        },)+];
    };
}

kinds! {
    StallHello = "tls-stall-hello" at Accept,
        "The ClientHello is read and never answered; the connection stays open.",
        "An overloaded or wedged TLS terminator. The handshake belongs to connecting and has to be bounded with it.",
        "waits";
    AlertHandshake = "tls-alert-handshake" at Accept,
        "The fatal alert internal_error (80) in answer to the ClientHello, then FIN.",
        "A terminator without a usable certificate or key (RFC 8446 6.2).",
        "tlsv1 alert internal error";
    NoCommonVersion = "tls-no-common-version" at Accept,
        "The fatal alert protocol_version (70) in answer to the ClientHello, then FIN.",
        "An endpoint that has switched off the versions the gateway offers (RFC 8446 4.2.1).",
        "tlsv1 alert protocol version";
    NoCommonCipher = "tls-no-common-cipher" at Accept,
        "The fatal alert handshake_failure (40) in answer to the ClientHello, then FIN.",
        "A hardened endpoint that shares no cipher suite with the gateway (RFC 8446 4.1.1).",
        "sslv3 alert handshake failure";
    PlaintextOnTlsPort = "tls-plaintext-on-tls-port" at Accept,
        "A plain HTTP response with status 400 in answer to the ClientHello, then FIN.",
        "A port that speaks HTTP where HTTPS is meant, as after a wrong port mapping.",
        "wrong version number";
    RstMidHandshake = "tls-rst-mid-handshake" at Accept,
        "The first half of the server's first flight, then an RST.",
        "A terminator that is killed, a middlebox that dislikes the connection.",
        "errno=104";
    CertExpired = "tls-cert-expired" at Accept,
        "A handshake with a leaf certificate that ran out yesterday.",
        "The renewal that did not happen (RFC 5280 4.1.2.5).",
        "certificate has expired";
    CertNotYetValid = "tls-cert-not-yet-valid" at Accept,
        "A handshake with a leaf certificate that begins tomorrow.",
        "A clock that is behind, or a certificate deployed too early (RFC 5280 4.1.2.5).",
        "certificate is not yet valid";
    CertWrongHost = "tls-cert-wrong-host" at Accept,
        "A handshake with a good certificate of another name.",
        "The wrong backend behind the address, or somebody in between (RFC 9110 4.3.4).",
        "hostname mismatch";
    CertSelfSigned = "tls-cert-self-signed" at Accept,
        "A handshake with a certificate of the right name that is signed by itself.",
        "A default certificate after a reinstallation, or somebody in between.",
        "self-signed certificate";
    ChainOrder = "tls-chain-order" at Accept,
        "A handshake with the right certificates in the wrong order: the intermediate first, then the leaf.",
        "A certificate file put together the wrong way round; the leaf must be the first (RFC 8446 4.4.2).",
        "unsuitable certificate purpose";
    MissingIntermediate = "tls-missing-intermediate" at Accept,
        "A handshake with the leaf certificate alone.",
        "A deployment without the intermediate, which browsers hide by fetching it (RFC 8446 4.4.2).",
        "unable to get local issuer certificate";
    ClientCertRequired = "client-cert-required" at Accept,
        "A good handshake that asks for a client certificate of the run's CA and fails without it: the alert \
         certificate_required (116), then FIN.",
        "An endpoint that was switched to mutual TLS (RFC 8446 4.3.2).",
        "tlsv13 alert certificate required";
    CutNoCloseNotify = "tls-cut-no-close-notify" at ResponseHead,
        "The answer without Content-Length and chunks, delimited by its end; half of its body; then FIN without \
         a close_notify.",
        "A truncation attack, or a terminator that dies: only the missing close_notify tells that bytes are \
         missing (RFC 8446 6.1, RFC 9112 9.8).",
        "unexpected eof while reading";
}

impl TlsKind {
    /// Its line in the catalogue.
    pub fn info(self) -> &'static TlsKindInfo {
        &TLS_KINDS[self as usize]
    }
}

impl Fault for Tls {
    const INFO: FaultInfo = FaultInfo {
        name: "tls",
        summary: "spoils the TLS session",
        doc: "On a link that terminates TLS (`upstreams.<name>.tls`), the handshake of a connection fails, or the \
              certificate is one that must not be accepted, or the session ends so that a cut cannot be told from \
              an end. A connection that comes to its end that way is an attempt that was refused. Elsewhere it \
              never fires.",
        example: "tls: { kind: tls-cert-expired }",
        host: Host::Link,
        points: &[Point::Accept, Point::ResponseHead],
    };

    fn order(&self, point: Point, facts: &Facts<'_>, _: u64) -> Order {
        if facts.tls && self.kind.info().point == point {
            Order::End(Terminal::Tls(self.kind))
        } else {
            Order::Continue
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_kinds() {
        for info in TLS_KINDS {
            assert_eq!(info.kind.info().name, info.name);
            let written = serde_json::to_value(info.kind).expect("a kind is a string");
            assert_eq!(written, info.name);
            assert_eq!(TLS_KINDS.iter().filter(|k| k.name == info.name).count(), 1);
        }
    }

    #[test]
    fn it_fires_under_tls_alone_and_at_one_point() {
        let none = Facts::connection(0, 1, 0, 0);
        let tls = Facts { tls: true, ..none };
        for info in TLS_KINDS {
            let fault = Tls { kind: info.kind };
            let fires = |point, facts: &Facts<'_>| fault.order(point, facts, 0).is_terminal();
            assert_eq!(fires(Point::Accept, &tls), info.point == Point::Accept);
            assert_eq!(fires(Point::ResponseHead, &tls), info.point == Point::ResponseHead);
            assert!(!fires(info.point, &none), "{}", info.name);
        }
    }
}
