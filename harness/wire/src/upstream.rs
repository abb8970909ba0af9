//! The link's own connection to the mock, one for each connection of the gateway.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use gatecrash_model::context::write_cell;
use gatecrash_model::{AttemptCell, AttemptContext, AttemptRegistry};
use tokio::net::TcpStream;

use crate::closing;
use crate::stream::{Stream, Tls};
use crate::wire::Wire;

/// Bytes of an answer that the kernel may hold for a link on the clients' side.
const RECEIVED: u64 = 32 * 1024;

/// A connection to the mock, announced in the registry for as long as it lives.
pub(crate) struct Upstream {
    pub(crate) stream: Stream,
    /// Read from the mock and not yet dealt with.
    pub(crate) input: BytesMut,
    /// To be written to the mock.
    pub(crate) pending: BytesMut,
    /// The mock does not take any more bytes.
    pub(crate) deaf: bool,
    cell: AttemptCell,
    local: SocketAddr,
    registry: Arc<AttemptRegistry>,
}

impl Upstream {
    pub(crate) async fn open(wire: &Wire) -> std::io::Result<Self> {
        let stream = TcpStream::connect(wire.config.upstream).await?;
        stream.set_nodelay(true)?;
        if !wire.config.side.is_upstream() {
            // A slow client is slow for the gateway only where the kernel does not take the answer for it.
            closing::narrow(&stream, RECEIVED);
        }
        let local = stream.local_addr()?;
        let stream = match &wire.config.onward {
            None => Stream::Plain(stream),
            Some(onward) => {
                let mut tls = Tls::new(stream);
                tls.connect(Arc::clone(&onward.config), onward.name.clone()).await?;
                Stream::Tls(Box::new(tls))
            }
        };
        let registry = Arc::clone(&wire.shared.registry);
        let cell = registry.register(local);
        let (input, pending) = (BytesMut::new(), BytesMut::new());
        Ok(Self { stream, input, pending, deaf: false, cell, local, registry })
    }

    /// Tells the mock whose request comes next.
    pub(crate) fn announce(&self, context: AttemptContext) {
        write_cell(&self.cell, context);
    }
}

impl Drop for Upstream {
    // Runs before the socket closes, so that a new socket on the same port is not forgotten.
    fn drop(&mut self) {
        self.registry.forget(self.local);
    }
}
