//! The checksum of a multipart object, from those of its parts.

use super::{Algorithm, Checksum, Digest, Hasher, Kind};

/// Over the parts' checksums in order: `COMPOSITE`. None when a part's checksum is of another algorithm.
pub(crate) fn composite<'p>(
    algorithm: Algorithm,
    parts: impl Iterator<Item = &'p Checksum>,
) -> Option<Checksum> {
    let mut hasher = Hasher::new(algorithm);
    let mut count = 0;
    for part in parts.map(|part| digest_of(algorithm, part)) {
        hasher.update(part?.as_bytes());
        count += 1;
    }
    let value = format!("{}-{count}", hasher.finish().base64());
    Some(Checksum { algorithm, value, kind: Kind::Composite })
}

/// Over the object's bytes, from each part's checksum and length: `FULL_OBJECT`. None for SHA-1 and SHA-256,
/// which do not combine, and when a part's checksum is of another algorithm.
pub(crate) fn full_object<'p>(
    algorithm: Algorithm,
    parts: impl Iterator<Item = (&'p Checksum, u64)>,
) -> Option<Checksum> {
    let crc = algorithm.crc()?;
    let mut whole = None;
    for (part, length) in parts {
        let digest = digest_of(algorithm, part)?;
        let part = digest.as_bytes().iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
        whole = Some(match whole {
            None => part,
            Some(whole) => crc_fast::checksum_combine(crc, whole, part, length),
        });
    }
    let digest = whole.map_or_else(|| algorithm.of(b""), |value| algorithm.digest_of(value));
    Some(Checksum::full(algorithm, digest))
}

fn digest_of(algorithm: Algorithm, part: &Checksum) -> Option<Digest> {
    part.digest().filter(|_| part.algorithm == algorithm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_combine_to_the_checksum_of_the_whole() {
        let data: Vec<u8> = (0..40_000_u32).map(|n| ((n * 31) >> 3) as u8).collect();
        for algorithm in Algorithm::ALL {
            for cut in [1, 7, 16_384, 39_999, 40_000] {
                let parts: Vec<(Checksum, u64)> = data
                    .chunks(cut)
                    .map(|part| (Checksum::full(algorithm, algorithm.of(part)), part.len() as u64))
                    .collect();
                let whole = full_object(algorithm, parts.iter().map(|(part, length)| (part, *length)));
                let expected = algorithm.combines().then(|| Checksum::full(algorithm, algorithm.of(&data)));
                assert_eq!(whole, expected, "{} in parts of {cut}", algorithm.name());
            }
        }
    }

    #[test]
    fn a_composite_is_the_checksum_of_the_checksums() {
        let digests = [Algorithm::Sha256.of(b"one"), Algorithm::Sha256.of(b"two")];
        let parts = digests.map(|digest| Checksum::full(Algorithm::Sha256, digest));
        let joined = [digests[0].as_bytes(), digests[1].as_bytes()].concat();
        let got = composite(Algorithm::Sha256, parts.iter()).unwrap();
        assert_eq!((got.digest(), got.kind), (Some(Algorithm::Sha256.of(&joined)), Kind::Composite));
        assert!(got.value.ends_with("=-2"));
        assert_eq!(composite(Algorithm::Sha1, parts.iter()), None);
    }
}
