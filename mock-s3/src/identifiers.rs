//! `x-amz-request-id` and `x-amz-id-2` of an answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use gatecrash_model::hash;
use http::HeaderValue;

/// Length of a request id: upper-case hex digits.
const REQUEST: usize = 16;
/// Length of a host id: 48 bytes in base64.
const HOST: usize = 64;

/// Both ids of one answer, in one buffer.
#[derive(Clone, Debug)]
pub(crate) struct Identifiers(Bytes);

impl Identifiers {
    /// Those of request `number` under a seed: the same sequence for the same seed.
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        let mut both = [0; REQUEST + HOST];
        let word = hash::combine(&[seed, 0x5eed, number]);
        for (at, digit) in both[..REQUEST].iter_mut().enumerate() {
            *digit = DIGITS[(word >> (60 - 4 * at) & 15) as usize];
        }
        let (mut word, mut bytes) = (hash::bytes(&both[..REQUEST]), [0; 48]);
        for place in bytes.chunks_exact_mut(8) {
            word = hash::mix(word);
            place.copy_from_slice(&word.to_le_bytes());
        }
        // 48 bytes fill the 64 letters exactly.
        let _ = STANDARD.encode_slice(bytes, &mut both[REQUEST..]);
        Self(Bytes::copy_from_slice(&both))
    }

    pub(crate) fn request(&self) -> &str {
        std::str::from_utf8(&self.0[..REQUEST]).unwrap_or_default()
    }

    pub(crate) fn host(&self) -> &str {
        std::str::from_utf8(&self.0[REQUEST..]).unwrap_or_default()
    }

    /// As header values, request id first.
    pub(crate) fn values(&self) -> [HeaderValue; 2] {
        [self.0.slice(..REQUEST), self.0.slice(REQUEST..)]
            .map(|bytes| HeaderValue::from_maybe_shared(bytes).unwrap_or(HeaderValue::from_static("")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_look_like_those_of_s3_and_are_replayable() {
        let ids = Identifiers::new(7, 1);
        assert_eq!((ids.request().len(), ids.host().len()), (16, 64));
        assert!(ids.request().bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b)));
        assert_eq!(STANDARD.decode(ids.host()).unwrap().len(), 48);
        assert_eq!(ids.request(), Identifiers::new(7, 1).request());
        assert_ne!(ids.request(), Identifiers::new(7, 2).request());
        assert_eq!(ids.values().map(|v| v.len()), [16, 64]);
    }
}
