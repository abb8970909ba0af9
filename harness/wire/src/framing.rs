//! Where a body ends: Content-Length, chunks or the end of the connection (RFC 9112 section 6.3).
//!
//! A [`Frame`] walks over bytes as they arrive, in any cut, and tells framing from payload. It copies
//! nothing.

use gatecrash_model::Framing;

/// The rest of a body that is on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Frame {
    /// This many bytes are left.
    Length(u64),
    /// Chunks are left.
    Chunked(Chunks),
    /// All until the end of the connection.
    Close,
}

/// One stretch of a body: framing bytes, then payload bytes; either may be none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Stretch {
    pub(crate) framing: usize,
    pub(crate) payload: usize,
}

/// The bytes are no chunked body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BadChunk;

/// A chunked body, in the middle of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Chunks {
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Size {
        size: u64,
        digits: u8,
    },
    Extension {
        size: u64,
    },
    SizeLf {
        size: u64,
    },
    Data {
        left: u64,
    },
    DataCr,
    DataLf,
    /// In the trailer section, at the given number of bytes into the line.
    Trailer {
        column: u32,
    },
    /// After the CR of a trailer line.
    TrailerLf {
        column: u32,
    },
    Done,
}

impl Default for State {
    fn default() -> Self {
        Self::Size { size: 0, digits: 0 }
    }
}

// === impl Frame ===

impl Frame {
    /// A body that is not there.
    pub(crate) const NONE: Self = Self::Length(0);

    /// A chunked body.
    pub(crate) fn chunked() -> Self {
        Self::Chunked(Chunks::default())
    }

    /// How the message told its length; `None` for no body.
    pub(crate) fn kind(&self) -> Framing {
        match self {
            Self::Length(_) => Framing::Length,
            Self::Chunked(_) => Framing::Chunked,
            Self::Close => Framing::Close,
        }
    }

    /// Whether nothing more belongs to the body.
    pub(crate) fn is_done(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunks) => chunks.state == State::Done,
            Self::Close => false,
        }
    }

    /// Walks over the next stretch, with at most `limit` payload bytes. Nothing walked: more input is needed,
    /// the body is done, or the limit is 0 and payload comes next.
    pub(crate) fn stretch(&mut self, input: &[u8], limit: u64) -> Result<Stretch, BadChunk> {
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        match self {
            Self::Length(left) => {
                let payload = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len()).min(most);
                *left -= payload as u64;
                Ok(Stretch { framing: 0, payload })
            }
            Self::Close => Ok(Stretch { framing: 0, payload: input.len().min(most) }),
            Self::Chunked(chunks) => chunks.stretch(input, most),
        }
    }

    /// Walks as far as the input goes: all bytes that belong to the body, framing and payload apart.
    pub(crate) fn walk(&mut self, input: &[u8], limit: u64) -> Result<Stretch, BadChunk> {
        let mut all = Stretch::default();
        loop {
            let left = limit - (all.payload as u64).min(limit);
            let step = self.stretch(&input[all.framing + all.payload..], left)?;
            if step == Stretch::default() {
                return Ok(all);
            }
            all.framing += step.framing;
            all.payload += step.payload;
        }
    }
}

impl Stretch {
    /// Bytes walked over.
    pub(crate) fn len(self) -> usize {
        self.framing + self.payload
    }
}

// === impl Chunks ===

impl Chunks {
    fn stretch(&mut self, input: &[u8], most: usize) -> Result<Stretch, BadChunk> {
        let mut framing = 0;
        loop {
            if let State::Data { left } = self.state {
                let room = input.len() - framing;
                let payload = usize::try_from(left).unwrap_or(usize::MAX).min(room).min(most);
                let left = left - payload as u64;
                self.state = if left == 0 { State::DataCr } else { State::Data { left } };
                return Ok(Stretch { framing, payload });
            }
            match input.get(framing) {
                Some(byte) if self.state != State::Done => self.state = self.state.after(*byte)?,
                _ => return Ok(Stretch { framing, payload: 0 }),
            }
            framing += 1;
        }
    }
}

impl State {
    fn after(self, byte: u8) -> Result<Self, BadChunk> {
        Ok(match (self, byte) {
            (Self::Size { digits: 1.., size }, b'\r') => Self::SizeLf { size },
            (Self::Size { digits: 1.., size }, b';' | b' ' | b'\t') => Self::Extension { size },
            (Self::Size { size, digits }, _) => {
                let digit = char::from(byte).to_digit(16).filter(|_| digits < 16).ok_or(BadChunk)?;
                Self::Size { size: size << 4 | u64::from(digit), digits: digits + 1 }
            }
            (Self::Extension { size }, b'\r') => Self::SizeLf { size },
            (Self::Extension { size }, _) => Self::Extension { size },
            (Self::SizeLf { size: 0 }, b'\n') => Self::Trailer { column: 0 },
            (Self::SizeLf { size }, b'\n') => Self::Data { left: size },
            (Self::DataCr, b'\r') => Self::DataLf,
            (Self::DataLf, b'\n') => Self::default(),
            (Self::Trailer { column }, b'\r') => Self::TrailerLf { column },
            (Self::Trailer { column }, _) => Self::Trailer { column: column.saturating_add(1) },
            (Self::TrailerLf { column: 0 }, b'\n') => Self::Done,
            (Self::TrailerLf { .. }, b'\n') => Self::Trailer { column: 0 },
            _ => return Err(BadChunk),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"5;x=1\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nA: b\r\n\r\n";

    /// Payload of a body that arrives in pieces of `cut` bytes, and bytes left over.
    fn read(body: &[u8], cut: usize) -> (Vec<u8>, usize, bool) {
        let mut frame = Frame::chunked();
        let (mut payload, mut used) = (Vec::new(), 0);
        for piece in body.chunks(cut) {
            let mut at = 0;
            loop {
                let step = frame.stretch(&piece[at..], u64::MAX).unwrap();
                if step.len() == 0 {
                    break;
                }
                payload.extend_from_slice(&piece[at + step.framing..at + step.len()]);
                at += step.len();
            }
            used += at;
        }
        (payload, body.len() - used, frame.is_done())
    }

    #[test]
    fn any_cut_is_the_same_body() {
        for cut in 1..BODY.len() + 1 {
            assert_eq!(read(BODY, cut), (b"hello0123456789abcdef".to_vec(), 0, true), "{cut}");
        }
        let surplus = [BODY, b"surplus"].concat();
        assert_eq!(read(&surplus, surplus.len()).1, 7);
        assert_eq!(read(&BODY[..BODY.len() - 1], 7), (b"hello0123456789abcdef".to_vec(), 0, false));
    }

    #[test]
    fn a_limit_stops_at_the_byte() {
        for limit in 0..=21 {
            let stretch = Frame::chunked().walk(BODY, limit).unwrap();
            assert_eq!(stretch.payload as u64, limit);
        }
        assert_eq!(Frame::chunked().walk(BODY, 99).unwrap().len(), BODY.len());
        let mut length = Frame::Length(10);
        assert_eq!(length.walk(b"0123456789abc", 4).unwrap().payload, 4);
        assert_eq!(length, Frame::Length(6));
    }

    #[test]
    fn nonsense_is_told() {
        for bad in [&b"zz\r\n"[..], b"\r\n", b"5\r\nhelloX", b"5\n", b"11112222333344445\r\n", b"0\r\n\rX"] {
            assert_eq!(Frame::chunked().walk(bad, u64::MAX), Err(BadChunk), "{bad:?}");
        }
    }
}
