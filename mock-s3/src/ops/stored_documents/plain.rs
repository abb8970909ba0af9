//! Documents with one value, and notifications.

use super::super::{Call, document};
use super::{Change, nothing_else};
use crate::errors::S3Error;
use crate::store::Document;
use crate::xml_tree::Node;

/// Transfer acceleration; it takes no dots in the bucket's name.
pub(super) fn accelerate(call: &Call<'_>, given: &mut Node) -> Result<Change, S3Error> {
    if !matches!(given.value("Status"), Some("Enabled" | "Suspended")) {
        return Err(document::malformed());
    }
    if call.head.bucket.contains('.') {
        return Err(S3Error::of("InvalidRequest").message(
            "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names",
        ));
    }
    Ok(nothing_else())
}

/// Who pays for requests.
pub(super) fn request_payment(_: &Call<'_>, given: &mut Node) -> Result<Change, S3Error> {
    match given.value("Payer") {
        Some("BucketOwner" | "Requester") => Ok(nothing_else()),
        _ => Err(document::malformed()),
    }
}

pub(super) fn owner_pays(node: &mut Node) {
    node.children.push(Node::leaf("Payer", "BucketOwner"));
}

/// Notifications are kept and never sent. Each needs a target and an event; one without an id gets one.
pub(super) fn notification(call: &Call<'_>, given: &mut Node) -> Result<Change, S3Error> {
    for (at, child) in given.children.iter_mut().enumerate() {
        let target = match child.name.as_str() {
            "TopicConfiguration" => "Topic",
            "QueueConfiguration" => "Queue",
            "CloudFunctionConfiguration" => "CloudFunction",
            "EventBridgeConfiguration" => continue,
            _ => return Err(document::malformed()),
        };
        let Some(arn) = child.value(target) else { return Err(document::malformed()) };
        if !arn.starts_with("arn:") {
            return Err(S3Error::of("InvalidArgument")
                .message("The ARN could not be parsed")
                .extra("ArgumentName", target)
                .extra("ArgumentValue", arn));
        }
        if child.child("Event").is_none() {
            return Err(document::malformed());
        }
        if let Some(event) = child.all("Event").find(|event| !event.text.trim().starts_with("s3:")) {
            return Err(S3Error::of("InvalidArgument")
                .message("A specified event is not supported for notifications.")
                .extra("ArgumentName", "Event")
                .extra("ArgumentValue", event.text.trim()));
        }
        if child.child("Id").is_none() {
            let id = gatecrash_model::hash::combine(&[call.shared.seed, call.wall as u64, at as u64]);
            child.children.insert(0, Node::leaf("Id", format!("{id:016x}")));
        }
    }
    // An empty document takes notifications away.
    if given.children.is_empty() {
        return Ok(Box::new(|state| drop(state.documents.remove(&Document::Notification))));
    }
    Ok(nothing_else())
}
