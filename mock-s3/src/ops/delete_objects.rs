//! POST /bucket?delete

use gatecrash_model::Decision;

use super::{Answer, Call};
use crate::errors::S3Error;
use crate::xml::{self, Xml};

/// S3 takes at most this many keys.
const MAX_KEYS: usize = 1000;

/// Deletes many keys, each one authorised by itself; the answer is 200 also when all are denied. The
/// journal's decision is the first denial, if there is one.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let placement = call.place()?;
    let malformed = || S3Error::of("MalformedXML");
    let elements = xml::texts(&call.body.document(), &["Key", "Quiet", "VersionId"]).ok_or_else(malformed)?;
    let quiet = elements.iter().any(|(name, text)| *name == "Quiet" && text.trim() == "true");
    let keys: Vec<&str> = elements.iter().filter(|(name, _)| *name == "Key").map(|(_, key)| &**key).collect();
    if keys.is_empty() || keys.len() > MAX_KEYS {
        return Err(malformed());
    }
    let (mut applied, mut denied) = (false, None);
    let mut xml = Xml::root("DeleteResult");
    for key in keys {
        let evaluation = call.access.evaluate("s3:DeleteObject", key);
        if evaluation.is_allowed() {
            let owner = call.writer(placement);
            applied |= placement.delete(key, None, &owner, call.wall, call.world(), &|_| Ok(()))?.applied;
            if !quiet {
                xml.open("Deleted");
                xml.text("Key", key);
                xml.close("Deleted");
            }
        } else {
            denied.get_or_insert(evaluation.decision);
            xml.open("Error");
            xml.text("Key", key);
            xml.text("Code", "AccessDenied");
            xml.text("Message", &call.access.denial(&evaluation).message);
            xml.close("Error");
        }
    }
    xml.close("DeleteResult");
    let mut answer = Answer::xml(xml.finish()).applied(applied);
    answer.decision = Some(denied.unwrap_or(Decision::Allowed));
    Ok(answer)
}
