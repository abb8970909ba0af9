//! AWS Signature Version 4 in the Authorization header
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>), or in the query (`link`).
//!
//! Signs `host` and every `x-amz-*` header, nothing else: gateways may add and drop other headers. Keys can
//! be swapped and the clock shifted while a run goes on, as rotation and skew faults need.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

mod canonical;
mod credentials;
mod link;

use canonical::Day;
pub use credentials::{CredentialSource, Credentials};

use crate::encode;
use crate::plan::{Payload, RequestPlan};
use gatecrash_model::Pool;

/// Bodies up to this many bytes are hashed; longer ones are sent as UNSIGNED-PAYLOAD.
const HASH_LIMIT: u64 = 1 << 20;
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Signs the requests of a workload.
#[derive(Debug)]
pub struct Signer {
    source: Arc<CredentialSource>,
    region: String,
    /// Of the client's clock; shared with the signers of links.
    skew: Arc<AtomicI64>,
    day: Mutex<Option<Arc<Day>>>,
    links: Option<link::Links>,
}

impl Signer {
    /// Signs for service `s3` of a region with whatever credentials the source holds at that moment.
    pub fn new(source: Arc<CredentialSource>, region: &str) -> Self {
        let skew = Arc::default();
        Self { source, region: region.to_owned(), skew, day: Mutex::new(None), links: None }
    }

    /// The same client's signer of links: in the query, valid for `expires` seconds, and made `age` seconds before
    /// they are used.
    pub fn of_links(&self, expires: u32, age: i64) -> Self {
        Self {
            source: Arc::clone(&self.source),
            region: self.region.clone(),
            skew: Arc::clone(&self.skew),
            day: Mutex::new(None),
            links: Some(link::Links { expires, age }),
        }
    }

    /// Where the credentials come from.
    #[cfg(feature = "aws-sdk")]
    pub(crate) fn source(&self) -> &CredentialSource {
        &self.source
    }

    /// The region it signs for.
    #[cfg(feature = "aws-sdk")]
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// How wrong the client's clock is, seconds; negative is behind.
    #[cfg(feature = "aws-sdk")]
    pub(crate) fn skew(&self) -> i64 {
        self.skew.load(Ordering::Relaxed)
    }

    /// Makes the client's clock wrong by so many seconds from now on; negative is behind.
    pub fn set_skew(&self, seconds: i64) {
        self.skew.store(seconds, Ordering::Relaxed);
    }

    /// Appends the signature's header lines to a request head. `now` is seconds since the Unix epoch.
    pub(crate) fn sign(&self, plan: &RequestPlan, host: &str, pool: &Pool, now: i64, head: &mut Vec<u8>) {
        let digest = payload_hash(&plan.payload, pool);
        let path = path(&plan.workload.population.bucket, &plan.key, plan.is_on_bucket());
        let more = plan.workload.headers.iter().filter(|(name, _)| name.starts_with("x-amz-"));
        let more: Vec<_> = more.map(|(name, value)| (name.as_str(), value.trim())).collect();
        let request =
            Signable { method: plan.op.method(), path: &path, query: &plan.query, host, more: &more };
        head.extend_from_slice(self.lines(&request, &digest, now).as_bytes());
    }

    /// The header lines that sign a request without a body, each with its CRLF. Path and query are encoded, the query is
    /// in order; `now` is seconds since the Unix epoch.
    pub fn sign_bodyless(&self, method: &str, host: &str, path: &str, query: &str, now: i64) -> String {
        self.lines(&Signable { method, path, query, host, more: &[] }, EMPTY, now)
    }

    fn lines(&self, request: &Signable<'_>, digest: &str, now: i64) -> String {
        let credentials = self.source.current();
        let stamp = canonical::stamp(now + self.skew.load(Ordering::Relaxed));
        let mut headers =
            vec![("host", request.host), ("x-amz-content-sha256", digest), ("x-amz-date", stamp.as_str())];
        if let Some(token) = &credentials.session_token {
            headers.push(("x-amz-security-token", token));
        }
        headers.extend_from_slice(request.more);
        headers.sort_unstable();
        let text = canonical::request(request.method, request.path, request.query, &headers, digest);
        let day = self.day(&credentials, &stamp[..8]);
        let authorization = day.authorization(&stamp, &headers, &text);
        let mut lines = String::with_capacity(512);
        let _ = write!(lines, "x-amz-content-sha256: {digest}\r\nx-amz-date: {stamp}\r\n");
        if let Some(token) = &credentials.session_token {
            let _ = write!(lines, "x-amz-security-token: {token}\r\n");
        }
        let _ = write!(lines, "authorization: {authorization}\r\n");
        lines
    }

    /// The signing key of a day, derived once.
    fn day(&self, credentials: &Credentials, date: &str) -> Arc<Day> {
        let mut kept = self.day.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(day) if day.is(&credentials.access_key, date) => Arc::clone(day),
            _ => Arc::clone(kept.insert(Arc::new(Day::new(credentials, date, &self.region)))),
        }
    }
}

/// What is signed of a request, besides its body.
struct Signable<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    host: &'a str,
    /// Further `x-amz-*` headers, in lower case.
    more: &'a [(&'a str, &'a str)],
}

/// The encoded path of a request: of the bucket alone for lists and batches.
pub fn path(bucket: &str, key: &str, bucket_only: bool) -> String {
    let bucket = percent_encoding::utf8_percent_encode(bucket, encode::PATH);
    match bucket_only {
        true => format!("/{bucket}"),
        false => format!("/{bucket}/{}", percent_encoding::utf8_percent_encode(key, encode::PATH)),
    }
}

fn payload_hash(payload: &Payload, pool: &Pool) -> String {
    match payload {
        Payload::Empty => EMPTY.to_owned(),
        Payload::Document(bytes) => canonical::hex(&Sha256::digest(bytes)),
        Payload::Object { len, .. } if *len > HASH_LIMIT => UNSIGNED.to_owned(),
        Payload::Object { content, len } => {
            let mut hash = Sha256::new();
            let mut offset = 0;
            while offset < *len {
                let chunk = content.chunk(pool, offset, (*len - offset) as usize);
                hash.update(chunk);
                offset += chunk.len() as u64;
            }
            canonical::hex(&hash.finalize())
        }
    }
}
