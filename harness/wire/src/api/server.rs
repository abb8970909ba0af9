//! The API's own HTTP server: connections, bounds, and what Go's server and Gorilla's router add to every reply.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};

use super::Api;
use super::path::{cleaned, decoded, escaped};
use super::reply::{ApiError, Content, Reply};
use super::routes::{Ask, Found, find};

/// How long a request head may take, and a connection may idle: Go's `IdleTimeout` there.
const HEAD: Duration = Duration::from_secs(60);
/// How long a request body may take: `ReadTimeout` there.
const BODY: Duration = Duration::from_secs(15);
/// How long a request may take in all, before it is answered with 503.
const HANDLER: Duration = Duration::from_secs(25);
/// The longest body; Toxiproxy knows no bound.
const BODY_BYTES: usize = 16 << 20;
/// Connections served at once; more wait to be accepted.
const CONNECTIONS: usize = 1024;

/// Accepts until told to stop.
pub(crate) async fn serve(
    api: Arc<Api>,
    listener: TcpListener,
    mut stop: watch::Receiver<bool>,
    alive: mpsc::Sender<()>,
) {
    let seats = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let seat = tokio::select! {
            _ = stop.changed() => return,
            seat = Arc::clone(&seats).acquire_owned() => seat,
        };
        let stream = tokio::select! {
            _ = stop.changed() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Out of descriptors, most likely: some may come back.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
            },
        };
        let (api, mut stop, alive) = (Arc::clone(&api), stop.clone(), alive.clone());
        tokio::spawn(async move {
            let _held = (seat, alive);
            tokio::select! {
                _ = stop.changed() => {}
                () = connection(api, stream) => {}
            }
        });
    }
}

async fn connection(api: Arc<Api>, stream: TcpStream) {
    _ = stream.set_nodelay(true);
    let service = service_fn(move |request| exchange(Arc::clone(&api), request));
    _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn exchange(api: Arc<Api>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let Some(path) = decoded(request.uri().path()) else {
        let mut response = plain(400, "400 Bad Request");
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        return Ok(response);
    };
    let clean = cleaned(&path);
    if clean != path {
        return Ok(moved(&clean, request.uri().query()));
    }
    let (handler, names) = match find(api.settings.metrics.any(), request.method().as_str(), &path) {
        Found::Route(handler, names) => (handler, names),
        Found::WrongMethod => return Ok(response(Reply::nothing(405), None)),
        Found::Nothing => return Ok(response(Reply::error(404, "404 page not found"), None)),
    };
    let id = api.request_id();
    let agent = request.headers().get(header::USER_AGENT).map_or(&b""[..], HeaderValue::as_bytes);
    if agent.starts_with(b"Mozilla/") {
        // A page in a browser must not reach it.
        return Ok(response(Reply::error(403, "User agent not allowed"), Some(id)));
    }
    let query = request.uri().query().unwrap_or_default().to_owned();
    // A task of its own: what was begun is ended, also when the client has gone.
    let work = tokio::spawn(async move {
        let body = match body(request.into_body()).await {
            Ok(body) => body,
            Err(error) => return error.into(),
        };
        handler(Ask { api, names, query, body }).await
    });
    let reply = match tokio::time::timeout(HANDLER, work).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(_)) => ApiError::new(500, "the request could not be carried out: a bug in gatecrash").into(),
        Err(_) => timed_out(),
    };
    Ok(response(reply, Some(id)))
}

async fn body(body: Incoming) -> Result<Bytes, ApiError> {
    let collected = tokio::time::timeout(BODY, Limited::new(body, BODY_BYTES).collect()).await;
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(why)) if why.is::<http_body_util::LengthLimitError>() => {
            Err(ApiError::new(413, format!("bad request body: more than {BODY_BYTES} bytes")))
        }
        Ok(Err(_)) => Err(ApiError::bad_body("unexpected EOF")),
        Err(_) => Err(ApiError::bad_body("i/o timeout")),
    }
}

/// What Go's `TimeoutHandler` answers.
fn timed_out() -> Reply {
    let body = "<html><head><title>Timeout</title></head><body><h1>Timeout</h1></body></html>";
    Reply { status: 503, content: Content::Html, body: body.into() }
}

fn response(reply: Reply, id: Option<String>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Some(content) = reply.content.header() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content));
    }
    if reply.content == Content::Error {
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    if let Some(id) = id.and_then(|id| HeaderValue::from_str(&id).ok()) {
        headers.insert("x-toxiproxy-request-id", id);
    }
    response
}

fn plain(status: u16, text: &str) -> Response<Full<Bytes>> {
    let mut response = response(Reply::nothing(status), None);
    *response.body_mut() = Full::from(text.to_owned());
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}

fn moved(path: &str, query: Option<&str>) -> Response<Full<Bytes>> {
    let mut response = response(Reply::nothing(301), None);
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    if let Ok(place) = HeaderValue::from_str(&(escaped(path) + &query)) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}
