//! `?publicAccessBlock` of a bucket.

use super::{Answer, Call, document};
use crate::errors::S3Error;
use crate::store::BlockPublic;
use crate::xml::Xml;
use crate::xml_tree::Node;

/// GET
pub(super) fn get(call: &Call<'_>) -> Result<Answer, S3Error> {
    let block = call.place()?.state().block;
    let block = block.ok_or_else(|| document::absent(call, "NoSuchPublicAccessBlockConfiguration"))?;
    let mut xml = Xml::root("PublicAccessBlockConfiguration");
    for (name, on) in settings(&block) {
        xml.text(name, if on { "true" } else { "false" });
    }
    xml.close("PublicAccessBlockConfiguration");
    Ok(Answer::xml(xml.finish()))
}

/// PUT: settings that are not named are off.
pub(super) fn put(call: &Call<'_>) -> Result<Answer, S3Error> {
    let given = document::of(call, "PublicAccessBlockConfiguration")?;
    let block = read(&given)?;
    document::put(call, |state| state.block = Some(block))
}

/// DELETE
pub(super) fn delete(call: &Call<'_>) -> Result<Answer, S3Error> {
    document::delete(call, |state| state.block = None)
}

fn settings(block: &BlockPublic) -> [(&'static str, bool); 4] {
    [
        ("BlockPublicAcls", block.acls),
        ("IgnorePublicAcls", block.ignore_acls),
        ("BlockPublicPolicy", block.policy),
        ("RestrictPublicBuckets", block.restrict),
    ]
}

fn read(given: &Node) -> Result<BlockPublic, S3Error> {
    let setting = |name: &str| match given.value(name).map(str::to_ascii_lowercase).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(document::malformed()),
    };
    let known = |child: &Node| settings(&BlockPublic::default()).iter().any(|(name, _)| *name == child.name);
    if !given.children.iter().all(known) {
        return Err(document::malformed());
    }
    Ok(BlockPublic {
        acls: setting("BlockPublicAcls")?,
        ignore_acls: setting("IgnorePublicAcls")?,
        policy: setting("BlockPublicPolicy")?,
        restrict: setting("RestrictPublicBuckets")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_off() {
        let read = |inner: &str| {
            let text = format!("<PublicAccessBlockConfiguration>{inner}</PublicAccessBlockConfiguration>");
            read(&Node::parse(text.as_bytes()).unwrap())
        };
        let some =
            read("<BlockPublicAcls>TRUE</BlockPublicAcls><BlockPublicPolicy>false</BlockPublicPolicy>");
        assert_eq!(some.unwrap(), BlockPublic { acls: true, ..BlockPublic::default() });
        assert_eq!(read("").unwrap(), BlockPublic::default());
        assert_eq!(read("<BlockPublicAcls>yes</BlockPublicAcls>").unwrap_err().code, "MalformedXML");
        assert_eq!(read("<BlockAll>true</BlockAll>").unwrap_err().code, "MalformedXML");
    }
}
