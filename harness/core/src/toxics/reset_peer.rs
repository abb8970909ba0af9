//! `reset_peer`: ends the connection by RST

use super::{Item, Memory, Poison, ToxicInfo, Verdict, attributes, millis};
use gatecrash_model::Nanos;

attributes! {
    /// The first chunk or end starts the wait for an RST.
    ResetPeer {
        /// Milliseconds.
        timeout,
    }
}

impl Poison for ResetPeer {
    const INFO: ToxicInfo = ToxicInfo {
        name: "reset_peer",
        summary: "ends the connection by RST",
        doc: "Waits for the first chunk or the end of the stream, then `timeout` ms, then resets both \
              sockets; nothing passes meanwhile, what passed before has left first. It works on connections \
              that were open when it was added (Toxiproxy sends them a FIN: #465), disturbs none that the \
              toxicity spares (#603), and a change or removal ends the wait: then the held bytes pass.",
    };

    fn decide(&self, memory: &mut Memory, front: Option<&Item>, now: Nanos) -> Verdict {
        if front.is_none() {
            return Verdict::Hold(None);
        }
        let due = *memory.next.get_or_insert(now.saturating_add(millis(self.timeout)));
        if due > now { Verdict::Hold(Some(due)) } else { Verdict::Reset }
    }
}
