//! Default encryption. What is written is not encrypted; the configuration decides which headers say so.

use super::super::{Call, document};
use super::{Change, nothing_else};
use crate::errors::S3Error;
use crate::xml_tree::Node;

/// One rule that names an algorithm, and a key only where it can have one.
pub(super) fn check(_: &Call<'_>, given: &mut Node) -> Result<Change, S3Error> {
    let mut rules = given.children.iter();
    let (Some(rule), None) = (rules.next(), rules.next()) else { return Err(document::malformed()) };
    if rule.name != "Rule" {
        return Err(document::malformed());
    }
    let Some(default) = rule.child("ApplyServerSideEncryptionByDefault") else {
        return Ok(nothing_else());
    };
    match (default.value("SSEAlgorithm"), default.value("KMSMasterKeyID")) {
        (Some("aws:kms" | "aws:kms:dsse"), _) | (Some("AES256"), None) => Ok(nothing_else()),
        (Some("AES256"), Some(key)) => Err(S3Error::of("InvalidArgument")
            .message("a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms")
            .extra("ArgumentName", "KMSMasterKeyID")
            .extra("ArgumentValue", key)),
        _ => Err(document::malformed()),
    }
}

/// Every bucket has had this since January 2023 (S3 user guide, "Setting default server-side encryption").
pub(super) fn default(node: &mut Node) {
    let mut algorithm = Node::leaf("ApplyServerSideEncryptionByDefault", "");
    algorithm.children.push(Node::leaf("SSEAlgorithm", "AES256"));
    let mut rule = Node::leaf("Rule", "");
    rule.children.push(algorithm);
    rule.children.push(Node::leaf("BucketKeyEnabled", "false"));
    node.children.push(rule);
}
