//! POST /bucket?delete

use gatecrash_model::Decision;

use super::conditions::DeleteCondition;
use super::{Answer, Call, locks};
use crate::errors::S3Error;
use crate::store::{Current, Deleted, VersionId};
use crate::time::parse_http_date;
use crate::xml::Xml;
use crate::xml_tree::Node;

/// S3 takes at most this many keys.
const MAX_KEYS: usize = 1000;
const DIGEST: &str = "Missing required header for this request: Content-MD5";

/// One object as the document names it.
#[derive(Debug)]
pub(super) struct Victim {
    key: String,
    version: Option<String>,
    condition: DeleteCondition,
}

/// Deletes many objects, each one authorised by itself; the answer is 200 also when all are denied. The
/// journal's decision is the first denial, if there is one.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    call.place()?;
    locks::check_digest(&call.head.headers, DIGEST)?;
    let (victims, quiet) = read(&call.body.document()).ok_or_else(|| S3Error::of("MalformedXML"))?;
    let (mut applied, mut denied) = (false, None);
    let mut xml = Xml::root("DeleteResult");
    for victim in &victims {
        match victim.delete(call) {
            Ok(deleted) => {
                applied |= deleted.applied;
                if !quiet {
                    victim.deleted(&mut xml, &deleted);
                }
            }
            Err(error) => {
                denied = denied.or(error.decision);
                victim.failed(&mut xml, &error);
            }
        }
    }
    xml.close("DeleteResult");
    let mut answer = Answer::xml(xml.finish()).applied(applied);
    answer.decision = Some(denied.unwrap_or(Decision::Allowed));
    Ok(answer)
}

/// What is to be deleted, and whether only failures are to be told.
pub(super) fn read(document: &[u8]) -> Option<(Vec<Victim>, bool)> {
    let root = Node::parse(document).filter(|root| root.name == "Delete")?;
    let victims = root.all("Object").map(Victim::read).collect::<Option<Vec<_>>>()?;
    let quiet = root.value("Quiet").is_some_and(|quiet| quiet.eq_ignore_ascii_case("true"));
    ((1..=MAX_KEYS).contains(&victims.len())).then_some((victims, quiet))
}

// === impl Victim ===

impl Victim {
    fn read(object: &Node) -> Option<Self> {
        let key = object.child("Key").map(|key| key.text.clone()).filter(|key| !key.is_empty())?;
        let version = object.value("VersionId").filter(|id| !id.is_empty()).map(str::to_owned);
        let size = object.value("Size").map(|size| size.parse().ok());
        let modified = object
            .value("LastModifiedTime")
            .map(|date| locks::parse_date(date).or_else(|| parse_http_date(date)));
        let (size, modified) =
            (size.map_or(Some(None), |s| s.map(Some))?, modified.map_or(Some(None), |m| m.map(Some))?);
        Some(Self { key, version, condition: DeleteCondition::new(object.value("ETag"), size, modified) })
    }

    fn delete(&self, call: &Call<'_>) -> Result<Deleted, S3Error> {
        let (placement, key) = (call.place()?, self.key.as_str());
        let allow = |action: &'static str| {
            let ruling = call.access.evaluate(action, key);
            if ruling.is_allowed() { Ok(()) } else { Err(call.access.denial(&ruling)) }
        };
        allow(if self.version.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" })?;
        if self.condition.names_etag() {
            allow("s3:GetObject")?;
        }
        let version = self.version.as_deref();
        let version = version.map(|id| VersionId::read(id).ok_or_else(|| S3Error::of("NoSuchVersion")));
        let version = version.transpose()?;
        let bypass = locks::bypasses(call, key);
        let check = |now: Option<Current<'_>>| {
            self.condition.check(key, now)?;
            // Without a version it only gets a marker on top, or there are no locks.
            if version.is_some() { locks::check_deletion(now, bypass, call.wall) } else { Ok(()) }
        };
        placement.delete(key, version.as_ref(), &call.writer(placement), call.wall, call.world(), &check)
    }

    fn deleted(&self, xml: &mut Xml, deleted: &Deleted) {
        xml.open("Deleted");
        self.name(xml);
        if deleted.marker {
            xml.text("DeleteMarker", "true");
            xml.text("DeleteMarkerVersionId", deleted.version.as_ref().map_or("null", VersionId::as_str));
        }
        xml.close("Deleted");
    }

    fn failed(&self, xml: &mut Xml, error: &S3Error) {
        xml.open("Error");
        self.name(xml);
        xml.text("Code", &error.code);
        xml.text("Message", &error.message);
        xml.close("Error");
    }

    fn name(&self, xml: &mut Xml) {
        xml.text("Key", &self.key);
        if let Some(version) = &self.version {
            xml.text("VersionId", version);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents() {
        let object = |inside: &str| format!("<Object>{inside}</Object>");
        let delete = |inside: &str| read(format!("<Delete>{inside}</Delete>").as_bytes());
        let two = object("<Key> a b </Key>") + &object("<VersionId>null</VersionId><Key>c</Key>");
        let (victims, quiet) = delete(&format!("<Quiet>true</Quiet>{two}")).unwrap();
        assert!(quiet && victims[0].version.is_none() && victims[0].key == " a b ");
        assert_eq!((victims[1].key.as_str(), victims[1].version.as_deref()), ("c", Some("null")));
        assert!(delete(&object("<Key>a</Key><ETag>\"x\"</ETag><Size>3</Size>")).is_some());
        let key = object("<Key>a</Key>");
        assert_eq!(delete(&key.repeat(MAX_KEYS)).unwrap().0.len(), MAX_KEYS);
        for bad in [
            String::new(),
            object(""),
            object("<Key/>"),
            object("<Key>a</Key><Size>much</Size>"),
            object("<Key>a</Key><LastModifiedTime>then</LastModifiedTime>"),
            key.repeat(MAX_KEYS + 1),
        ] {
            assert!(delete(&bad).is_none(), "{bad}");
        }
        assert!(read(b"").is_none() && read(b"<Remove><Object><Key>a</Key></Object></Remove>").is_none());
    }
}
