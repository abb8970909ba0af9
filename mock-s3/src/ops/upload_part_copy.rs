//! PUT /bucket/key?partNumber&uploadId with x-amz-copy-source
//!
//! The bytes are shared with the source, not copied. They are hashed for the ETag up to [`HASHED`] bytes; that of
//! a longer part is derived from the source's ETag and the range. Checksums the upload declared are computed at
//! any length.

use gatecrash_model::hash;
use http::HeaderName;
use md5::{Digest, Md5};

use super::copy_source::Source;
use super::encryption;
use super::listing::invalid;
use super::multipart::{Known, MAX_PART, part_number, unlock, upload_id};
use super::{Answer, Call, checksums};
use crate::checksum::{Checksum, Kind};
use crate::errors::S3Error;
use crate::request::Head;
use crate::store::{Data, Object, Part, Summing};
use crate::time::document_date;
use crate::xml::Xml;

const RANGE: HeaderName = HeaderName::from_static("x-amz-copy-source-range");
/// Bytes that are hashed for an ETag at most.
const HASHED: u64 = 32 << 20;

/// Keeps a range of another object as a part.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let placement = call.place()?;
    let (key, id) = (call.head.key.as_str(), upload_id(call.head));
    let number = part_number(call.head)?;
    let Known { summing, encryption: kept, .. } = Known::of(placement, key, &id)?;
    unlock(call.head, &kept)?;
    let source = Source::of(call)?;
    let (offset, length) = range(call.head, source.object.length())?;
    if length > MAX_PART {
        return Err(S3Error::of("InvalidRequest").message(format!(
            "The specified copy source is larger than the maximum allowable size for a copy source: {MAX_PART}"
        )));
    }
    let data = source.object.data.slice(offset, length);
    let (etag, sent) = (encryption::etag(&md5(call, &source.object, offset, &data), &kept), None);
    let checksum = checksum(call, &source.object, summing, &data);
    let part = Part { data: call.keep(&data)?, etag, modified: call.wall, checksum, sent };
    let mut xml = Xml::root("CopyPartResult");
    xml.text("LastModified", &document_date(call.wall));
    xml.text("ETag", &format!("\"{}\"", part.etag));
    if let Some(checksum) = part.checksum.as_ref().filter(|_| summing.is_some()) {
        checksums::write_value(&mut xml, checksum);
    }
    xml.close("CopyPartResult");
    placement.put_part(key, &id, number, part, call.shared.store.budget())?;
    Ok(source.tell(Answer::xml(xml.finish())).encrypted(&kept).applied(true))
}

/// Offset and length: `bytes=first-last`, both within the source, or all of it.
fn range(head: &Head, length: u64) -> Result<(u64, u64), S3Error> {
    let Some(value) = head.header(&RANGE) else { return Ok((0, length)) };
    let number = |digits: &str| match digits.bytes().all(|b| b.is_ascii_digit()) {
        true => digits.parse::<u64>().ok(),
        false => None,
    };
    let read = || {
        let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
        Some((number(first)?, number(last)?)).filter(|(first, last)| first <= last)
    };
    let (first, last) = read().ok_or_else(|| {
        invalid(
            RANGE.as_str(),
            value,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
             zero-based offsets of the first and last bytes to copy",
        )
    })?;
    if last >= length {
        let message = format!("Range specified is not valid for source object of size: {length}");
        return Err(S3Error::of("InvalidArgument").message(message));
    }
    Ok((first, last - first + 1))
}

/// The MD5 of the part, or 16 bytes in its place.
fn md5(call: &Call<'_>, source: &Object, offset: u64, data: &Data) -> [u8; 16] {
    let mut state = Md5::new();
    if data.length() > HASHED {
        let words = [hash::bytes(source.etag.as_bytes()), offset, data.length()];
        let high = hash::combine(&words);
        return (u128::from(high) << 64 | u128::from(hash::mix(high))).to_be_bytes();
    }
    let mut chunks = data.clone().chunks();
    while let Some(chunk) = chunks.next(1 << 16, &call.shared.pool_bytes) {
        state.update(&chunk);
    }
    state.finalize().into()
}

/// By the upload's algorithm: the source's own when all of it is copied, else computed.
fn checksum(call: &Call<'_>, source: &Object, summing: Option<Summing>, data: &Data) -> Option<Checksum> {
    let wanted = summing.unwrap_or(Summing::USUAL);
    let whole = data.length() == source.length();
    let kept = source
        .stored()
        .and_then(|stored| stored.checksum.as_ref())
        .filter(|kept| whole && kept.algorithm == wanted.algorithm && kept.kind == Kind::FullObject);
    match kept {
        Some(kept) => Some(kept.clone()),
        None if summing.is_none() && data.length() > HASHED => None,
        None => Some(wanted.of(data, &call.shared.pool_bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderValue, Method};

    #[test]
    fn ranges_of_ten_bytes() {
        let range = |value: &'static str| {
            let headers: HeaderMap = [(RANGE, HeaderValue::from_static(value))].into_iter().collect();
            let head = Head::new(Method::PUT, "/b/k?uploadId=u".parse().unwrap(), headers);
            super::range(&head, 10).map_err(|error| error.message.into_owned())
        };
        assert_eq!(range("bytes=0-9"), Ok((0, 10)));
        assert_eq!(range("bytes=3-3"), Ok((3, 1)));
        let beyond = Err("Range specified is not valid for source object of size: 10".to_owned());
        assert_eq!(range("bytes=0-10"), beyond);
        assert_eq!(range("bytes=10-20"), beyond);
        for bad in ["0-2", "bytes=0", "bytes=0-", "bytes=-2", "bytes=3-1", "bytes=a-b", "bytes=0-2,3-5", ""] {
            let message = range(bad).unwrap_err();
            assert!(message.starts_with("The x-amz-copy-source-range value must"), "{bad}: {message}");
        }
    }
}
