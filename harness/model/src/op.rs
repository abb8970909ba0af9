//! The S3 operations gatecrash knows by name.

use crate::code::code_enum;

code_enum! {
    /// An S3 operation, as a link or the mock reads it off a request head.
    pub enum Op {
        /// Anything else, and requests that are not S3.
        Unknown = 0 => "Unknown",
        /// GET /bucket/key
        GetObject = 1 => "GetObject",
        /// HEAD /bucket/key
        HeadObject = 2 => "HeadObject",
        /// PUT /bucket/key
        PutObject = 3 => "PutObject",
        /// DELETE /bucket/key
        DeleteObject = 4 => "DeleteObject",
        /// POST /bucket?delete
        DeleteObjects = 5 => "DeleteObjects",
        /// GET /bucket?list-type=2
        ListObjectsV2 = 6 => "ListObjectsV2",
        /// GET /
        ListBuckets = 7 => "ListBuckets",
        /// HEAD /bucket
        HeadBucket = 8 => "HeadBucket",
        /// PUT /bucket
        CreateBucket = 9 => "CreateBucket",
        /// DELETE /bucket
        DeleteBucket = 10 => "DeleteBucket",
        /// A health probe of the gateway, told apart by what its recipe declares.
        Probe = 11 => "Probe",
        /// GET /bucket, version 1
        ListObjects = 12 => "ListObjects",
        /// GET /bucket?versions
        ListObjectVersions = 13 => "ListObjectVersions",
        /// GET /bucket?uploads
        ListMultipartUploads = 14 => "ListMultipartUploads",
        /// GET /bucket?location
        GetBucketLocation = 15 => "GetBucketLocation",
        /// GET /bucket?versioning
        GetBucketVersioning = 16 => "GetBucketVersioning",
        /// PUT /bucket?versioning
        PutBucketVersioning = 17 => "PutBucketVersioning",
        /// GET /bucket?policy
        GetBucketPolicy = 18 => "GetBucketPolicy",
        /// PUT /bucket?policy
        PutBucketPolicy = 19 => "PutBucketPolicy",
        /// DELETE /bucket?policy
        DeleteBucketPolicy = 20 => "DeleteBucketPolicy",
        /// GET /bucket?policyStatus
        GetBucketPolicyStatus = 21 => "GetBucketPolicyStatus",
        /// GET /bucket?publicAccessBlock
        GetPublicAccessBlock = 22 => "GetPublicAccessBlock",
        /// PUT /bucket?publicAccessBlock
        PutPublicAccessBlock = 23 => "PutPublicAccessBlock",
        /// DELETE /bucket?publicAccessBlock
        DeletePublicAccessBlock = 24 => "DeletePublicAccessBlock",
        /// GET /bucket?ownershipControls
        GetBucketOwnershipControls = 25 => "GetBucketOwnershipControls",
        /// PUT /bucket?ownershipControls
        PutBucketOwnershipControls = 26 => "PutBucketOwnershipControls",
        /// DELETE /bucket?ownershipControls
        DeleteBucketOwnershipControls = 27 => "DeleteBucketOwnershipControls",
        /// GET /bucket?acl
        GetBucketAcl = 28 => "GetBucketAcl",
        /// PUT /bucket?acl
        PutBucketAcl = 29 => "PutBucketAcl",
        /// GET /bucket?cors
        GetBucketCors = 30 => "GetBucketCors",
        /// PUT /bucket?cors
        PutBucketCors = 31 => "PutBucketCors",
        /// DELETE /bucket?cors
        DeleteBucketCors = 32 => "DeleteBucketCors",
        /// GET /bucket?tagging
        GetBucketTagging = 33 => "GetBucketTagging",
        /// PUT /bucket?tagging
        PutBucketTagging = 34 => "PutBucketTagging",
        /// DELETE /bucket?tagging
        DeleteBucketTagging = 35 => "DeleteBucketTagging",
        /// GET /bucket?website
        GetBucketWebsite = 36 => "GetBucketWebsite",
        /// PUT /bucket?website
        PutBucketWebsite = 37 => "PutBucketWebsite",
        /// DELETE /bucket?website
        DeleteBucketWebsite = 38 => "DeleteBucketWebsite",
        /// GET /bucket?logging
        GetBucketLogging = 39 => "GetBucketLogging",
        /// PUT /bucket?logging
        PutBucketLogging = 40 => "PutBucketLogging",
        /// GET /bucket?replication
        GetBucketReplication = 41 => "GetBucketReplication",
        /// PUT /bucket?replication
        PutBucketReplication = 42 => "PutBucketReplication",
        /// DELETE /bucket?replication
        DeleteBucketReplication = 43 => "DeleteBucketReplication",
        /// GET /bucket?encryption
        GetBucketEncryption = 44 => "GetBucketEncryption",
        /// PUT /bucket?encryption
        PutBucketEncryption = 45 => "PutBucketEncryption",
        /// DELETE /bucket?encryption
        DeleteBucketEncryption = 46 => "DeleteBucketEncryption",
        /// GET /bucket?lifecycle
        GetBucketLifecycle = 47 => "GetBucketLifecycle",
        /// PUT /bucket?lifecycle
        PutBucketLifecycle = 48 => "PutBucketLifecycle",
        /// DELETE /bucket?lifecycle
        DeleteBucketLifecycle = 49 => "DeleteBucketLifecycle",
        /// GET /bucket?notification
        GetBucketNotification = 50 => "GetBucketNotification",
        /// PUT /bucket?notification
        PutBucketNotification = 51 => "PutBucketNotification",
        /// GET /bucket?requestPayment
        GetBucketRequestPayment = 52 => "GetBucketRequestPayment",
        /// PUT /bucket?requestPayment
        PutBucketRequestPayment = 53 => "PutBucketRequestPayment",
        /// GET /bucket?accelerate
        GetBucketAccelerate = 54 => "GetBucketAccelerate",
        /// PUT /bucket?accelerate
        PutBucketAccelerate = 55 => "PutBucketAccelerate",
        /// GET /bucket?object-lock
        GetObjectLockConfiguration = 56 => "GetObjectLockConfiguration",
        /// PUT /bucket?object-lock
        PutObjectLockConfiguration = 57 => "PutObjectLockConfiguration",
        /// POST /bucket with a form
        PostObject = 58 => "PostObject",
        /// PUT /bucket/key with x-amz-copy-source
        CopyObject = 59 => "CopyObject",
        /// GET /bucket/key?attributes
        GetObjectAttributes = 60 => "GetObjectAttributes",
        /// GET /bucket/key?acl
        GetObjectAcl = 61 => "GetObjectAcl",
        /// PUT /bucket/key?acl
        PutObjectAcl = 62 => "PutObjectAcl",
        /// GET /bucket/key?tagging
        GetObjectTagging = 63 => "GetObjectTagging",
        /// PUT /bucket/key?tagging
        PutObjectTagging = 64 => "PutObjectTagging",
        /// DELETE /bucket/key?tagging
        DeleteObjectTagging = 65 => "DeleteObjectTagging",
        /// GET /bucket/key?retention
        GetObjectRetention = 66 => "GetObjectRetention",
        /// PUT /bucket/key?retention
        PutObjectRetention = 67 => "PutObjectRetention",
        /// GET /bucket/key?legal-hold
        GetObjectLegalHold = 68 => "GetObjectLegalHold",
        /// PUT /bucket/key?legal-hold
        PutObjectLegalHold = 69 => "PutObjectLegalHold",
        /// POST /bucket/key?uploads
        CreateMultipartUpload = 70 => "CreateMultipartUpload",
        /// PUT /bucket/key?uploadId
        UploadPart = 71 => "UploadPart",
        /// PUT /bucket/key?uploadId with x-amz-copy-source
        UploadPartCopy = 72 => "UploadPartCopy",
        /// POST /bucket/key?uploadId
        CompleteMultipartUpload = 73 => "CompleteMultipartUpload",
        /// DELETE /bucket/key?uploadId
        AbortMultipartUpload = 74 => "AbortMultipartUpload",
        /// GET /bucket/key?uploadId
        ListParts = 75 => "ListParts",
        /// OPTIONS of anything (CORS)
        Preflight = 76 => "Preflight",
        /// POST / of STS and IAM
        QueryApi = 77 => "QueryApi",
    }
}

/// What a request target names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// No bucket.
    Service,
    /// A bucket without a key.
    Bucket,
    /// A key.
    Object,
}

use Level::{Bucket, Object};

/// Operations told by a query parameter, first match wins (S3 API reference, "API operations").
#[rustfmt::skip]
const SUBRESOURCES: &[(&str, &str, Level, Op)] = &[
    ("delete", "POST", Bucket, Op::DeleteObjects),
    ("list-type", "GET", Bucket, Op::ListObjectsV2),
    ("accelerate", "GET", Bucket, Op::GetBucketAccelerate),
    ("accelerate", "PUT", Bucket, Op::PutBucketAccelerate),
    ("acl", "GET", Bucket, Op::GetBucketAcl),
    ("acl", "PUT", Bucket, Op::PutBucketAcl),
    ("cors", "DELETE", Bucket, Op::DeleteBucketCors),
    ("cors", "GET", Bucket, Op::GetBucketCors),
    ("cors", "PUT", Bucket, Op::PutBucketCors),
    ("encryption", "DELETE", Bucket, Op::DeleteBucketEncryption),
    ("encryption", "GET", Bucket, Op::GetBucketEncryption),
    ("encryption", "PUT", Bucket, Op::PutBucketEncryption),
    ("lifecycle", "DELETE", Bucket, Op::DeleteBucketLifecycle),
    ("lifecycle", "GET", Bucket, Op::GetBucketLifecycle),
    ("lifecycle", "PUT", Bucket, Op::PutBucketLifecycle),
    ("location", "GET", Bucket, Op::GetBucketLocation),
    ("logging", "GET", Bucket, Op::GetBucketLogging),
    ("logging", "PUT", Bucket, Op::PutBucketLogging),
    ("notification", "GET", Bucket, Op::GetBucketNotification),
    ("notification", "PUT", Bucket, Op::PutBucketNotification),
    ("object-lock", "GET", Bucket, Op::GetObjectLockConfiguration),
    ("object-lock", "PUT", Bucket, Op::PutObjectLockConfiguration),
    ("ownershipControls", "DELETE", Bucket, Op::DeleteBucketOwnershipControls),
    ("ownershipControls", "GET", Bucket, Op::GetBucketOwnershipControls),
    ("ownershipControls", "PUT", Bucket, Op::PutBucketOwnershipControls),
    ("policy", "DELETE", Bucket, Op::DeleteBucketPolicy),
    ("policy", "GET", Bucket, Op::GetBucketPolicy),
    ("policy", "PUT", Bucket, Op::PutBucketPolicy),
    ("policyStatus", "GET", Bucket, Op::GetBucketPolicyStatus),
    ("publicAccessBlock", "DELETE", Bucket, Op::DeletePublicAccessBlock),
    ("publicAccessBlock", "GET", Bucket, Op::GetPublicAccessBlock),
    ("publicAccessBlock", "PUT", Bucket, Op::PutPublicAccessBlock),
    ("replication", "DELETE", Bucket, Op::DeleteBucketReplication),
    ("replication", "GET", Bucket, Op::GetBucketReplication),
    ("replication", "PUT", Bucket, Op::PutBucketReplication),
    ("requestPayment", "GET", Bucket, Op::GetBucketRequestPayment),
    ("requestPayment", "PUT", Bucket, Op::PutBucketRequestPayment),
    ("tagging", "DELETE", Bucket, Op::DeleteBucketTagging),
    ("tagging", "GET", Bucket, Op::GetBucketTagging),
    ("tagging", "PUT", Bucket, Op::PutBucketTagging),
    ("uploads", "GET", Bucket, Op::ListMultipartUploads),
    ("versioning", "GET", Bucket, Op::GetBucketVersioning),
    ("versioning", "PUT", Bucket, Op::PutBucketVersioning),
    ("versions", "GET", Bucket, Op::ListObjectVersions),
    ("website", "DELETE", Bucket, Op::DeleteBucketWebsite),
    ("website", "GET", Bucket, Op::GetBucketWebsite),
    ("website", "PUT", Bucket, Op::PutBucketWebsite),
    ("acl", "GET", Object, Op::GetObjectAcl),
    ("acl", "PUT", Object, Op::PutObjectAcl),
    ("attributes", "GET", Object, Op::GetObjectAttributes),
    ("legal-hold", "GET", Object, Op::GetObjectLegalHold),
    ("legal-hold", "PUT", Object, Op::PutObjectLegalHold),
    ("retention", "GET", Object, Op::GetObjectRetention),
    ("retention", "PUT", Object, Op::PutObjectRetention),
    ("tagging", "DELETE", Object, Op::DeleteObjectTagging),
    ("tagging", "GET", Object, Op::GetObjectTagging),
    ("tagging", "PUT", Object, Op::PutObjectTagging),
    ("uploadId", "DELETE", Object, Op::AbortMultipartUpload),
    ("uploadId", "GET", Object, Op::ListParts),
    ("uploadId", "POST", Object, Op::CompleteMultipartUpload),
    ("uploadId", "PUT", Object, Op::UploadPart),
    ("uploads", "POST", Object, Op::CreateMultipartUpload),
];

/// Query parameters of operations that no one here speaks: a target with one of them is [`Op::Unknown`].
const FOREIGN: &[&str] = &[
    "analytics",
    "intelligent-tiering",
    "inventory",
    "metadataTable",
    "metrics",
    "restore",
    "select",
    "session",
    "torrent",
];

impl Op {
    /// Reads the operation off a path-style request target (`/bucket/key?query`).
    pub fn classify(method: &str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (bucket, key) = split_path(path);
        let level = match (bucket.is_empty(), key.is_empty()) {
            (true, _) => Level::Service,
            (_, true) => Bucket,
            _ => Object,
        };
        Self::of(method, level, query)
    }

    /// Reads the operation off a method, what the target names, and a raw query.
    pub fn of(method: &str, level: Level, query: &str) -> Self {
        if !query.is_empty()
            && let Some(op) = Self::of_query(method, level, query)
        {
            return op;
        }
        match (method, level) {
            ("OPTIONS", _) => Self::Preflight,
            ("GET", Level::Service) => Self::ListBuckets,
            ("POST", Level::Service) => Self::QueryApi,
            ("GET", Bucket) => Self::ListObjects,
            ("HEAD", Bucket) => Self::HeadBucket,
            ("PUT", Bucket) => Self::CreateBucket,
            ("DELETE", Bucket) => Self::DeleteBucket,
            ("POST", Bucket) => Self::PostObject,
            ("GET", Object) => Self::GetObject,
            ("HEAD", Object) => Self::HeadObject,
            ("PUT", Object) => Self::PutObject,
            ("DELETE", Object) => Self::DeleteObject,
            _ => Self::Unknown,
        }
    }

    /// The operation when the request names a source to copy from (`x-amz-copy-source`).
    pub fn copying(self) -> Self {
        match self {
            Self::PutObject => Self::CopyObject,
            Self::UploadPart => Self::UploadPartCopy,
            other => other,
        }
    }

    fn of_query(method: &str, level: Level, query: &str) -> Option<Self> {
        let names = || query.split('&').map(|pair| pair.split('=').next().unwrap_or(pair));
        let has = |name: &str| names().any(|n| n == name);
        if matches!(method, "HEAD" | "OPTIONS") {
            return None;
        }
        let named = SUBRESOURCES.iter().find(|(name, m, l, _)| *m == method && *l == level && has(name));
        if let Some((.., op)) = named {
            return Some(*op);
        }
        let known = |n: &str| {
            FOREIGN.contains(&n) || SUBRESOURCES.iter().any(|(name, _, l, _)| *name == n && *l == level)
        };
        (level != Level::Service && names().any(known)).then_some(Self::Unknown)
    }

    /// The HTTP method the operation is sent with.
    pub fn method(self) -> &'static str {
        if let Some((_, method, ..)) = SUBRESOURCES.iter().find(|(.., op)| *op == self) {
            return method;
        }
        match self {
            Self::HeadObject | Self::HeadBucket => "HEAD",
            Self::PutObject | Self::CreateBucket | Self::CopyObject | Self::UploadPartCopy => "PUT",
            Self::DeleteObject | Self::DeleteBucket => "DELETE",
            Self::PostObject | Self::QueryApi => "POST",
            Self::Preflight => "OPTIONS",
            _ => "GET",
        }
    }

    /// Whether the operation changes the store.
    pub fn is_write(self) -> bool {
        !matches!(self, Self::Unknown | Self::Probe | Self::Preflight | Self::QueryApi)
            && !matches!(self.method(), "GET" | "HEAD")
    }

    /// Whether a repeat is harmless by its HTTP method (RFC 9110 9.2.2).
    pub fn is_idempotent(self) -> bool {
        self != Self::Unknown && self.method() != "POST"
    }
}

/// Splits a path-style path into bucket and key, both possibly empty, neither decoded.
pub fn split_path(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split_once('/').unwrap_or((path, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_classified() {
        let table = [
            ("GET", "/", Op::ListBuckets),
            ("GET", "/b?list-type=2&prefix=a", Op::ListObjectsV2),
            ("GET", "/b/?list-type=2", Op::ListObjectsV2),
            ("GET", "/b/k/with/slashes?x=1", Op::GetObject),
            ("HEAD", "/b/k", Op::HeadObject),
            ("HEAD", "/b", Op::HeadBucket),
            ("PUT", "/b/k", Op::PutObject),
            ("PUT", "/b", Op::CreateBucket),
            ("POST", "/b?delete", Op::DeleteObjects),
            ("POST", "/b/?delete=", Op::DeleteObjects),
            ("DELETE", "/b/k", Op::DeleteObject),
            ("DELETE", "/b", Op::DeleteBucket),
            ("PATCH", "/b/k", Op::Unknown),
            ("GET", "/b", Op::ListObjects),
            ("GET", "/b?versions&prefix=a", Op::ListObjectVersions),
            ("GET", "/b/k?versionId=1", Op::GetObject),
            ("GET", "/b/k?uploadId=1&max-parts=2", Op::ListParts),
            ("PUT", "/b/k?partNumber=1&uploadId=1", Op::UploadPart),
            ("POST", "/b/k?uploads", Op::CreateMultipartUpload),
            ("GET", "/b?uploads", Op::ListMultipartUploads),
            ("HEAD", "/b/k?partNumber=1", Op::HeadObject),
            ("PUT", "/b/k?policy", Op::PutObject),
            ("POST", "/b?policy", Op::Unknown),
            ("GET", "/b/k?torrent", Op::Unknown),
            ("POST", "/", Op::QueryApi),
            ("POST", "/b", Op::PostObject),
            ("OPTIONS", "/b/k", Op::Preflight),
        ];
        for (method, target, op) in table {
            assert_eq!(Op::classify(method, target), op, "{method} {target}");
        }
    }

    #[test]
    fn methods_agree_with_the_classification() {
        for (name, method, level, op) in SUBRESOURCES {
            assert_eq!(Op::of(method, *level, name), *op);
            assert_eq!(op.method(), *method);
        }
        assert_eq!(Op::of("PUT", Object, "uploadId=1").copying(), Op::UploadPartCopy);
        assert!(Op::UploadPartCopy.is_write() && Op::CompleteMultipartUpload.is_write());
        assert!(!Op::ListParts.is_write() && !Op::CompleteMultipartUpload.is_idempotent());
    }
}
