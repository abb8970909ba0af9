//! Configurations that the mock keeps and sends back: website, logging, replication, lifecycle, encryption,
//! notification, request payment, acceleration.

mod encryption;
mod lifecycle;
mod logging;
mod plain;
mod replication;
mod website;

use gatecrash_model::Op;

use super::{Answer, Call, document};
use crate::errors::S3Error;
use crate::store::{BucketState, Document};
use crate::xml_tree::Node;

/// What is known of one kind of document.
struct Kind {
    document: Document,
    /// Name of the root element.
    root: &'static str,
    /// Operations on it: get, put, delete.
    ops: [Op; 3],
    absent: Absent,
    /// Checks a document, and completes it as S3 does.
    check: Check,
}

type Check = fn(&Call<'_>, &mut Node) -> Result<Change, S3Error>;

/// What a document changes besides being kept.
type Change = Box<dyn FnOnce(&mut BucketState)>;

/// What GET answers when nothing was put.
enum Absent {
    Error(&'static str),
    /// The inside of a document.
    Default(fn(&mut Node)),
}

use Absent::{Default, Error};

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    Kind::new(Document::Accelerate, "AccelerateConfiguration", [Op::GetBucketAccelerate, Op::PutBucketAccelerate, NONE], Default(|_| {}), plain::accelerate),
    Kind::new(Document::Encryption, "ServerSideEncryptionConfiguration", [Op::GetBucketEncryption, Op::PutBucketEncryption, Op::DeleteBucketEncryption], Default(encryption::default), encryption::check),
    Kind::new(Document::Lifecycle, "LifecycleConfiguration", [Op::GetBucketLifecycle, Op::PutBucketLifecycle, Op::DeleteBucketLifecycle], Error("NoSuchLifecycleConfiguration"), lifecycle::check),
    Kind::new(Document::Logging, "BucketLoggingStatus", [Op::GetBucketLogging, Op::PutBucketLogging, NONE], Default(|_| {}), logging::check),
    Kind::new(Document::Notification, "NotificationConfiguration", [Op::GetBucketNotification, Op::PutBucketNotification, NONE], Default(|_| {}), plain::notification),
    Kind::new(Document::Replication, "ReplicationConfiguration", [Op::GetBucketReplication, Op::PutBucketReplication, Op::DeleteBucketReplication], Error("ReplicationConfigurationNotFoundError"), replication::check),
    Kind::new(Document::RequestPayment, "RequestPaymentConfiguration", [Op::GetBucketRequestPayment, Op::PutBucketRequestPayment, NONE], Default(plain::owner_pays), plain::request_payment),
    Kind::new(Document::Website, "WebsiteConfiguration", [Op::GetBucketWebsite, Op::PutBucketWebsite, Op::DeleteBucketWebsite], Error("NoSuchWebsiteConfiguration"), website::check),
];

/// Not among the operations on a document.
const NONE: Op = Op::Unknown;

/// GET: the document as it was put, or what there is without one.
pub(super) fn get(call: &Call<'_>) -> Result<Answer, S3Error> {
    let kind = Kind::of(call)?;
    if let Some(text) = call.place()?.state().documents.get(&kind.document) {
        return Ok(Answer::xml(text.to_string()));
    }
    match kind.absent {
        Error(code) => Err(document::absent(call, code)),
        Default(fill) => {
            let mut node = Node::leaf(kind.root, "");
            fill(&mut node);
            Ok(Answer::xml(node.document()))
        }
    }
}

/// PUT
pub(super) fn put(call: &Call<'_>) -> Result<Answer, S3Error> {
    let kind = Kind::of(call)?;
    let mut node = document::of(call, kind.root)?;
    let change = (kind.check)(call, &mut node)?;
    document::put(call, |state| {
        state.documents.insert(kind.document, node.document().into());
        change(state);
    })
}

/// DELETE
pub(super) fn delete(call: &Call<'_>) -> Result<Answer, S3Error> {
    let kind = Kind::of(call)?;
    document::delete(call, |state| {
        state.documents.remove(&kind.document);
        match kind.document {
            Document::Logging => state.logging = None,
            Document::Replication => state.replication = None,
            _ => {}
        }
    })
}

/// The document says all there is to say.
fn nothing_else() -> Change {
    Box::new(|_| {})
}

/// `Enabled` or `Disabled`.
fn enabled(node: &Node) -> Result<bool, S3Error> {
    match node.value("Status") {
        Some("Enabled") => Ok(true),
        Some("Disabled") => Ok(false),
        _ => Err(document::malformed()),
    }
}

impl Kind {
    const fn new(document: Document, root: &'static str, ops: [Op; 3], absent: Absent, check: Check) -> Self {
        Self { document, root, ops, absent, check }
    }

    fn of(call: &Call<'_>) -> Result<&'static Self, S3Error> {
        let kind = KINDS.iter().find(|kind| kind.ops.contains(&call.head.op));
        kind.ok_or_else(|| S3Error::of("MethodNotAllowed"))
    }
}
