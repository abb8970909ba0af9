//! What is said to a client before TLS is: its ClientHello is read raw, and answered by forged bytes.

use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use rustls::{ServerConfig, ServerConnection};
use tokio::io::AsyncReadExt;

use crate::stream::Stream;

/// Largest record that is waited for: a header and the largest fragment (RFC 8446 5.1).
const MOST: usize = 5 + (1 << 14);
/// Record type of a handshake.
const HANDSHAKE: u8 = 22;

/// A fatal alert as a record of its own (RFC 8446 6). The version is the one that records of every TLS since
/// 1.2 carry.
pub(super) const fn fatal_alert(description: u8) -> [u8; 7] {
    [21, 3, 3, 0, 2, 2, description]
}

/// What a server of HTTP says to a ClientHello.
pub(super) const PLAINTEXT: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Reads the first record; what is no handshake ends it as well. `None`: the client left before.
pub(super) async fn first_record(stream: &mut Stream) -> io::Result<Option<BytesMut>> {
    let mut record = BytesMut::with_capacity(2048);
    loop {
        if record.first().is_some_and(|kind| *kind != HANDSHAKE) {
            return Ok(Some(record));
        }
        if let [_, _, _, high, low, ..] = record[..] {
            let whole = (5 + usize::from(u16::from_be_bytes([high, low]))).min(MOST);
            if record.len() >= whole {
                return Ok(Some(record));
            }
        }
        if stream.read_buf(&mut record).await? == 0 {
            return Ok(None);
        }
    }
}

/// The first half of what a server answers to this ClientHello.
pub(super) fn half_a_flight(config: Arc<ServerConfig>, record: &[u8]) -> Vec<u8> {
    let mut flight = Vec::new();
    if let Ok(mut server) = ServerConnection::new(config) {
        _ = server.read_tls(&mut &record[..]);
        // Whatever it thinks of it, an alert included, is its answer.
        _ = server.process_new_packets();
        _ = server.write_tls(&mut flight);
    }
    flight.truncate(flight.len() / 2);
    flight
}
