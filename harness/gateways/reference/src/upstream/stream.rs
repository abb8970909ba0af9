//! The bytes of an upstream connection, plain or under TLS.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::Tls;

#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// What TLS needs to begin.
#[derive(Debug)]
pub(crate) struct Dialer {
    /// `None` when the files went away after they had been checked.
    ready: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

// === impl Dialer ===

impl Dialer {
    pub(crate) fn new(tls: &Tls) -> Self {
        Self { ready: tls.load().ok() }
    }

    /// Shakes hands on a connection.
    pub(super) async fn secure(&self, tcp: TcpStream) -> io::Result<Stream> {
        let Some((config, name)) = &self.ready else {
            return Err(io::Error::other("the TLS files cannot be read any more"));
        };
        let session = TlsConnector::from(Arc::clone(config)).connect(name.clone(), tcp).await?;
        Ok(Stream::Tls(Box::new(session)))
    }
}

// === impl Stream ===

impl Stream {
    /// Whether nothing was said on it: an idle connection has nothing to say.
    pub(super) fn is_silent(&self) -> bool {
        let tcp = match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => tls.get_ref().0,
        };
        tcp.try_read(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        }
    }
}
