//! Operations as the access log names them: `REST.<method>.<resource type>`.

use gatecrash_model::Op;

/// The resource type of each operation that has one of its own. The names are those seen in logs of S3; the user
/// guide gives the pattern and examples, no list.
#[rustfmt::skip]
const RESOURCES: &[(Op, &str)] = &[
    (Op::ListBuckets, "SERVICE"),
    (Op::ListObjectVersions, "BUCKETVERSIONS"),
    (Op::ListMultipartUploads, "UPLOADS"),
    (Op::GetBucketLocation, "LOCATION"),
    (Op::GetBucketVersioning, "VERSIONING"),
    (Op::PutBucketVersioning, "VERSIONING"),
    (Op::GetBucketPolicy, "BUCKETPOLICY"),
    (Op::PutBucketPolicy, "BUCKETPOLICY"),
    (Op::DeleteBucketPolicy, "BUCKETPOLICY"),
    (Op::GetBucketPolicyStatus, "POLICY_STATUS"),
    (Op::GetPublicAccessBlock, "PUBLIC_ACCESS_BLOCK"),
    (Op::PutPublicAccessBlock, "PUBLIC_ACCESS_BLOCK"),
    (Op::DeletePublicAccessBlock, "PUBLIC_ACCESS_BLOCK"),
    (Op::GetBucketOwnershipControls, "OWNERSHIP_CONTROLS"),
    (Op::PutBucketOwnershipControls, "OWNERSHIP_CONTROLS"),
    (Op::DeleteBucketOwnershipControls, "OWNERSHIP_CONTROLS"),
    (Op::GetBucketAcl, "ACL"),
    (Op::PutBucketAcl, "ACL"),
    (Op::GetBucketCors, "CORS"),
    (Op::PutBucketCors, "CORS"),
    (Op::DeleteBucketCors, "CORS"),
    (Op::GetBucketTagging, "TAGGING"),
    (Op::PutBucketTagging, "TAGGING"),
    (Op::DeleteBucketTagging, "TAGGING"),
    (Op::GetBucketWebsite, "WEBSITE"),
    (Op::PutBucketWebsite, "WEBSITE"),
    (Op::DeleteBucketWebsite, "WEBSITE"),
    (Op::GetBucketLogging, "LOGGING_STATUS"),
    (Op::PutBucketLogging, "LOGGING_STATUS"),
    (Op::GetBucketReplication, "REPLICATION"),
    (Op::PutBucketReplication, "REPLICATION"),
    (Op::DeleteBucketReplication, "REPLICATION"),
    (Op::GetBucketEncryption, "ENCRYPTION"),
    (Op::PutBucketEncryption, "ENCRYPTION"),
    (Op::DeleteBucketEncryption, "ENCRYPTION"),
    (Op::GetBucketLifecycle, "LIFECYCLE"),
    (Op::PutBucketLifecycle, "LIFECYCLE"),
    (Op::DeleteBucketLifecycle, "LIFECYCLE"),
    (Op::GetBucketNotification, "NOTIFICATION"),
    (Op::PutBucketNotification, "NOTIFICATION"),
    (Op::GetBucketRequestPayment, "REQUEST_PAYMENT"),
    (Op::PutBucketRequestPayment, "REQUEST_PAYMENT"),
    (Op::GetBucketAccelerate, "ACCELERATE"),
    (Op::PutBucketAccelerate, "ACCELERATE"),
    (Op::GetObjectLockConfiguration, "OBJECT_LOCK_CONFIGURATION"),
    (Op::PutObjectLockConfiguration, "OBJECT_LOCK_CONFIGURATION"),
    (Op::DeleteObjects, "MULTI_OBJECT_DELETE"),
    (Op::GetObjectAttributes, "OBJECT_ATTRIBUTES"),
    (Op::GetObjectAcl, "ACL"),
    (Op::PutObjectAcl, "ACL"),
    (Op::GetObjectTagging, "OBJECT_TAGGING"),
    (Op::PutObjectTagging, "OBJECT_TAGGING"),
    (Op::DeleteObjectTagging, "OBJECT_TAGGING"),
    (Op::GetObjectRetention, "OBJECT_LOCK_RETENTION"),
    (Op::PutObjectRetention, "OBJECT_LOCK_RETENTION"),
    (Op::GetObjectLegalHold, "OBJECT_LOCK_LEGALHOLD"),
    (Op::PutObjectLegalHold, "OBJECT_LOCK_LEGALHOLD"),
    (Op::CreateMultipartUpload, "UPLOADS"),
    (Op::UploadPart, "PART"),
    (Op::CompleteMultipartUpload, "UPLOAD"),
    (Op::AbortMultipartUpload, "UPLOAD"),
    (Op::ListParts, "UPLOAD"),
    (Op::Preflight, "PREFLIGHT"),
];

/// The name of a request. `of_key`: it names an object, not only a bucket.
pub(super) fn name(op: Op, method: &str, of_key: bool) -> String {
    match op {
        Op::CopyObject => return "REST.COPY.OBJECT".to_owned(),
        Op::UploadPartCopy => return "REST.COPY.PART".to_owned(),
        _ => {}
    }
    let known = RESOURCES.iter().find(|(known, _)| *known == op).map(|(_, resource)| *resource);
    // A form is posted to the bucket and makes an object.
    let plain = if of_key || op == Op::PostObject { "OBJECT" } else { "BUCKET" };
    format!("REST.{method}.{}", known.unwrap_or(plain))
}

/// The name of the read of a copy's source.
pub(super) fn name_of_source(op: Op) -> &'static str {
    if op == Op::UploadPartCopy { "REST.COPY.PART_GET" } else { "REST.COPY.OBJECT_GET" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let table = [
            (Op::GetObject, "GET", true, "REST.GET.OBJECT"),
            (Op::HeadObject, "HEAD", true, "REST.HEAD.OBJECT"),
            (Op::PutObject, "PUT", true, "REST.PUT.OBJECT"),
            (Op::DeleteObject, "DELETE", true, "REST.DELETE.OBJECT"),
            (Op::CopyObject, "PUT", true, "REST.COPY.OBJECT"),
            (Op::UploadPart, "PUT", true, "REST.PUT.PART"),
            (Op::UploadPartCopy, "PUT", true, "REST.COPY.PART"),
            (Op::CreateMultipartUpload, "POST", true, "REST.POST.UPLOADS"),
            (Op::CompleteMultipartUpload, "POST", true, "REST.POST.UPLOAD"),
            (Op::AbortMultipartUpload, "DELETE", true, "REST.DELETE.UPLOAD"),
            (Op::ListParts, "GET", true, "REST.GET.UPLOAD"),
            (Op::ListMultipartUploads, "GET", false, "REST.GET.UPLOADS"),
            (Op::ListObjectsV2, "GET", false, "REST.GET.BUCKET"),
            (Op::ListObjects, "GET", false, "REST.GET.BUCKET"),
            (Op::ListObjectVersions, "GET", false, "REST.GET.BUCKETVERSIONS"),
            (Op::GetBucketLogging, "GET", false, "REST.GET.LOGGING_STATUS"),
            (Op::GetBucketPolicy, "GET", false, "REST.GET.BUCKETPOLICY"),
            (Op::DeleteObjects, "POST", false, "REST.POST.MULTI_OBJECT_DELETE"),
            (Op::PostObject, "POST", false, "REST.POST.OBJECT"),
            (Op::CreateBucket, "PUT", false, "REST.PUT.BUCKET"),
            (Op::HeadBucket, "HEAD", false, "REST.HEAD.BUCKET"),
            (Op::Preflight, "OPTIONS", true, "REST.OPTIONS.PREFLIGHT"),
            (Op::GetObjectTagging, "GET", true, "REST.GET.OBJECT_TAGGING"),
            (Op::Unknown, "PATCH", true, "REST.PATCH.OBJECT"),
        ];
        for (op, method, of_key, expected) in table {
            assert_eq!(name(op, method, of_key), expected);
        }
    }

    #[test]
    fn no_operation_has_two_names() {
        for op in Op::ALL {
            assert!(RESOURCES.iter().filter(|(known, _)| known == op).count() <= 1, "{op}");
        }
    }
}
