//! The wire client: HTTP/1.1 by hand, so that framing, endings and stray bytes can be judged; HTTP/2 through the `h2`
//! crate, with its frames watched.
//!
//! `response` is a state machine without a socket: bytes in, a judged message out. `connection` owns a socket
//! and moves bytes; `http2` shares connections between requests; [`Client`] pools connections and writes records.
//! Nothing here retries, follows or repairs.

mod body;
mod chunked;
mod client;
mod connection;
mod evidence;
mod head;
mod http2;
mod owners;
mod record;
mod request;
mod response;
mod stream;

#[cfg(feature = "aws-sdk")]
pub(crate) use body::{Body, s3_code};
pub use chunked::{Chunked, Piece};
pub use client::{Client, ClientStats, Connections, Session, Setup};
pub use evidence::EvidenceBudget;
#[cfg(feature = "aws-sdk")]
pub(crate) use response::document_flags;
