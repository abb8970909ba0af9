//! HTTP/2 on the gateway's side of a link, with framing written by hand so that it can be broken.
//!
//! A connection that begins with the preface ("PRI * HTTP/2.0", RFC 9113 3.4) becomes one [`session`]: it alone
//! reads and writes the socket, keeps settings and windows, and starts one task a stream. The stream's
//! [`exchange`](stream) turns the request into HTTP/1.1 (`message`), asks the rules, sends it to the mock on a
//! connection of its own (`pool`), and turns the [`answer`] into frames. Rules, registry, attempts and the mock
//! are those of HTTP/1.1: an attempt is a stream, its ordinal the number of the stream on the connection.
//!
//! What a fault means here: whatever ends the connection in HTTP/1.1 ends it here too, with all its streams; the
//! neighbours' attempts end by the same fault, without a firing of their own. Delays, pacing, stalls and
//! silence concern one stream. `slow-head` holds the head for as long as its trickle would take, since no other
//! frame may stand inside a head. Malformed kinds never fire: [`kinds`] are those of HTTP/2.

mod answer;
mod desk;
mod frame;
mod hpack;
mod huffman;
mod kinds;
mod message;
mod open;
mod pool;
mod session;
mod static_table;
mod stream;
mod window;

use bytes::Buf;
use gatecrash_model::EndedBy;
use tokio::io::AsyncReadExt;

use crate::attempt::End;
use crate::connection::Connection;
use frame::PREFACE;
pub(crate) use open::Open;

impl Connection {
    /// Reads as far as needed to tell whether the gateway speaks HTTP/2.
    pub(crate) async fn speaks_http2(&mut self) -> Result<bool, End> {
        loop {
            let compared = self.input.len().min(PREFACE.len());
            if self.input[..compared] != PREFACE[..compared] {
                return Ok(false);
            }
            if compared == PREFACE.len() {
                return Ok(true);
            }
            self.input.reserve(4096);
            match self.gateway.read_buf(&mut self.input).await {
                Ok(0) => return Err(End::fin(EndedBy::Gateway)),
                Ok(n) => self.record.up += n as u64,
                Err(_) => return Err(End::rst(EndedBy::Gateway)),
            }
        }
    }

    /// Serves HTTP/2 until the connection has to end.
    pub(crate) async fn http2(&mut self) -> End {
        self.input.advance(PREFACE.len());
        let Self { wire, gateway, input, record, streams, .. } = self;
        let (reader, writer) = gateway.split();
        session::Session::new(wire, input, record, streams).run(reader, writer).await
    }
}
