//! Which bytes of a body are wrong.

use gatecrash_model::{draw, hash};

/// Wrong bytes in a body of the right length: in each of them one bit is flipped.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Corruption {
    /// The byte at this offset.
    At {
        /// From the beginning of the body.
        offset: u64,
        /// Which bit, as a draw.
        draw: u64,
    },
    /// This share of all bytes.
    Share {
        /// 0.0 to 1.0.
        share: f64,
        /// What decides for each byte, together with its offset.
        draw: u64,
    },
}

impl Corruption {
    /// Spoils body bytes that begin at `offset`. However the body is cut, the same bytes are spoiled.
    pub fn apply(self, offset: u64, bytes: &mut [u8]) {
        match self {
            Self::At { offset: place, draw } => {
                let byte = place.checked_sub(offset).and_then(|at| bytes.get_mut(usize::try_from(at).ok()?));
                if let Some(byte) = byte {
                    *byte ^= 1 << (draw % 8);
                }
            }
            Self::Share { share, draw } => {
                for (at, byte) in (offset..).zip(bytes) {
                    let draw = hash::combine(&[draw, at]);
                    if draw::fires(draw, share) {
                        *byte ^= 1 << (draw % 8);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoilt(corruption: Corruption, cut: usize) -> Vec<u8> {
        let mut body = vec![0; 10_000];
        for (piece, bytes) in body.chunks_mut(cut).enumerate() {
            corruption.apply((piece * cut) as u64, bytes);
        }
        body
    }

    #[test]
    fn one_bit_of_one_byte() {
        let body = spoilt(Corruption::At { offset: 4097, draw: 3 }, 1000);
        assert_eq!(body.iter().position(|b| *b != 0), Some(4097));
        assert_eq!((body[4097], body.iter().filter(|b| **b != 0).count()), (8, 1));
        assert_eq!(spoilt(Corruption::At { offset: 10_000, draw: 3 }, 1000), vec![0; 10_000]);
    }

    #[test]
    fn any_cut_spoils_the_same_bytes() {
        let corruption = Corruption::Share { share: 0.01, draw: 7 };
        let body = spoilt(corruption, 10_000);
        for cut in [1, 7, 4096] {
            assert_eq!(spoilt(corruption, cut), body, "{cut}");
        }
        assert!(body.iter().all(|b| b.count_ones() <= 1));
        let count = body.iter().filter(|b| **b != 0).count();
        assert!((50..200).contains(&count), "{count}");
        assert_eq!(
            spoilt(Corruption::Share { share: 1.0, draw: 7 }, 9).iter().filter(|b| **b == 0).count(),
            0
        );
    }
}
