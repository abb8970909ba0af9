//! Why a request got no usable answer, and the status that stands for it.

use std::io;

use bytes::Bytes;
use http::StatusCode;

/// What went wrong. The messages are for logs and the leaking defect; clients see [`Failure::status`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    #[error("timed out ({0:?})")]
    Timeout(Stage),
    #[error("connection ended before a response: {0}")]
    Dropped(io::Error),
    #[error("invalid response: {what}")]
    Invalid {
        what: &'static str,
        /// The bytes that could not be understood.
        raw: Bytes,
    },
    #[error("no healthy upstream")]
    NoUpstream,
    #[error("too many connections")]
    Shed,
    #[error("too many requests")]
    Throttled,
    #[error("no integration response for status {0}")]
    Unmapped(u16),
    #[error("out of descriptors or ports: {0}")]
    Exhausted(io::Error),
    #[error("the request is too large")]
    RequestTooLarge,
    #[error("the response is too large to be buffered")]
    ResponseTooLarge,
    #[error("no place for another exchange")]
    Full,
    #[error("internal error")]
    Internal,
    #[error("the client's body broke off")]
    ClientBody,
    #[error("the client's body took too long")]
    SlowClient,
    #[error("not implemented: {0}")]
    NotImplemented(&'static str),
}

/// What the gateway was waiting for when time ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Connect,
    Write,
    Head,
    Body,
}

/// A failed attempt, with what decides whether it may be repeated.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) failure: Failure,
    /// Whether any byte of the request may have reached the upstream.
    pub(crate) wrote: bool,
    /// Whether a pooled connection died under the request before any response byte.
    pub(crate) stale: bool,
    /// Bytes of the request's body that were handed to the connection.
    pub(crate) sent: usize,
}

// === impl Failed ===

impl Failed {
    /// An attempt that ended before a byte of it went out.
    pub(crate) fn unsent(failure: Failure) -> Self {
        Self { failure, wrote: false, stale: false, sent: 0 }
    }
}

// === impl Failure ===

impl Failure {
    /// What a failed connect means: the upstream's fault, or that this process has run out of something.
    pub(crate) fn of_connect(error: io::Error) -> Self {
        const ENFILE: i32 = 23;
        const EMFILE: i32 = 24;
        let exhausted = matches!(error.raw_os_error(), Some(ENFILE | EMFILE))
            || error.kind() == io::ErrorKind::AddrNotAvailable;
        if exhausted { Self::Exhausted(error) } else { Self::Connect(error) }
    }

    /// 502 refused, dropped or invalid; 504 too late; 503 nobody to ask or nothing to ask with; 429 asked too fast;
    /// 500 broken itself.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Connect(_) | Self::Dropped(_) | Self::Invalid { .. } => StatusCode::BAD_GATEWAY,
            Self::Timeout(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::NoUpstream | Self::Shed | Self::Full | Self::Exhausted(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::RequestTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Throttled => StatusCode::TOO_MANY_REQUESTS,
            Self::ResponseTooLarge | Self::Unmapped(_) | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::ClientBody => StatusCode::BAD_REQUEST,
            Self::SlowClient => StatusCode::REQUEST_TIMEOUT,
            Self::NotImplemented(_) => StatusCode::NOT_IMPLEMENTED,
        }
    }

    pub(crate) fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout(_))
    }

    /// Whether the upstream is to blame, so that another attempt could fare better.
    pub(crate) fn is_upstreams(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::Timeout(_) | Self::Dropped(_) | Self::Invalid { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_out_of_descriptors_is_not_the_upstreams_fault() {
        for errno in [23, 24, 99] {
            let failure = Failure::of_connect(io::Error::from_raw_os_error(errno));
            assert_eq!((failure.status().as_u16(), failure.is_upstreams()), (503, false), "{failure}");
        }
        let refused = Failure::of_connect(io::ErrorKind::ConnectionRefused.into());
        assert_eq!((refused.status().as_u16(), refused.is_upstreams()), (502, true));
    }
}
