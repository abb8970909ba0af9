//! A step of the script, and what it expects.

use std::fmt::Debug;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use md5::{Digest, Md5};

use super::BUCKET;
use crate::support::hex;

/// One step: everything it expects fails with its number and its name.
#[derive(Clone, Copy)]
pub(super) struct Step(u32, &'static str);

pub(super) fn step(number: u32, what: &'static str) -> Step {
    Step(number, what)
}

impl Step {
    #[track_caller]
    fn fails(self, why: impl AsRef<str>) -> ! {
        panic!("step {} ({}): {}", self.0, self.1, why.as_ref())
    }

    #[track_caller]
    pub(super) fn ok<T, E: Debug>(self, result: Result<T, E>) -> T {
        result.unwrap_or_else(|error| self.fails(format!("{error:?}")))
    }

    #[track_caller]
    pub(super) fn some<T>(self, value: Option<T>, name: &str) -> T {
        value.unwrap_or_else(|| self.fails(format!("no {name}")))
    }

    #[track_caller]
    pub(super) fn same<T: PartialEq<U> + Debug, U: Debug>(self, got: T, wanted: U) {
        if got != wanted {
            self.fails(format!("{got:?} instead of {wanted:?}"));
        }
    }

    /// For bodies too long to show.
    #[track_caller]
    pub(super) fn same_bytes(self, got: &[u8], wanted: &[u8]) {
        if got != wanted {
            self.fails(format!("{} bytes, not the {} wanted ones", got.len(), wanted.len()));
        }
    }

    /// Refused by the server with this status and code; answers without a body have no code.
    #[track_caller]
    pub(super) fn refused<T, E>(self, result: Result<T, SdkError<E, HttpResponse>>, status: u16, code: &str)
    where
        E: ProvideErrorMetadata + Debug,
    {
        let Err(error) = result else { self.fails(format!("done instead of {status} {code}")) };
        let got = error.raw_response().map(|response| response.status().as_u16());
        let known = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default();
        self.same((got, known), (Some(status), code));
    }

    pub(super) async fn body(self, object: GetObjectOutput) -> Vec<u8> {
        self.ok(object.body.collect().await).to_vec()
    }

    /// Puts an object and gives its ETag and version.
    pub(super) async fn put(self, s3: &Client, key: &str, body: &'static [u8]) -> (String, String) {
        let put = s3.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(body));
        let put = self.ok(put.send().await);
        self.same(put.e_tag(), Some(etag(body).as_str()));
        (self.some(put.e_tag, "ETag"), self.some(put.version_id, "version"))
    }

    /// Begins an upload and gives its id.
    pub(super) async fn begin(self, s3: &Client, key: &str) -> String {
        let begun = self.ok(s3.create_multipart_upload().bucket(BUCKET).key(key).send().await);
        self.some(begun.upload_id, "upload id")
    }
}

pub(super) fn etag(body: &[u8]) -> String {
    format!("\"{}\"", hex(&Md5::digest(body)))
}

/// The ETag of an object of parts: the MD5 of their MD5s, and their number.
pub(super) fn etag_of_parts(parts: &[&[u8]]) -> String {
    let digests: Vec<u8> = parts.iter().flat_map(|part| Md5::digest(part).to_vec()).collect();
    format!("\"{}-{}\"", hex(&Md5::digest(digests)), parts.len())
}
