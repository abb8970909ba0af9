//! `noop`: passes everything

use super::{Item, Memory, Poison, ToxicInfo, Verdict, attributes};
use gatecrash_model::Nanos;

attributes! {
    /// Nothing.
    Noop {}
}

impl Poison for Noop {
    const INFO: ToxicInfo =
        ToxicInfo { name: "noop", summary: "passes everything", doc: "Bytes and ends pass as they came." };

    fn decide(&self, _: &mut Memory, front: Option<&Item>, _: Nanos) -> Verdict {
        front.map_or(Verdict::Hold(None), |_| Verdict::Pass)
    }
}
