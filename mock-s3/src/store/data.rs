//! The bytes of an object version: pieces that are shared, never copied.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use gatecrash_model::{Content, hash};

/// The bytes of one object version or of a part. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Data {
    pieces: Pieces,
    length: u64,
}

#[derive(Clone, Debug)]
enum Pieces {
    One(Piece),
    Many(Arc<[Piece]>),
}

/// A run of bytes from one source.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Memory(Bytes),
    /// Bytes `offset..offset + length` of a content of the pool.
    Pool {
        content: Content,
        offset: u64,
        length: u64,
    },
    /// Bytes `offset..offset + length` of a file of the spill directory, which goes with its last piece.
    File {
        file: Arc<File>,
        offset: u64,
        length: u64,
    },
}

/// A walk over the bytes, in chunks.
#[derive(Debug)]
pub(crate) struct Chunks {
    data: Data,
    /// The piece to go on with, and where in it.
    piece: usize,
    within: u64,
    left: u64,
}

// === impl Data ===

impl Data {
    pub(crate) fn one(piece: Piece) -> Self {
        let length = piece.length();
        Self { pieces: Pieces::One(piece), length }
    }

    /// A whole synthetic object.
    pub(crate) fn synthetic(content: Content, length: u64) -> Self {
        Self::one(Piece::Pool { content, offset: 0, length })
    }

    pub(crate) fn memory(bytes: impl Into<Bytes>) -> Self {
        Self::one(Piece::Memory(bytes.into()))
    }

    /// Everything of `parts`, one behind the other.
    pub(crate) fn joined(parts: impl IntoIterator<Item = Self>) -> Self {
        let pieces: Vec<Piece> = parts.into_iter().flat_map(|part| part.pieces().to_vec()).collect();
        let mut pieces: Vec<Piece> = pieces.into_iter().filter(|piece| piece.length() > 0).collect();
        let length = pieces.iter().map(Piece::length).sum();
        let pieces = match pieces.len() {
            0 => Pieces::One(Piece::Memory(Bytes::new())),
            1 => Pieces::One(pieces.swap_remove(0)),
            _ => Pieces::Many(pieces.into()),
        };
        Self { pieces, length }
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        match &self.pieces {
            Pieces::One(piece) => std::slice::from_ref(piece),
            Pieces::Many(pieces) => pieces,
        }
    }

    /// Bytes that were written, not computed: what counts against the bound on uploads.
    pub(crate) fn written(&self) -> u64 {
        self.pieces().iter().filter(|p| matches!(p, Piece::Memory(_))).map(Piece::length).sum()
    }

    /// The same bytes with what is in memory moved to a file in `directory`, which goes when it is no longer used.
    pub(super) fn spilled(self, directory: &Path) -> io::Result<Self> {
        let mut file = tempfile_in(directory)?;
        let (mut at, mut places) = (0, Vec::new());
        for piece in self.pieces() {
            if let Piece::Memory(bytes) = piece {
                file.write_all(bytes)?;
                places.push(at);
                at += bytes.len() as u64;
            }
        }
        let (file, mut places) = (Arc::new(file), places.into_iter());
        let moved = self.pieces().iter().map(|piece| match piece {
            Piece::Memory(bytes) => Piece::File {
                file: Arc::clone(&file),
                offset: places.next().unwrap_or_default(),
                length: bytes.len() as u64,
            },
            other => other.clone(),
        });
        Ok(Self::joined(moved.map(Self::one).collect::<Vec<_>>()))
    }

    /// Bytes `offset..offset + length`, which lie within.
    pub(crate) fn slice(&self, offset: u64, length: u64) -> Self {
        if let Pieces::One(piece) = &self.pieces {
            return Self::one(piece.slice(offset, length));
        }
        let (mut skip, mut left, mut taken) = (offset, length, Vec::new());
        for piece in self.pieces() {
            let size = piece.length();
            if skip >= size {
                skip -= size;
                continue;
            }
            let take = left.min(size - skip);
            taken.push(Self::one(piece.slice(skip, take)));
            (skip, left) = (0, left - take);
            if left == 0 {
                break;
            }
        }
        Self::joined(taken)
    }

    pub(crate) fn chunks(self) -> Chunks {
        let left = self.length;
        Chunks { data: self, piece: 0, within: 0, left }
    }

    /// All bytes in one buffer; for documents, parts of a test, and the snapshot at the end of a run.
    pub(crate) fn to_bytes(&self, pool: &Bytes) -> Bytes {
        if let [Piece::Memory(bytes)] = self.pieces() {
            return bytes.clone();
        }
        let mut all = Vec::with_capacity(self.length as usize);
        let mut chunks = self.clone().chunks();
        while let Some(chunk) = chunks.next(1 << 20, pool) {
            all.extend_from_slice(&chunk);
        }
        all.into()
    }

    /// [`hash::Hash64`] of the bytes.
    pub(crate) fn hash(&self, pool: &Bytes) -> u64 {
        let mut state = hash::Hash64::default();
        let mut chunks = self.clone().chunks();
        while let Some(chunk) = chunks.next(1 << 20, pool) {
            state.update(&chunk);
        }
        state.finish()
    }
}

// === impl Chunks ===

impl Chunks {
    /// Bytes still to come.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// The next bytes, at most `limit`; none at the end, and where a spilled file cannot be read any more.
    /// `pool` is the whole pool.
    pub(crate) fn next(&mut self, limit: u64, pool: &Bytes) -> Option<Bytes> {
        let piece = self.data.pieces().get(self.piece)?;
        let length = limit.min(piece.length() - self.within);
        if length == 0 {
            return None;
        }
        let chunk = piece.read(self.within, length, pool)?;
        self.within += length;
        self.left -= length;
        if self.within == piece.length() {
            (self.piece, self.within) = (self.piece + 1, 0);
        }
        Some(chunk)
    }
}

// === impl Piece ===

impl Piece {
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Pool { length, .. } | Self::File { length, .. } => *length,
        }
    }

    fn slice(&self, skip: u64, take: u64) -> Self {
        match self {
            Self::Memory(bytes) => Self::Memory(bytes.slice(skip as usize..(skip + take) as usize)),
            Self::Pool { content, offset, .. } => {
                Self::Pool { content: *content, offset: offset + skip, length: take }
            }
            Self::File { file, offset, .. } => {
                Self::File { file: Arc::clone(file), offset: offset + skip, length: take }
            }
        }
    }

    /// Bytes `at..at + length` of the piece; of the pool at most one window of the model at a time.
    fn read(&self, at: u64, length: u64, pool: &Bytes) -> Option<Bytes> {
        match self {
            Self::Memory(bytes) => Some(bytes.slice(at as usize..(at + length) as usize)),
            Self::Pool { content, offset, .. } => {
                let (mut at, end) = (offset + at, offset + at + length);
                let window = gatecrash_model::content::WINDOW as u64;
                if length <= window {
                    let place = content.place(at);
                    return Some(pool.slice(place..place + length as usize));
                }
                let mut all = Vec::with_capacity(length as usize);
                while at < end {
                    let (place, take) = (content.place(at), window.min(end - at));
                    all.extend_from_slice(&pool[place..place + take as usize]);
                    at += take;
                }
                Some(all.into())
            }
            Self::File { file, offset, .. } => {
                let mut bytes = vec![0; length as usize];
                file.read_exact_at(&mut bytes, offset + at).ok()?;
                Some(bytes.into())
            }
        }
    }
}

/// A file without a name: gone with its last user, also when we are killed.
fn tempfile_in(directory: &Path) -> io::Result<File> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = format!("upload-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = directory.join(name);
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatecrash_model::Pool;

    fn read(data: &Data, limit: u64, pool: &Bytes) -> Vec<u8> {
        let mut chunks = data.clone().chunks();
        let mut all = Vec::new();
        while let Some(chunk) = chunks.next(limit, pool) {
            assert!(chunk.len() as u64 <= limit);
            all.extend_from_slice(&chunk);
        }
        assert_eq!(chunks.left(), 0);
        all
    }

    #[test]
    fn pieces_of_all_kinds_read_as_one() {
        let pool = Pool::new(1);
        let bytes = Bytes::copy_from_slice(pool.as_bytes());
        let content = pool.content("b", "k", 0);
        let mut file = tempfile_in(&std::env::temp_dir()).unwrap();
        file.write_all(b"0123456789").unwrap();
        let data = Data::joined([
            Data::memory(&b"hello "[..]),
            Data::synthetic(content, 300_000).slice(7, 200_000),
            Data::memory(Bytes::new()),
            Data::one(Piece::File { file: Arc::new(file), offset: 2, length: 5 }),
        ]);
        assert_eq!((data.length(), data.written()), (200_011, 6));
        let whole = data.to_bytes(&bytes);
        assert_eq!((&whole[..6], &whole[200_006..]), (&b"hello "[..], &b"23456"[..]));
        for (offset, length) in [(0, 200_011), (3, 100), (5, 2), (200_004, 7), (200_010, 1), (6, 70_000)] {
            let expected = &whole[offset as usize..(offset + length) as usize];
            for limit in [1 << 16, 999, 1 << 20] {
                assert_eq!(read(&data.slice(offset, length), limit, &bytes), expected, "{offset} {length}");
            }
        }
        assert_eq!(data.hash(&bytes), hash::bytes(&whole));
        assert_eq!(Data::joined([]).length(), 0);
        let spilled = data.clone().spilled(&std::env::temp_dir()).unwrap();
        assert_eq!((spilled.written(), spilled.to_bytes(&bytes)), (0, whole));
    }
}
