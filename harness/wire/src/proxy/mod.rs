//! The TCP proxy with toxics: what Toxiproxy does, for any protocol.
//!
//! The main path: a [`Proxy`] binds and runs one task that accepts (`accepting`); each connection is one task
//! that dials (`connection`) and relays (`relay`), each direction a `pump`. Without toxics a pump reads into
//! a buffer of its thread and writes at once: nothing is allocated, idle connections hold no buffer. With
//! toxics drawn for the connection, a [`Chain`](gatecrash_core::toxics::Chain) decides what leaves when.
//!
//! Changes are race-free: the list of toxics gets a new version, every connection is woken, installs it
//! before it reads again, and acknowledges; the caller waits for that (`live`). No connection waits anywhere
//! but in its one poll, so none can hold up a change.

mod accepting;
mod alarm;
mod connection;
mod events;
mod handle;
mod live;
mod pump;
mod relay;
mod scratch;
mod settings;
mod toxicity;

pub use events::{ClosedConnection, EndedBy, NoEvents, ProxyEvent, ProxyEvents, Traffic};
pub use handle::Proxy;
pub use live::{ConnectionView, Counters};
pub use settings::{Doors, ProxyError, ProxySettings};
