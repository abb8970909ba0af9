//! `http2`: misuses HTTP/2 frames

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host, Order, Terminal};
use crate::rules::{Facts, Point};

/// On a link that the gateway speaks HTTP/2 to, one stream is ended, stalled or answered by frames that a
/// healthy upstream would not send there. On HTTP/1.1 connections it never fires.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Http2 {
    /// Which frames.
    pub kind: Http2Kind,
}

/// One line of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Http2KindInfo {
    /// The kind.
    pub kind: Http2Kind,
    /// Name in scenario files.
    pub name: &'static str,
    /// When it acts: on the request head, or instead of the answer.
    pub point: Point,
    /// What goes on the wire.
    pub what: &'static str,
    /// The rule it uses or breaks and where that stands, and which real condition it imitates.
    pub rule: &'static str,
    /// What HAProxy 2.6.12 makes of it, measured on GET through one upstream.
    pub gateways: &'static str,
}

macro_rules! kinds {
    ($($variant:ident = $name:literal at $point:ident, $what:literal, $rule:literal, $gateways:literal;)+) => {
        /// A named misuse of HTTP/2.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Http2Kind {
            $(
                #[doc = $what]
                #[serde(rename = $name)]
                $variant,
            )+
        }

        /// Every kind, in the order of the reference.
        pub const HTTP2_KINDS: &[Http2KindInfo] = &[$(Http2KindInfo {
            kind: Http2Kind::$variant,
            name: $name,
            point: Point::$point,
            what: $what,
            rule: $rule,
            gateways: $gateways,
        },)+];
    };
}

kinds! {
    GoawayNoError = "goaway-no-error" at RequestHead,
        "GOAWAY with NO_ERROR that names the stream before this one as the last; earlier streams are answered, \
         then FIN.",
        "RFC 9113 6.8: a graceful shutdown. The request was not processed and may be sent again, whatever its \
         method.",
        "Tries again, then 502 on a fresh client connection and a drop on a kept one.";
    GoawayError = "goaway-error" at RequestHead,
        "GOAWAY with INTERNAL_ERROR that names this stream as the last, then FIN at once.",
        "RFC 9113 6.8: a failing server. The request may have been processed; every stream of the connection \
         is lost.",
        "Tries again, then 502 on a fresh client connection and a drop on a kept one.";
    RstRefused = "rst-refused" at RequestHead,
        "RST_STREAM with REFUSED_STREAM instead of an answer; nothing reaches the upstream.",
        "RFC 9113 8.7: an overloaded server. The request was not processed and may be sent again, whatever its \
         method.",
        "Tries again, then 502 on a fresh client connection and a drop on a kept one.";
    RstInternal = "rst-internal" at ResponseHead,
        "HEADERS, the first half of the body (nothing of an unknown length), then RST_STREAM with \
         INTERNAL_ERROR.",
        "RFC 9113 5.4.2: the stream failed; the part that came must not pass for the whole.",
        "200, cut after the half.";
    WindowZero = "window-zero" at RequestHead,
        "SETTINGS_INITIAL_WINDOW_SIZE 0 until the stream is over, no WINDOW_UPDATE for it, and no answer. Other \
         streams are granted their window one by one.",
        "RFC 9113 6.9: a legal stall, as of an upstream whose disk hangs; the gateway's own timeout has to end \
         it.",
        "504 after its read timeout, in which it tries again; 502 for some of the uploads.";
    SettingsFlood = "settings-flood" at RequestHead,
        "10,000 empty SETTINGS frames, each to be acknowledged, then the true answer.",
        "RFC 9113 6.5.3 and 10.5 (CVE-2019-9515): legal one by one; the gateway may bear it or close the \
         connection.",
        "Bears it: 200.";
    PingFlood = "ping-flood" at RequestHead,
        "10,000 PING frames, each to be acknowledged, then the true answer.",
        "RFC 9113 6.7 and 10.5 (CVE-2019-9512): legal one by one; the gateway may bear it or close the \
         connection.",
        "Bears it: 200.";
    HeadersNoStatus = "headers-no-status" at ResponseHead,
        "The answer's HEADERS without `:status`, then its body.",
        "RFC 9113 8.3.2: a response without `:status` is malformed.",
        "Tries again, then 502.";
    StatusDuplicate = "status-duplicate" at ResponseHead,
        "The answer's HEADERS with its `:status` and then `:status: 204`, then its body.",
        "RFC 9113 8.3: a pseudo-header field must not appear twice.",
        "Tries again, then 502.";
    HpackBad = "hpack-bad" at ResponseHead,
        "HEADERS whose field block is an index beyond every table, then silence.",
        "RFC 7541 2.3.3: a decoding error, which ends the whole connection with COMPRESSION_ERROR.",
        "Closes the connection and tries again, then 502 or, on a kept client connection, a drop.";
    DataOverCl = "data-over-cl" at ResponseHead,
        "The answer, with 16 bytes more than its content-length (1 where it states none).",
        "RFC 9113 8.1.1: such a response is malformed.",
        "200 with the body as its content-length says; the surplus is lost.";
    FrameTooLarge = "frame-too-large" at ResponseHead,
        "The answer's HEADERS, then one DATA frame of zeros, a byte longer than the gateway's \
         SETTINGS_MAX_FRAME_SIZE, then silence.",
        "RFC 9113 4.2: FRAME_SIZE_ERROR.",
        "200, cut.";
    ContinuationFlood = "continuation-flood" at ResponseHead,
        "HEADERS without END_HEADERS, then 4,096 CONTINUATION frames of 1 KiB that never end the block, then \
         silence.",
        "RFC 9113 6.10 and 10.5.1 (CVE-2024-27316): the gateway has to give up at a bound of its own.",
        "Closes the connection and tries again, then 502 or, on a kept client connection, a drop.";
}

impl Http2Kind {
    /// Its line in the catalogue.
    pub fn info(self) -> &'static Http2KindInfo {
        &HTTP2_KINDS[self as usize]
    }
}

impl Fault for Http2 {
    const INFO: FaultInfo = FaultInfo {
        name: "http2",
        summary: "misuses HTTP/2 frames",
        doc: "On a link that the gateway speaks HTTP/2 to, one stream is ended, stalled or answered by frames \
              that a healthy upstream would not send there. On HTTP/1.1 connections it never fires.",
        example: "http2: { kind: goaway-no-error }",
        host: Host::Link,
        points: &[Point::RequestHead, Point::ResponseHead],
    };

    fn order(&self, point: Point, facts: &Facts<'_>, _: u64) -> Order {
        if facts.http2 && self.kind.info().point == point {
            Order::End(Terminal::Http2(self.kind))
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
        for info in HTTP2_KINDS {
            assert_eq!(info.kind.info().name, info.name);
            let written = serde_json::to_value(info.kind).expect("a kind is a string");
            assert_eq!(written, info.name);
            assert_eq!(HTTP2_KINDS.iter().filter(|k| k.name == info.name).count(), 1);
        }
    }

    #[test]
    fn it_fires_on_http2_alone_and_at_one_point() {
        let none = Facts::connection(0, 1, 0, 0);
        let http2 = Facts { http2: true, ..none };
        for info in HTTP2_KINDS {
            let fault = Http2 { kind: info.kind };
            let fires = |point, facts: &Facts<'_>| fault.order(point, facts, 0).is_terminal();
            assert_eq!(fires(Point::RequestHead, &http2), info.point == Point::RequestHead);
            assert_eq!(fires(Point::ResponseHead, &http2), info.point == Point::ResponseHead);
            assert!(!fires(info.point, &none), "{}", info.name);
        }
    }
}
