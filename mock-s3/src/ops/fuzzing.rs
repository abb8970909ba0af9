//! What the fuzz targets reach of the operations.

use bytes::Bytes;

use super::range::Range;
use super::{complete_multipart_upload, delete_objects, post_object, tags};
use crate::store::Data;

/// The documents of operations that have a parser of their own.
pub(crate) fn documents(body: &[u8]) {
    drop(complete_multipart_upload::parts(body, "upload"));
    drop(delete_objects::read(body));
    drop(tags::of_document(body, 10));
}

pub(crate) fn range(value: &str, length: u64) -> Option<(u64, u64)> {
    match Range::parse(value, length) {
        Range::Part { first, last } => Some((first, last)),
        Range::Whole | Range::Unsatisfiable => None,
    }
}

pub(crate) fn form(body: &[u8]) {
    let data = Data::memory(Bytes::copy_from_slice(body));
    post_object::fuzz(&data);
}
