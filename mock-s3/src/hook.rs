//! Where S3-shaped faults come in: named points of an exchange, and what may happen there.

use std::borrow::Cow;
use std::time::Duration;

use gatecrash_model::{AttemptContext, Nanos, Op};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::control::WrongRegionKind;

/// A point of an exchange where a fault may act.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Point {
    /// The head is read, nothing is checked yet.
    Auth,
    /// Authenticated, authorised, the body has arrived; nothing is done yet.
    Handle,
    /// Done: the store is changed, the answer is ready.
    Respond,
}

/// What is known of the exchange.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Now, on the run's clock.
    pub at: Nanos,
    /// The attempt that carries it.
    pub attempt: AttemptContext,
    /// Operation.
    pub op: Op,
    /// HTTP method.
    pub method: &'a Method,
    /// Raw query, empty when there is none.
    pub query: &'a str,
    /// The scenario's bucket name; the name as given for a bucket the mock does not know; empty without one.
    pub bucket: &'a str,
    /// Object key, decoded; empty without one.
    pub key: &'a str,
    /// Region index.
    pub region: usize,
    /// Region name.
    pub region_name: &'a str,
    /// Index and name of the identity that signed; none at [`Point::Auth`] and for unsigned requests.
    pub identity: Option<(usize, &'a str)>,
    /// Request headers.
    pub headers: &'a HeaderMap,
    /// Content-Length of the request; the payload's length once it has arrived.
    pub body_len: u64,
}

/// What happens at a point.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Nothing.
    Continue,
    /// The exchange waits, then goes on.
    Delay(Duration),
    /// The exchange waits, then something else happens: delays of a stack of faults add up before its answer.
    After(Duration, Box<Action>),
    /// A full S3 error. At [`Point::Respond`] the effect stays.
    Error {
        /// Status; one that is no HTTP status becomes 500.
        status: u16,
        /// S3 code.
        code: Cow<'static, str>,
        /// Message in the document.
        message: Cow<'static, str>,
    },
    /// A status with a short HTML body, as a proxy in front of S3 would write it.
    Status(u16),
    /// A status with a body of length zero.
    Empty(u16),
    /// The answer of another action with these headers too, such as `Retry-After`.
    Headers(Vec<(HeaderName, HeaderValue)>, Box<Action>),
    /// The client is sent to another region.
    Redirect {
        /// How.
        kind: WrongRegionKind,
        /// The region it names.
        to: String,
    },
    /// The connection ends without an answer, by FIN or by RST. At [`Point::Respond`] the effect stays.
    Close {
        /// By RST.
        reset: bool,
    },
    /// At [`Point::Auth`]: another action's answer goes out before the body is read, and the connection is
    /// closed.
    Unread(Box<Action>),
    /// At [`Point::Handle`]: the answer is that of success, and the key is as it was before.
    Forget,
    /// At [`Point::Handle`]: reads and listings see what there was so long ago, as far as the mock remembers
    /// ([`crate::Config::remember`]).
    Stale(Duration),
    /// At [`Point::Handle`]: the head goes out with 200 at once, the document later.
    Trickle(Trickle),
    /// The answer says something that is not so.
    Alter(Alteration),
}

/// White space between a head and its document, as S3 sends it to keep a connection alive over long work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trickle {
    /// Between two spaces; at least a millisecond.
    pub every: Duration,
    /// From the head to the document.
    pub lasts: Duration,
    /// The S3 code of the `Error` document that comes then, nothing having been done; none: the operation's own
    /// document.
    pub error: Option<String>,
}

/// A part of an answer that is not true.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alteration {
    /// The ETag header.
    ETag,
    /// Every `x-amz-checksum-*` header.
    Checksum,
    /// The bytes of an object are those of another one.
    Object,
    /// Content-Range.
    Range(RangeLie),
    /// Content-Length of HEAD and the sizes in listings, so many bytes too many.
    Length(u64),
}

/// What is wrong with a Content-Range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RangeLie {
    /// Both ends are one byte further on.
    Shifted,
    /// The size of the whole object is one byte more.
    Total,
    /// There is none.
    Missing,
    /// At [`Point::Handle`]: the request's range is not looked at, the answer is a 200.
    Ignored,
}

/// Decides faults. Called on the mock's threads: must not block.
pub trait FaultHook: Send + Sync {
    /// What happens to this exchange at this point.
    fn decide(&self, point: Point, facts: &Facts<'_>) -> Action;
}

/// No faults.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFaults;

impl FaultHook for NoFaults {
    fn decide(&self, _: Point, _: &Facts<'_>) -> Action {
        Action::Continue
    }
}

impl Action {
    /// The error of a code with its own status and message; `None` for a code the mock does not know.
    pub fn s3_error(code: &str) -> Option<Self> {
        let (status, message) = crate::errors::known_code(code)?;
        Some(Self::Error { status, code: code.to_owned().into(), message: message.into() })
    }
}
