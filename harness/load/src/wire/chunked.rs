//! Decodes chunked bodies (RFC 9112 7.1), strictly: CRLF only, hexadecimal sizes without a prefix.

/// Longest size line or trailer section, bytes.
const MAX_LINE: usize = 64 * 1024;

/// A decoder: where in the coding it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chunked {
    state: State,
    /// Size so far, then data bytes left.
    size: u64,
    /// Digits, then bytes of the line or trailer section.
    line: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Size,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    EndLf,
}

/// What a piece of input was.
#[derive(PartialEq, Eq, Debug)]
pub enum Piece<'a> {
    /// Body bytes.
    Data(&'a [u8]),
    /// Everything was used up.
    More,
    /// The end; the rest does not belong to the message.
    End,
    /// Not chunked coding.
    Broken,
}

impl Default for Chunked {
    fn default() -> Self {
        Self { state: State::Size, size: 0, line: 0 }
    }
}

impl Chunked {
    /// Takes bytes off the front of `input` up to the next piece of data, the end, or an error.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Piece<'a> {
        loop {
            if self.state == State::Data {
                let take = usize::try_from(self.size).unwrap_or(usize::MAX).min(input.len());
                if take == 0 {
                    return Piece::More;
                }
                let (data, rest) = input.split_at(take);
                *input = rest;
                self.size -= take as u64;
                if self.size == 0 {
                    self.state = State::DataCr;
                }
                return Piece::Data(data);
            }
            let Some((byte, rest)) = input.split_first() else { return Piece::More };
            *input = rest;
            match self.step(*byte) {
                Some(true) => return Piece::End,
                Some(false) => {}
                None => return Piece::Broken,
            }
        }
    }

    /// One byte of framing; `Some(true)` at the end, `None` when it cannot be here.
    fn step(&mut self, byte: u8) -> Option<bool> {
        self.state = match (self.state, byte) {
            (State::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') if self.line < 16 => {
                self.line += 1;
                self.size = self.size << 4 | u64::from(char::from(byte).to_digit(16)?);
                State::Size
            }
            (State::Size, b';' | b' ' | b'\t') if self.line > 0 => State::Extension,
            (State::Size, b'\r') if self.line > 0 => State::SizeLf,
            (State::Extension, b'\r') => State::SizeLf,
            (State::Extension, b'\n') => return None,
            (State::Extension, _) => self.within_line(State::Extension)?,
            (State::SizeLf, b'\n') => {
                self.line = 0;
                if self.size == 0 { State::TrailerStart } else { State::Data }
            }
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size,
            (State::TrailerStart, b'\r') => State::EndLf,
            (State::TrailerStart | State::Trailer, b'\n') => return None,
            (State::Trailer, b'\r') => State::TrailerLf,
            (State::TrailerStart | State::Trailer, _) => self.within_line(State::Trailer)?,
            (State::TrailerLf, b'\n') => State::TrailerStart,
            (State::EndLf, b'\n') => return Some(true),
            _ => return None,
        };
        Some(false)
    }

    fn within_line(&mut self, state: State) -> Option<State> {
        self.line += 1;
        (self.line <= MAX_LINE).then_some(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// (body, bytes left over) or `None` when broken or unfinished.
    fn decode(pieces: &[&[u8]]) -> Option<(Vec<u8>, usize)> {
        let mut chunked = Chunked::default();
        let mut body = Vec::new();
        for (n, piece) in pieces.iter().enumerate() {
            let mut input = *piece;
            loop {
                match chunked.next(&mut input) {
                    Piece::Data(data) => body.extend_from_slice(data),
                    Piece::More => break,
                    Piece::End => {
                        return Some((
                            body,
                            input.len() + pieces[n + 1..].iter().map(|p| p.len()).sum::<usize>(),
                        ));
                    }
                    Piece::Broken => return None,
                }
            }
        }
        None
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(chunks: Vec<Vec<u8>>, cut in 0usize..200, tail in 0usize..5) {
            let mut wire = Vec::new();
            let mut body = Vec::new();
            for chunk in chunks.iter().filter(|c| !c.is_empty()) {
                wire.extend_from_slice(format!("{:X};ext=1\r\n", chunk.len()).as_bytes());
                wire.extend_from_slice(chunk);
                wire.extend_from_slice(b"\r\n");
                body.extend_from_slice(chunk);
            }
            wire.extend_from_slice(b"0\r\nTrailer: x\r\n\r\n");
            wire.extend(std::iter::repeat_n(b'!', tail));
            let cut = cut.min(wire.len());
            prop_assert_eq!(decode(&[&wire[..cut], &wire[cut..]]), Some((body.clone(), tail)));
            let bytes: Vec<&[u8]> = wire.chunks(1).collect();
            prop_assert_eq!(decode(&bytes), Some((body, tail)));
        }
    }

    #[test]
    fn broken_codings_are_refused() {
        for wire in [
            "5\nhello\r\n0\r\n\r\n",
            "\r\nhello",
            "0x5\r\nhello\r\n0\r\n\r\n",
            "-5\r\nhello",
            "5\r\nhelloX\r\n0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "11111111111111111\r\n",
            "0\r\n\n",
            "zz\r\n",
        ] {
            assert_eq!(decode(&[wire.as_bytes()]), None, "{wire:?}");
        }
    }
}
