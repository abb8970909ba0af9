//! The checksum of a multipart object, from those of its parts.

use super::{Algorithm, Checksum, Digest, Hasher, Kind};

/// Over the parts' checksums in order: `COMPOSITE`.
pub(crate) fn composite<'d>(algorithm: Algorithm, parts: impl Iterator<Item = &'d Digest>) -> Checksum {
    let mut hasher = Hasher::new(algorithm);
    let mut count = 0;
    for part in parts {
        hasher.update(part.as_bytes());
        count += 1;
    }
    Checksum { algorithm, digest: hasher.finish(), kind: Kind::Composite { parts: count } }
}

/// Over the object's bytes, from each part's checksum and length: `FULL_OBJECT`. None for SHA-1 and SHA-256,
/// which do not combine.
pub(crate) fn full_object<'d>(
    algorithm: Algorithm,
    parts: impl Iterator<Item = (&'d Digest, u64)>,
) -> Option<Checksum> {
    let crc = algorithm.crc()?;
    let value = |digest: &Digest| digest.as_bytes().iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
    let whole = parts.fold(None, |whole: Option<u64>, (digest, length)| {
        let part = value(digest);
        Some(whole.map_or(part, |whole| crc_fast::checksum_combine(crc, whole, part, length)))
    });
    let digest = whole.map_or_else(|| algorithm.of(b""), |value| algorithm.digest_of(value));
    Some(Checksum::full(algorithm, digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_combine_to_the_checksum_of_the_whole() {
        let data: Vec<u8> = (0..40_000_u32).map(|n| (n * 31 >> 3) as u8).collect();
        for algorithm in Algorithm::all() {
            for cut in [1, 7, 16_384, 39_999, 40_000] {
                let parts: Vec<(Digest, u64)> =
                    data.chunks(cut).map(|part| (algorithm.of(part), part.len() as u64)).collect();
                let whole = full_object(algorithm, parts.iter().map(|(digest, length)| (digest, *length)));
                let expected = algorithm.combines().then(|| Checksum::full(algorithm, algorithm.of(&data)));
                assert_eq!(whole, expected, "{} in parts of {cut}", algorithm.name());
            }
        }
    }

    #[test]
    fn a_composite_is_the_checksum_of_the_checksums() {
        let parts = [Algorithm::Sha256.of(b"one"), Algorithm::Sha256.of(b"two")];
        let joined = [parts[0].as_bytes(), parts[1].as_bytes()].concat();
        let got = composite(Algorithm::Sha256, parts.iter());
        assert_eq!((got.digest, got.kind), (Algorithm::Sha256.of(&joined), Kind::Composite { parts: 2 }));
        assert!(got.text().ends_with("=-2"));
    }
}
