//! The algorithms, and one hasher for all of them.

use crc_fast::CrcAlgorithm;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::Digest;

/// A checksum algorithm of S3.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub(crate) enum Algorithm {
    /// CRC-32/ISO-HDLC.
    Crc32,
    /// CRC-32/ISCSI (Castagnoli).
    Crc32c,
    /// CRC-64/NVME: what S3 computes when a request asks for nothing.
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// (algorithm, name in headers' values, header, bytes, element of documents).
#[rustfmt::skip]
const TABLE: &[(Algorithm, &str, &str, usize, &str)] = &[
    (Algorithm::Crc32,     "CRC32",     "x-amz-checksum-crc32",      4, "ChecksumCRC32"),
    (Algorithm::Crc32c,    "CRC32C",    "x-amz-checksum-crc32c",     4, "ChecksumCRC32C"),
    (Algorithm::Crc64Nvme, "CRC64NVME", "x-amz-checksum-crc64nvme",  8, "ChecksumCRC64NVME"),
    (Algorithm::Sha1,      "SHA1",      "x-amz-checksum-sha1",      20, "ChecksumSHA1"),
    (Algorithm::Sha256,    "SHA256",    "x-amz-checksum-sha256",    32, "ChecksumSHA256"),
];

impl Algorithm {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// As in `x-amz-checksum-algorithm`: `CRC32`. Read in any case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.1.eq_ignore_ascii_case(name)).map(|row| row.0)
    }

    /// By its header or trailer, in any case.
    pub(crate) fn of_header(header: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.2.eq_ignore_ascii_case(header)).map(|row| row.0)
    }

    /// As in `x-amz-sdk-checksum-algorithm` and in documents.
    pub(crate) fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// The header, or trailer, that carries the value.
    pub(crate) fn header(self) -> &'static str {
        TABLE[self as usize].2
    }

    /// The element of a document that carries the value.
    pub(crate) fn element(self) -> &'static str {
        TABLE[self as usize].4
    }

    /// Length of the checksum in bytes.
    pub(crate) fn length(self) -> usize {
        TABLE[self as usize].3
    }

    /// Whether two parts' checksums make that of the whole, without the data.
    pub(crate) fn combines(self) -> bool {
        self.crc().is_some()
    }

    pub(super) fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    /// The checksum of some bytes.
    pub(crate) fn of(self, bytes: &[u8]) -> Digest {
        let mut hasher = Hasher::new(self);
        hasher.update(bytes);
        hasher.finish()
    }

    /// The digest of a CRC's value: big-endian, as S3 writes it.
    pub(super) fn digest_of(self, value: u64) -> Digest {
        Digest::new(&value.to_be_bytes()[8 - self.length()..])
    }
}

/// A checksum under construction.
pub(crate) enum Hasher {
    Crc(Algorithm, Box<crc_fast::Digest>),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match algorithm.crc() {
            Some(crc) => Self::Crc(algorithm, Box::new(crc_fast::Digest::new(crc))),
            None if algorithm == Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            None => Self::Sha256(Sha256::new()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc(_, crc) => crc.update(bytes),
            Self::Sha1(sha) => sha.update(bytes),
            Self::Sha256(sha) => sha.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Digest {
        match self {
            Self::Crc(algorithm, crc) => algorithm.digest_of(crc.finalize()),
            Self::Sha1(sha) => Digest::new(&sha.finalize()),
            Self::Sha256(sha) => Digest::new(&sha.finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (at, row) in TABLE.iter().enumerate() {
            assert_eq!(row.0 as usize, at);
            assert_eq!(Algorithm::named(row.1), Some(row.0));
            assert_eq!(Algorithm::of_header(&row.2.to_uppercase()), Some(row.0));
            assert_eq!((Algorithm::ALL[at], row.4), (row.0, &*format!("Checksum{}", row.1)));
            assert_eq!(row.0.of(b"").as_bytes().len(), row.3);
        }
        assert_eq!(Algorithm::named("MD4"), None);
    }

    #[test]
    fn the_check_values_of_the_catalogues() {
        // CRC RevEng catalogue, FIPS 180 examples for "abc".
        let hex = |algorithm: Algorithm, text: &str| {
            let digest = algorithm.of(text.as_bytes());
            digest.as_bytes().iter().map(|b| format!("{b:02x}")).collect::<String>()
        };
        assert_eq!(hex(Algorithm::Crc32, "123456789"), "cbf43926");
        assert_eq!(hex(Algorithm::Crc32c, "123456789"), "e3069283");
        assert_eq!(hex(Algorithm::Crc64Nvme, "123456789"), "ae8b14860a799888");
        assert_eq!(hex(Algorithm::Sha1, "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(Algorithm::Crc32.of(b"hello").base64(), "NhCmhg==");
        assert_eq!(
            hex(Algorithm::Sha256, "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn pieces_make_the_same_checksum() {
        let data: Vec<u8> = (0..5000_u32).map(|n| (n * 7) as u8).collect();
        for algorithm in Algorithm::ALL {
            let mut hasher = Hasher::new(algorithm);
            data.chunks(777).for_each(|piece| hasher.update(piece));
            assert_eq!(hasher.finish(), algorithm.of(&data), "{}", algorithm.name());
        }
    }
}
