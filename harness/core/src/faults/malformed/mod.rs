//! Responses that HTTP forbids: pure rewriting of an upstream's answer into raw bytes.
//!
//! One kind is one line in the table and one function in the file of its group. Each kind says what goes on
//! the wire and which rule it breaks; a link writes the [`Script`] without asking any HTTP library.

mod body;
mod catalogue;
mod chunked;
mod framing;
mod headers;
mod interim;
mod partial;
mod raw;
mod rebuild;
mod status_line;
#[cfg(test)]
mod tests;

pub use catalogue::{KINDS, Kind, script};

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
    /// Whether it answers a HEAD request.
    pub to_head: bool,
    /// How much of it, for a kind with a [`Dial`].
    pub amount: usize,
}

/// What a link writes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Script {
    /// Instead of the head.
    pub head: Vec<u8>,
    /// Instead of the body.
    pub body: Body,
    /// What becomes of the upstream's body bytes on the way.
    pub change: Change,
    /// And then.
    pub end: End,
    /// Whether all of the upstream's body goes out in a message that at least one reading of its framing
    /// calls complete. Otherwise the reader is cut short.
    pub whole: bool,
    /// What it is to a reader.
    pub nature: Nature,
}

/// What a script is to its reader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nature {
    /// No response that HTTP allows.
    Illegal,
    /// A response whose body is not the resource's, which nothing in it gives away.
    Untrue,
    /// Nothing that is wrong in itself: a response as it was, or one that never comes to its end.
    Plain,
}

/// A change to the upstream's body bytes that keeps their number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// None.
    None,
    /// The lowest bit of every so many bytes is flipped, of the first one too.
    Flip(usize),
    /// These in the place of the first ones.
    Over(&'static [u8]),
}

/// What a scenario may choose of a kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dial {
    /// Nothing.
    Fixed,
    /// `size`, bytes; this many when absent.
    Size(usize),
    /// `count`; this many when absent.
    Count(usize),
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
    /// The first size line has an extension of this many bytes.
    HugeExtension(usize),
    /// No last chunk; then the end.
    NoLast,
    /// The end in the middle of the first chunk's data.
    CutMid,
    /// A correct last chunk, then a trailer line that is none.
    BadTrailer,
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
    /// What a scenario may choose of it.
    pub dial: Dial,
    /// What goes on the wire.
    pub what: &'static str,
    /// The rule it breaks and where that stands.
    pub rule: &'static str,
    /// The real condition it imitates.
    pub imitates: &'static str,
    /// What released gateways were seen to make of it.
    pub gateways: &'static str,
}

impl Kind {
    /// Its line in the catalogue.
    pub fn info(self) -> &'static KindInfo {
        &KINDS[self as usize]
    }

    /// Whether two readers may take its head differently: where the body ends, where a line does, or whose a
    /// value is (RFC 9112 2.2, 5, 6.3; RFC 9110 5.5). A length that is only wrong is not ambiguous.
    pub fn is_ambiguous(self) -> bool {
        let info = self.info();
        match self {
            Self::ClTooSmall | Self::ClTooLarge => false,
            Self::HeaderSpaceBeforeColon | Self::HeaderNul | Self::HeaderBareCr | Self::HeaderObsFold => true,
            _ => info.group == "framing",
        }
    }

    /// Its script for a plain answer to GET: 200 with a body of 5 bytes.
    pub fn sample(self) -> Script {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        let attempt_line = "x-gatecrash-attempt: 0-0-0\r\n";
        let amount = self.info().dial.usual();
        script(self, &Original { status: 200, head, length: Some(5), attempt_line, to_head: false, amount })
    }
}

impl Dial {
    /// The amount when the scenario is silent.
    pub fn usual(self) -> usize {
        match self {
            Self::Fixed => 0,
            Self::Size(amount) | Self::Count(amount) => amount,
        }
    }
}

impl Change {
    /// Changes payload bytes that begin at `offset` of the body.
    pub fn apply(&self, offset: u64, bytes: &mut [u8]) {
        match self {
            Self::None => {}
            Self::Flip(every) => {
                let first = (*every - offset as usize % *every) % *every;
                bytes.iter_mut().skip(first).step_by(*every).for_each(|byte| *byte ^= 1);
            }
            Self::Over(over) => {
                let begun = usize::try_from(offset).unwrap_or(usize::MAX).min(over.len());
                bytes.iter_mut().zip(&over[begun..]).for_each(|(byte, other)| *byte = *other);
            }
        }
    }
}

impl Script {
    fn new(head: Vec<u8>, body: Body, end: End, whole: bool) -> Self {
        Self { head, body, change: Change::None, end, whole, nature: Nature::Illegal }
    }

    fn keep(head: Vec<u8>, body: Body) -> Self {
        Self::new(head, body, End::Keep, true)
    }

    fn fin(head: Vec<u8>, body: Body, whole: bool) -> Self {
        Self::new(head, body, End::Close(With::Fin), whole)
    }

    fn of_nature(self, nature: Nature) -> Self {
        Self { nature, ..self }
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
