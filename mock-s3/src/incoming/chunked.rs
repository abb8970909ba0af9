//! The aws-chunked encoding: an upload cut into chunks, each perhaps with a signature, and trailers behind.
//!
//! The decoder takes the wire piece by piece as it arrives and gives the payload's pieces on, without copying
//! them: what it keeps itself is one line.

use bytes::{Buf, Bytes};
use sha2::{Digest, Sha256};

use crate::auth::{ChunkSigner, Chunked};
use crate::checksum::{Algorithm, Digest as Checksum};
use crate::errors::S3Error;

/// S3 takes smaller chunks only as the last one.
const SMALLEST_CHUNK: u64 = 8192;
/// More than any line of a well-formed body: a size, and a signature of 64 digits.
const LONGEST_LINE: usize = 1024;
/// More trailers than S3 knows.
const MOST_TRAILERS: usize = 8;

/// A body in aws-chunked encoding, as far as it has arrived.
pub(crate) struct Decoder {
    signer: Option<ChunkSigner>,
    /// The checksum that `x-amz-trailer` announced.
    announced: Option<Algorithm>,
    may_trail: bool,
    /// `x-amz-decoded-content-length`.
    length: u64,
    decoded: u64,
    state: State,
    /// The line being gathered.
    line: Vec<u8>,
    /// The chunk being read: its number from 1, its size, its signature, the hash so far.
    number: u64,
    size: u64,
    signature: String,
    hash: Sha256,
    trailers: Vec<(String, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Reading `size;chunk-signature=...`.
    Size,
    /// Reading a chunk; so many bytes are to come.
    Data(u64),
    /// Reading the line end behind a chunk.
    DataEnd,
    Trailers,
    Done,
}

impl Decoder {
    pub(crate) fn new(chunked: Chunked, announced: Option<Algorithm>) -> Self {
        Self {
            signer: chunked.signer,
            announced,
            may_trail: chunked.trailer,
            length: chunked.length,
            decoded: 0,
            state: State::Size,
            line: Vec::new(),
            number: 0,
            size: 0,
            signature: String::new(),
            hash: Sha256::new(),
            trailers: Vec::new(),
        }
    }

    /// Takes a piece of the wire, and gives the pieces of payload in it to `give`.
    pub(crate) fn push(&mut self, mut piece: Bytes, give: &mut dyn FnMut(Bytes)) -> Result<(), S3Error> {
        while !piece.is_empty() {
            match self.state {
                State::Data(left) => {
                    let take = left.min(piece.len() as u64);
                    let data = piece.split_to(take as usize);
                    if self.signer.is_some() {
                        self.hash.update(&data);
                    }
                    give(data);
                    self.state = if take == left { State::DataEnd } else { State::Data(left - take) };
                    if take == left {
                        self.check_chunk()?;
                    }
                }
                State::Done => return Err(incomplete()),
                State::Size | State::DataEnd | State::Trailers => {
                    if self.gather(&mut piece)? {
                        let line = std::mem::take(&mut self.line);
                        self.take_line(&String::from_utf8(line).map_err(|_| incomplete())?)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The end of the body: everything must have come. The value of the trailing checksum.
    pub(crate) fn finish(mut self) -> Result<Option<Checksum>, S3Error> {
        if self.state != State::Done || self.decoded != self.length {
            return Err(incomplete());
        }
        self.check_trailer_signature()?;
        let malformed = || S3Error::of("MalformedTrailerError");
        let Some(algorithm) = self.announced else {
            return if self.trailers.is_empty() { Ok(None) } else { Err(malformed()) };
        };
        let [(name, value)] = &self.trailers[..] else { return Err(malformed()) };
        if !name.eq_ignore_ascii_case(algorithm.header()) {
            return Err(malformed());
        }
        let value = Checksum::parse(value, algorithm.length()).ok_or_else(|| {
            S3Error::of("InvalidRequest")
                .message(format!("Value for {} trailing header is invalid.", algorithm.header()))
        })?;
        Ok(Some(value))
    }

    /// Gathers up to the end of the line; whether that is reached.
    fn gather(&mut self, piece: &mut Bytes) -> Result<bool, S3Error> {
        let end = piece.iter().position(|byte| *byte == b'\n');
        let take = end.map_or(piece.len(), |end| end + 1);
        if self.line.len() + take > LONGEST_LINE {
            return Err(incomplete());
        }
        self.line.extend_from_slice(&piece[..take]);
        piece.advance(take);
        if self.line.ends_with(b"\r\n") {
            self.line.truncate(self.line.len() - 2);
            return Ok(true);
        }
        Ok(false)
    }

    fn take_line(&mut self, line: &str) -> Result<(), S3Error> {
        match self.state {
            State::Size => self.begin_chunk(line),
            State::DataEnd if line.is_empty() => {
                self.state = State::Size;
                Ok(())
            }
            State::Trailers => self.take_trailer(line),
            _ => Err(incomplete()),
        }
    }

    fn begin_chunk(&mut self, line: &str) -> Result<(), S3Error> {
        let (size, extension) = line.split_once(';').unwrap_or((line, ""));
        let digits = size.trim();
        let is_hex = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let size = u64::from_str_radix(digits, 16).ok().filter(|_| is_hex).ok_or_else(incomplete)?;
        self.number += 1;
        if size > 0 && self.number > 1 && self.size < SMALLEST_CHUNK {
            return Err(S3Error::of("InvalidChunkSizeError")
                .extra("Chunk", self.number.to_string())
                .extra("BadChunkSize", self.size.to_string()));
        }
        self.size = size;
        if self.signer.is_some() {
            let signature = extension.trim().strip_prefix("chunk-signature=").ok_or_else(incomplete)?;
            self.signature = signature.to_owned();
        }
        self.decoded =
            self.decoded.checked_add(size).filter(|sum| *sum <= self.length).ok_or_else(incomplete)?;
        self.state = State::Data(size);
        if size == 0 {
            self.check_chunk()?;
            self.state = State::Trailers;
        }
        Ok(())
    }

    fn check_chunk(&mut self) -> Result<(), S3Error> {
        let Some(signer) = &mut self.signer else { return Ok(()) };
        signer.check_chunk(&self.hash.finalize_reset(), &self.signature)
    }

    fn take_trailer(&mut self, line: &str) -> Result<(), S3Error> {
        let line = line.trim();
        if line.is_empty() {
            self.state = State::Done;
            return Ok(());
        }
        let (name, value) = line.split_once(':').ok_or_else(|| S3Error::of("MalformedTrailerError"))?;
        if !self.may_trail || self.trailers.len() == MOST_TRAILERS {
            return Err(S3Error::of("MalformedTrailerError"));
        }
        self.trailers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        Ok(())
    }

    /// A signed body with trailers has their signature as the last one.
    fn check_trailer_signature(&mut self) -> Result<(), S3Error> {
        let Some(signer) = &mut self.signer else { return Ok(()) };
        if !self.may_trail {
            return Ok(());
        }
        let signature = match self.trailers.pop() {
            Some((name, value)) if name == "x-amz-trailer-signature" => value,
            _ => return Err(S3Error::of("MalformedTrailerError")),
        };
        let lines: String = self.trailers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        signer.check_trailer(&lines, &signature)
    }
}

fn incomplete() -> S3Error {
    S3Error::of("IncompleteBody").message("The request body terminated unexpectedly")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unsigned(length: u64) -> Chunked {
        Chunked { signer: None, trailer: true, length }
    }

    /// The payload and the trailing checksum of a body that arrives in pieces of `cut` bytes.
    fn decode(
        body: &[u8],
        chunked: Chunked,
        announced: Option<Algorithm>,
        cut: usize,
    ) -> Result<(Vec<u8>, Option<Checksum>), S3Error> {
        let mut decoder = Decoder::new(chunked, announced);
        let mut payload = Vec::new();
        for piece in body.chunks(cut) {
            decoder.push(Bytes::copy_from_slice(piece), &mut |data| payload.extend_from_slice(&data))?;
        }
        Ok((payload, decoder.finish()?))
    }

    #[test]
    fn unsigned_with_a_trailer_in_any_pieces() {
        let body = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
        for cut in 1..body.len() {
            let (payload, checksum) = decode(body, unsigned(5), Some(Algorithm::Crc32), cut).unwrap();
            assert_eq!((payload.as_slice(), checksum), (&b"hello"[..], Some(Algorithm::Crc32.of(b"hello"))));
        }
        assert_eq!(decode(b"0\r\n\r\n", unsigned(0), None, 1).unwrap(), (Vec::new(), None));
    }

    #[test]
    fn what_is_broken_is_told() {
        let long = "1".repeat(2000);
        let small = "5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n";
        let trailer = "x-amz-checksum-crc32";
        let table = [
            ("5\r\nhello\r\n0\r\n\r\n", 6, None, "IncompleteBody"),
            ("5\r\nhello\r\n0\r\n\r\n", 4, None, "IncompleteBody"),
            ("5\r\nhel", 5, None, "IncompleteBody"),
            ("5\r\nhello\r\n", 5, None, "IncompleteBody"),
            ("5\r\nhelloXX\r\n0\r\n\r\n", 5, None, "IncompleteBody"),
            ("5\r\nhello\r\n0\r\n\r\nmore", 5, None, "IncompleteBody"),
            ("zz\r\n", 5, None, "IncompleteBody"),
            ("+5\r\nhello\r\n0\r\n\r\n", 5, None, "IncompleteBody"),
            ("ffffffffffffffff\r\nhello\r\n", 5, None, "IncompleteBody"),
            ("11111111111111111\r\nhello\r\n", 5, None, "IncompleteBody"),
            (&long, 5, None, "IncompleteBody"),
            (small, 10, None, "InvalidChunkSizeError"),
            ("0\r\n\r\n", 0, Some(trailer), "MalformedTrailerError"),
            ("0\r\nx-amz-checksum-sha1:a\r\n\r\n", 0, Some(trailer), "MalformedTrailerError"),
            ("0\r\nnonsense\r\n\r\n", 0, Some(trailer), "MalformedTrailerError"),
            ("0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", 0, None, "MalformedTrailerError"),
            ("0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n", 0, Some(trailer), "InvalidRequest"),
        ];
        for (body, length, announced, code) in table {
            let announced = announced.and_then(Algorithm::of_header);
            for cut in [1, 3, body.len()] {
                let got = decode(body.as_bytes(), unsigned(length), announced, cut);
                assert_eq!(got.unwrap_err().code, code, "{body:?} in pieces of {cut}");
            }
        }
    }

    #[test]
    fn only_the_last_chunk_may_be_small() {
        let mut body = format!("{:x}\r\n{}\r\n", 8192, "a".repeat(8192)).into_bytes();
        body.extend_from_slice(b"1\r\nb\r\n0\r\n\r\n");
        assert_eq!(decode(&body, unsigned(8193), None, 1000).unwrap().0.len(), 8193);
        let bad = decode(b"5\r\nhello\r\n5\r\nhello\r\n", unsigned(10), None, 5).unwrap_err();
        assert_eq!(bad.extras, [("Chunk", "2".to_owned()), ("BadChunkSize", "5".to_owned())]);
    }

    proptest! {
        #[test]
        fn nothing_that_arrives_makes_it_panic(body: Vec<u8>, cut in 1usize..64, length in 0u64..200) {
            drop(decode(&body, unsigned(length), Some(Algorithm::Crc32), cut));
        }
    }
}
