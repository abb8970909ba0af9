//! Request bodies: read to the end, bounded, and freed of aws-chunked framing.

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, EXPECT, HeaderMap, TRANSFER_ENCODING};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};

use crate::errors::S3Error;

/// The body of a request, and how much of it has arrived.
pub(crate) struct RequestBody {
    inner: Incoming,
    /// Bytes received so far, with aws-chunked framing.
    pub(crate) received: u64,
    /// It arrived whole.
    pub(crate) whole: bool,
    /// The connection ended inside it.
    pub(crate) broken: bool,
    /// The caller waits for 100 Continue before it sends.
    awaits_continue: bool,
    declared: Option<u64>,
}

/// Bodies that nobody asked for are read over up to this length, to keep the connection usable.
const DRAINED: u64 = 16 << 20;

impl RequestBody {
    pub(crate) fn new(inner: Incoming, headers: &HeaderMap) -> Self {
        let whole = inner.is_end_stream();
        let declared = inner.size_hint().exact();
        Self {
            inner,
            received: 0,
            whole,
            broken: false,
            awaits_continue: headers.contains_key(EXPECT),
            declared,
        }
    }

    /// The length the head promised, 0 when it promised none.
    pub(crate) fn declared(&self) -> u64 {
        self.declared.unwrap_or(0)
    }

    /// Everything, up to `limit` bytes.
    pub(crate) async fn read(&mut self, limit: u64) -> Result<Bytes, S3Error> {
        let too_large = || S3Error::of("EntityTooLarge").extra("MaxSizeAllowed", limit.to_string());
        if self.whole {
            return Ok(Bytes::new());
        }
        if self.declared.is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let mut first = Bytes::new();
        let mut joined = BytesMut::new();
        while let Some(data) = self.next().await? {
            if self.received > limit {
                return Err(too_large());
            }
            if first.is_empty() {
                first = data;
                continue;
            }
            if joined.is_empty() {
                joined.reserve(self.declared.unwrap_or(0).min(limit) as usize);
                joined.extend_from_slice(&first);
            }
            joined.extend_from_slice(&data);
        }
        Ok(if joined.is_empty() { first } else { joined.freeze() })
    }

    /// Reads over a short body that nobody asked for, so that the connection can go on.
    pub(crate) async fn drain(&mut self) {
        let short = self.declared.is_some_and(|length| length <= DRAINED);
        if self.broken || self.awaits_continue || !short {
            return;
        }
        while !self.whole && self.next().await.is_ok() {}
    }

    async fn next(&mut self) -> Result<Option<Bytes>, S3Error> {
        loop {
            match self.inner.frame().await {
                None => {
                    self.whole = true;
                    return Ok(None);
                }
                Some(Err(_)) => {
                    self.broken = true;
                    return Err(S3Error::of("IncompleteBody"));
                }
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.received += data.len() as u64;
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
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
