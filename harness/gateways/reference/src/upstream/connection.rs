//! One upstream connection: the socket and what was read from it and not yet used.

use std::io;
use std::net::SocketAddr;

use bytes::BytesMut;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use super::{Dialer, Failure, Limits, Stage, Stream};

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: Stream,
    pub(crate) buffer: BytesMut,
    /// Whether it carried an earlier request.
    pub(crate) reused: bool,
    /// Bytes written of the request it carries.
    pub(crate) written: usize,
    /// The place at the endpoint, held for as long as the exchange lasts.
    pub(crate) place: Option<OwnedSemaphorePermit>,
}

// === impl Connection ===

impl Connection {
    pub(crate) fn new(stream: Stream, reused: bool) -> Self {
        Self { stream, buffer: BytesMut::new(), reused, written: 0, place: None }
    }
}

/// Opens a connection; a TLS handshake belongs to it.
pub(crate) async fn connect(
    address: SocketAddr,
    dialer: Option<&Dialer>,
    limits: &Limits,
) -> Result<Connection, Failure> {
    let opening = async {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        match dialer {
            None => Ok::<_, io::Error>(Stream::Plain(stream)),
            Some(dialer) => dialer.secure(stream).await,
        }
    };
    match limits.within(Some(limits.connect), opening).await {
        Ok(Ok(stream)) => Ok(Connection::new(stream, false)),
        Ok(Err(error)) => Err(Failure::of_connect(error)),
        Err(_) => Err(Failure::Timeout(Stage::Connect)),
    }
}
