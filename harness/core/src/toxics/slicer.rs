//! `slicer`: cuts chunks into small pieces

use super::{Draws, Item, Memory, Poison, ToxicInfo, Verdict, attributes};
use gatecrash_model::Nanos;

attributes! {
    /// Chunks leave in pieces, each by a write of its own.
    Slicer {
        /// Bytes; 0 cuts nothing.
        average_size,
        /// Bytes: how far each cut is off the middle, less than `average_size`.
        size_variation,
        /// Microseconds after each piece.
        delay,
    }
}

impl Poison for Slicer {
    const INFO: ToxicInfo = ToxicInfo {
        name: "slicer",
        summary: "cuts chunks into small pieces",
        doc: "Each chunk is halved, and its halves again, each cut off the middle by up to ± \
              `size_variation` bytes, until no piece is longer than `average_size` + `size_variation`; after \
              each piece `delay` µs pass. `average_size` 0, the default, cuts nothing (it ends Toxiproxy's \
              process: #541, #770); a `size_variation` that is not less than `average_size` is refused. A \
              change or removal releases the rest of the chunk at once.",
    };

    fn problem(&self) -> Option<String> {
        let (average, variation) = (self.average_size, self.size_variation);
        (variation > 0 && variation >= average).then(|| {
            format!("attribute size_variation must be less than average_size, it is {variation} of {average}")
        })
    }

    fn decide(&self, memory: &mut Memory, front: Option<&Item>, now: Nanos) -> Verdict {
        let chunk = match front {
            None => return Verdict::Hold(None),
            Some(_) if memory.due > now => return Verdict::Hold(Some(memory.due)),
            Some(Item::End(_)) => return Verdict::Pass,
            Some(Item::Data(chunk)) => chunk,
        };
        if memory.pieces.is_empty() {
            memory.pieces = self.pieces(chunk.data.len(), &mut memory.draws);
        }
        Verdict::Split(memory.pieces.last().copied().unwrap_or(chunk.data.len()))
    }

    fn passed(&self, memory: &mut Memory, now: Nanos) {
        memory.pieces.pop();
        memory.due = now.saturating_add(u64::try_from(self.delay).unwrap_or(0).saturating_mul(1000));
    }
}

impl Slicer {
    /// The lengths of the pieces of a chunk, last first.
    fn pieces(&self, length: usize, draws: &mut Draws) -> Vec<usize> {
        let size = |bytes: i64| usize::try_from(bytes).unwrap_or(0);
        let (average, variation) = (size(self.average_size), size(self.size_variation));
        if average == 0 || variation >= average {
            return vec![length];
        }
        let (mut whole, mut pieces) = (vec![length], Vec::new());
        // The right half of each cut is done first, so that the list comes out last first.
        while let Some(length) = whole.pop() {
            if length <= average.saturating_add(variation) {
                pieces.push(length);
                continue;
            }
            // More than 2 x variation + 1 bytes: neither half is empty.
            let off = (draws.unit() * 2.0 * variation as f64) as usize;
            let left = length / 2 + off - variation;
            whole.push(left);
            whole.push(length - left);
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_within_their_bounds_and_whole() {
        for (average, variation, length) in [(50, 10, 1000), (1, 0, 77), (2, 1, 65_536), (100, 99, 10_000)] {
            let slicer = Slicer { average_size: average, size_variation: variation, delay: 0 };
            let pieces = slicer.pieces(length, &mut Draws::of(3));
            assert_eq!(pieces.iter().sum::<usize>(), length);
            assert!(pieces.iter().all(|piece| *piece >= 1 && *piece as i64 <= average + variation));
        }
    }

    #[test]
    fn what_makes_no_pieces_makes_one() {
        let slicer = Slicer { average_size: 0, size_variation: 0, delay: 0 };
        assert_eq!(slicer.pieces(5000, &mut Draws::of(3)), [5000]);
    }
}
