//! The upstream side: our own small HTTP/1.1 client over plain sockets.
//!
//! General-purpose clients repair, hide or retry what this gateway has to judge strictly: framing, how a
//! message ended, surplus bytes. A connection that is not known to be clean is closed, never reused.

mod body;
mod chunks;
mod connection;
mod exchange;
mod failure;
mod head;
mod limits;
mod pool;
mod stream;

pub(crate) use self::body::{BodyError, UpstreamBody};
pub(crate) use self::connection::Connection;
use self::connection::connect;
pub(crate) use self::exchange::{Answer, ask, exchange};
pub(crate) use self::failure::{Failed, Failure, Stage};
pub(crate) use self::limits::Limits;
pub(crate) use self::pool::IdlePool;
pub(crate) use self::stream::{Dialer, Stream};
