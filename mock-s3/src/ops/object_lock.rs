//! GET and PUT /bucket/key?retention and ?legal-hold

use http::StatusCode;

use super::{Answer, Call, found, locks};
use crate::errors::S3Error;
use crate::store::{Attributes, Object, Retention};
use crate::time::document_date;
use crate::xml::Xml;
use crate::xml_tree::Node;

const DIGEST: &str = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";

pub(super) fn read_retention(call: &Call<'_>) -> Result<Answer, S3Error> {
    let object = locked(call)?;
    let retention = object.stored().and_then(|stored| stored.attributes.retention.as_ref());
    let retention = retention.ok_or_else(|| S3Error::of("NoSuchObjectLockConfiguration"))?;
    let mut xml = Xml::root("Retention");
    xml.text("Mode", locks::mode(retention));
    xml.text("RetainUntilDate", &document_date(retention.until));
    xml.close("Retention");
    Ok(Answer::xml(xml.finish()).of_version(call.place()?, &object.version_id()))
}

pub(super) fn write_retention(call: &Call<'_>) -> Result<Answer, S3Error> {
    locks::check_bucket(&call.place()?.state())?;
    locks::check_digest(&call.head.headers, DIGEST)?;
    let wanted = retention(&call.body.document(), call.wall)?;
    let bypass = locks::bypasses(call, &call.head.key);
    change(call, |attributes| {
        locks::check_change(attributes.retention.as_ref(), wanted.as_ref(), bypass, call.wall)?;
        attributes.retention = wanted;
        Ok(())
    })
}

pub(super) fn read_legal_hold(call: &Call<'_>) -> Result<Answer, S3Error> {
    let object = locked(call)?;
    let on = object.stored().and_then(|stored| stored.attributes.legal_hold);
    let on = on.ok_or_else(|| S3Error::of("NoSuchObjectLockConfiguration"))?;
    let mut xml = Xml::root("LegalHold");
    xml.text("Status", if on { "ON" } else { "OFF" });
    xml.close("LegalHold");
    Ok(Answer::xml(xml.finish()).of_version(call.place()?, &object.version_id()))
}

pub(super) fn write_legal_hold(call: &Call<'_>) -> Result<Answer, S3Error> {
    locks::check_bucket(&call.place()?.state())?;
    locks::check_digest(&call.head.headers, DIGEST)?;
    let malformed = || S3Error::of("MalformedXML");
    let document = Node::parse(&call.body.document()).filter(|root| root.name == "LegalHold");
    let on = match document.as_ref().and_then(|root| root.value("Status")) {
        Some("ON") => true,
        Some("OFF") => false,
        _ => return Err(malformed()),
    };
    change(call, |attributes| {
        attributes.legal_hold = Some(on);
        Ok(())
    })
}

/// The object, in a bucket that has object lock.
fn locked(call: &Call<'_>) -> Result<Object, S3Error> {
    locks::check_bucket(&call.place()?.state())?;
    found::object(call)
}

fn change(
    call: &Call<'_>,
    change: impl FnOnce(&mut Attributes) -> Result<(), S3Error>,
) -> Result<Answer, S3Error> {
    let (placement, object) = (call.place()?, found::object(call)?);
    found::change(call, placement, &object, change)??;
    Ok(Answer::new(StatusCode::OK).body_empty().of_version(placement, &object.version_id()).applied(true))
}

/// A `Retention` document; an empty one takes a retention away.
fn retention(document: &[u8], wall: i64) -> Result<Option<Retention>, S3Error> {
    let malformed = || S3Error::of("MalformedXML");
    let root = Node::parse(document).filter(|root| root.name == "Retention").ok_or_else(malformed)?;
    if root.children.is_empty() {
        return Ok(None);
    }
    let compliance = root.value("Mode").and_then(locks::compliance).ok_or_else(malformed)?;
    let until = root.value("RetainUntilDate").and_then(locks::parse_date).ok_or_else(malformed)?;
    locks::check_date(until, wall)?;
    Ok(Some(Retention { compliance, until }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retention_documents() {
        let of = |text: &str| retention(text.as_bytes(), 0).map_err(|error| error.code.into_owned());
        let one = |mode: &str, date: &str| {
            format!("<Retention><Mode>{mode}</Mode><RetainUntilDate>{date}</RetainUntilDate></Retention>")
        };
        let until = locks::parse_date("2030-01-01T00:00:00Z").unwrap();
        assert_eq!(
            of(&one("GOVERNANCE", "2030-01-01T00:00:00Z")),
            Ok(Some(Retention { compliance: false, until }))
        );
        assert_eq!(of("<Retention/>"), Ok(None));
        assert_eq!(of(&one("governance", "2030-01-01T00:00:00Z")), Err("MalformedXML".into()));
        assert_eq!(of(&one("GOVERNANCE", "2030")), Err("MalformedXML".into()));
        assert_eq!(of(&one("GOVERNANCE", "1960-01-01T00:00:00Z")), Err("InvalidArgument".into()));
        assert_eq!(of("x"), Err("MalformedXML".into()));
    }
}
