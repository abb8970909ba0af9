//! PUT /bucket/key?partNumber&uploadId

use http::header::ETAG;
use http::{HeaderName, StatusCode};

use super::multipart::{Known, MAX_PART, part_number, type_mismatch, unlock, upload_id};
use super::{Answer, Call, encryption, locks};
use crate::checksum::{Checksum, Declared, Kind};
use crate::errors::S3Error;
use crate::store::{Part, Summing};

/// What a part of an object under lock has to bring (API reference, UploadPart).
const DIGEST: &str = "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Part requests with Object \
                      Lock parameters";

/// Keeps the body as a part, in place of an earlier one of the same number.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let placement = call.place()?;
    let (key, id) = (call.head.key.as_str(), upload_id(call.head));
    let number = part_number(call.head)?;
    let length = call.body.data.length();
    if length > MAX_PART {
        return Err(S3Error::of("EntityTooLarge")
            .extra("ProposedSize", length.to_string())
            .extra("MaxSizeAllowed", MAX_PART.to_string()));
    }
    let Known { summing, encryption, locked } = Known::of(placement, key, &id)?;
    unlock(call.head, &encryption)?;
    if locked {
        locks::check_digest(&call.head.headers, DIGEST)?;
    }
    let declared = Declared::of(&call.head.headers)?.algorithm;
    match (summing, declared) {
        (Some(summing), Some(declared)) if summing.algorithm != declared => {
            return Err(type_mismatch(summing, Some(declared)));
        }
        (Some(summing), None) if summing.kind == Kind::Composite => return Err(type_mismatch(summing, None)),
        _ => {}
    }
    let checksum = Some(computed(call, summing.unwrap_or(Summing::USUAL)));
    let sent = call.body.checksum.clone().filter(|sent| declared == Some(sent.algorithm));
    let etag = encryption::etag(&call.body.md5.unwrap_or_default(), &encryption);
    let mut answer =
        Answer::new(StatusCode::OK).header(ETAG, &format!("\"{etag}\"")).encrypted(&encryption).body_empty();
    if let Some(sent) = &sent {
        answer = answer.header(HeaderName::from_static(sent.algorithm.header()), &sent.value);
    }
    let part = Part { data: call.keep(&call.body.data)?, etag, modified: call.wall, checksum, sent };
    placement.put_part(key, &id, number, part, call.shared.store.budget())?;
    Ok(answer.applied(true))
}

/// The part's checksum by the upload's algorithm: computed as it arrived, or now when the head asked for another
/// one (SDKs send a CRC32 with every part, whatever the upload is).
fn computed(call: &Call<'_>, summing: Summing) -> Checksum {
    match &call.body.checksum {
        Some(arrived) if arrived.algorithm == summing.algorithm => arrived.clone(),
        _ => summing.of(&call.body.data, &call.shared.pool_bytes),
    }
}
