//! `latency`: delays every chunk

use super::{Item, Memory, Poison, ToxicInfo, Verdict, attributes, millis};
use gatecrash_model::Nanos;

attributes! {
    /// Each chunk leaves at its arrival + latency ± jitter.
    Latency {
        /// Milliseconds.
        latency,
        /// Milliseconds: the delay is uniform in [latency - jitter, latency + jitter).
        jitter,
    }
}

impl Poison for Latency {
    const INFO: ToxicInfo = ToxicInfo {
        name: "latency",
        summary: "delays every chunk",
        doc: "A delay line: each chunk leaves at its arrival + `latency` ms, uniformly spread by ± `jitter` \
              ms, in order and without losing throughput (up to 32 MiB are under way, then the source \
              waits). The end of the stream follows the last chunk and has no delay of its own. A change \
              releases the first held chunk at once, removal all of them.",
    };
    const ROOM: usize = 32 * 1024 * 1024;

    fn due(&self, memory: &mut Memory, at: Nanos) -> Nanos {
        let delay = millis(self.latency);
        let delay = match millis(self.jitter) {
            0 => delay,
            jitter => {
                let spread = (memory.draws.unit() * 2.0 * jitter as f64) as u64;
                delay.saturating_add(spread).saturating_sub(jitter)
            }
        };
        // A chunk does not overtake the one before it.
        memory.due = memory.due.max(at.saturating_add(delay));
        memory.due
    }

    fn decide(&self, _: &mut Memory, front: Option<&Item>, now: Nanos) -> Verdict {
        match front {
            None => Verdict::Hold(None),
            Some(Item::Data(chunk)) if chunk.due > now => Verdict::Hold(Some(chunk.due)),
            Some(_) => Verdict::Pass,
        }
    }
}
