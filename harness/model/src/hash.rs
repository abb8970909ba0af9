//! One 64-bit mixing function and one streaming hash, stable for ever: stored runs and seeds depend on them.
//!
//! Not cryptographic. The mixer is the finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection, so it can be
//! undone, which the content pool uses to recognise its own bytes.

/// Mixes one word. Bijective.
pub const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Undoes [`mix`].
pub const fn unmix(mut x: u64) -> u64 {
    x = (x ^ (x >> 31) ^ (x >> 62)).wrapping_mul(0x3196_42b2_d24d_8ec3);
    x = (x ^ (x >> 27) ^ (x >> 54)).wrapping_mul(0x96de_1b17_3f11_9089);
    x ^ (x >> 30) ^ (x >> 60)
}

/// Combines words, order matters.
pub fn combine(words: &[u64]) -> u64 {
    words.iter().fold(0x9e37_79b9_7f4a_7c15, |h, w| mix(h ^ mix(w.wrapping_add(0x9e37_79b9_7f4a_7c15))))
}

/// Hashes text or bytes in one go.
pub fn bytes(data: &[u8]) -> u64 {
    let mut hash = Hash64::default();
    hash.update(data);
    hash.finish()
}

/// A streaming hash: the result does not depend on how the bytes were cut into pieces.
#[derive(Clone, Default, Debug)]
pub struct Hash64 {
    state: u64,
    tail: [u8; 8],
    length: u64,
}

impl Hash64 {
    /// Takes in more bytes.
    pub fn update(&mut self, mut data: &[u8]) {
        let filled = (self.length % 8) as usize;
        self.length += data.len() as u64;
        if filled > 0 {
            let take = data.len().min(8 - filled);
            self.tail[filled..filled + take].copy_from_slice(&data[..take]);
            data = &data[take..];
            if filled + take < 8 {
                return;
            }
            self.word(u64::from_le_bytes(self.tail));
        }
        let mut words = data.chunks_exact(8);
        for word in &mut words {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(word);
            self.word(u64::from_le_bytes(bytes));
        }
        let rest = words.remainder();
        self.tail[..rest.len()].copy_from_slice(rest);
    }

    /// The hash of everything so far.
    pub fn finish(&self) -> u64 {
        let mut last = [0; 8];
        let filled = (self.length % 8) as usize;
        last[..filled].copy_from_slice(&self.tail[..filled]);
        mix(self.state ^ mix(u64::from_le_bytes(last) ^ self.length.rotate_left(40)))
    }

    fn word(&mut self, word: u64) {
        self.state = (self.state ^ mix(word)).wrapping_mul(0x2545_f491_4f6c_dd1d).rotate_left(23);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn unmix_undoes_mix(x: u64) {
            prop_assert_eq!(unmix(mix(x)), x);
        }

        #[test]
        fn cutting_does_not_change_the_hash(data: Vec<u8>, cut in 0usize..64) {
            let cut = cut.min(data.len());
            let mut pieces = Hash64::default();
            pieces.update(&data[..cut]);
            pieces.update(&data[cut..]);
            prop_assert_eq!(pieces.finish(), bytes(&data));
        }
    }

    #[test]
    fn the_values_are_frozen() {
        assert_eq!(bytes(b""), bytes(&[]));
        assert_ne!(bytes(b"\0"), bytes(b""));
        assert_ne!(combine(&[1, 2]), combine(&[2, 1]));
        assert_eq!(mix(1), 0x5692_161d_100b_05e5);
    }
}
