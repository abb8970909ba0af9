//! What `x-amz-content-sha256` says about the body.

use http::HeaderMap;
use sha2::{Digest, Sha256};

use super::keys::SigningKey;
use super::sigv4::{hex, hex_array, same};
use crate::errors::S3Error;

/// How a body is framed inside HTTP, and what it must hash to.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    /// As it is, not signed.
    Plain,
    /// As it is, with this SHA-256.
    Hashed([u8; 32]),
    /// In aws-chunked encoding.
    Chunked(Box<Chunked>),
}

/// The aws-chunked encoding of one body.
#[derive(Clone, Debug)]
pub(crate) struct Chunked {
    /// Checks each chunk; none when the payload is not signed.
    pub(crate) signer: Option<ChunkSigner>,
    /// A signed trailer, or any trailer of an unsigned payload, may follow.
    pub(crate) trailer: bool,
    /// `x-amz-decoded-content-length`.
    pub(crate) length: u64,
}

/// The chain of signatures over the chunks of a body (S3 API Reference, "Transferring Payload in Multiple
/// Chunks").
#[derive(Clone)]
pub(crate) struct ChunkSigner {
    key: SigningKey,
    /// The request's date and credential scope, in two lines.
    preamble: String,
    /// The signature before: of the head, then of each chunk.
    previous: [u8; 64],
}

/// The forms `x-amz-content-sha256` takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Declared {
    Plain,
    Hashed([u8; 32]),
    Chunked { signed: bool, trailer: bool },
}

impl Declared {
    /// Reads the header's value; no header means [`Declared::Plain`].
    pub(super) fn of(value: Option<&str>) -> Result<Self, S3Error> {
        match value {
            None | Some("UNSIGNED-PAYLOAD") => Ok(Self::Plain),
            Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER") => Ok(Self::Chunked { signed: false, trailer: true }),
            Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD") => Ok(Self::Chunked { signed: true, trailer: false }),
            Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") => {
                Ok(Self::Chunked { signed: true, trailer: true })
            }
            Some(hash) => unhex(hash).map(Self::Hashed).ok_or_else(|| {
                S3Error::of("InvalidArgument")
                    .message(
                        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, \
                         STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, \
                         STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
                    )
                    .extra("ArgumentName", "x-amz-content-sha256")
                    .extra("ArgumentValue", hash)
            }),
        }
    }

    /// With what is needed to read the body; `signer` is asked for signed chunks only.
    pub(super) fn payload(
        self,
        headers: &HeaderMap,
        signer: impl FnOnce() -> Option<ChunkSigner>,
    ) -> Result<Payload, S3Error> {
        let (signed, trailer) = match self {
            Self::Plain => return Ok(Payload::Plain),
            Self::Hashed(hash) => return Ok(Payload::Hashed(hash)),
            Self::Chunked { signed, trailer } => (signed, trailer),
        };
        let length =
            headers.get("x-amz-decoded-content-length").ok_or_else(|| S3Error::of("MissingContentLength"))?;
        let length = length.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
            S3Error::of("InvalidArgument")
                .message("The value of x-amz-decoded-content-length is not a valid length")
        })?;
        let signer = if signed { signer() } else { None };
        Ok(Payload::Chunked(Box::new(Chunked { signer, trailer, length })))
    }
}

impl Payload {
    /// How much the payload is, when the encoding tells it.
    pub(crate) fn decoded_length(&self) -> Option<u64> {
        match self {
            Self::Chunked(chunked) => Some(chunked.length),
            _ => None,
        }
    }
}

/// The answer to a body that does not hash to what its head said.
pub(crate) fn hash_mismatch(declared: &[u8; 32], computed: &[u8]) -> S3Error {
    S3Error::of("XAmzContentSHA256Mismatch")
        .extra("ClientComputedContentSHA256", hex(declared))
        .extra("S3ComputedContentSHA256", hex(computed))
}

// === impl ChunkSigner ===

impl ChunkSigner {
    pub(super) fn new(key: SigningKey, date: &str, scope: &str, seed: &[u8; 64]) -> Self {
        Self { key, preamble: format!("{date}\n{scope}"), previous: *seed }
    }

    /// Checks the signature of the next chunk, by the hash of its data.
    pub(crate) fn check_chunk(&mut self, hash: &[u8], given: &str) -> Result<(), S3Error> {
        let empty = hex(&Sha256::digest(b""));
        self.check("AWS4-HMAC-SHA256-PAYLOAD", &format!("{empty}\n{}", hex(hash)), given)
    }

    /// Checks the signature of the trailers: `name:value` lines, each ended by a newline.
    pub(crate) fn check_trailer(&mut self, lines: &str, given: &str) -> Result<(), S3Error> {
        self.check("AWS4-HMAC-SHA256-TRAILER", &hex(&Sha256::digest(lines)), given)
    }

    fn check(&mut self, algorithm: &str, hashes: &str, given: &str) -> Result<(), S3Error> {
        let previous = String::from_utf8_lossy(&self.previous);
        let to_sign = format!("{algorithm}\n{}\n{previous}\n{hashes}", self.preamble);
        let expected = hex_array(&self.key.sign(to_sign.as_bytes()));
        if !same(&expected, given.as_bytes()) {
            return Err(S3Error::of("SignatureDoesNotMatch")
                .extra("StringToSign", &*to_sign)
                .extra("SignatureProvided", given)
                .extra("StringToSignBytes", super::hex_bytes(to_sign.as_bytes())));
        }
        self.previous = expected;
        Ok(())
    }
}

impl std::fmt::Debug for ChunkSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkSigner").finish_non_exhaustive()
    }
}

/// 32 bytes from 64 hex digits, in any case.
pub(super) fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = (high * 16 + low) as u8;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declared_forms() {
        let empty = "E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let hashed = Declared::Hashed(Sha256::digest(b"").into());
        let table = [
            (None, Declared::Plain),
            (Some("UNSIGNED-PAYLOAD"), Declared::Plain),
            (Some(empty), hashed),
            (Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER"), Declared::Chunked { signed: false, trailer: true }),
            (Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), Declared::Chunked { signed: true, trailer: false }),
        ];
        for (value, expected) in table {
            assert_eq!(Declared::of(value).unwrap(), expected, "{value:?}");
        }
        for bad in ["", "nonsense", &empty[1..], &empty.replace('e', "g")] {
            assert_eq!(Declared::of(Some(bad)).unwrap_err().code, "InvalidArgument", "{bad}");
        }
    }

    #[test]
    fn a_chunked_body_must_tell_its_length() {
        let chunked = Declared::Chunked { signed: false, trailer: true };
        let mut headers = HeaderMap::new();
        assert_eq!(chunked.payload(&headers, || None).unwrap_err().code, "MissingContentLength");
        headers.insert("x-amz-decoded-content-length", "x".parse().unwrap());
        assert_eq!(chunked.payload(&headers, || None).unwrap_err().code, "InvalidArgument");
        headers.insert("x-amz-decoded-content-length", "66560".parse().unwrap());
        assert_eq!(chunked.payload(&headers, || None).unwrap().decoded_length(), Some(66_560));
    }
}
