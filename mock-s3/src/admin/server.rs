//! The admin port's listener.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::ORIGIN;
use http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};

use super::answer::{Content, Refused};
use super::ask::Ask;
use crate::server::{MockS3, Shared};

/// No request to the API has a larger body.
const BODY_LIMIT: usize = 1 << 20;
/// How long the head of a request may take, and its body.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no admin port.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// An address that others can reach.
    #[error("{0} is not on loopback: the admin port answers whoever can reach it")]
    NotLoopback(SocketAddr),
    /// A listener that cannot be opened.
    #[error("the admin port cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

impl MockS3 {
    /// Opens the admin port on a loopback address; port 0 picks a free one. Journal and metrics are kept from now
    /// on. It is closed with the mock.
    pub async fn serve_admin(&self, address: SocketAddr) -> Result<SocketAddr, AdminError> {
        match address.ip().is_loopback() {
            true => self.serve_admin_openly(address).await,
            false => Err(AdminError::NotLoopback(address)),
        }
    }

    /// Opens the admin port on any address. Whoever reaches it can read the journal and change the mock.
    pub async fn serve_admin_openly(&self, address: SocketAddr) -> Result<SocketAddr, AdminError> {
        let listen = |source| AdminError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let bound = listener.local_addr().map_err(listen)?;
        self.journal();
        self.metrics();
        tokio::spawn(accept(Arc::clone(&self.shared), listener));
        Ok(bound)
    }
}

async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.stopping() => return,
        };
        match accepted {
            Ok((stream, _)) => drop(tokio::spawn(connection(Arc::clone(&shared), stream))),
            // Out of descriptors, most likely: wait for some to be closed.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connection(shared: Arc<Shared>, stream: TcpStream) {
    let service = service_fn(|request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, std::convert::Infallible>(serve(shared, request).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // Whoever hung up has what it wanted.
        _ = serving => {}
        () = shared.stopping() => {}
    }
}

async fn serve(shared: Arc<Shared>, request: Request<Incoming>) -> Response<Content> {
    let (parts, body) = request.into_parts();
    // A page in a browser on this host could reach the port too; it says where it comes from.
    if parts.headers.contains_key(ORIGIN) {
        return Refused::new(403, "the admin port is not for pages in a browser").into_response();
    }
    let body = match tokio::time::timeout(PATIENCE, Limited::new(body, BODY_LIMIT).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return Refused::new(413, "the body is too large or broke off").into_response(),
        Err(_) => return Refused::new(408, "the body takes too long").into_response(),
    };
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    let target = target.unwrap_or_default().to_owned();
    let ask = Ask { shared, id: String::new(), query, target, body };
    let answer = super::answer(&parts.method, parts.uri.path(), ask);
    answer.map_or_else(Refused::into_response, super::Answer::into_response)
}
