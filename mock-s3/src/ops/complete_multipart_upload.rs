//! POST /bucket/key?uploadId

use std::cmp::Ordering;

use http::header::{HOST, IF_MATCH};

use super::listing::invalid;
use super::multipart::{header, upload_id};
use super::{Answer, Call, checksums, conditions, new_object};
use crate::checksum::{Algorithm, of_object};
use crate::encoding::encode_path;
use crate::errors::S3Error;
use crate::store::{Current, Order, Ordered, no_such_upload};
use crate::xml::Xml;
use crate::xml_tree::Node;

/// Makes an object of the parts the caller names. Completing again is answered as before.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let placement = call.place()?;
    let (key, id) = (call.head.key.as_str(), upload_id(call.head));
    let condition = conditions::of_write(call.head)?;
    let order = order(call, &id)?;
    if call.head.header(&IF_MATCH).is_some() {
        new_object::also(call, "s3:GetObject", key)?;
    }
    let check = |now: Option<Current<'_>>| condition.check(key, now);
    let completed = placement.complete_upload(key, &id, &order, call.wall, call.world(), &check)?;

    let mut xml = Xml::root("CompleteMultipartUploadResult");
    let host = call.head.header(&HOST).unwrap_or_default();
    xml.text("Location", &format!("http://{host}/{}/{}", placement.name, encode_path(key)));
    xml.text("Bucket", &placement.name);
    xml.text("Key", key);
    xml.text("ETag", &format!("\"{}\"", completed.etag));
    if let Some(checksum) = &completed.checksum {
        checksums::write(&mut xml, checksum);
    }
    xml.close("CompleteMultipartUploadResult");
    let answer = Answer::xml(xml.finish()).encrypted(&completed.encryption);
    Ok(answer.of_new_version(completed.version.as_ref()).applied(true))
}

fn order(call: &Call<'_>, id: &str) -> Result<Order, S3Error> {
    let parts = parts(&call.body.document(), id)?;
    let size = match header(call.head, "x-amz-mp-object-size") {
        None => None,
        Some(size) => Some(size.parse().map_err(|_| {
            invalid("x-amz-mp-object-size", size, "Value for x-amz-mp-object-size header is invalid.")
        })?),
    };
    if let Some(kind) = header(call.head, "x-amz-checksum-type") {
        check_kind(call, id, kind)?;
    }
    Ok(Order { parts, size, checksum: of_object(&call.head.headers)? })
}

/// `x-amz-checksum-type` may be said again, not changed.
fn check_kind(call: &Call<'_>, id: &str, kind: &str) -> Result<(), S3Error> {
    let summing = call.place()?.upload(&call.head.key, id, |upload| upload.summing);
    match summing.ok_or_else(|| no_such_upload(id))? {
        Some(summing) if !summing.kind.name().eq_ignore_ascii_case(kind) => {
            Err(S3Error::of("InvalidRequest").message(format!(
                "The upload was created using the {} checksum mode. The complete request must use the same \
                 checksum mode.",
                summing.kind.name()
            )))
        }
        _ => Ok(()),
    }
}

/// The parts of the document, which must be in ascending order.
pub(super) fn parts(document: &[u8], id: &str) -> Result<Vec<Ordered>, S3Error> {
    let malformed = || S3Error::of("MalformedXML");
    let root = Node::parse(document).filter(|root| root.name == "CompleteMultipartUpload");
    let root = root.ok_or_else(malformed)?;
    let mut parts: Vec<Ordered> = Vec::new();
    for part in &root.children {
        if part.name != "Part" {
            return Err(malformed());
        }
        let number = part.value("PartNumber").and_then(|number| number.parse::<i64>().ok());
        let number = match number.ok_or_else(malformed)? {
            ..=0 => return Err(S3Error::of("InvalidArgument").message("PartNumber must be >= 1")),
            number => u32::try_from(number).map_err(|_| malformed())?,
        };
        match parts.last().map(|last| last.number.cmp(&number)) {
            Some(Ordering::Greater) => return Err(S3Error::of("InvalidPartOrder").extra("UploadId", id)),
            // A part that was uploaded twice may be listed twice: its last ETag counts.
            Some(Ordering::Equal) => drop(parts.pop()),
            Some(Ordering::Less) | None => {}
        }
        let etag = part.value("ETag").ok_or_else(malformed)?.trim_matches('"').to_owned();
        let checksum = part.children.iter().find_map(|child| {
            Some((Algorithm::named(child.name.strip_prefix("Checksum")?)?, child.text.trim().to_owned()))
        });
        parts.push(Ordered { number, etag, checksum });
    }
    if parts.is_empty() { Err(malformed()) } else { Ok(parts) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parts: &str) -> Result<Vec<(u32, String)>, String> {
        let document = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let parts = super::parts(document.as_bytes(), "u").map_err(|error| error.code.into_owned())?;
        Ok(parts.into_iter().map(|part| (part.number, part.etag)).collect())
    }

    #[test]
    fn documents() {
        let part = |number: &str, etag: &str| {
            format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
        };
        let two = part("1", "&quot;a&quot;") + &part("7", "b");
        assert_eq!(read(&two), Ok(vec![(1, "a".into()), (7, "b".into())]));
        assert_eq!(read(&(part("1", "a") + &part("1", "b"))), Ok(vec![(1, "b".into())]));
        let table = [
            (String::new(), "MalformedXML"),
            ("<Part><PartNumber>1</PartNumber></Part>".into(), "MalformedXML"),
            ("<Part><ETag>a</ETag></Part>".into(), "MalformedXML"),
            ("<Peace/>".into(), "MalformedXML"),
            (part("one", "a"), "MalformedXML"),
            (part("0", "a"), "InvalidArgument"),
            (part("2", "a") + &part("1", "b"), "InvalidPartOrder"),
        ];
        for (document, code) in table {
            assert_eq!(read(&document), Err(code.to_owned()), "{document}");
        }
        assert!(super::parts(b"", "u").is_err() && super::parts(b"<Complete/>", "u").is_err());
    }

    #[test]
    fn checksums_of_parts_are_read() {
        let document = b"<CompleteMultipartUpload><Part><ChecksumCRC32>NhCmhg==</ChecksumCRC32>\
            <PartNumber>1</PartNumber><ETag>a</ETag></Part></CompleteMultipartUpload>";
        let parts = parts(document, "u").unwrap();
        assert_eq!(parts[0].checksum, Some((Algorithm::Crc32, "NhCmhg==".to_owned())));
    }
}
