//! Objects the mock puts into its buckets by itself: no request, so in no log and no journal.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use md5::{Digest, Md5};

use crate::auth::sigv4::hex;
use crate::server::Shared;
use crate::store::{Attributes, Data, Placement, Stored};

/// The upload capacity is used up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Full;

impl Shared {
    /// Stores an object for the bucket's owner.
    pub(crate) fn deposit(
        &self,
        placement: &Placement,
        key: &str,
        content: Bytes,
        kind: &'static str,
    ) -> Result<(), Full> {
        let (budget, etag) = (self.store.budget(), hex(&Md5::digest(&content)));
        let stored = Stored {
            data: budget.keep(Data::memory(content)).ok_or(Full)?,
            etag,
            hash: None,
            headers: [(CONTENT_TYPE, HeaderValue::from_static(kind))].into(),
            checksum: None,
            parts: Arc::default(),
            attributes: Attributes::default(),
        };
        let (bytes, owner) = (stored.data.written(), Arc::clone(&placement.bucket.owner));
        let put = placement.put(key, stored, owner, self.wall(), (&self.pool, budget), &|_| Ok(()));
        put.map(drop).map_err(|_| {
            budget.give_back(bytes);
            Full
        })
    }
}
