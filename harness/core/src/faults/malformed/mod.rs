//! Responses that HTTP forbids: pure rewriting of an upstream's answer into raw bytes.
//!
//! One kind is one line in the table and one function in the file of its group. Each kind says what goes on the wire
//! and which rule it breaks; a link writes the [`Script`] without asking any HTTP library.

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
}

/// The body part of a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// Nothing.
    None,
    /// The upstream's body bytes as they come.
    Pass,
    /// The upstream's body bytes, then these.
    PassThen(Vec<u8>),
    /// The upstream's body as chunks, each size line written by the chunk style.
    Chunked(ChunkStyle),
    /// These bytes.
    Bytes(Vec<u8>),
}

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

/// A named malformed response.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// 400 seeded random bytes, then FIN.
    GarbageBytes,
}

/// The script of a kind.
pub fn script(kind: Kind, original: &Original<'_>) -> Script {
    let _ = original;
    match kind {
        Kind::GarbageBytes => {
            let bytes =
                (0..50u64).flat_map(|i| gatecrash_model::hash::mix(i ^ 0x6a4b).to_le_bytes()).collect();
            Script { head: bytes, body: Body::None, end: End::Close(With::Fin) }
        }
    }
}
