//! What `x-amz-content-sha256` says about the body.

use sha2::{Digest, Sha256};

use super::sigv4::hex;
use crate::errors::S3Error;

/// How a body is framed inside HTTP, and what it must hash to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Payload {
    /// As it is, not signed.
    Plain,
    /// As it is, with this SHA-256 in hex.
    Hashed(String),
    /// In aws-chunked encoding. Chunk signatures are read over, not checked.
    Chunked,
}

impl Payload {
    /// Reads the header's value; no header means [`Payload::Plain`].
    pub(super) fn of(declared: Option<&str>) -> Result<Self, S3Error> {
        match declared {
            None | Some("UNSIGNED-PAYLOAD") => Ok(Self::Plain),
            Some(
                "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
                | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
                | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            ) => Ok(Self::Chunked),
            Some(hash) if hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
                Ok(Self::Hashed(hash.to_ascii_lowercase()))
            }
            Some(_) => Err(S3Error::of("InvalidArgument").message(
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, \
                 or a valid sha256 value.",
            )),
        }
    }

    /// Checks the hash of a whole body.
    pub(crate) fn check(&self, body: &[u8]) -> Result<(), S3Error> {
        let Self::Hashed(declared) = self else { return Ok(()) };
        let computed = hex(&Sha256::digest(body));
        if computed == *declared {
            return Ok(());
        }
        Err(S3Error::of("XAmzContentSHA256Mismatch")
            .extra("ClientComputedContentSHA256", declared.as_str())
            .extra("S3ComputedContentSHA256", computed))
    }
}
