//! An exchange that has ended, with everything the logs and metrics of S3 tell of it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use gatecrash_model::{Decision, Op, UpstreamRecord};
use http::Method;

use crate::policy::{Evaluation, Matched};
use crate::store::Logging;

/// One exchange that has ended. Secrets are not in it, access keys are masked.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The journal's record of it: flags, hashes, attempt and request ids, the numbers in short form.
    pub record: UpstreamRecord,
    /// When its head had been read, on the mock's wall clock: seconds since the Unix epoch, skew included.
    pub wall: i64,
    /// `x-amz-request-id`.
    pub request_id: String,
    /// `x-amz-id-2`; none when there was no answer.
    pub host_id: Option<String>,
    /// Operation.
    pub op: Op,
    /// HTTP method.
    pub method: Method,
    /// Path and query as sent; signatures, credentials and tokens in the query are replaced by `REDACTED`.
    pub target: String,
    /// `HTTP/1.1`
    pub version: &'static str,
    /// Region name.
    pub region: Arc<str>,
    /// The bucket's name as the request gave it; empty without one.
    pub bucket: String,
    /// The canonical user id of the bucket's owner; none when the mock has no such bucket in the region.
    pub bucket_owner: Option<String>,
    /// Object key, decoded; empty without one.
    pub key: String,
    /// The version the request names.
    pub version_id: Option<String>,
    /// Where a copy comes from, if the bucket is there.
    pub source: Option<Source>,
    /// The keys of a DeleteObjects, each with its own outcome.
    pub batch: Vec<BatchItem>,
    /// Who signed; none for an unsigned request and before it was authenticated.
    pub principal: Option<Principal>,
    /// How it was signed, as far as its head says.
    pub authentication: Authentication,
    /// What the policies said.
    pub decision: Decision,
    /// Why they said it.
    pub explained: Option<Box<Evaluation>>,
    /// Status; 0 when there was no answer.
    pub status: u16,
    /// S3 error code; empty without one.
    pub code: String,
    /// Bytes of the request body, without aws-chunked framing.
    pub received: u64,
    /// Bytes of the response body handed to the connection.
    pub sent: u64,
    /// Size of the whole object concerned, where the operation tells or stores one.
    pub object_size: Option<u64>,
    /// From the complete request to the start of the answer; none when there was no answer.
    pub turn_around: Option<Duration>,
    /// From the complete head to the end of the exchange.
    pub total: Duration,
    /// The caller's address.
    pub remote: IpAddr,
    /// `Host`.
    pub host: Option<String>,
    /// `Referer`.
    pub referer: Option<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `amz-sdk-invocation-id`: the same for all attempts of one call of an SDK.
    pub invocation: Option<String>,
    /// The attempt of `amz-sdk-request`, from 1.
    pub attempt: Option<u32>,
    /// The rule of the mock's own that acted on it.
    pub fault: Option<Arc<str>>,
    /// Where the bucket's owner wants it logged.
    pub(crate) logging: Option<Arc<Logging>>,
}

/// Who signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Principal {
    /// The identity's name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Its account.
    pub account: String,
    /// The account's canonical user id.
    pub canonical_id: String,
    /// The access key, masked.
    pub access_key: String,
}

/// How a request was signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Authentication {
    /// Not at all.
    #[default]
    Unsigned,
    /// Signature Version 4 in the `Authorization` header.
    Header,
    /// Signature Version 4 in the query.
    Query,
    /// Signature Version 2, in either place.
    Version2 {
        /// In the query.
        query: bool,
    },
}

/// The source of a copy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// Bucket.
    pub bucket: String,
    /// Canonical user id of its owner.
    pub bucket_owner: String,
    /// Key.
    pub key: String,
    /// The version named.
    pub version_id: Option<String>,
    /// Where its bucket's owner wants it logged.
    pub(crate) logging: Option<Arc<Logging>>,
}

/// One key of a DeleteObjects.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BatchItem {
    /// Key.
    pub key: String,
    /// The version named.
    pub version_id: Option<String>,
    /// 204, or the status of its error.
    pub status: u16,
    /// S3 error code; empty without one.
    pub code: String,
}

impl Finished {
    /// The mock changed something.
    pub fn applied(&self) -> bool {
        self.record.has(UpstreamRecord::APPLIED)
    }

    /// An S3-shaped fault made the answer.
    pub fn faulted(&self) -> bool {
        self.record.has(UpstreamRecord::FAULTED)
    }

    /// The caller hung up before the end.
    pub fn abandoned(&self) -> bool {
        self.record.has(UpstreamRecord::ABANDONED)
    }

    /// Roughly the memory it takes, bytes.
    pub(crate) fn weight(&self) -> usize {
        let texts = [&self.request_id, &self.target, &self.bucket, &self.key, &self.code];
        let headers = [&self.host, &self.referer, &self.user_agent, &self.invocation, &self.version_id];
        let batch = self.batch.iter().map(|item| size_of::<BatchItem>() + item.key.len() + item.code.len());
        let explained = self.explained.as_ref().map_or(0, |why| {
            size_of::<Evaluation>() + why.resource.len() + why.matched.len() * size_of::<Matched>()
        });
        size_of::<Self>()
            + texts.iter().map(|text| text.len()).sum::<usize>()
            + headers.iter().map(|text| text.as_ref().map_or(0, String::len)).sum::<usize>()
            + batch.sum::<usize>()
            + explained
    }

    /// The mock has the bucket it was for.
    pub fn on_known_bucket(&self) -> bool {
        self.bucket_owner.is_some()
    }
}

impl Authentication {
    /// `SigV4`, `SigV2`; none without a signature.
    pub fn signature_version(self) -> Option<&'static str> {
        match self {
            Self::Unsigned => None,
            Self::Header | Self::Query => Some("SigV4"),
            Self::Version2 { .. } => Some("SigV2"),
        }
    }

    /// `AuthHeader`, `QueryString`; none without a signature.
    pub fn kind(self) -> Option<&'static str> {
        match self {
            Self::Unsigned => None,
            Self::Header | Self::Version2 { query: false } => Some("AuthHeader"),
            Self::Query | Self::Version2 { query: true } => Some("QueryString"),
        }
    }
}
