//! A connection on which TLS is spoken, or should be.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use super::raw::Raw;
use super::{ReadHalf, WriteHalf};

/// An established session.
pub(crate) type Session = TlsStream<Raw>;

/// A socket, and the TLS session on it once there is one. Without a session its bytes are read and written
/// as they are: before the handshake, after a failed one, or because a fault wants it so.
pub(crate) struct Tls {
    raw: Raw,
    session: Option<Session>,
    close_notify: bool,
}

impl Tls {
    pub(crate) fn new(tcp: TcpStream) -> Self {
        Self { raw: Raw(Arc::new(tcp)), session: None, close_notify: true }
    }

    /// Shakes hands as the server. When that fails the socket stays open, with any alert sent.
    pub(crate) async fn accept(&mut self, config: Arc<ServerConfig>) -> io::Result<()> {
        let session = TlsAcceptor::from(config).accept(self.raw.clone()).await?;
        self.session = Some(session.into());
        Ok(())
    }

    /// Shakes hands as the client of a server of this name.
    pub(crate) async fn connect(
        &mut self,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> io::Result<()> {
        let session = TlsConnector::from(config).connect(name, self.raw.clone()).await?;
        self.session = Some(session.into());
        Ok(())
    }

    pub(crate) fn forgo_close_notify(&mut self) {
        self.close_notify = false;
    }

    pub(crate) fn tcp(&self) -> &TcpStream {
        &self.raw.0
    }

    pub(crate) fn split(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        match &mut self.session {
            Some(session) => {
                let (read, write) = tokio::io::split(session);
                (ReadHalf::Tls(read), WriteHalf::Tls(write))
            }
            None => (ReadHalf::Bare(self.raw.clone()), WriteHalf::Bare(self.raw.clone())),
        }
    }
}

/// A peer that ends its direction by FIN alone has ended it; rustls would call that an error.
pub(crate) fn eof_without_close_notify(read: io::Result<()>) -> io::Result<()> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
        read => read,
    }
}

impl AsyncRead for Tls {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let tls = self.get_mut();
        match &mut tls.session {
            Some(session) => Pin::new(session).poll_read(cx, buf).map(eof_without_close_notify),
            None => Pin::new(&mut tls.raw).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Tls {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let tls = self.get_mut();
        match &mut tls.session {
            Some(session) => Pin::new(session).poll_write(cx, buf),
            None => Pin::new(&mut tls.raw).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let tls = self.get_mut();
        match &mut tls.session {
            Some(session) => Pin::new(session).poll_flush(cx),
            None => Pin::new(&mut tls.raw).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let tls = self.get_mut();
        match &mut tls.session {
            Some(session) if tls.close_notify => Pin::new(session).poll_shutdown(cx),
            Some(session) => {
                ready!(Pin::new(session).poll_flush(cx))?;
                Pin::new(&mut tls.raw).poll_shutdown(cx)
            }
            None => Pin::new(&mut tls.raw).poll_shutdown(cx),
        }
    }
}
