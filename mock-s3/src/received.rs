//! A request's body after it has arrived and was checked.

use bytes::Bytes;

use crate::checksum::Checksum;
use crate::store::Data;

/// The payload, without aws-chunked framing, and what was computed over it on the way.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) data: Data,
    /// [`gatecrash_model::hash::Hash64`]; 0 where there was no body.
    pub(crate) hash: u64,
    /// For ETags; present for uploads.
    pub(crate) md5: Option<[u8; 16]>,
    /// The checksum that came with the upload, verified.
    pub(crate) checksum: Option<Checksum>,
}

impl Received {
    /// Of a request without a body.
    pub(crate) fn nothing() -> Self {
        Self { data: Data::memory(Bytes::new()), hash: 0, md5: None, checksum: None }
    }

    /// A document as one buffer.
    pub(crate) fn document(&self) -> Bytes {
        // Bodies come from the wire, so the pool is not asked.
        self.data.to_bytes(&Bytes::new())
    }
}
