//! One client connection, from its first byte to its end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::{Current, in_force};
use crate::downstream::{AsItIs, Bypassed, Patient, write_as_it_is};
use crate::proxy::Proxy;
use crate::room::Place;

/// How long a connection without a seat may take to send the head of its request.
const LOBBY_PATIENCE: Duration = Duration::from_secs(1);
/// How long a client may take for the handshake of TLS.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(5);
/// How HTTP/2 begins (RFC 9113 3.4). No method of HTTP/1 does.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";
/// Between two looks at the beginning of a preface.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// What a connection is served on.
pub(super) struct Terms {
    /// Where TLS is spoken.
    pub(super) acceptor: Option<TlsAcceptor>,
    /// Whether HTTP/2 may be.
    pub(super) http2: bool,
    pub(super) current: Current,
    pub(super) place: Place,
    pub(super) stopping: watch::Receiver<()>,
}

/// Serves one client connection to its end. Without a seat its first request is turned away.
pub(super) async fn converse(stream: TcpStream, mut terms: Terms) {
    let _ = stream.set_nodelay(true);
    let patience = in_force(&terms.current).client_patience();
    let Some(acceptor) = terms.acceptor.take() else {
        let http2 = terms.http2
            && tokio::select! {
                begins = begins_with_preface(&stream) => begins,
                _ = terms.stopping.changed() => false,
            };
        return speak(Patient::new(stream, patience), http2, terms).await;
    };
    let handshake = timeout(HANDSHAKE_PATIENCE, acceptor.accept(stream));
    let Ok(Ok(stream)) = handshake.await else { return };
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    speak(Patient::new(stream, patience), http2, terms).await;
}

/// Whether the client's first bytes are those of HTTP/2; they stay unread.
async fn begins_with_preface(stream: &TcpStream) -> bool {
    let mut first = [0; PREFACE.len()];
    loop {
        match stream.peek(&mut first).await {
            Ok(0) | Err(_) => return false,
            Ok(n) if !PREFACE.starts_with(&first[..n]) => return false,
            Ok(n) if n == PREFACE.len() => return true,
            Ok(_) => sleep(LOOK_AGAIN).await,
        }
    }
}

async fn speak(
    client: Patient<impl AsyncRead + AsyncWrite + Unpin + Send + 'static>,
    http2: bool,
    terms: Terms,
) {
    match http2 {
        true => speak_http2(client, terms).await,
        false => speak_http1(client, terms).await,
    }
}

async fn speak_http1(client: Patient<impl AsyncRead + AsyncWrite + Unpin + Send + 'static>, terms: Terms) {
    let Terms { current, place, mut stopping, .. } = terms;
    let seated = matches!(place, Place::Seat { .. });
    let (bypass, carried) = (Mutex::new(None), AtomicBool::new(false));
    let service = service_fn(|request| {
        let (proxy, bypass) = (in_force(&current), &bypass);
        let reused = carried.swap(true, Ordering::Relaxed);
        async move {
            let response =
                if seated { proxy.handle(request, reused).await } else { Some(Proxy::shed(&request)) };
            let Some(response) = response else { return Err(Bypassed) };
            if response.extensions().get::<AsItIs>().is_none() {
                return Ok(response);
            }
            *bypass.lock().unwrap_or_else(PoisonError::into_inner) = Some(response);
            Err(Bypassed)
        }
    });
    let mut server = http1::Builder::new();
    server.title_case_headers(in_force(&current).variants().title_case());
    server.timer(TokioTimer::new());
    if !seated {
        server.header_read_timeout(LOBBY_PATIENCE);
    }
    let mut serving = server.serve_connection(TokioIo::new(client), service);
    // A cut or a client that left ends here too; neither is ours to report.
    tokio::select! {
        _ = &mut serving => {}
        _ = stopping.changed() => {
            Pin::new(&mut serving).graceful_shutdown();
            let _ = (&mut serving).await;
        }
    }
    let past = bypass.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(response) = past {
        let _ = write_as_it_is(&mut serving.into_parts().io.into_inner(), response).await;
    }
}

/// The same with streams. What could only be written past the library ends its stream (RST_STREAM).
async fn speak_http2(client: Patient<impl AsyncRead + AsyncWrite + Unpin + Send + 'static>, terms: Terms) {
    let Terms { current, place, mut stopping, .. } = terms;
    let seated = matches!(place, Place::Seat { .. });
    let service = service_fn(move |request| {
        let proxy = in_force(&current);
        async move {
            // A stream is nobody's before: there is no kept connection to close.
            let response =
                if seated { proxy.handle(request, false).await } else { Some(Proxy::shed(&request)) };
            response.filter(|response| response.extensions().get::<AsItIs>().is_none()).ok_or(Bypassed)
        }
    });
    let mut server = http2::Builder::new(TokioExecutor::new());
    server.timer(TokioTimer::new());
    let serving = server.serve_connection(TokioIo::new(client), service);
    let mut serving = std::pin::pin!(serving);
    if !seated {
        let _ = timeout(LOBBY_PATIENCE, serving).await;
        return;
    }
    tokio::select! {
        _ = &mut serving => {}
        _ = stopping.changed() => {
            serving.as_mut().graceful_shutdown();
            let _ = serving.await;
        }
    }
}
