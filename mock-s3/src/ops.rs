//! The S3 operations. One file each, one line each in [`ROUTES`].

mod answer;
mod conditions;
mod create_bucket;
mod delete_bucket;
mod delete_object;
mod delete_objects;
mod get_object;
mod head_bucket;
mod list_buckets;
mod list_objects_v2;
mod put_object;
mod range;

use std::sync::Arc;

use bytes::Bytes;
use gatecrash_model::Op;

pub(crate) use answer::{Answer, Content};

use crate::access::Access;
use crate::errors::S3Error;
use crate::request::Head;
use crate::server::Shared;
use crate::store::Placement;

/// How an operation is authorised, and what does it.
pub(crate) struct Route {
    pub(crate) op: Op,
    /// The IAM action asked for before the operation runs; none when it asks for each key.
    pub(crate) action: Option<&'static str>,
    pub(crate) on: On,
    run: Run,
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
    Route::new(Op::ListBuckets,   Some("s3:ListAllMyBuckets"), On::Service, list_buckets::run),
    Route::new(Op::HeadBucket,    Some("s3:ListBucket"),       On::Bucket,  head_bucket::run),
    Route::new(Op::CreateBucket,  Some("s3:CreateBucket"),     On::Name,    create_bucket::run),
    Route::new(Op::DeleteBucket,  Some("s3:DeleteBucket"),     On::Bucket,  delete_bucket::run),
    Route::new(Op::ListObjectsV2, Some("s3:ListBucket"),       On::Bucket,  list_objects_v2::run),
    Route::new(Op::GetObject,     Some("s3:GetObject"),        On::Object,  get_object::run),
    Route::new(Op::HeadObject,    Some("s3:GetObject"),        On::Object,  get_object::run),
    Route::new(Op::PutObject,     Some("s3:PutObject"),        On::Object,  put_object::run),
    Route::new(Op::DeleteObject,  Some("s3:DeleteObject"),     On::Object,  delete_object::run),
    Route::new(Op::DeleteObjects, None,                        On::Bucket,  delete_objects::run),
];

/// One authorised request with its whole body.
pub(crate) struct Call<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) head: &'a Head,
    /// Without aws-chunked framing.
    pub(crate) body: &'a Bytes,
    /// [`gatecrash_model::hash::Hash64`] of the body.
    pub(crate) body_hash: u64,
    pub(crate) region: usize,
    /// The bucket; present for operations on a bucket or an object.
    pub(crate) placement: Option<&'a Arc<Placement>>,
    pub(crate) access: Access<'a>,
    /// The mock's wall clock, seconds since the Unix epoch.
    pub(crate) wall: i64,
}

/// The route of an operation; none for what the mock does not do.
pub(crate) fn route(op: Op) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.op == op)
}

impl Route {
    const fn new(op: Op, action: Option<&'static str>, on: On, run: Run) -> Self {
        Self { op, action, on, run }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_model_has_one_route() {
        for op in Op::ALL {
            let routes = ROUTES.iter().filter(|route| route.op == *op).count();
            assert_eq!(routes, usize::from(!matches!(op, Op::Unknown | Op::Probe)), "{op}");
        }
    }

    #[test]
    fn actions_are_actions_of_s3() {
        assert!(ROUTES.iter().filter_map(|route| route.action).all(|action| action.starts_with("s3:")));
    }
}
