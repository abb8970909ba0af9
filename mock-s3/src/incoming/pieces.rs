//! A payload as a list of shared buffers.
//!
//! A piece shares the buffer the connection read it into, so a small one would keep a large buffer alive:
//! small pieces are copied together instead. What is held is never much more than what was sent, however
//! small the pieces in which it came.

use bytes::{Bytes, BytesMut};

/// Pieces from this size on are kept as they are.
const LARGE: usize = 16 << 10;
/// Small pieces are gathered up to this size.
const GATHERED: usize = 64 << 10;

/// The pieces so far.
pub(super) struct Pieces {
    list: Vec<Bytes>,
    small: BytesMut,
    length: u64,
    /// How much is announced.
    expected: Option<u64>,
}

impl Pieces {
    pub(super) fn new(expected: Option<u64>) -> Self {
        Self { list: Vec::new(), small: BytesMut::new(), length: 0, expected }
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn push(&mut self, piece: Bytes) {
        if piece.is_empty() {
            return;
        }
        let left = self.expected.map_or(GATHERED as u64, |all| all.saturating_sub(self.length));
        self.length += piece.len() as u64;
        if piece.len() >= LARGE {
            self.seal();
            self.list.push(piece);
            return;
        }
        if self.small.len() + piece.len() > GATHERED {
            self.seal();
        }
        if self.small.is_empty() {
            self.small.reserve(piece.len().max(left.min(GATHERED as u64) as usize));
        }
        self.small.extend_from_slice(&piece);
    }

    pub(super) fn finish(mut self) -> Vec<Bytes> {
        self.seal();
        self.list
    }

    fn seal(&mut self) {
        if !self.small.is_empty() {
            let gathered = std::mem::take(&mut self.small);
            // A half-empty buffer that is not the only one is copied to its size.
            let tight = gathered.len() * 2 >= gathered.capacity();
            self.list.push(if tight { gathered.freeze() } else { Bytes::copy_from_slice(&gathered) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(pieces: &[usize], expected: Option<u64>) -> Vec<usize> {
        let mut gather = Pieces::new(expected);
        pieces.iter().for_each(|length| gather.push(vec![1; *length].into()));
        assert_eq!(gather.length(), pieces.iter().sum::<usize>() as u64);
        gather.finish().iter().map(Bytes::len).collect()
    }

    #[test]
    fn small_pieces_are_gathered_and_large_ones_kept() {
        assert_eq!(gathered(&[], None), [0; 0]);
        assert_eq!(gathered(&[1; 1000], Some(1000)), [1000]);
        assert_eq!(gathered(&[100, 0, LARGE, 5, 5], None), [100, LARGE, 10]);
        assert_eq!(gathered(&[LARGE - 1; 5], None), [4 * (LARGE - 1), LARGE - 1]);
        assert_eq!(gathered(&[LARGE, LARGE], Some(2 * LARGE as u64)), [LARGE, LARGE]);
    }

    #[test]
    fn what_is_kept_is_shared() {
        let piece = Bytes::from(vec![7; LARGE]);
        let mut gather = Pieces::new(None);
        gather.push(piece.clone());
        assert_eq!(gather.finish()[0].as_ptr(), piece.as_ptr());
    }
}
