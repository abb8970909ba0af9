//! One request and its response head on one connection.

use std::io;
use std::pin::pin;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::head::{self, Head};
use super::limits::until;
use super::{Connection, Failed, Failure, Limits, Stage, Stream, UpstreamBody, connect};
use crate::defects::Active;
use crate::downstream::{ClientBodyError, RequestBody};
use crate::fleet::{Endpoint, Peer};

/// Most interim (1xx) responses before the final one.
const MAX_INTERIM: usize = 10;

/// What an upstream answered: a head that is read and a body that is not.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: UpstreamBody,
}

/// Sends `head` and `body` to `peer` and reads the response head. `fresh` asks for a new connection.
pub(crate) async fn exchange(
    peer: &Peer,
    method: &Method,
    head: Bytes,
    body: &mut RequestBody,
    fresh: bool,
    limits: Limits,
    active: Active,
) -> Result<Answer, Failed> {
    let place = peer.endpoint().place(&limits).await.map_err(Failed::unsent)?;
    let pooled = if fresh { None } else { peer.endpoint().pool.take() };
    let mut connection = match pooled {
        Some(connection) => connection,
        None => {
            let opened = open(peer, &limits).await;
            opened.map_err(Failed::unsent)?
        }
    };
    connection.written = 0;
    connection.place = Some(place);
    let head_length = head.len();
    match converse(&mut connection, method, head, body, &active.head_limits(limits), active).await {
        Ok((head, whole)) => {
            let mut head = head;
            head.keep &= whole || active.pools_half_sent();
            let body = UpstreamBody::new(connection, &head, peer.clone(), limits, active);
            Ok(Answer { status: head.status, headers: head.headers, body })
        }
        Err(failure) => {
            let untouched = connection.buffer.is_empty();
            let stale = connection.reused && untouched && matches!(failure, Failure::Dropped(_));
            let sent = connection.written.saturating_sub(head_length);
            if active.leaks_connections() {
                peer.endpoint().leak(connection);
            } else if active.pools_after_timeout() && matches!(failure, Failure::Timeout(Stage::Head)) {
                peer.endpoint().pool.put_unseen(connection);
            }
            Err(Failed { failure, wrote: true, stale, sent })
        }
    }
}

/// Opens a connection; when descriptors are short, at the expense of idle ones.
async fn open(peer: &Peer, limits: &Limits) -> Result<Connection, Failure> {
    let endpoint = peer.endpoint();
    let (address, dialer) = (endpoint.address, endpoint.dialer.as_deref());
    match connect(address, dialer, limits).await {
        Err(Failure::Exhausted(_)) => {
            peer.fleet().release_idle();
            connect(address, dialer, limits).await
        }
        opened => opened,
    }
}

/// Sends a bodiless GET on a connection of its own; the status of the answer.
pub(crate) async fn ask(endpoint: &Endpoint, head: Bytes, limits: Limits) -> Result<StatusCode, Failure> {
    let mut connection = connect(endpoint.address, endpoint.dialer.as_deref(), &limits).await?;
    let mut body = RequestBody::Buffered(Bytes::new());
    let honest = Active::default();
    let (head, _) = converse(&mut connection, &Method::GET, head, &mut body, &limits, honest).await?;
    Ok(head.status)
}

/// Writes and reads at once, since an upstream may answer before it has the whole request. Says also whether
/// the request went out whole: otherwise the connection cannot carry another.
async fn converse(
    connection: &mut Connection,
    method: &Method,
    head: Bytes,
    body: &mut RequestBody,
    limits: &Limits,
    active: Active,
) -> Result<(Head, bool), Failure> {
    let Connection { stream, buffer, written, .. } = connection;
    match stream {
        Stream::Plain(tcp) => {
            let (reader, writer) = tcp.split();
            let reading = receive(reader, buffer, method, active);
            talk(send(writer, head, body, written, limits), reading, limits).await
        }
        Stream::Tls(tls) => {
            let (reader, writer) = tokio::io::split(tls);
            let reading = receive(reader, buffer, method, active);
            talk(send(writer, head, body, written, limits), reading, limits).await
        }
    }
}

/// Writes and reads at once.
async fn talk(
    writing: impl Future<Output = Result<(), SendError>>,
    reading: impl Future<Output = Result<Head, Failure>>,
    limits: &Limits,
) -> Result<(Head, bool), Failure> {
    let mut writing = pin!(writing);
    let mut reading = pin!(reading);
    // `None` while the request is on its way out; then whether it went out whole.
    let mut sent = None;
    let mut due = None;
    loop {
        tokio::select! {
            biased;
            head = &mut reading => return head.map(|head| (head, sent == Some(true))),
            result = &mut writing, if sent.is_none() => {
                due = limits.due(limits.read);
                sent = Some(match result {
                    Ok(()) => true,
                    // The answer may have been sent before the connection broke: go on reading.
                    Err(SendError::Upstream) => false,
                    Err(SendError::Gave(failure)) => return Err(failure),
                });
            }
            () = until(due), if sent.is_some() => return Err(Failure::Timeout(Stage::Head)),
        }
    }
}

enum SendError {
    /// The upstream does not take any more.
    Upstream,
    /// The attempt is over.
    Gave(Failure),
}

async fn send(
    mut writer: impl AsyncWrite + Unpin,
    head: Bytes,
    body: &mut RequestBody,
    written: &mut usize,
    limits: &Limits,
) -> Result<(), SendError> {
    let mut next = Some(body.start(head));
    while let Some(bytes) = next {
        write(&mut writer, bytes, written, limits).await?;
        next = match limits.within(None, body.next()).await {
            Ok(Ok(next)) => next,
            Ok(Err(ClientBodyError)) => return Err(SendError::Gave(Failure::ClientBody)),
            Err(_) => return Err(SendError::Gave(Failure::SlowClient)),
        };
    }
    Ok(())
}

/// Writes it all; the read limit holds between one piece taken and the next.
async fn write(
    writer: &mut (impl AsyncWrite + Unpin),
    mut bytes: Bytes,
    written: &mut usize,
    limits: &Limits,
) -> Result<(), SendError> {
    while !bytes.is_empty() {
        match limits.within(limits.read, writer.write_buf(&mut bytes)).await {
            Ok(Ok(count @ 1..)) => *written += count,
            Ok(_) => return Err(SendError::Upstream),
            Err(_) => return Err(SendError::Gave(Failure::Timeout(Stage::Write))),
        }
    }
    // Nothing to do without TLS, which may keep a record back.
    match limits.within(limits.read, writer.flush()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(SendError::Upstream),
        Err(_) => Err(SendError::Gave(Failure::Timeout(Stage::Write))),
    }
}

/// Reads the final response head, skipping a few interim ones.
async fn receive(
    mut reader: impl AsyncRead + Unpin,
    buffer: &mut BytesMut,
    method: &Method,
    active: Active,
) -> Result<Head, Failure> {
    let mut interim = 0;
    loop {
        match head::parse(buffer, method, active) {
            Ok(Some(head)) if head.status == StatusCode::SWITCHING_PROTOCOLS => {
                return Err(invalid("unasked 101", buffer));
            }
            Ok(Some(head)) if head.status.is_informational() => {
                interim += 1;
                if interim > MAX_INTERIM && !active.reads_heads_without_limit() {
                    return Err(invalid("too many interim responses", buffer));
                }
                let _ = buffer.split_to(head.length);
                continue;
            }
            Ok(Some(head)) => {
                let _ = buffer.split_to(head.length);
                return Ok(head);
            }
            Ok(None) => {}
            Err(rule) => return Err(invalid(rule, buffer)),
        }
        buffer.reserve(8 * 1024);
        match reader.read_buf(buffer).await {
            Ok(0) if buffer.is_empty() => return Err(Failure::Dropped(io::ErrorKind::UnexpectedEof.into())),
            Ok(0) => return Err(invalid("incomplete response head", buffer)),
            Ok(_) => {}
            Err(error) => return Err(Failure::Dropped(error)),
        }
    }
}

fn invalid(what: &'static str, buffer: &BytesMut) -> Failure {
    Failure::Invalid { what, raw: Bytes::copy_from_slice(buffer) }
}
