//! The S3 operations. One file each, one line each in [`ROUTES`].

mod abort_multipart_upload;
mod acl_document;
mod answer;
mod bucket_acl;
mod bucket_cors;
mod bucket_location;
mod bucket_name;
mod bucket_policy;
mod bucket_tagging;
mod bucket_versioning;
mod checksums;
mod complete_multipart_upload;
mod conditions;
mod copy_object;
mod copy_source;
mod create_bucket;
mod create_multipart_upload;
mod delete_bucket;
mod delete_object;
mod delete_objects;
mod described;
mod document;
mod encryption;
mod expected_owner;
mod found;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod get_object;
mod head_bucket;
mod list_buckets;
mod list_multipart_uploads;
mod list_object_versions;
mod list_objects;
mod list_objects_v2;
mod list_parts;
mod listing;
mod locks;
mod metadata;
mod multipart;
mod new_object;
mod object_acl;
mod object_attributes;
mod object_lock;
mod object_lock_configuration;
mod object_tagging;
mod overrides;
mod ownership_controls;
mod post_object;
mod preflight;
mod public_access_block;
mod put_object;
mod range;
mod stored_documents;
mod tags;
mod upload_part;
mod upload_part_copy;
mod website;

use std::sync::Arc;

use gatecrash_model::{Op, Pool};

pub(crate) use answer::{Answer, Content};
pub(crate) use expected_owner::check_owner;

use crate::access::Access;
use crate::errors::S3Error;
use crate::received::Received;
use crate::request::Head;
use crate::server::Shared;
use crate::settings::Settings;
use crate::store::{Budget, Data, Owner, Placement};
use Action::{Is, Own, Versioned};

/// How an operation is authorised, and what does it.
pub(crate) struct Route {
    pub(crate) op: Op,
    pub(crate) action: Action,
    pub(crate) on: On,
    pub(crate) body: Body,
    run: Run,
}

/// The IAM action asked for before an operation runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    Is(&'static str),
    /// One for the current version, another one when the request names a version.
    Versioned(&'static str, &'static str),
    /// The operation asks by itself (for each key, for source and target) or is for everybody.
    Own,
}

/// What an operation does with a request body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Body {
    /// A document, or nothing.
    Document,
    /// Bytes to be kept; the length must be told.
    Upload,
}

type Run = fn(&Call<'_>) -> Result<Answer, S3Error>;

/// What an operation works on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum On {
    /// All buckets of the region.
    Service,
    /// A bucket name that need not exist.
    Name,
    Bucket,
    Object,
}

/// HeadObject is GetObject without the body, which the exchange leaves out for every HEAD.
#[rustfmt::skip]
const ROUTES: &[Route] = &[
    // Buckets
    Route::new(Op::ListBuckets, Is("s3:ListAllMyBuckets"), On::Service, list_buckets::run),
    Route::new(Op::HeadBucket, Is("s3:ListBucket"), On::Bucket, head_bucket::run),
    Route::new(Op::CreateBucket, Own, On::Name, create_bucket::run),
    Route::new(Op::DeleteBucket, Is("s3:DeleteBucket"), On::Bucket, delete_bucket::run),

    // Listings
    Route::new(Op::ListObjects, Is("s3:ListBucket"), On::Bucket, list_objects::run),
    Route::new(Op::ListObjectsV2, Is("s3:ListBucket"), On::Bucket, list_objects_v2::run),
    Route::new(Op::ListObjectVersions, Is("s3:ListBucketVersions"), On::Bucket, list_object_versions::run),

    // Objects
    Route::new(Op::GetObject, Versioned("s3:GetObject", "s3:GetObjectVersion"), On::Object, get_object::run),
    Route::new(Op::HeadObject, Versioned("s3:GetObject", "s3:GetObjectVersion"), On::Object, get_object::run),
    Route::new(Op::PutObject, Is("s3:PutObject"), On::Object, put_object::run).upload(),
    Route::new(Op::CopyObject, Is("s3:PutObject"), On::Object, copy_object::run),
    Route::new(Op::DeleteObject, Versioned("s3:DeleteObject", "s3:DeleteObjectVersion"), On::Object, delete_object::run),

    // Many objects at once
    Route::new(Op::DeleteObjects, Own, On::Bucket, delete_objects::run),

    // Multipart uploads
    Route::new(Op::CreateMultipartUpload, Is("s3:PutObject"), On::Object, create_multipart_upload::run),
    Route::new(Op::UploadPart, Is("s3:PutObject"), On::Object, upload_part::run).upload(),
    Route::new(Op::UploadPartCopy, Is("s3:PutObject"), On::Object, upload_part_copy::run),
    Route::new(Op::CompleteMultipartUpload, Is("s3:PutObject"), On::Object, complete_multipart_upload::run),
    Route::new(Op::AbortMultipartUpload, Own, On::Object, abort_multipart_upload::run),
    Route::new(Op::ListParts, Own, On::Object, list_parts::run),
    Route::new(Op::ListMultipartUploads, Is("s3:ListBucketMultipartUploads"), On::Bucket, list_multipart_uploads::run),

    // Configuration of a bucket
    Route::new(Op::GetBucketLocation, Is("s3:GetBucketLocation"), On::Bucket, bucket_location::run),
    Route::new(Op::GetBucketVersioning, Is("s3:GetBucketVersioning"), On::Bucket, bucket_versioning::get),
    Route::new(Op::PutBucketVersioning, Is("s3:PutBucketVersioning"), On::Bucket, bucket_versioning::put),
    Route::new(Op::GetBucketPolicy, Own, On::Bucket, bucket_policy::get),
    Route::new(Op::PutBucketPolicy, Own, On::Bucket, bucket_policy::put),
    Route::new(Op::DeleteBucketPolicy, Own, On::Bucket, bucket_policy::delete),
    Route::new(Op::GetBucketPolicyStatus, Is("s3:GetBucketPolicyStatus"), On::Bucket, bucket_policy::status),
    Route::new(Op::GetPublicAccessBlock, Is("s3:GetBucketPublicAccessBlock"), On::Bucket, public_access_block::get),
    Route::new(Op::PutPublicAccessBlock, Is("s3:PutBucketPublicAccessBlock"), On::Bucket, public_access_block::put),
    Route::new(Op::DeletePublicAccessBlock, Is("s3:PutBucketPublicAccessBlock"), On::Bucket, public_access_block::delete),
    Route::new(Op::GetBucketOwnershipControls, Is("s3:GetBucketOwnershipControls"), On::Bucket, ownership_controls::get),
    Route::new(Op::PutBucketOwnershipControls, Is("s3:PutBucketOwnershipControls"), On::Bucket, ownership_controls::put),
    Route::new(Op::DeleteBucketOwnershipControls, Is("s3:PutBucketOwnershipControls"), On::Bucket, ownership_controls::delete),
    Route::new(Op::GetBucketAcl, Is("s3:GetBucketAcl"), On::Bucket, bucket_acl::get),
    Route::new(Op::PutBucketAcl, Is("s3:PutBucketAcl"), On::Bucket, bucket_acl::put),
    Route::new(Op::GetBucketCors, Is("s3:GetBucketCORS"), On::Bucket, bucket_cors::get),
    Route::new(Op::PutBucketCors, Is("s3:PutBucketCORS"), On::Bucket, bucket_cors::put),
    Route::new(Op::DeleteBucketCors, Is("s3:PutBucketCORS"), On::Bucket, bucket_cors::delete),
    Route::new(Op::GetBucketTagging, Is("s3:GetBucketTagging"), On::Bucket, bucket_tagging::get),
    Route::new(Op::PutBucketTagging, Is("s3:PutBucketTagging"), On::Bucket, bucket_tagging::put),
    Route::new(Op::DeleteBucketTagging, Is("s3:PutBucketTagging"), On::Bucket, bucket_tagging::delete),
    Route::new(Op::GetObjectLockConfiguration, Is("s3:GetBucketObjectLockConfiguration"), On::Bucket, object_lock_configuration::get),
    Route::new(Op::PutObjectLockConfiguration, Is("s3:PutBucketObjectLockConfiguration"), On::Bucket, object_lock_configuration::put),
    Route::new(Op::GetBucketWebsite, Is("s3:GetBucketWebsite"), On::Bucket, stored_documents::get),
    Route::new(Op::PutBucketWebsite, Is("s3:PutBucketWebsite"), On::Bucket, stored_documents::put),
    Route::new(Op::DeleteBucketWebsite, Is("s3:DeleteBucketWebsite"), On::Bucket, stored_documents::delete),
    Route::new(Op::GetBucketLogging, Is("s3:GetBucketLogging"), On::Bucket, stored_documents::get),
    Route::new(Op::PutBucketLogging, Is("s3:PutBucketLogging"), On::Bucket, stored_documents::put),
    Route::new(Op::GetBucketReplication, Is("s3:GetReplicationConfiguration"), On::Bucket, stored_documents::get),
    Route::new(Op::PutBucketReplication, Is("s3:PutReplicationConfiguration"), On::Bucket, stored_documents::put),
    Route::new(Op::DeleteBucketReplication, Is("s3:PutReplicationConfiguration"), On::Bucket, stored_documents::delete),
    Route::new(Op::GetBucketEncryption, Is("s3:GetEncryptionConfiguration"), On::Bucket, stored_documents::get),
    Route::new(Op::PutBucketEncryption, Is("s3:PutEncryptionConfiguration"), On::Bucket, stored_documents::put),
    Route::new(Op::DeleteBucketEncryption, Is("s3:PutEncryptionConfiguration"), On::Bucket, stored_documents::delete),
    Route::new(Op::GetBucketLifecycle, Is("s3:GetLifecycleConfiguration"), On::Bucket, stored_documents::get),
    Route::new(Op::PutBucketLifecycle, Is("s3:PutLifecycleConfiguration"), On::Bucket, stored_documents::put),
    Route::new(Op::DeleteBucketLifecycle, Is("s3:PutLifecycleConfiguration"), On::Bucket, stored_documents::delete),
    Route::new(Op::GetBucketNotification, Is("s3:GetBucketNotification"), On::Bucket, stored_documents::get),
    Route::new(Op::PutBucketNotification, Is("s3:PutBucketNotification"), On::Bucket, stored_documents::put),
    Route::new(Op::GetBucketRequestPayment, Is("s3:GetBucketRequestPayment"), On::Bucket, stored_documents::get),
    Route::new(Op::PutBucketRequestPayment, Is("s3:PutBucketRequestPayment"), On::Bucket, stored_documents::put),
    Route::new(Op::GetBucketAccelerate, Is("s3:GetAccelerateConfiguration"), On::Bucket, stored_documents::get),
    Route::new(Op::PutBucketAccelerate, Is("s3:PutAccelerateConfiguration"), On::Bucket, stored_documents::put),

    // Attributes of an object
    Route::new(Op::GetObjectAttributes, Versioned("s3:GetObjectAttributes", "s3:GetObjectVersionAttributes"), On::Object, object_attributes::run),
    Route::new(Op::GetObjectAcl, Versioned("s3:GetObjectAcl", "s3:GetObjectVersionAcl"), On::Object, object_acl::read),
    Route::new(Op::PutObjectAcl, Versioned("s3:PutObjectAcl", "s3:PutObjectVersionAcl"), On::Object, object_acl::write),
    Route::new(Op::GetObjectTagging, Versioned("s3:GetObjectTagging", "s3:GetObjectVersionTagging"), On::Object, object_tagging::read),
    Route::new(Op::PutObjectTagging, Versioned("s3:PutObjectTagging", "s3:PutObjectVersionTagging"), On::Object, object_tagging::write),
    Route::new(Op::GetObjectRetention, Is("s3:GetObjectRetention"), On::Object, object_lock::read_retention),
    Route::new(Op::PutObjectRetention, Is("s3:PutObjectRetention"), On::Object, object_lock::write_retention),
    Route::new(Op::GetObjectLegalHold, Is("s3:GetObjectLegalHold"), On::Object, object_lock::read_legal_hold),
    Route::new(Op::PutObjectLegalHold, Is("s3:PutObjectLegalHold"), On::Object, object_lock::write_legal_hold),
    Route::new(Op::DeleteObjectTagging, Versioned("s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"), On::Object, object_tagging::delete),

    // Forms and browsers
    Route::new(Op::PostObject, Own, On::Bucket, post_object::run).upload(),
    Route::new(Op::Preflight, Own, On::Name, preflight::run),
];

/// One authorised request with its whole body.
pub(crate) struct Call<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) head: &'a Head,
    /// The state in force when the request began.
    pub(crate) settings: &'a Settings,
    pub(crate) body: &'a Received,
    pub(crate) region: usize,
    /// The bucket; present for operations on a bucket or an object.
    pub(crate) placement: Option<&'a Arc<Placement>>,
    pub(crate) access: Access<'a>,
    /// The mock's wall clock, seconds since the Unix epoch.
    pub(crate) wall: i64,
}

/// What a website is asked for, whatever the request looks like.
const WEBSITE: &Route = &Route::new(Op::GetObject, Own, On::Bucket, website::run);

/// The route of a request; none for what the mock does not do.
pub(crate) fn route(head: &Head) -> Option<&'static Route> {
    match head.website && head.op != Op::Preflight {
        true => Some(WEBSITE),
        false => ROUTES.iter().find(|route| route.op == head.op),
    }
}

impl Route {
    const fn new(op: Op, action: Action, on: On, run: Run) -> Self {
        Self { op, action, on, body: Body::Document, run }
    }

    /// The body is kept.
    const fn upload(self) -> Self {
        Self { body: Body::Upload, ..self }
    }

    pub(crate) fn run(&self, call: &Call<'_>) -> Result<Answer, S3Error> {
        (self.run)(call)
    }
}

impl<'a> Call<'a> {
    /// The bucket of an operation on a bucket or an object.
    fn place(&self) -> Result<&'a Arc<Placement>, S3Error> {
        self.placement.ok_or_else(|| S3Error::of("NoSuchBucket").extra("BucketName", &*self.head.bucket))
    }

    /// The name of the addressed region.
    fn region_name(&self) -> &'a str {
        &self.shared.regions[self.region]
    }

    /// Who owns what the caller writes; an unsigned caller writes for the bucket's owner.
    fn writer(&self, placement: &Placement) -> Arc<Owner> {
        match self.access.account() {
            Some(account) if account != placement.bucket.owner.account => self.shared.accounts.of(account),
            _ => Arc::clone(&placement.bucket.owner),
        }
    }

    /// Makes room for what is to be kept; what is not kept in the end is given back to the budget.
    fn keep(&self, data: &Data) -> Result<Data, S3Error> {
        self.shared.store.budget().keep(data.clone()).ok_or_else(|| S3Error::of("MockStoreFull"))
    }

    /// What the store needs to look at synthetic objects and to count bytes.
    fn world(&self) -> (&'a Pool, &'a Budget) {
        (&self.shared.pool, self.shared.store.budget())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_operation_has_two_routes() {
        for op in Op::ALL {
            let routes = ROUTES.iter().filter(|route| route.op == *op).count();
            assert!(routes <= 1, "{op}");
        }
    }

    #[test]
    fn actions_are_actions_of_s3() {
        for route in ROUTES {
            let names = match route.action {
                Is(name) => vec![name],
                Versioned(name, other) => vec![name, other],
                Own => vec![],
            };
            assert!(names.iter().all(|action| action.starts_with("s3:")), "{}", route.op);
        }
    }
}
