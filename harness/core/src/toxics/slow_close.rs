//! `slow_close`: holds the end of the stream

use super::{Item, Memory, Poison, ToxicInfo, Verdict, attributes, millis};
use gatecrash_model::Nanos;

attributes! {
    /// The end waits.
    SlowClose {
        /// Milliseconds.
        delay,
    }
}

impl Poison for SlowClose {
    const INFO: ToxicInfo = ToxicInfo {
        name: "slow_close",
        summary: "holds the end of the stream",
        doc: "Bytes pass as they came; the end of the stream (FIN or RST) leaves `delay` ms after it came. A \
              change starts the wait anew, removal ends it.",
    };

    fn decide(&self, memory: &mut Memory, front: Option<&Item>, now: Nanos) -> Verdict {
        match front {
            None => Verdict::Hold(None),
            Some(Item::Data(_)) => Verdict::Pass,
            Some(Item::End(_)) => {
                let due = *memory.next.get_or_insert(now.saturating_add(millis(self.delay)));
                if due > now { Verdict::Hold(Some(due)) } else { Verdict::Pass }
            }
        }
    }
}
