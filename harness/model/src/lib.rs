//! The observation model: what every part of gatecrash writes down, and the pure functions all parts share.
//!
//! Neighbours: the load generator, the chaos links and the mock write [`records`] through a [`Sink`]; the core crate
//! reads them back, joins and judges them. Nothing here has a socket, a clock or a runtime: time is a [`Nanos`] that
//! somebody hands in, randomness is a keyed [`draw`].

pub mod capability;
pub mod code;
pub mod content;
pub mod context;
pub mod draw;
pub mod hash;
pub mod ids;
pub mod op;
pub mod population;
pub mod records;
pub mod sink;
pub mod time;
pub mod trial;
pub mod versions;

pub use capability::{Capabilities, Capability};
pub use content::{BodyLaw, Content, Pool};
pub use context::{AttemptCell, AttemptContext, AttemptRegistry};
pub use ids::{AttemptId, RequestId, RunId, StrId};
pub use op::Op;
pub use population::{KeyList, KeyPattern, Lengths, ObjectKeys, Population, SizeLaw};
pub use records::{
    AttemptRecord, BodyCheck, ClientRecord, Closing, ConnectionRecord, Decision, EndedBy, Ending, Evidence,
    EvidenceSide, FiringRecord, Framing, Record, Shape, UpstreamRecord, VersionRecord, printable,
};
pub use sink::{
    Event, GatewaySample, JourneyCount, JourneyThreshold, MemorySink, NullSink, Sink, StoreEntry, Strings,
};
pub use time::{Clock, Nanos};
pub use trial::{TrialOutcome, TrialPurpose, TrialRecord};
pub use versions::Lineage;

/// Request header that names the client request: `<run>-<workload>-<k>`.
pub const ID_HEADER: &str = "x-gatecrash-id";
/// Response header that names the attempt which fed the response: `<link>-<conn>-<ordinal>`.
pub const ATTEMPT_HEADER: &str = "x-gatecrash-attempt";
