//! What faults of the mock want of it: answers and effects in the terms of S3.

use gatecrash_model::Nanos;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::With;
use crate::units::Span;

/// What the mock does to one exchange.
#[derive(Clone, PartialEq, Debug)]
pub enum S3Order {
    /// Answers an S3 error. After the effect, the effect stays.
    Error(S3Reply),
    /// Answers a bare status; with a short text body or with none at all.
    Status {
        /// Status.
        status: u16,
        /// Whether the body is empty.
        empty: bool,
        /// What it asks the client to wait.
        wait: Wait,
    },
    /// Answers an S3 error before it has read the body, then closes.
    Unread(S3Reply),
    /// Ends the connection without an answer. After the effect, the effect stays.
    Drop(With),
    /// Answers as if it were done, and has not done it.
    Forget,
    /// Sends 200 at once, then white space for so long, then the error, or the real result.
    Trickle {
        /// Nanoseconds between two spaces.
        every: Nanos,
        /// Nanoseconds until the end of the document.
        lasts: Nanos,
        /// The error at the end; none: the result.
        error: Option<S3Reply>,
    },
    /// Changes the answer.
    Alter(Alteration),
    /// Reads see what there was so many nanoseconds ago.
    Stale(Nanos),
    /// Sends the client elsewhere.
    Redirect {
        /// 301 or 307.
        status: u16,
        /// The region it points to; none: another one.
        to: Option<String>,
    },
}

/// One S3 error.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct S3Reply {
    /// S3 error code.
    pub code: String,
    /// Status, where the code's own is not wanted.
    pub status: Option<u16>,
    /// Message, where the usual one is not wanted.
    pub message: Option<String>,
    /// What it asks the client to wait.
    pub wait: Wait,
}

/// How long an answer asks its client to wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wait {
    /// `Retry-After`, written in whole seconds, rounded up (RFC 9110 10.2.3).
    pub retry_after: Option<Span>,
    /// `x-amz-retry-after`, written in whole milliseconds (AWS SDKs' retry behaviour).
    pub amz_retry_after: Option<Span>,
}

/// A part of an answer that is not true.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alteration {
    /// The ETag.
    ETag,
    /// Every `x-amz-checksum-*`.
    Checksum,
    /// The bytes of an object: those of another one.
    Object,
    /// Content-Range.
    Range(RangeLie),
    /// The length told by HEAD and by listings, longer by so many bytes.
    Length(u64),
}

/// What is wrong with a Content-Range.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RangeLie {
    /// Both ends are one byte further on.
    #[default]
    Shifted,
    /// The size of the whole object is one byte more.
    Total,
    /// There is none.
    Missing,
    /// The range is not looked at: 200 with the whole object, which RFC 9110 14.2 allows.
    Ignored,
}

// === impl S3Order ===

impl S3Order {
    /// How long its answer asks the client to wait.
    pub fn wait(&self) -> Wait {
        match self {
            Self::Error(reply) | Self::Unread(reply) => reply.wait,
            Self::Status { wait, .. } => *wait,
            _ => Wait::default(),
        }
    }
}

// === impl Wait ===

impl Wait {
    /// What `Retry-After` says on the wire: whole seconds, in nanoseconds.
    pub fn whole_seconds(self) -> Option<Nanos> {
        const SECOND: Nanos = 1_000_000_000;
        self.retry_after.map(|span| span.0.div_ceil(SECOND) * SECOND)
    }
}

// === impl S3Reply ===

impl S3Reply {
    /// A code with its own status and message.
    pub fn of(code: &str) -> Self {
        Self { code: code.to_owned(), ..Self::default() }
    }
}
