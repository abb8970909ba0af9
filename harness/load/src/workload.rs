//! What a load consists of, as the plan hands it over. No scenario syntax here.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gatecrash_model::population::{KeyPattern, PatternError, Population, SizeLaw};
use gatecrash_model::{BodyLaw, Op};
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::engine::ClientOptions;
use crate::journey::Journeys;
use crate::keys::KeyLaw;
use crate::replay::Replay;
use crate::schedule::Schedule;
use crate::sign::Signer;
use crate::users::Users;

/// The gateway under test.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Value of the Host header, which a signature covers.
    pub host_header: String,
    /// Where it listens with TLS, for workloads that want that.
    pub tls: Option<TlsTarget>,
}

/// The gateway under test, spoken to over TLS.
#[derive(Clone, Debug)]
pub struct TlsTarget {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Value of the Host header.
    pub host_header: String,
    /// The name its certificate has to hold.
    pub name: ServerName<'static>,
    /// Whom to trust.
    pub config: Arc<ClientConfig>,
}

/// A stream of requests with its own rate, operations and objects.
#[derive(Debug)]
pub struct Workload {
    /// Its number in the plan: part of every request id.
    pub index: u8,
    /// Its name in the scenario.
    pub name: String,
    /// Seed of the run: decides operations, keys and sizes.
    pub seed: u64,
    /// When its requests are due; empty in the closed model.
    pub schedule: Schedule,
    /// Those who ask, in the closed model.
    pub users: Option<Users>,
    /// Operations with their shares, which need not add up to 1.
    pub ops: Vec<(OpPlan, f64)>,
    /// The bucket and its synthetic objects. Its bucket name goes into the request path.
    pub population: Population,
    /// How an object is picked for a read.
    pub keys: KeyLaw,
    /// Share of reads for keys that do not exist (`<key>.missing`), 0 to 1.
    pub missing: f64,
    /// What uploads are called and how long they are.
    pub writes: Writes,
    /// Signs every request; `None` sends them anonymously.
    pub signing: Option<Arc<Signer>>,
    /// From the moment a request is handed out (a connection is looked for) to its last response byte.
    pub timeout: Duration,
    /// Requests under way at once; arrivals of the schedule beyond it are recorded as not sent.
    pub max_in_flight: usize,
    /// More request headers, lower-case names.
    pub headers: Vec<(String, String)>,
    /// What each arrival asks for, in place of draws from `ops` and `keys`.
    pub replay: Option<Replay>,
    /// What its users do, instead of operations that come on a schedule. Needs the feature `goose`.
    pub journeys: Option<Journeys>,
    /// Who carries the requests.
    pub client: ClientOptions,
}

/// An operation with its details.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OpPlan {
    /// A whole object or a range of it.
    GetObject {
        /// Bytes asked for.
        range: Option<RangeLaw>,
    },
    /// An object's metadata.
    HeadObject,
    /// An upload of pool bytes to a key of its own.
    PutObject,
    /// The same in parts: create, the parts one after the other, complete; abort when one of them fails.
    MultipartUpload(Parts),
    /// Removes one earlier upload.
    DeleteObject,
    /// Removes several earlier uploads at once.
    DeleteObjects {
        /// How many, 1 to 1000; fewer where fewer uploads are near.
        keys: u16,
    },
    /// A list, page by page.
    ListObjectsV2 {
        /// Key prefix; the one all synthetic keys share when absent.
        prefix: Option<String>,
        /// Page size, 1 to 1000.
        max_keys: u16,
        /// Pages asked for, as far as there are any; at least 1.
        pages: u16,
    },
    /// Another operation (no list, no multipart upload) on a condition.
    Conditional {
        /// The operation.
        of: Box<OpPlan>,
        /// Its condition.
        condition: Condition,
    },
}

/// The parts of an upload, all of one size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parts {
    /// How many, 1 to 10,000.
    pub count: u16,
    /// Bytes in each.
    pub size: u64,
}

/// Which part of an object is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RangeLaw {
    /// These bytes; the end is clipped to the object.
    Fixed(ByteRange),
    /// So many bytes from somewhere within, or the whole of a shorter object.
    Random(u64),
    /// The last so many bytes.
    Suffix(u64),
}

/// What a request makes its success depend on (RFC 9110 13.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    /// The object has this ETag.
    IfMatch(Tag),
    /// It has not.
    IfNoneMatch(Tag),
}

/// An ETag in a condition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tag {
    /// The synthetic object's own, of the version that is current when the request is due.
    Current,
    /// That of the version before; of an object that has none, one that no object has.
    Previous,
    /// One that no object has.
    Other,
    /// `*`: that of any object.
    Any,
}

/// Bytes of an object, both ends inclusive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ByteRange {
    /// Offset of the first byte.
    pub first: u64,
    /// Offset of the last byte.
    pub last: u64,
}

/// Uploads of a workload: arrival `k` writes key `k` of the pattern, and nobody else does.
#[derive(Clone, PartialEq, Debug)]
pub struct Writes {
    /// Key pattern. Must differ between workloads and must not produce keys of the population.
    pub keys: KeyPattern,
    /// Lengths by arrival number.
    pub sizes: SizeLaw,
    /// What they are made of.
    pub body: BodyLaw,
}

// === impl Workload ===

impl Workload {
    /// Request ids that one arrival takes up: arrival `a` has `a * stride()` and those after it. 1 unless an
    /// operation takes several requests.
    pub fn stride(&self) -> u32 {
        self.ops.iter().map(|(op, _)| op.steps()).max().unwrap_or(1)
    }
}

// === impl OpPlan ===

impl OpPlan {
    /// The most requests of one arrival.
    pub fn steps(&self) -> u32 {
        match self {
            Self::MultipartUpload(parts) => u32::from(parts.count) + 3, // create, complete, abort
            Self::ListObjectsV2 { pages, .. } => u32::from(*pages).max(1),
            _ => 1,
        }
    }

    /// Whether it writes a key of its own.
    pub fn is_upload(&self) -> bool {
        match self {
            Self::PutObject | Self::MultipartUpload(_) => true,
            Self::Conditional { of, .. } => of.is_upload(),
            _ => false,
        }
    }

    /// The operation's name; of several requests the first one's.
    pub fn op(&self) -> Op {
        match self {
            Self::GetObject { .. } => Op::GetObject,
            Self::HeadObject => Op::HeadObject,
            Self::PutObject => Op::PutObject,
            Self::MultipartUpload(_) => Op::CreateMultipartUpload,
            Self::Conditional { of, .. } => of.op(),
            Self::DeleteObject => Op::DeleteObject,
            Self::DeleteObjects { .. } => Op::DeleteObjects,
            Self::ListObjectsV2 { .. } => Op::ListObjectsV2,
        }
    }
}

// === impl Writes ===

impl Writes {
    /// Uploads to `up/<workload>/<k>`, all of one size.
    pub fn under(workload: &str, bytes: u64) -> Result<Self, PatternError> {
        Ok(Self {
            keys: format!("up/{workload}/{{n}}").parse()?,
            sizes: SizeLaw::Fixed(bytes),
            body: BodyLaw::Bytes,
        })
    }
}
