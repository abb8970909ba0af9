//! Responses that HTTP forbids: pure rewriting of an upstream's answer into raw bytes.
//!
//! One kind is one line in the table and one function in the file of its group. Each kind says what goes on
//! the wire and which rule it breaks; a link writes the [`Script`] without asking any HTTP library.

mod body;
mod chunked;
mod framing;
mod headers;
mod interim;
mod raw;
mod rebuild;
mod status_line;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::With;

/// The upstream's true answer, as far as a rewrite needs it.
#[derive(Clone, Copy, Debug)]
pub struct Original<'a> {
    /// Status.
    pub status: u16,
    /// The raw head, status line to the empty line, with our attempt header in it.
    pub head: &'a [u8],
    /// Body length, when the head tells.
    pub length: Option<u64>,
    /// The attempt header line to carry (`x-gatecrash-attempt: ...\r\n`).
    pub attempt_line: &'a str,
}

/// What a link writes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Script {
    /// Instead of the head.
    pub head: Vec<u8>,
    /// Instead of the body.
    pub body: Body,
    /// And then.
    pub end: End,
    /// Whether all of the upstream's body goes out in a message that at least one reading of its framing
    /// calls complete. Otherwise the reader is cut short.
    pub whole: bool,
}

/// The body part of a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// Nothing.
    None,
    /// The upstream's body bytes as they come, without its own chunk framing.
    Pass,
    /// The same, then these.
    PassThen(Vec<u8>),
    /// The upstream's body as chunks of [`CHUNK`] bytes, written in this style.
    Chunked(ChunkStyle),
    /// These bytes.
    Bytes(Vec<u8>),
}

/// Bytes in each chunk but the last of a chunked script.
pub const CHUNK: usize = 8 * 1024;

/// How chunks are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChunkStyle {
    /// Correct chunks and a correct end.
    Correct,
    /// The first size line is not hexadecimal.
    BadSize,
    /// The first size line overflows 64 bits.
    OverflowSize,
    /// No CRLF after chunk data.
    MissingCrlf,
    /// A 16 KiB chunk extension.
    HugeExtension,
    /// No last chunk; then the end.
    NoLast,
    /// A correct end, then surplus bytes.
    DataAfterLast,
}

/// How a script ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The connection is kept for the next request.
    Keep,
    /// It is closed.
    Close(With),
    /// It stays open, silent.
    Stall,
}

/// One line of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct KindInfo {
    /// The kind.
    pub kind: Kind,
    /// Name in scenario files.
    pub name: &'static str,
    /// The part of a message it breaks.
    pub group: &'static str,
    /// What goes on the wire.
    pub what: &'static str,
    /// The rule it breaks and where that stands.
    pub rule: &'static str,
}

macro_rules! kinds {
    ($($group:ident::$function:ident: $variant:ident = $name:literal, $what:literal, $rule:literal;)+) => {
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
            what: $what,
            rule: $rule,
        },)+];

        /// The script of a kind.
        pub fn script(kind: Kind, original: &Original<'_>) -> Script {
            match kind { $(Kind::$variant => $group::$function(original),)+ }
        }
    };
}

kinds! {
    raw::garbage_bytes: GarbageBytes = "garbage-bytes",
        "400 fixed random bytes, then FIN.",
        "RFC 9112 2.1: a message begins with a start line.";
    raw::ssh_banner: SshBanner = "ssh-banner",
        "An SSH version line, then FIN: the wrong service on the port.",
        "RFC 9112 2.1: a message begins with a start line.";
    raw::http09_body: Http09Body = "http09-body",
        "The bare body without any head, then FIN.",
        "RFC 9112 2.1: HTTP/0.9 is not HTTP/1.x.";
    status_line::bad_protocol_name: BadProtocolName = "bad-protocol-name",
        "`HTP/1.1 200 OK`, the rest as it was.",
        "RFC 9112 2.3: HTTP-name is `HTTP`.";
    status_line::status_two_digits: StatusTwoDigits = "status-two-digits",
        "A status of two digits.",
        "RFC 9112 4: status-code is 3DIGIT.";
    status_line::status_four_digits: StatusFourDigits = "status-four-digits",
        "A status of four digits.",
        "RFC 9112 4: status-code is 3DIGIT.";
    status_line::status_letters: StatusLetters = "status-letters",
        "A status with letters, `2OO`.",
        "RFC 9112 4: status-code is 3DIGIT.";
    status_line::status_zero: StatusZero = "status-000",
        "Status 000.",
        "RFC 9110 15: status codes are 100 to 599.";
    headers::no_colon: HeaderNoColon = "header-no-colon",
        "A header line without a colon.",
        "RFC 9112 5: field-line = field-name \":\" value.";
    headers::empty_name: HeaderEmptyName = "header-empty-name",
        "A header line that begins with its colon.",
        "RFC 9110 5.1: field-name is a token.";
    headers::space_before_colon: HeaderSpaceBeforeColon = "header-space-before-colon",
        "A space between name and colon.",
        "RFC 9112 5.1: no whitespace there; a proxy must remove it.";
    headers::nul: HeaderNul = "header-nul",
        "A NUL in a header value.",
        "RFC 9110 5.5: CR, LF and NUL are invalid in values.";
    headers::bare_cr: HeaderBareCr = "header-bare-cr",
        "A CR without LF in a header value.",
        "RFC 9110 5.5, RFC 9112 2.2: a bare CR is invalid.";
    headers::obs_fold: HeaderObsFold = "header-obs-fold",
        "A value continued on the next line.",
        "RFC 9112 5.2: no obs-fold; a proxy replaces it by spaces or answers 502.";
    headers::oversize: HeaderOversize = "header-oversize",
        "One header of 64 KiB.",
        "RFC 9110 5.4: sizes a recipient need not accept.";
    headers::count: HeaderCount = "header-count",
        "2000 more headers.",
        "RFC 9110 5.4: sizes a recipient need not accept.";
    framing::duplicate_differ: ClDuplicateDiffer = "cl-duplicate-differ",
        "Two Content-Lengths, the second 4 too large, then FIN.",
        "RFC 9112 6.3 5: an unrecoverable error, 502 by a proxy.";
    framing::duplicate_same: ClDuplicateSame = "cl-duplicate-same",
        "The same Content-Length twice.",
        "RFC 9110 8.6: one field; equal ones may be merged.";
    framing::list: ClList = "cl-list",
        "One Content-Length with two different values, then FIN.",
        "RFC 9112 6.3 5: an unrecoverable error, 502 by a proxy.";
    framing::negative: ClNegative = "cl-negative",
        "Content-Length: -5, then FIN after the body.",
        "RFC 9110 8.6: Content-Length = 1*DIGIT.";
    framing::text: ClText = "cl-text",
        "Content-Length: many, then FIN after the body.",
        "RFC 9110 8.6: Content-Length = 1*DIGIT.";
    framing::overflow: ClOverflow = "cl-overflow",
        "A Content-Length of 20 nines, then FIN after the body.",
        "RFC 9110 8.6: recipients must prevent integer overflow.";
    framing::too_large: ClTooLarge = "cl-too-large",
        "A Content-Length 1000 larger than the body, then FIN.",
        "RFC 9112 8: the message is incomplete.";
    framing::cl_and_te: ClAndTe = "cl-and-te",
        "Content-Length and chunked, the body chunked, then FIN.",
        "RFC 9112 6.2: never both; 6.3 3: chunked overrides, or an error.";
    framing::te_unknown: TeUnknown = "te-unknown",
        "Transfer-Encoding: zork, then FIN after the body.",
        "RFC 9112 6.1: only codings the client accepts.";
    framing::te_space_colon: TeSpaceColon = "te-space-colon",
        "`Transfer-Encoding : chunked`, the body chunked, then FIN.",
        "RFC 9112 5.1: no whitespace before the colon.";
    chunked::size_invalid: ChunkSizeInvalid = "chunk-size-invalid",
        "The first chunk size is no number.",
        "RFC 9112 7.1: chunk-size = 1*HEXDIG.";
    chunked::size_overflow: ChunkSizeOverflow = "chunk-size-overflow",
        "The first chunk size does not fit 64 bits.",
        "RFC 9112 7.1: recipients must prevent overflow.";
    chunked::missing_crlf: ChunkMissingCrlf = "chunk-missing-crlf",
        "No CRLF after chunk data.",
        "RFC 9112 7.1: chunk = size CRLF data CRLF.";
    chunked::extension_huge: ChunkExtensionHuge = "chunk-extension-huge",
        "A chunk extension of 16 KiB.",
        "RFC 9112 7.1.1: recipients ought to limit extensions.";
    chunked::no_last: ChunkNoLast = "chunk-no-last",
        "All chunks but no last one, then FIN.",
        "RFC 9112 8: without the zero chunk the message is incomplete.";
    chunked::data_after_last: ChunkDataAfterLast = "chunk-data-after-last",
        "Stray bytes after the last chunk.",
        "RFC 9112 6.3: data after the message is not a response.";
    body::surplus_bytes: SurplusBytes = "surplus-bytes",
        "16 stray bytes after the body.",
        "RFC 9112 6.3: data after the message is not a response.";
    body::second_response: SecondResponsePoison = "second-response-poison",
        "A second, unasked response after the body.",
        "RFC 9112 6.3: data after the message is not a response.";
    body::no_content_with_body: NoContentWithBody = "204-with-body",
        "Status 204 with Content-Length 5 and 5 bytes.",
        "RFC 9110 15.3.5: a 204 ends with its head.";
    body::not_modified_with_body: NotModifiedWithBody = "304-with-body",
        "Status 304 and 5 bytes after its head.",
        "RFC 9110 15.4.5: a 304 ends with its head.";
    interim::continue_flood: ContinueFlood = "100-flood",
        "1000 interim 100s before the answer.",
        "RFC 9110 15.2: any number is legal; bounds are wise.";
    interim::early_hints_flood: EarlyHintsFlood = "103-flood",
        "1000 interim 103s before the answer.",
        "RFC 9110 15.2: any number is legal; bounds are wise.";
    interim::switching_unasked: SwitchingUnasked = "101-unasked",
        "101 Switching Protocols to a request that asked for nothing, then FIN.",
        "RFC 9110 15.2.2: only in answer to Upgrade.";
}

impl Kind {
    /// Its line in the catalogue.
    pub fn info(self) -> &'static KindInfo {
        &KINDS[self as usize]
    }
}

impl Script {
    fn keep(head: Vec<u8>, body: Body) -> Self {
        Self { head, body, end: End::Keep, whole: true }
    }

    fn fin(head: Vec<u8>, body: Body, whole: bool) -> Self {
        Self { head, body, end: End::Close(With::Fin), whole }
    }

    /// This head in front of a body that is framed as the upstream framed it.
    fn as_framed(head: Vec<u8>, original: &Original<'_>) -> Self {
        if original.length.is_some() {
            Self::keep(head, Body::Pass)
        } else if rebuild::is_chunked(original) {
            Self::keep(head, Body::Chunked(ChunkStyle::Correct))
        } else {
            Self::fin(head, Body::Pass, true)
        }
    }
}
