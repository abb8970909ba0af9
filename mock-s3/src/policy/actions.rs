//! The actions a bucket policy can name, and what they are done to (Service Authorization Reference, "Actions
//! defined by Amazon S3"; those of access points, jobs, Outposts and whole accounts are not for buckets).

use super::pattern::Pattern;

/// Done to a bucket.
#[rustfmt::skip]
const ON_BUCKETS: &[&str] = &[
    "CreateBucket", "CreateBucketMetadataTableConfiguration", "DeleteBucket",
    "DeleteBucketMetadataTableConfiguration", "DeleteBucketPolicy", "DeleteBucketWebsite",
    "GetAccelerateConfiguration", "GetAnalyticsConfiguration", "GetBucketAcl", "GetBucketCORS",
    "GetBucketLocation", "GetBucketLogging", "GetBucketMetadataTableConfiguration", "GetBucketNotification",
    "GetBucketObjectLockConfiguration", "GetBucketOwnershipControls", "GetBucketPolicy",
    "GetBucketPolicyStatus", "GetBucketPublicAccessBlock", "GetBucketRequestPayment", "GetBucketTagging",
    "GetBucketVersioning", "GetBucketWebsite", "GetEncryptionConfiguration",
    "GetIntelligentTieringConfiguration", "GetInventoryConfiguration", "GetLifecycleConfiguration",
    "GetMetricsConfiguration", "GetReplicationConfiguration", "ListBucket", "ListBucketMultipartUploads",
    "ListBucketVersions", "ListTagsForResource", "PauseReplication", "PutAccelerateConfiguration",
    "PutAnalyticsConfiguration", "PutBucketAcl", "PutBucketCORS", "PutBucketLogging",
    "PutBucketNotification", "PutBucketObjectLockConfiguration", "PutBucketOwnershipControls",
    "PutBucketPolicy", "PutBucketPublicAccessBlock", "PutBucketRequestPayment", "PutBucketTagging",
    "PutBucketVersioning", "PutBucketWebsite", "PutEncryptionConfiguration",
    "PutIntelligentTieringConfiguration", "PutInventoryConfiguration", "PutLifecycleConfiguration",
    "PutMetricsConfiguration", "PutReplicationConfiguration", "TagResource", "UntagResource",
];

/// Done to an object.
#[rustfmt::skip]
const ON_OBJECTS: &[&str] = &[
    "AbortMultipartUpload", "BypassGovernanceRetention", "DeleteObject", "DeleteObjectTagging",
    "DeleteObjectVersion", "DeleteObjectVersionTagging", "GetObject", "GetObjectAcl", "GetObjectAttributes",
    "GetObjectLegalHold", "GetObjectRetention", "GetObjectTagging", "GetObjectTorrent", "GetObjectVersion",
    "GetObjectVersionAcl", "GetObjectVersionAttributes", "GetObjectVersionForReplication",
    "GetObjectVersionTagging", "GetObjectVersionTorrent", "InitiateReplication", "ListMultipartUploadParts",
    "ObjectOwnerOverrideToBucketOwner", "PutObject", "PutObjectAcl", "PutObjectLegalHold",
    "PutObjectRetention", "PutObjectTagging", "PutObjectVersionAcl", "PutObjectVersionTagging",
    "ReplicateDelete", "ReplicateObject", "ReplicateTags", "RestoreObject", "UpdateObjectEncryption",
];

/// The form of the ARNs an action is done to; `*` for what has none.
pub(crate) fn arn_template(action: &str) -> &'static str {
    match Reach::of_action(&Pattern::action(action)) {
        Reach { objects: true, .. } => "arn:${Partition}:s3:::${BucketName}/${KeyName}",
        Reach { buckets: true, .. } => "arn:${Partition}:s3:::${BucketName}",
        _ => "*",
    }
}

/// What a pattern of a policy can mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Reach {
    pub(super) buckets: bool,
    pub(super) objects: bool,
}

impl Reach {
    /// Of an action, without regard to case.
    pub(super) fn of_action(pattern: &Pattern) -> Self {
        let any = |names: &[&str]| names.iter().any(|name| pattern.matches_plain(&format!("s3:{name}")));
        Self { buckets: any(ON_BUCKETS), objects: any(ON_OBJECTS) }
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self { buckets: self.buckets || other.buckets, objects: self.objects || other.objects }
    }

    pub(super) fn is_nothing(self) -> bool {
        !self.buckets && !self.objects
    }

    pub(super) fn meets(self, other: Self) -> bool {
        (self.buckets && other.buckets) || (self.objects && other.objects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_known_once_and_in_order() {
        for list in [ON_BUCKETS, ON_OBJECTS] {
            assert!(list.is_sorted_by(|one, other| one < other));
        }
        assert!(ON_BUCKETS.iter().all(|name| !ON_OBJECTS.contains(name)));
    }

    #[test]
    fn patterns_reach_buckets_objects_or_nothing() {
        let table = [
            ("s3:GetObject", false, true),
            ("s3:listbucket", true, false),
            ("s3:*", true, true),
            ("*", true, true),
            ("s3:Get*", true, true),
            ("s3:*Object", false, true),
            ("s3:GetObjet", false, false),
            ("s3:ListAllMyBuckets", false, false),
            ("sqs:*", false, false),
        ];
        for (text, buckets, objects) in table {
            assert_eq!(Reach::of_action(&Pattern::action(text)), Reach { buckets, objects }, "{text}");
        }
    }
}
