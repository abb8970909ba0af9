//! The table of malformed responses. One kind is one entry here and one function in the file of its group.
//!
//! What gateways make of a kind was measured on GET of 1,000 and of 20,000 bytes and on HEAD, through one
//! upstream without retries, on the Debian 12 packages: nginx 1.22.1 with its defaults and HTTP/1.1, HAProxy
//! 2.6.12.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Dial, KindInfo, Original, Script};
use super::{body, chunked, framing, headers, interim, partial, raw, status_line};

macro_rules! kinds {
    ($($group:ident::$function:ident: $variant:ident = $name:literal $([$dial:expr])? {
        what: $what:literal,
        rule: $rule:literal,
        imitates: $imitates:literal,
        gateways: $gateways:literal,
    })+) => {
        /// A named malformed response.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Kind {
            $(
                #[doc = $what]
                #[serde(rename = $name)]
                $variant,
            )+
        }

        /// Every kind, in the order of the reference.
        pub const KINDS: &[KindInfo] = &[$(KindInfo {
            kind: Kind::$variant,
            name: $name,
            group: stringify!($group),
            dial: [$($dial,)? Dial::Fixed][0],
            what: $what,
            rule: $rule,
            imitates: $imitates,
            gateways: $gateways,
        },)+];

        /// The script of a kind.
        pub fn script(kind: Kind, original: &Original<'_>) -> Script {
            match kind { $(Kind::$variant => $group::$function(original),)+ }
        }
    };
}

kinds! {
    raw::garbage_bytes: GarbageBytes = "garbage-bytes" {
        what: "400 fixed random bytes, then FIN.",
        rule: "RFC 9112 2.1: a message begins with a start line.",
        imitates: "A port that was given to another protocol, memory written to the wrong socket.",
        gateways: "nginx takes it for HTTP/0.9: the bytes go to the client raw, without a status, and its \
            connection stays open; a HEAD request gets no answer. HAProxy 502.",
    }
    raw::ssh_banner: SshBanner = "ssh-banner" {
        what: "An SSH version line, then FIN.",
        rule: "RFC 9112 2.1: a message begins with a start line.",
        imitates: "The wrong service on the port after a change of the inventory.",
        gateways: "nginx takes it for HTTP/0.9: the bytes go to the client raw, without a status, and its \
            connection stays open; a HEAD request gets no answer. HAProxy 502.",
    }
    raw::tls_bytes: TlsBytesOnPlain = "tls-bytes-on-plain" {
        what: "A TLS alert record (fatal, protocol_version), then FIN.",
        rule: "RFC 9112 2.1: a message begins with a start line.",
        imitates: "The upstream's port speaks TLS and the gateway was configured for plain HTTP.",
        gateways: "nginx takes it for HTTP/0.9: the bytes go to the client raw, without a status, and its \
            connection stays open; a HEAD request gets no answer. HAProxy 502.",
    }
    raw::http09_body: Http09Body = "http09-body" {
        what: "The bare body without any head, then FIN.",
        rule: "RFC 9112 2.1: HTTP/0.9 is not HTTP/1.x.",
        imitates: "A file server or script that writes its output without any head.",
        gateways: "nginx takes it for HTTP/0.9: the body goes to the client raw, without a status, and its \
            connection stays open. HAProxy 502.",
    }
    partial::status_fin: PartialStatusFin = "partial-status-fin" {
        what: "`HTTP/1.1 20`, then FIN.",
        rule: "RFC 9112 8: an incomplete head is no response.",
        imitates: "A process that dies while its first write is under way.",
        gateways: "nginx 502, HAProxy 502.",
    }
    partial::header_fin: PartialHeaderFin = "partial-header-fin" {
        what: "Half of the head, then FIN.",
        rule: "RFC 9112 8: an incomplete head is no response.",
        imitates: "A worker that is stopped in good order in the middle of a head.",
        gateways: "nginx 502, HAProxy 502.",
    }
    partial::header_rst: PartialHeaderRst = "partial-header-rst" {
        what: "Half of the head, then RST once it has left.",
        rule: "RFC 9112 8: an incomplete head is no response.",
        imitates: "A crash, or a load balancer that drops a connection in the middle of a head.",
        gateways: "nginx 502, HAProxy 502.",
    }
    partial::header_stall: PartialHeaderStall = "partial-header-stall" {
        what: "Half of the head, then silence on an open connection.",
        rule: "RFC 9110 15.6.5: no answer in time is a 504.",
        imitates: "A server that hangs after its first packet, a path that loses the second one.",
        gateways: "nginx 504, HAProxy 504, each after its read timeout.",
    }
    status_line::bad_protocol_name: BadProtocolName = "bad-protocol-name" {
        what: "`HTP/1.1 200 OK`, the rest as it was.",
        rule: "RFC 9112 2.3: HTTP-name is `HTTP`.",
        imitates: "A byte lost in the first write, a home-made server.",
        gateways: "nginx takes it for HTTP/0.9 and waits for the end of the connection: on a kept one it \
            closes the client after the read timeout, with nothing or a part of the raw bytes; a HEAD \
            request gets no answer. HAProxy 502.",
    }
    status_line::version_nine: HttpVersionNine = "http-version-9.9" {
        what: "`HTTP/9.9 200 OK`, the rest as it was.",
        rule: "RFC 9110 2.5: another major version is another syntax.",
        imitates: "A peer that upgraded without being asked, a flipped bit in the version.",
        gateways: "nginx 200 and HAProxy 200, mended to HTTP/1.1.",
    }
    status_line::keep_alive_lie: Http10KeepAliveLie = "http10-keepalive-lie" {
        what: "`HTTP/1.0 200 OK` with `Connection: keep-alive` and no length; only FIN ends the body.",
        rule: "RFC 9112 9.3: HTTP/1.0 persists only with a length that tells the end.",
        imitates: "Old application servers and CGI bridges that echo the request's keep-alive.",
        gateways: "nginx 200 in chunks; HAProxy 200, closed by FIN: the body whole in both.",
    }
    status_line::status_two_digits: StatusTwoDigits = "status-two-digits" {
        what: "A status of two digits.",
        rule: "RFC 9112 4: status-code is 3DIGIT.",
        imitates: "A status put together by hand, cut by a buffer.",
        gateways: "nginx as with `bad-protocol-name`. HAProxy passes `20` on without the framing and keeps \
            the client's connection open.",
    }
    status_line::status_four_digits: StatusFourDigits = "status-four-digits" {
        what: "A status of four digits.",
        rule: "RFC 9112 4: status-code is 3DIGIT.",
        imitates: "An internal error number written in the place of a status.",
        gateways: "nginx as with `bad-protocol-name`. HAProxy passes `2000` on.",
    }
    status_line::status_letters: StatusLetters = "status-letters" {
        what: "A status with letters, `2OO`.",
        rule: "RFC 9112 4: status-code is 3DIGIT.",
        imitates: "A status typed by hand: the letter O for zero.",
        gateways: "nginx as with `bad-protocol-name`. HAProxy 502.",
    }
    status_line::status_zero: StatusZero = "status-000" {
        what: "Status 000.",
        rule: "RFC 9110 15: status codes are 100 to 599.",
        imitates: "An uninitialised status variable.",
        gateways: "nginx passes 000 on. HAProxy passes it on without the framing and keeps the client's \
            connection open.",
    }
    status_line::status_nines: StatusNines = "status-999" {
        what: "Status 999.",
        rule: "RFC 9110 15: status codes are 100 to 599; others are read as a 5xx.",
        imitates: "Bot filters and load balancers that answer 999 on purpose.",
        gateways: "nginx and HAProxy pass 999 on.",
    }
    status_line::missing_reason: MissingReason = "missing-reason" {
        what: "`HTTP/1.1 200` without the space before the absent reason.",
        rule: "RFC 9112 4: the space stays when the reason phrase is absent.",
        imitates: "Servers that leave the reason out; HTTP/2 bridges.",
        gateways: "nginx 200, passed on as it is; HAProxy 200, with the space put back.",
    }
    status_line::bare_lf: BareLfLines = "bare-lf-lines" {
        what: "All lines of the head end with LF alone.",
        rule: "RFC 9112 2.2: lines end with CRLF; a recipient may take LF alone.",
        imitates: "CGI scripts that print newlines.",
        gateways: "nginx 200 and HAProxy 200, mended to CRLF.",
    }
    status_line::leading_crlf: LeadingCrlf = "leading-crlf" {
        what: "An empty line before the status line.",
        rule: "RFC 9112 2.2: leniency for an empty line is for requests alone.",
        imitates: "The rest of an earlier body, or of a template, on the connection.",
        gateways: "nginx as with `bad-protocol-name`. HAProxy 200, without the empty line.",
    }
    headers::no_colon: HeaderNoColon = "header-no-colon" {
        what: "A header line without a colon.",
        rule: "RFC 9112 5: field-line = field-name \":\" value.",
        imitates: "A header whose name was lost, a log line on standard output of a CGI.",
        gateways: "nginx 502, HAProxy 502.",
    }
    headers::empty_name: HeaderEmptyName = "header-empty-name" {
        what: "A header line that begins with its colon.",
        rule: "RFC 9110 5.1: field-name is a token.",
        imitates: "A header set from a variable that is empty.",
        gateways: "nginx 502, HAProxy 502.",
    }
    headers::space_before_colon: HeaderSpaceBeforeColon = "header-space-before-colon" {
        what: "A space between name and colon.",
        rule: "RFC 9112 5.1: no whitespace there; a proxy must remove it.",
        imitates: "Hand-written servers; an old way to smuggle a header.",
        gateways: "nginx 502, HAProxy 502.",
    }
    headers::nul: HeaderNul = "header-nul" {
        what: "A NUL in a header value.",
        rule: "RFC 9110 5.5: CR, LF and NUL are invalid in values.",
        imitates: "A C string copied with its end, binary metadata of an object.",
        gateways: "nginx 502; HAProxy 200, the NUL passed on.",
    }
    headers::bare_cr: HeaderBareCr = "header-bare-cr" {
        what: "A CR without LF in a header value.",
        rule: "RFC 9110 5.5, RFC 9112 2.2: a bare CR is invalid.",
        imitates: "User metadata with a line end in it; response splitting.",
        gateways: "nginx 502, HAProxy 502.",
    }
    headers::obs_fold: HeaderObsFold = "header-obs-fold" {
        what: "A value continued on the next line.",
        rule: "RFC 9112 5.2: no obs-fold; a proxy replaces it by spaces or answers 502.",
        imitates: "Old mail-style libraries that wrap long values.",
        gateways: "nginx 502; HAProxy 200, the fold replaced by spaces.",
    }
    headers::oversize: HeaderOversize = "header-oversize" [Dial::Size(64 * 1024)] {
        what: "One header of `size` bytes, 64 KiB when absent.",
        rule: "RFC 9110 5.4: sizes a recipient need not accept.",
        imitates: "Cookies and debug headers that grow, user metadata without a limit.",
        gateways: "nginx 502, HAProxy 502.",
    }
    headers::count: HeaderCount = "header-count" [Dial::Count(2000)] {
        what: "`count` more headers, 2000 when absent.",
        rule: "RFC 9110 5.4: sizes a recipient need not accept.",
        imitates: "One header for each tag, replica or hop.",
        gateways: "nginx 502, HAProxy 502. With `count: 150` nginx 200, HAProxy 502: it takes 101 at most.",
    }
    headers::eight_bit: HeaderEightBit = "header-8bit" {
        what: "Bytes above 127 in a header value (`caf\\xe9`, Latin-1).",
        rule: "RFC 9110 5.5: senders keep to US-ASCII; others are opaque.",
        imitates: "User metadata and file names that nobody encoded.",
        gateways: "nginx 200 and HAProxy 200, the body whole.",
    }
    headers::duplicate_singleton: HeaderDuplicateSingleton = "header-duplicate-singleton" {
        what: "Two more Content-Types, `text/plain` and `text/html`.",
        rule: "RFC 9110 5.3: a field that is no list comes once.",
        imitates: "An application and the server before it that both set the type.",
        gateways: "nginx 200 with the last of them, HAProxy 200 with both.",
    }
    framing::duplicate_differ: ClDuplicateDiffer = "cl-duplicate-differ" {
        what: "Two Content-Lengths, the second 4 too large, then FIN.",
        rule: "RFC 9112 6.3 5: an unrecoverable error, 502 by a proxy.",
        imitates: "A filter that adds a length instead of replacing it; response smuggling.",
        gateways: "nginx believes the last length: 200, cut 4 bytes before it. HAProxy 502.",
    }
    framing::duplicate_short: ClDuplicateShort = "cl-duplicate-short" {
        what: "Two Content-Lengths, the second half the first, then FIN after the body.",
        rule: "RFC 9112 6.3 5: an unrecoverable error, 502 by a proxy.",
        imitates: "The same filter on a body that became shorter.",
        gateways: "nginx believes the last length: a complete 200 with half the body. HAProxy 502.",
    }
    framing::duplicate_same: ClDuplicateSame = "cl-duplicate-same" {
        what: "The same Content-Length twice.",
        rule: "RFC 9110 8.6: one field; equal ones may be merged.",
        imitates: "An application and the server before it that both set the length.",
        gateways: "nginx 200 and HAProxy 200, the body whole.",
    }
    framing::list: ClList = "cl-list" {
        what: "One Content-Length with two different values, then FIN.",
        rule: "RFC 9112 6.3 5: an unrecoverable error, 502 by a proxy.",
        imitates: "A proxy that merged two lengths into one line.",
        gateways: "nginx 200 in chunks, up to the FIN; HAProxy 502.",
    }
    framing::negative: ClNegative = "cl-negative" {
        what: "Content-Length: -5, then FIN after the body.",
        rule: "RFC 9110 8.6: Content-Length = 1*DIGIT.",
        imitates: "A length computed from a size that is not known (-1), an overflow of 32 bits.",
        gateways: "nginx 200 in chunks, up to the FIN; HAProxy 502.",
    }
    framing::plus: ClPlus = "cl-plus" {
        what: "Content-Length with a plus sign before the true number, then FIN after the body.",
        rule: "RFC 9110 8.6: Content-Length = 1*DIGIT.",
        imitates: "A number formatter that shows signs; parsers that disagree on it.",
        gateways: "nginx 200 in chunks, up to the FIN; HAProxy 502.",
    }
    framing::text: ClText = "cl-text" {
        what: "Content-Length: many, then FIN after the body.",
        rule: "RFC 9110 8.6: Content-Length = 1*DIGIT.",
        imitates: "A template whose variable was not set.",
        gateways: "nginx 200 in chunks, up to the FIN; HAProxy 502.",
    }
    framing::overflow: ClOverflow = "cl-overflow" {
        what: "A Content-Length of 20 nines, then FIN after the body.",
        rule: "RFC 9110 8.6: recipients must prevent integer overflow.",
        imitates: "An unsigned -1, an attack on the parser.",
        gateways: "nginx 200 in chunks, up to the FIN; HAProxy 502.",
    }
    framing::too_small: ClTooSmall = "cl-too-small" {
        what: "A Content-Length of half the body; all of the body follows.",
        rule: "RFC 9112 6.3: what follows the length is not of this response.",
        imitates: "A length counted in characters, or before the body was rendered.",
        gateways: "nginx 200 and HAProxy 200 with half the body: nobody can know.",
    }
    framing::too_large: ClTooLarge = "cl-too-large" {
        what: "A Content-Length 1000 larger than the body, then FIN.",
        rule: "RFC 9112 8: the message is incomplete.",
        imitates: "A file that shrank while it was sent, a body that was compressed on the way.",
        gateways: "nginx 200 and HAProxy 200, cut.",
    }
    framing::cl_and_te: ClAndTe = "cl-and-te" {
        what: "Content-Length and chunked, the body chunked, then FIN.",
        rule: "RFC 9112 6.2: never both; 6.3 3: chunked overrides, or an error.",
        imitates: "A proxy that re-chunks a body and keeps its length; response smuggling.",
        gateways: "nginx 200 and HAProxy 200 in chunks, the body whole.",
    }
    framing::te_unknown: TeUnknown = "te-unknown" {
        what: "Transfer-Encoding: zork, then FIN after the body.",
        rule: "RFC 9112 6.1: only codings the client accepts.",
        imitates: "An origin that compresses the transfer unasked; request smuggling by odd codings.",
        gateways: "nginx 200 in chunks, up to the FIN; HAProxy 502.",
    }
    framing::te_duplicate: TeDuplicate = "te-duplicate" {
        what: "Two lines `Transfer-Encoding: chunked`, the body chunked once, then FIN.",
        rule: "RFC 9112 6.1: chunked is applied once.",
        imitates: "An application and the server before it that both chunk.",
        gateways: "nginx 200 in chunks, the body whole; HAProxy 502.",
    }
    framing::te_space_colon: TeSpaceColon = "te-space-colon" {
        what: "`Transfer-Encoding : chunked`, the body chunked, then FIN.",
        rule: "RFC 9112 5.1: no whitespace before the colon.",
        imitates: "Response smuggling: one reader sees the coding, the other does not.",
        gateways: "nginx 502, HAProxy 502.",
    }
    framing::te_on_http10: TeOnHttp10 = "te-on-http10" {
        what: "`HTTP/1.0 200 OK` with chunked, the body chunked, then FIN.",
        rule: "RFC 9112 6.1: with HTTP/1.0 the framing is faulty.",
        imitates: "An old proxy that lowers the version and passes the coding on.",
        gateways: "nginx 200 in chunks. HAProxy passes HTTP/1.0 with chunked on, and closes.",
    }
    chunked::size_invalid: ChunkSizeInvalid = "chunk-size-invalid" {
        what: "The first chunk size is no number.",
        rule: "RFC 9112 7.1: chunk-size = 1*HEXDIG.",
        imitates: "A writer that lost count, two threads on one connection.",
        gateways: "nginx closes the client without an answer. HAProxy 200, cut before the first body byte, \
            or 502.",
    }
    chunked::size_overflow: ChunkSizeOverflow = "chunk-size-overflow" {
        what: "The first chunk size does not fit 64 bits.",
        rule: "RFC 9112 7.1: recipients must prevent overflow.",
        imitates: "An attack on the parser.",
        gateways: "nginx closes the client without an answer. HAProxy 200, cut before the first body byte, \
            or 502.",
    }
    chunked::missing_crlf: ChunkMissingCrlf = "chunk-missing-crlf" {
        what: "No CRLF after chunk data.",
        rule: "RFC 9112 7.1: chunk = size CRLF data CRLF.",
        imitates: "A home-made chunk writer.",
        gateways: "nginx closes the client without an answer. HAProxy 502, or 200 cut after the first \
            chunk of a larger body.",
    }
    chunked::extension_huge: ChunkExtensionHuge = "chunk-extension-huge" [Dial::Size(16 * 1024)] {
        what: "A chunk extension of `size` bytes, 16 KiB when absent.",
        rule: "RFC 9112 7.1.1: recipients ought to limit extensions.",
        imitates: "Signatures in chunk extensions, an attack on memory.",
        gateways: "nginx 200, the body whole. HAProxy 502, or 200 cut before the first body byte.",
    }
    chunked::no_last: ChunkNoLast = "chunk-no-last" {
        what: "All chunks but no last one, then FIN.",
        rule: "RFC 9112 8: without the zero chunk the message is incomplete.",
        imitates: "A server that is stopped, or fails, when the body was nearly out.",
        gateways: "nginx 200 and HAProxy 200, cut.",
    }
    chunked::cut_mid: ChunkCutMid = "chunk-cut-mid" {
        what: "Half of the first chunk's data, then FIN.",
        rule: "RFC 9112 8: the message is incomplete.",
        imitates: "A server that dies while it writes.",
        gateways: "nginx 200 and HAProxy 200, cut.",
    }
    chunked::bad_trailer: ChunkBadTrailer = "chunk-bad-trailer" {
        what: "A trailer line without a colon after the last chunk.",
        rule: "RFC 9112 7.1.2: trailers are field lines.",
        imitates: "A checksum written as a bare line behind the body.",
        gateways: "nginx 200, the body whole. HAProxy 502, or 200 cut in a larger body.",
    }
    chunked::data_after_last: ChunkDataAfterLast = "chunk-data-after-last" {
        what: "Stray bytes after the last chunk.",
        rule: "RFC 9112 6.3: data after the message is not a response.",
        imitates: "A writer that was not told that the body had ended.",
        gateways: "nginx 200 and HAProxy 200, the body whole. The stray bytes go nowhere.",
    }
    body::surplus_bytes: SurplusBytes = "surplus-bytes" {
        what: "16 stray bytes after the body.",
        rule: "RFC 9112 6.3: data after the message is not a response.",
        imitates: "A debug line after the body, a length that is too small.",
        gateways: "nginx 200 and HAProxy 200, the body whole. The stray bytes go nowhere.",
    }
    body::second_response: SecondResponsePoison = "second-response-poison" {
        what: "A second, unasked response after the body.",
        rule: "RFC 9112 6.3: data after the message is not a response.",
        imitates: "Response splitting, an error page appended to a body.",
        gateways: "nginx 200 and HAProxy 200, the body whole. The second response goes nowhere.",
    }
    body::head_with_body: HeadWithBody = "head-with-body" {
        what: "A HEAD request gets as many body bytes as its head tells, 64 KiB at most; other answers \
            stay.",
        rule: "RFC 9110 9.3.2: no content in a response to HEAD.",
        imitates: "Applications that treat HEAD as GET.",
        gateways: "nginx 200 and HAProxy 200 without the body.",
    }
    body::no_content_with_body: NoContentWithBody = "204-with-body" {
        what: "Status 204 with Content-Length 5 and 5 bytes.",
        rule: "RFC 9110 15.3.5: a 204 ends with its head.",
        imitates: "A framework that renders a body whatever the status.",
        gateways: "nginx 204 and HAProxy 204 without the body; nginx passes the Content-Length on.",
    }
    body::not_modified_with_body: NotModifiedWithBody = "304-with-body" {
        what: "Status 304 and 5 bytes after its head.",
        rule: "RFC 9110 15.4.5: a 304 ends with its head.",
        imitates: "A cache that answers 304 and sends the object all the same.",
        gateways: "nginx 304 and HAProxy 304 without the body.",
    }
    body::corrupt_bits: BodyCorruptBits = "body-corrupt-bits" {
        what: "One bit flipped in the first byte of every KiB of the body; head and framing are true.",
        rule: "RFC 9110 8.8.3: the ETag is that of other bytes.",
        imitates: "Bad memory or a bad disk behind a good checksum of TCP.",
        gateways: "nginx 200 and HAProxy 200 with the wrong bytes: nobody can know without a checksum of \
            the object.",
    }
    body::gzip_broken: BodyGzipBroken = "body-gzip-broken" {
        what: "`Content-Encoding: gzip`, a gzip header over the first 10 bytes, and then no deflate \
            stream.",
        rule: "RFC 9110 8.4.1.3: gzip content is a gzip stream.",
        imitates: "An object stored with the wrong metadata, a compressor that died.",
        gateways: "nginx 200 and HAProxy 200, passed on as they do not decompress.",
    }
    interim::continue_unasked: ContinueUnasked = "100-unasked" {
        what: "One 100 Continue before the answer to a request that expects none.",
        rule: "RFC 9110 15.2: a client must be able to read any number, expected or not.",
        imitates: "Servers that always send 100, a late 100 of an earlier upload.",
        gateways: "nginx takes the 100 for the answer: it passes it on and closes the client after the \
            read timeout, the rest raw; a HEAD request gets no answer. HAProxy 200 behind the 100; an \
            answer of 20 kB stalls before its end.",
    }
    interim::continue_flood: ContinueFlood = "100-flood" [Dial::Count(1000)] {
        what: "`count` interim 100s before the answer, 1000 when absent.",
        rule: "RFC 9110 15.2: any number is legal; bounds are wise.",
        imitates: "A loop in a server; `count: 100000` is endless for most readers.",
        gateways: "nginx as with `100-unasked`. HAProxy passes them on, then stalls before the end of the \
            answer.",
    }
    interim::early_hints_flood: EarlyHintsFlood = "103-flood" [Dial::Count(1000)] {
        what: "`count` interim 103s before the answer, 1000 when absent.",
        rule: "RFC 9110 15.2: any number is legal; bounds are wise.",
        imitates: "Early hints for each of many resources, an attack on memory.",
        gateways: "nginx as with `100-unasked`. HAProxy passes them on, then stalls before the end of the \
            answer.",
    }
    interim::switching_unasked: SwitchingUnasked = "101-unasked" {
        what: "101 Switching Protocols to a request that asked for nothing, then FIN.",
        rule: "RFC 9110 15.2.2: only in answer to Upgrade.",
        imitates: "A WebSocket server on the wrong route; tunnels through proxies.",
        gateways: "nginx passes the 101 and all bytes after it on. HAProxy 502.",
    }
}
