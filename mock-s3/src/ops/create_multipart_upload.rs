//! POST /bucket/key?uploads

use std::collections::BTreeMap;

use http::HeaderName;

use super::multipart::{header, initiator};
use super::new_object::NewObject;
use super::{Answer, Call};
use crate::checksum::{Algorithm, Kind};
use crate::errors::S3Error;
use crate::request::Head;
use crate::store::{Summing, Upload};
use crate::xml::Xml;

const ALGORITHM: HeaderName = HeaderName::from_static("x-amz-checksum-algorithm");
const TYPE: HeaderName = HeaderName::from_static("x-amz-checksum-type");

/// Begins an upload; what the object will be besides its bytes is settled here.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let placement = call.place()?;
    let key = call.head.key.as_str();
    let summing = asked(call.head)?;
    let new = NewObject::of(call, key, &call.head.headers)?;
    let encryption = new.attributes.encryption.clone();
    let upload = Upload {
        initiated: call.wall,
        owner: new.owner,
        initiator: initiator(call, placement),
        headers: new.headers.into(),
        attributes: new.attributes,
        summing,
        parts: BTreeMap::new(),
    };
    let id = placement.begin_upload(key, upload);
    let id = id.ok_or_else(|| S3Error::of("NoSuchBucket").extra("BucketName", &*call.head.bucket))?;
    let mut xml = Xml::root("InitiateMultipartUploadResult");
    xml.text("Bucket", &placement.name);
    xml.text("Key", key);
    xml.text("UploadId", &id);
    xml.close("InitiateMultipartUploadResult");
    let answer = Answer::xml(xml.finish()).encrypted(&encryption).applied(true);
    Ok(match summing {
        Some(summing) => answer.header(ALGORITHM, summing.algorithm.name()).header(TYPE, summing.kind.name()),
        None => answer,
    })
}

/// The checksum the object is to have (S3 user guide, "Checking object integrity", table of the types each
/// algorithm supports).
fn asked(head: &Head) -> Result<Option<Summing>, S3Error> {
    let refused = |message: String| Err(S3Error::of("InvalidRequest").message(message));
    let kind = header(head, "x-amz-checksum-type");
    let Some(name) = header(head, "x-amz-checksum-algorithm") else {
        return match kind {
            None => Ok(None),
            Some(_) => refused(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
                    .to_owned(),
            ),
        };
    };
    let Some(algorithm) = Algorithm::named(name) else {
        return refused(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: \
             [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
                .to_owned(),
        );
    };
    let kind = match kind {
        None if algorithm == Algorithm::Crc64Nvme => Some(Kind::FullObject),
        None => Some(Kind::Composite),
        Some(name) => Kind::named(name),
    };
    let Some(kind) = kind else {
        return refused("Value for x-amz-checksum-type header is invalid.".to_owned());
    };
    let supported = match kind {
        Kind::FullObject => algorithm.combines(),
        Kind::Composite => algorithm != Algorithm::Crc64Nvme,
    };
    let summing = Summing { algorithm, kind };
    match supported {
        true => Ok(Some(summing)),
        false => refused(format!(
            "The {} checksum type cannot be used with the {} checksum algorithm.",
            summing.kind.name(),
            algorithm.name().to_ascii_lowercase()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderValue, Method};

    #[test]
    fn checksums_of_uploads() {
        let summing = |algorithm, kind| Ok(Some(Summing { algorithm, kind }));
        let (full, composite) = (Kind::FullObject, Kind::Composite);
        let refused = Err("InvalidRequest".to_owned());
        let table = [
            (vec![], Ok(None)),
            (vec![(ALGORITHM, "CRC32")], summing(Algorithm::Crc32, composite)),
            (vec![(ALGORITHM, "SHA256")], summing(Algorithm::Sha256, composite)),
            (vec![(ALGORITHM, "CRC64NVME")], summing(Algorithm::Crc64Nvme, full)),
            (vec![(ALGORITHM, "CRC32C"), (TYPE, "FULL_OBJECT")], summing(Algorithm::Crc32c, full)),
            (vec![(ALGORITHM, "SHA1"), (TYPE, "FULL_OBJECT")], refused.clone()),
            (vec![(ALGORITHM, "CRC64NVME"), (TYPE, "COMPOSITE")], refused.clone()),
            (vec![(ALGORITHM, "CRC32"), (TYPE, "HALF")], refused.clone()),
            (vec![(ALGORITHM, "MD4")], refused.clone()),
            (vec![(TYPE, "COMPOSITE")], refused),
        ];
        for (headers, expected) in table {
            let pairs = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
            let head = Head::new(Method::POST, "/b/k?uploads".parse().unwrap(), pairs.collect::<HeaderMap>());
            assert_eq!(asked(&head).map_err(|e| e.code.into_owned()), expected, "{headers:?}");
        }
    }
}
