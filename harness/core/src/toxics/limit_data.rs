//! `limit_data`: closes after so many bytes

use super::{Item, Memory, Poison, ToxicInfo, Verdict, attributes};
use gatecrash_model::Nanos;

attributes! {
    /// Exactly `bytes` pass.
    LimitData {
        /// Bytes since the toxic came to the connection.
        bytes,
    }
}

impl Poison for LimitData {
    const INFO: ToxicInfo = ToxicInfo {
        name: "limit_data",
        summary: "closes after so many bytes",
        doc: "On each connection exactly `bytes` pass after the toxic came to it, then the connection is \
              closed (FIN both ways). The count survives a change: a limit below it closes at once. With 0 the \
              first byte closes.",
    };

    fn decide(&self, memory: &mut Memory, front: Option<&Item>, _: Nanos) -> Verdict {
        let left = u64::try_from(self.bytes).unwrap_or(0).saturating_sub(memory.passed);
        match front {
            _ if left == 0 && memory.passed > 0 => Verdict::Close,
            None => Verdict::Hold(None),
            Some(Item::End(_)) => Verdict::Pass,
            Some(Item::Data(_)) if left == 0 => Verdict::Close,
            Some(Item::Data(chunk)) => {
                Verdict::Split(usize::try_from(left).map_or(chunk.data.len(), |l| l.min(chunk.data.len())))
            }
        }
    }
}
