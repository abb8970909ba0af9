//! `timeout`: drops everything, then closes

use super::{Item, Memory, Poison, ToxicInfo, Verdict, attributes, millis};
use gatecrash_model::Nanos;

attributes! {
    /// Nothing passes; silence ends the connection.
    Timeout {
        /// Milliseconds without a chunk after which the connection is closed; 0: never.
        timeout,
    }
}

impl Poison for Timeout {
    const INFO: ToxicInfo = ToxicInfo {
        name: "timeout",
        summary: "drops everything, then closes",
        doc: "Every byte is dropped from the start. After `timeout` ms without one the connection is closed \
              (FIN both ways): each chunk starts the wait anew, so a steady sender is never closed. With 0 \
              the connection is a black hole for ever. The peer's own end passes. A change starts the wait \
              anew; removal closes the connections it worked on, since their streams have holes.",
    };
    const CLOSES_ON_REMOVAL: bool = true;

    fn decide(&self, memory: &mut Memory, front: Option<&Item>, now: Nanos) -> Verdict {
        match front {
            Some(Item::Data(_)) => {
                memory.since = now;
                Verdict::Drop
            }
            Some(Item::End(_)) => Verdict::Pass,
            None if self.timeout <= 0 => Verdict::Hold(None),
            None => {
                let due = memory.since.saturating_add(millis(self.timeout));
                if due > now { Verdict::Hold(Some(due)) } else { Verdict::Close }
            }
        }
    }
}
