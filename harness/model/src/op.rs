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
    }
}

impl Op {
    /// Reads the operation off a path-style request target (`/bucket/key?query`).
    pub fn classify(method: &str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (bucket, key) = split_path(path);
        let has = |name: &str| {
            query.split('&').any(|p| p == name || p.strip_prefix(name).is_some_and(|r| r.starts_with('=')))
        };
        match (method, bucket.is_empty(), key.is_empty()) {
            ("GET", true, _) => Self::ListBuckets,
            ("GET", _, true) if has("list-type") => Self::ListObjectsV2,
            ("HEAD", false, true) => Self::HeadBucket,
            ("PUT", false, true) => Self::CreateBucket,
            ("DELETE", false, true) => Self::DeleteBucket,
            ("POST", false, true) if has("delete") => Self::DeleteObjects,
            ("GET", false, false) => Self::GetObject,
            ("HEAD", false, false) => Self::HeadObject,
            ("PUT", false, false) => Self::PutObject,
            ("DELETE", false, false) => Self::DeleteObject,
            _ => Self::Unknown,
        }
    }

    /// The HTTP method the operation is sent with.
    pub fn method(self) -> &'static str {
        match self {
            Self::HeadObject | Self::HeadBucket => "HEAD",
            Self::PutObject | Self::CreateBucket => "PUT",
            Self::DeleteObject | Self::DeleteBucket => "DELETE",
            Self::DeleteObjects => "POST",
            _ => "GET",
        }
    }

    /// Whether the operation changes the store.
    pub fn is_write(self) -> bool {
        matches!(
            self,
            Self::PutObject
                | Self::DeleteObject
                | Self::DeleteObjects
                | Self::CreateBucket
                | Self::DeleteBucket
        )
    }

    /// Whether a repeat is harmless by its HTTP method (RFC 9110 9.2.2).
    pub fn is_idempotent(self) -> bool {
        !matches!(self, Self::DeleteObjects | Self::Unknown)
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
        ];
        for (method, target, op) in table {
            assert_eq!(Op::classify(method, target), op, "{method} {target}");
        }
    }
}
