//! Request bodies: taken as they arrive, without joining them, bounded in size and in time, and hashed in one
//! pass for everybody who needs a hash.

mod chunked;
mod pieces;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use gatecrash_model::hash::Hash64;
use http::header::{CONTENT_LENGTH, EXPECT, HeaderMap, TRANSFER_ENCODING};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame, Incoming};
use md5::{Digest as _, Md5};
use sha2::Sha256;
use tokio::time::Instant;

use crate::auth::{Payload, hash_mismatch, sigv4::hex};
use crate::checksum::{Algorithm, Checksum, Declared, Digest, Hasher, mismatch};
use crate::errors::S3Error;
use crate::received::Received;
use crate::store::Data;
pub(crate) use chunked::Decoder;
use pieces::Pieces;

/// Bodies that nobody asked for are read over up to this length, to keep the connection usable.
const DRAINED: u64 = 16 << 20;
/// No body takes longer than this many times the patience with a stall.
const LONGEST: u32 = 180;

/// The body of a request, and how much of it has arrived.
pub(crate) struct RequestBody {
    inner: Incoming,
    /// Bytes received so far, with aws-chunked framing.
    pub(crate) received: u64,
    /// It arrived whole.
    pub(crate) whole: bool,
    /// The connection ended inside it.
    pub(crate) broken: bool,
    /// Nothing came for longer than the patience: the connection is not usable any more.
    pub(crate) stalled: bool,
    /// The caller waits for 100 Continue before it sends.
    awaits_continue: bool,
    declared: Option<u64>,
    patience: Duration,
    /// When it must have come whole; known once reading began.
    end: Option<Instant>,
}

/// What a body is to be read as.
pub(crate) struct Plan {
    pub(crate) payload: Payload,
    /// The checksums it must have.
    pub(crate) declared: Declared,
    /// The payload may have this many bytes.
    pub(crate) limit: u64,
    /// Computed for the object when nothing else was declared.
    pub(crate) default_checksum: Option<Algorithm>,
    /// Whether the MD5 is wanted (it is the ETag of an upload).
    pub(crate) md5: bool,
}

/// The hashes of a payload under construction.
struct Hashes {
    md5: Option<Md5>,
    sha256: Option<Sha256>,
    checksum: Option<(Algorithm, Hasher)>,
    hash: Hash64,
}

// === impl RequestBody ===

impl RequestBody {
    /// `patience`: how long the sender may pause.
    pub(crate) fn new(inner: Incoming, headers: &HeaderMap, patience: Duration) -> Self {
        let whole = inner.is_end_stream();
        let declared = inner.size_hint().exact();
        let expect = headers.get(EXPECT).map(|value| value.as_bytes());
        Self {
            inner,
            received: 0,
            whole,
            broken: false,
            stalled: false,
            awaits_continue: expect.is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue")),
            declared,
            patience,
            end: None,
        }
    }

    /// The length the head promised, 0 when it promised none.
    pub(crate) fn declared(&self) -> u64 {
        self.declared.unwrap_or(0)
    }

    /// Takes the whole payload in and checks it.
    pub(crate) async fn receive(&mut self, plan: Plan) -> Result<Received, S3Error> {
        let expected = plan.payload.decoded_length().or(self.declared);
        if let Some(proposed) = expected.filter(|length| *length > plan.limit) {
            return Err(too_large(plan.limit, Some(proposed)));
        }
        let mut hashes = Hashes::new(&plan);
        let mut pieces = Pieces::new(expected);
        let mut trailing = None;
        if let Payload::Chunked(chunked) = &plan.payload {
            let announced = plan.declared.algorithm.filter(|_| plan.declared.trailing);
            let mut decoder = Decoder::new(chunked.as_ref().clone(), announced);
            while let Some(data) = self.next().await? {
                decoder.push(data, &mut |data| {
                    hashes.update(&data);
                    pieces.push(data);
                })?;
            }
            trailing = decoder.finish()?;
        } else {
            while let Some(data) = self.next().await? {
                if pieces.length() + data.len() as u64 > plan.limit {
                    return Err(too_large(plan.limit, None));
                }
                hashes.update(&data);
                pieces.push(data);
            }
        }
        hashes.finish(&plan, trailing, pieces)
    }

    /// Reads over a short body that nobody asked for, so that the connection can go on.
    pub(crate) async fn drain(&mut self) {
        let short = self.declared.is_some_and(|length| length <= DRAINED);
        if self.broken || self.stalled || self.awaits_continue || !short {
            return;
        }
        while !self.whole && self.next().await.is_ok() {}
    }

    /// The next piece of the body; none at its end.
    async fn next(&mut self) -> Result<Option<Bytes>, S3Error> {
        while !self.whole {
            match self.frame().await? {
                None => self.whole = true,
                Some(Err(_)) => {
                    self.broken = true;
                    return Err(S3Error::of("IncompleteBody"));
                }
                Some(Ok(frame)) => {
                    self.whole = self.inner.is_end_stream();
                    if let Ok(data) = frame.into_data() {
                        self.received += data.len() as u64;
                        return Ok(Some(data));
                    }
                }
            }
        }
        Ok(None)
    }

    /// The next frame, unless the sender pauses for too long.
    async fn frame(&mut self) -> Result<Option<Result<Frame<Bytes>, hyper::Error>>, S3Error> {
        let now = Instant::now();
        let end = *self.end.get_or_insert_with(|| now + self.patience * LONGEST);
        let frame = tokio::time::timeout_at(end.min(now + self.patience), self.inner.frame()).await;
        frame.map_err(|_| {
            self.stalled = true;
            S3Error::of("RequestTimeout")
        })
    }
}

// === impl Hashes ===

impl Hashes {
    /// Only what the plan needs.
    fn new(plan: &Plan) -> Self {
        let algorithm = plan.declared.algorithm.or(plan.default_checksum);
        let wants_md5 = plan.md5 || plan.declared.md5.is_some();
        Self {
            md5: wants_md5.then(Md5::new),
            sha256: matches!(plan.payload, Payload::Hashed(_)).then(Sha256::new),
            checksum: algorithm.map(|algorithm| (algorithm, Hasher::new(algorithm))),
            hash: Hash64::default(),
        }
    }

    fn update(&mut self, data: &[u8]) {
        if let Some(md5) = &mut self.md5 {
            md5.update(data);
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(data);
        }
        if let Some((_, hasher)) = &mut self.checksum {
            hasher.update(data);
        }
        self.hash.update(data);
    }

    /// Compares with what the head, and the trailer, said.
    fn finish(self, plan: &Plan, trailing: Option<Digest>, pieces: Pieces) -> Result<Received, S3Error> {
        if let (Payload::Hashed(declared), Some(sha256)) = (&plan.payload, self.sha256) {
            let computed = sha256.finalize();
            if computed[..] != declared[..] {
                return Err(hash_mismatch(declared, &computed));
            }
        }
        let md5: Option<[u8; 16]> = self.md5.map(|md5| md5.finalize().into());
        if let (Some(declared), Some(computed)) = (plan.declared.md5, md5)
            && declared != computed
        {
            return Err(S3Error::of("BadDigest")
                .extra("ExpectedDigest", hex(&declared))
                .extra("CalculatedDigest", STANDARD.encode(computed)));
        }
        let checksum = self.checksum.map(|(algorithm, hasher)| (algorithm, hasher.finish()));
        if let (Some(declared), Some((algorithm, computed))) = (plan.declared.expected.or(trailing), checksum)
            && declared != computed
        {
            return Err(mismatch(algorithm));
        }
        Ok(Received {
            data: Data::joined(pieces.finish().into_iter().map(Data::memory)),
            md5: md5.filter(|_| plan.md5),
            hash: self.hash.finish(),
            checksum: checksum.map(|(algorithm, digest)| Checksum::full(algorithm, digest)),
        })
    }
}

fn too_large(limit: u64, proposed: Option<u64>) -> S3Error {
    let error = S3Error::of("EntityTooLarge");
    let error = match proposed {
        Some(proposed) => error.extra("ProposedSize", proposed.to_string()),
        None => error,
    };
    error.extra("MaxSizeAllowed", limit.to_string())
}

/// The length an upload must declare: S3 takes no bare chunked transfer coding.
pub(crate) fn check_upload_length(headers: &HeaderMap) -> Result<(), S3Error> {
    if headers.contains_key(CONTENT_LENGTH) || headers.contains_key("x-amz-decoded-content-length") {
        return Ok(());
    }
    Err(match headers.contains_key(TRANSFER_ENCODING) {
        true => S3Error::of("NotImplemented").extra("Header", "Transfer-Encoding"),
        false => S3Error::of("MissingContentLength"),
    })
}
