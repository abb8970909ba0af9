//! One connection, and one request on it. Nothing is tried again.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gatecrash_core::diagnose::{BodyEnd, Outcome, TlsFailure};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

use super::answer::{self, Head, Parsed};
use super::body::{Body, ENOUGH};
use super::tls::{self, Roots};
use super::url::Url;
use super::{dial, milliseconds};

/// Heads above this are not read to their end.
const LARGEST_HEAD: usize = 256 * 1024;
/// Most interim responses before the final one.
const MOST_INTERIM: usize = 2000;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// An open connection.
pub(super) struct Connection {
    stream: Box<dyn Stream>,
    /// Whether it can carry another request.
    pub(super) is_open: bool,
}

/// A request as it is sent.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) head: Vec<u8>,
    pub(super) is_head: bool,
    /// Seconds since the Unix epoch.
    pub(super) now: i64,
}

// === impl Connection ===

impl Connection {
    /// Connects, and shakes hands where the scheme says so.
    pub(super) async fn open(
        url: &Url,
        address: SocketAddr,
        roots: &Roots,
        patience: Duration,
    ) -> Result<Self, Outcome> {
        let tcp = dial::connect(address, patience).await.map_err(Outcome::NotConnected)?;
        if !url.secure {
            return Ok(Self { stream: Box::new(tcp), is_open: true });
        }
        let failed = |why: String| Outcome::NotSecured(TlsFailure::Handshake(why));
        let name = ServerName::try_from(url.host.clone()).map_err(|e| failed(e.to_string()))?;
        let connector = TlsConnector::from(Arc::clone(&roots.0));
        match timeout(patience, connector.connect(name, tcp)).await {
            Ok(Ok(session)) => Ok(Self { stream: Box::new(session), is_open: true }),
            Ok(Err(error)) => match tls::failure(&error) {
                Some(failure) => Err(Outcome::NotSecured(failure)),
                None => Err(failed(error.to_string())),
            },
            Err(_) => Err(failed("no answer to the ClientHello in time".to_owned())),
        }
    }

    /// Sends a request and reads its answer: the head within `patience`, the body within twice that.
    pub(super) async fn exchange(&mut self, request: &Request, patience: Duration) -> Outcome {
        self.is_open = false;
        let started = Instant::now();
        let deadline = started + patience;
        let mut data = Vec::new();
        match timeout_at(deadline, self.stream.write_all(&request.head)).await {
            Ok(Ok(())) => {}
            // What was answered before the end may still be there to be read.
            Ok(Err(_)) => {}
            Err(_) => return Outcome::Silent { bytes: 0 },
        }
        let mut first_byte = None;
        let mut interim = 0;
        let head = loop {
            match answer::parse(&data, request.is_head, request.now) {
                Parsed::Not(why) => return Outcome::NotHttp(why),
                Parsed::TooLarge => return Outcome::HeadTooLarge { bytes: data.len() },
                Parsed::Head(head) if head.answer.status < 200 => {
                    data.drain(..head.answer.head_bytes);
                    interim += 1;
                    if interim > MOST_INTERIM || head.answer.status == 101 {
                        return Outcome::NotHttp(format!(
                            "{interim} interim answers, the last {}",
                            head.answer.status
                        ));
                    }
                    continue;
                }
                Parsed::Head(head) => break head,
                Parsed::More if data.len() > LARGEST_HEAD => {
                    return Outcome::HeadTooLarge { bytes: data.len() };
                }
                Parsed::More => {}
            }
            match timeout_at(deadline, self.stream.read_buf(&mut data)).await {
                Err(_) => return Outcome::Silent { bytes: data.len() },
                Ok(Ok(0)) if data.is_empty() => return Outcome::Dropped { reset: false },
                Ok(Ok(0)) => return Outcome::CutHead { bytes: data.len() },
                Ok(Ok(_)) => _ = first_byte.get_or_insert_with(|| started.elapsed()),
                Ok(Err(error)) => return broken(&error, data.len()),
            }
        };
        let came = started.elapsed();
        let mut outcome = self.read_body(*head, data, request, started + patience * 2).await;
        if let Outcome::Answered(answer) = &mut outcome {
            answer.first_byte = milliseconds(first_byte.unwrap_or(came));
            answer.transfer = milliseconds(started.elapsed().saturating_sub(came));
            // A head that trickles is a late answer, whatever its first byte.
            if came > first_byte.unwrap_or(came) + Duration::from_millis(500) {
                answer.first_byte = milliseconds(came);
            }
        }
        outcome
    }

    async fn read_body(
        &mut self,
        head: Head,
        data: Vec<u8>,
        request: &Request,
        deadline: Instant,
    ) -> Outcome {
        let Head { mut answer, length, keep_alive } = head;
        let mut body = Body::new(length);
        let mut buffer = vec![0; 64 * 1024];
        let mut end = body.take(&data[answer.head_bytes..]);
        while end.is_none() {
            if body.bytes >= ENOUGH {
                answer.part = true;
                end = Some(BodyEnd::Whole);
                break;
            }
            end = match timeout_at(deadline, self.stream.read(&mut buffer)).await {
                Err(_) => Some(BodyEnd::Stalled),
                Ok(Ok(0)) => Some(body.ended(false)),
                Ok(Ok(bytes)) => body.take(&buffer[..bytes]),
                // TLS without close_notify reads as an unexpected end, which is no reset.
                Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    Some(BodyEnd::Cut { reset: false, of: None })
                }
                Ok(Err(_)) => Some(body.ended(true)),
            };
        }
        answer.body = end.unwrap_or_default();
        answer.bytes = body.bytes;
        if answer.body == BodyEnd::Whole && !request.is_head {
            answer.digest = Some(body.digest());
        }
        self.is_open = keep_alive && answer.body == BodyEnd::Whole && !answer.part;
        answer::read_error(&mut answer, &body.start);
        Outcome::Answered(Box::new(answer))
    }
}

fn broken(error: &io::Error, bytes: usize) -> Outcome {
    if let Some(failure) = tls::failure(error) {
        return Outcome::NotSecured(failure);
    }
    match bytes {
        0 => Outcome::Dropped { reset: error.kind() != io::ErrorKind::UnexpectedEof },
        bytes => Outcome::CutHead { bytes },
    }
}
