//! The checksums of S3: declared by a request, computed while the body arrives, stored with the object.
//!
//! Rules: S3 User Guide, "Checking object integrity in Amazon S3".

mod algorithm;
mod declared;
mod multipart;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub(crate) use algorithm::{Algorithm, Hasher};
pub(crate) use declared::{Declared, of_object};
pub(crate) use multipart::{composite, full_object};

use crate::errors::S3Error;

/// A checksum kept with an object or a part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Checksum {
    pub(crate) algorithm: Algorithm,
    /// Base64; with `-N` behind it when composite.
    pub(crate) value: String,
    pub(crate) kind: Kind,
}

/// What a checksum is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Of the bytes of the object.
    FullObject,
    /// Of the checksums of the parts.
    Composite,
}

/// The raw bytes of a checksum: at most 32.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digest {
    bytes: [u8; 32],
    length: u8,
}

// === impl Checksum ===

impl Checksum {
    pub(crate) fn full(algorithm: Algorithm, digest: Digest) -> Self {
        Self { algorithm, value: digest.base64(), kind: Kind::FullObject }
    }

    /// The raw bytes; none for a value that is not the algorithm's.
    pub(crate) fn digest(&self) -> Option<Digest> {
        let value = self.value.split_once('-').map_or(self.value.as_str(), |(value, _)| value);
        Digest::parse(value, self.algorithm.length())
    }
}

impl Kind {
    /// As in `x-amz-checksum-type`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FullObject => "FULL_OBJECT",
            Self::Composite => "COMPOSITE",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::FullObject, Self::Composite].into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

// === impl Digest ===

impl Digest {
    /// The first 32 bytes of `bytes`.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let length = bytes.len().min(32);
        let mut held = [0; 32];
        held[..length].copy_from_slice(&bytes[..length]);
        Self { bytes: held, length: length as u8 }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    pub(crate) fn base64(&self) -> String {
        STANDARD.encode(self.as_bytes())
    }

    /// Reads base64 of exactly `length` bytes.
    pub(crate) fn parse(text: &str, length: usize) -> Option<Self> {
        let mut held = [0; 48];
        let read = STANDARD.decode_slice(text.trim(), &mut held).ok()?;
        (read == length).then(|| Self::new(&held[..read]))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.base64())
    }
}

/// The answer to a checksum that is not that of the data.
pub(crate) fn mismatch(algorithm: Algorithm) -> S3Error {
    let name = algorithm.name();
    S3Error::of("BadDigest")
        .message(format!("The {name} you specified did not match the calculated checksum."))
}
