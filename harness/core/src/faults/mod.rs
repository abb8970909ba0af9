//! Faults decide, hosts act. One fault is one file with its parameters and its decision, and one line in the table.

use gatecrash_model::Nanos;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::Side;
use crate::rules::{Facts, Point};

/// How a connection is ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum With {
    /// A FIN: the peer reads an orderly end.
    Fin,
    /// An RST: the peer reads "connection reset". Bytes written before it have left first.
    #[default]
    Rst,
}

/// A trickle: `bytes` at a time, `every` nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Bytes per step, at least 1.
    pub bytes: u64,
    /// Nanoseconds between steps.
    pub every: Nanos,
}

/// What one fault wants at one point.
#[derive(Clone, PartialEq, Debug)]
pub enum Order {
    /// Nothing.
    Continue,
    /// Hold this long, then go on.
    Delay(Nanos),
    /// Trickle the response head.
    PaceHead(Pace),
    /// Trickle the response body.
    PaceBody(Pace),
    /// Trickle the whole response.
    PaceAll(Pace),
    /// Read the request body no faster than this.
    PaceUpload(Pace),
    /// Keep interim 100s from the gateway.
    NoContinue,
    /// Send the request on no faster.
    PaceRequest(Pace),
    /// End or replace the exchange.
    End(Terminal),
}

/// An order after which the exchange is not what the upstream meant.
#[derive(Clone, PartialEq, Debug)]
pub enum Terminal {
    /// Close the connection now, without another byte.
    Close(With),
    /// Read on, never answer; the connection stays open until the gateway leaves.
    Swallow,
    /// Write this much of the response head, then close.
    CutHead(u64, With),
    /// Write the head and this many body bytes, then close.
    CutBody(u64, With),
    /// Write the head and this many body bytes, then nothing more.
    StallBody(u64),
    /// Write a rewritten response.
    Rewrite(Malformed),
    /// Misuse HTTP/2 on the stream.
    Http2(Http2Kind),
    /// Read no byte of the request body for this many nanoseconds; then read on, never answer.
    Deaf(Nanos),
    /// Answer this status without waiting for the request body, then part.
    Early(u16, Parting),
    /// Throw the upstream's answer away and answer this status without a body.
    Answer(u16),
    /// Write the answer as one whose end only the close of the connection tells, and an RST after this many
    /// body bytes.
    CutUnframed(u64),
    /// Write parts of a response head without end.
    EndlessHead(Endless),
    /// Write the answer, then the same bytes again.
    Twice,
    /// Write the answer with wrong body bytes, as many as there were.
    Corrupt(Corruption),
    /// Write the answer, then do this with the connection.
    Part {
        /// Whether the answer says `Connection: close`.
        announce: bool,
        /// What happens then.
        then: Parting,
    },
    /// Once the kept connection has been idle for this many nanoseconds.
    OnIdle(Nanos, Lapse),
    /// Fail the TLS handshake, or end the TLS session badly.
    Tls(TlsKind),
    /// Send the upstream the request up to a point, then leave.
    Half(HalfAt, Leaving),
    /// What the mock does; no link knows it.
    S3(S3Order),
}

/// Who carries a fault out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Host {
    /// A link, exchange by exchange: decided by rule, recorded per firing.
    Link,
    /// A link's listener, for an interval confirmed by our own probe.
    Listener,
    /// The mock, request by request.
    Mock,
    /// The mock's settings, for an interval (identities, policies, capacity, clocks).
    MockSetting,
    /// The run's name server, for an interval confirmed by our own query.
    Resolver,
    /// The gateway's process.
    Process,
}

/// What the catalogue says of a fault.
#[derive(Clone, Copy, Debug)]
pub struct FaultInfo {
    /// Name in scenario files.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// What is sent on the wire, which real condition it imitates.
    pub doc: &'static str,
    /// A `fault:` value that parses.
    pub example: &'static str,
    /// Who carries it out.
    pub host: Host,
    /// Where a host asks it; empty for intervals.
    pub points: &'static [Point],
}

/// The memory of a fault that counts: asked once for each exchange that matches and is drawn.
pub trait Gate: std::fmt::Debug + Send + Sync {
    /// Whether the fault acts on this exchange.
    fn opens(&self, facts: &Facts<'_>) -> bool;
}

/// One fault.
pub trait Fault {
    /// Its entry in the catalogue.
    const INFO: FaultInfo;

    /// The sides of the gateway on which it makes sense.
    const SIDES: &'static [Side] = &[Side::Upstream];

    /// What it wants at one of its points. `draw` is the uniform draw that made it fire, for parameters of
    /// its own.
    fn order(&self, point: Point, facts: &Facts<'_>, draw: u64) -> Order {
        let _ = (point, facts, draw);
        Order::Continue
    }

    /// Why its parameters make no sense together: completes "expected ...".
    fn problem(&self) -> Option<&'static str> {
        None
    }

    /// What it counts by, fresh; most faults do not count.
    fn gate(&self) -> Option<Box<dyn Gate>> {
        None
    }
}

/// For `with` where a FIN is the usual end.
fn fin() -> With {
    With::Fin
}

macro_rules! faults {
    ($($module:ident: $type:ident = $name:literal,)+) => {
        $(mod $module; pub use $module::$type;)+

        /// A fault with its parameters.
        #[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
        pub enum FaultSpec {
            $(
                #[serde(rename = $name)]
                #[expect(missing_docs, reason = "documented where the fault is")]
                $type($type),
            )+
        }

        /// Every fault, in the order of the reference.
        pub const FAULTS: &[FaultInfo] = &[$(<$type as Fault>::INFO,)+];

        impl FaultSpec {
            /// Its catalogue entry.
            pub fn info(&self) -> FaultInfo {
                match self { $(Self::$type(_) => <$type as Fault>::INFO,)+ }
            }

            /// The sides of the gateway on which it makes sense.
            pub fn sides(&self) -> &'static [Side] {
                match self { $(Self::$type(_) => <$type as Fault>::SIDES,)+ }
            }

            /// What it wants at a point.
            pub fn order(&self, point: Point, facts: &Facts<'_>, draw: u64) -> Order {
                match self { $(Self::$type(fault) => fault.order(point, facts, draw),)+ }
            }

            /// Why its parameters make no sense together: completes "expected ...".
            pub fn problem(&self) -> Option<&'static str> {
                match self { $(Self::$type(fault) => fault.problem(),)+ }
            }

            /// What it counts by, fresh.
            pub fn gate(&self) -> Option<Box<dyn Gate>> {
                match self { $(Self::$type(fault) => fault.gate(),)+ }
            }
        }
    };
}

mod corruption;
pub mod malformed;
mod parting;
mod reply;
mod s3_order;
pub mod statement;

faults! {
    latency: Latency = "latency",
    bandwidth: Bandwidth = "bandwidth",
    stall: Stall = "stall",
    slow_head: SlowHead = "slow-head",
    slow_body: SlowBody = "slow-body",
    refuse: Refuse = "refuse",
    connect_blackhole: ConnectBlackhole = "connect-blackhole",
    swallow: Swallow = "swallow",
    reset: Reset = "reset",
    close: Close = "close",
    idle_close: IdleClose = "idle-close",
    close_on_reuse: CloseOnReuse = "close-on-reuse",
    close_after_reply: CloseAfterReply = "close-after-reply",
    half_close: HalfClose = "half-close",
    close_header_ignored: CloseHeaderIgnored = "close-header-ignored",
    keepalive_max: KeepaliveMax = "keepalive-max",
    late_bytes: LateBytes = "late-bytes-after-reply",
    reply_twice: ReplyTwice = "reply-twice",
    forward_then_drop: ForwardThenDrop = "forward-then-drop",
    forward_then_status: ForwardThenStatus = "forward-then-status",
    early_close: EarlyClose = "early-close",
    never_read_body: NeverReadBody = "never-read-body",
    slow_read_body: SlowReadBody = "slow-read-body",
    never_continue: NeverContinue = "100-never",
    slow_request: SlowRequest = "slow-request",
    half_request: HalfRequest = "half-request",
    slice: Slice = "slice",
    corrupt_body: CorruptBody = "corrupt-body",
    truncate: Truncate = "truncate",
    malformed_fault: Malformed = "malformed",
    endless_head: EndlessHead = "endless-head",
    http2: Http2 = "http2",
    tls: Tls = "tls",
    s3_error: S3Error = "s3-error",
    status: Status = "status",
    empty_503: Empty503 = "empty-503",
    error_in_200: ErrorIn200 = "error-in-200",
    applied_but_lost: AppliedButLost = "applied-but-lost",
    lost_write: LostWrite = "lost-write",
    throttle: Throttle = "throttle",
    fail_first: FailFirst = "fail-first",
    early_reply: EarlyReply = "early-reply",
    wrong_etag: WrongEtag = "wrong-etag",
    wrong_checksum: WrongChecksum = "wrong-checksum",
    wrong_range: WrongRange = "wrong-range",
    wrong_object: WrongObject = "wrong-object",
    wrong_length: WrongLength = "wrong-length",
    stale_read: StaleRead = "stale-read",
    stale_list: StaleList = "stale-list",
    redirect: Redirect = "redirect",
    expire_token: ExpireToken = "expire-token",
    sts_down: StsDown = "sts-down",
    iam: Iam = "iam",
    bucket_policy: BucketPolicy = "bucket-policy",
    block_public_access: BlockPublicAccess = "block-public-access",
    rotate_key: RotateKey = "rotate-key",
    clock_skew: ClockSkew = "clock-skew",
    wrong_region: WrongRegion = "wrong-region",
    routing_dial: RoutingDial = "routing-dial",
    replication: Replication = "replication",
    capacity: Capacity = "capacity",
    dns: Dns = "dns",
    misconfigure: Misconfigure = "misconfigure",
    descriptors: Descriptors = "descriptors",
    cpu: Cpu = "cpu",
    memory: Memory = "memory",
    pause: Pause = "pause",
    kill: Kill = "kill",
    restart: Restart = "restart",
    reload: Reload = "reload",
}

pub use applied_but_lost::LostReply;
pub use clock_skew::ClockOf;
pub use corruption::Corruption;
pub use dns::{DNS_TTL, DnsKind, DnsReply};
pub use early_close::EarlyEnd;
pub use endless_head::Endless;
pub use fail_first::FirstOf;
pub use half_request::{HalfAt, Leaving};
pub use http2::{HTTP2_KINDS, Http2Kind, Http2KindInfo};
pub use kill::Deadly;
pub use parting::{Lapse, Parting, Stray};
pub use replication::ReplicationMode;
pub use reply::bare_reply;
pub use reset::ResetAt;
pub use s3_order::{Alteration, RangeLie, S3Order, S3Reply, Wait};
pub use tls::{TLS_KINDS, TlsKind, TlsKindInfo};

impl FaultSpec {
    /// Its name in scenario files.
    pub fn name(&self) -> &'static str {
        self.info().name
    }

    /// Whether it wants to be asked at a point.
    pub fn acts_at(&self, point: Point) -> bool {
        self.info().points.contains(&point)
    }
}

impl Order {
    /// Whether it ends or replaces the exchange.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::End(_))
    }
}

impl Pace {
    /// The slower of two.
    pub fn slower(a: Option<Self>, b: Self) -> Self {
        let rate = |p: Self| p.bytes as f64 / p.every.max(1) as f64;
        a.filter(|a| rate(*a) <= rate(b)).unwrap_or(b)
    }
}
