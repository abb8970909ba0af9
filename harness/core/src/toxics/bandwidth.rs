//! `bandwidth`: limits the rate

use super::{Item, Memory, Poison, ToxicInfo, Verdict, attributes};
use gatecrash_model::Nanos;

/// The time one slice takes.
const SLICE: Nanos = 5_000_000;

attributes! {
    /// At most `rate` pass.
    Bandwidth {
        /// KB/s, that is bytes per millisecond; 0 is a stall.
        rate,
    }
}

impl Poison for Bandwidth {
    const INFO: ToxicInfo = ToxicInfo {
        name: "bandwidth",
        summary: "limits the rate",
        doc: "On each connection `rate` KB/s (1000 bytes each) pass. A chunk leaves when a line of that rate \
              would have carried it; chunks of more than 5 ms are cut into slices of 5 ms (Toxiproxy: 100 \
              ms). `rate` 0, also the default, passes nothing until it is changed or removed, as \
              Toxiproxy's; a negative one, which ends Toxiproxy's process, is refused. A change or removal \
              releases the held chunk at once.",
    };

    fn decide(&self, memory: &mut Memory, front: Option<&Item>, now: Nanos) -> Verdict {
        let chunk = match front {
            None => return Verdict::Hold(None),
            Some(Item::End(_)) => return Verdict::Pass,
            Some(Item::Data(chunk)) => chunk,
        };
        let Some(rate) = u64::try_from(self.rate).ok().filter(|rate| *rate > 0) else {
            return Verdict::Hold(None);
        };
        // Bytes per millisecond: a slice is never empty.
        let slice = rate.saturating_mul(SLICE / 1_000_000).max(1);
        let length = usize::try_from(slice).map_or(chunk.data.len(), |slice| slice.min(chunk.data.len()));
        if memory.next.is_none() {
            // `due` is when the line is free again. A slice that left late makes the source late as well, and
            // a source that waited for us needs a moment to read: that is caught up, what a slow receiver
            // cost is not.
            let waited = chunk.due.saturating_sub(memory.since) <= SLICE && memory.passed > 0;
            let grace = memory.late.saturating_add(if waited { SLICE } else { 0 });
            let start = memory.due.max(chunk.due.saturating_sub(grace)).max(memory.stuck);
            let takes = u128::from(length as u64) * 1_000_000 / u128::from(rate);
            memory.due = start.saturating_add(u64::try_from(takes).unwrap_or(u64::MAX));
            memory.next = Some(memory.due);
        }
        if memory.due > now { Verdict::Hold(Some(memory.due)) } else { Verdict::Split(length) }
    }

    fn passed(&self, memory: &mut Memory, now: Nanos) {
        memory.late = now.saturating_sub(memory.due.max(memory.stuck));
        memory.since = now;
    }
}
