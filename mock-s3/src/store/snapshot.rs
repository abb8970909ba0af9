//! What a region holds at the end of a run, for the checks of writes.

use bytes::Bytes;
use gatecrash_model::StoreEntry;

use super::placement::Placement;

impl Placement {
    /// The current uploads, in order of key.
    pub(super) fn entries(&self, region: &str, pool: &Bytes) -> Vec<StoreEntry> {
        let slots = self.read();
        let uploads = slots.iter().filter_map(|(key, slot)| {
            let stored = slot.version(None)?.stored.as_ref()?;
            (slot.writes > 0).then(|| StoreEntry {
                region: region.to_owned(),
                bucket: self.bucket.name.to_string(),
                key: key.clone(),
                length: stored.data.length(),
                hash: stored.hash.unwrap_or_else(|| stored.data.hash(pool)),
                writes: slot.writes,
            })
        });
        uploads.collect()
    }
}
