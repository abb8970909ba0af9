//! The body of a response: by length, by chunks, or to the end of the connection.

use std::hash::{DefaultHasher, Hasher};

use gatecrash_core::diagnose::BodyEnd;
use gatecrash_load::wire::{Chunked, Piece};

use super::answer::Length;

/// Bytes of a body that are read; a longer one is left there.
pub(super) const ENOUGH: u64 = 4 << 20;
/// Bytes kept, for error documents.
const KEPT: usize = 16 * 1024;

/// A body as it comes.
pub(super) struct Body {
    length: Length,
    chunks: Chunked,
    pub(super) bytes: u64,
    pub(super) start: Vec<u8>,
    digest: DefaultHasher,
}

impl Body {
    pub(super) fn new(length: Length) -> Self {
        let (chunks, digest) = (Chunked::default(), DefaultHasher::new());
        Self { length, chunks, bytes: 0, start: Vec::new(), digest }
    }

    /// Takes what came; the end, once it is known.
    pub(super) fn take(&mut self, mut data: &[u8]) -> Option<BodyEnd> {
        let surplus = |left: usize| match left {
            0 => BodyEnd::Whole,
            _ => BodyEnd::Broken("bytes after the end of the body".to_owned()),
        };
        match self.length {
            Length::Known(length) => {
                let left = usize::try_from(length - self.bytes).unwrap_or(usize::MAX);
                let (mine, rest) = data.split_at(left.min(data.len()));
                self.keep(mine);
                (self.bytes == length).then(|| surplus(rest.len()))
            }
            Length::ToTheEnd => {
                self.keep(data);
                None
            }
            Length::Chunked => loop {
                match self.chunks.next(&mut data) {
                    Piece::Data(piece) => {
                        self.bytes += piece.len() as u64;
                        self.digest.write(piece);
                        self.start.extend(piece.iter().take(KEPT.saturating_sub(self.start.len())));
                    }
                    Piece::More => return None,
                    Piece::End => return Some(surplus(data.len())),
                    Piece::Broken => return Some(BodyEnd::Broken("chunks that cannot be read".to_owned())),
                }
            },
        }
    }

    /// The connection ended here.
    pub(super) fn ended(&self, reset: bool) -> BodyEnd {
        match self.length {
            Length::ToTheEnd if !reset => BodyEnd::Whole,
            Length::Known(of) => BodyEnd::Cut { reset, of: Some(of) },
            Length::ToTheEnd | Length::Chunked => BodyEnd::Cut { reset, of: None },
        }
    }

    pub(super) fn digest(&self) -> u64 {
        self.digest.finish()
    }

    fn keep(&mut self, data: &[u8]) {
        self.bytes += data.len() as u64;
        self.digest.write(data);
        self.start.extend(data.iter().take(KEPT.saturating_sub(self.start.len())));
    }
}
