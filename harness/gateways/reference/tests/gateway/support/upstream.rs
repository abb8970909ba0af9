//! An upstream that does, byte for byte, what its script says.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// One step of what an upstream does about a request. After the last one it waits for the next request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Send(Vec<u8>),
    /// Sends a byte every 20 ms for as long as the other side takes them.
    Drip,
    /// Goes on when it gets a permit, which it keeps.
    Wait(Arc<tokio::sync::Semaphore>),
    /// Keeps the connection open and says no more.
    Hang,
    Fin,
    Rst,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Number of the connection, from 0.
    pub(crate) connection: usize,
    /// Number of the request on it, from 0.
    pub(crate) ordinal: usize,
    /// Number of the request among all, from 0.
    pub(crate) number: usize,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    open: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

type Respond = dyn Fn(&Seen) -> Vec<Act> + Send + Sync;

impl Upstream {
    pub(crate) async fn start(respond: impl Fn(&Seen) -> Vec<Act> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let open = Arc::new(AtomicUsize::new(0));
        let (log, count) = (Arc::clone(&seen), Arc::clone(&open));
        let respond: Arc<Respond> = Arc::new(respond);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let (log, count, respond) = (Arc::clone(&log), Arc::clone(&count), Arc::clone(&respond));
                count.fetch_add(1, Ordering::SeqCst);
                connections.spawn(async move {
                    serve(stream, connection, &log, &*respond).await;
                    count.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, seen, open, task }
    }

    /// The same answer to everything.
    pub(crate) async fn always(acts: Vec<Act>) -> Self {
        Self::start(move |_| acts.clone()).await
    }

    /// Answers by path; 404 to what is not listed.
    pub(crate) async fn by_path(table: HashMap<String, Vec<Act>>) -> Self {
        Self::start(move |seen| match table.get(seen.path()) {
            Some(acts) => acts.clone(),
            None => script("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        })
        .await
    }

    /// One answer after the other, the last one again and again.
    pub(crate) async fn sequence(answers: Vec<Vec<Act>>) -> Self {
        Self::start(move |seen| answers[seen.number.min(answers.len() - 1)].clone()).await
    }

    /// Answers every request with 200 and `body`.
    pub(crate) async fn good(body: &str) -> Self {
        Self::always(ok(body)).await
    }

    /// Requests so far, probes left out.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|seen| !seen.is_probe()).cloned().collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.seen().len()
    }

    pub(crate) fn probes(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().filter(|seen| seen.is_probe()).cloned().collect()
    }

    /// Connections open now.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Seen {
    pub(crate) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    /// Value of the first header called `name`.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn is_probe(&self) -> bool {
        self.header("user-agent") == Some("gatecrash-reference-health")
    }
}

/// Sends `text` and waits for the next request.
pub(crate) fn script(text: impl AsRef<[u8]>) -> Vec<Act> {
    vec![Act::Send(text.as_ref().to_vec())]
}

fn ok(body: &str) -> Vec<Act> {
    script(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

async fn serve(mut stream: TcpStream, connection: usize, log: &Mutex<Vec<Seen>>, respond: &Respond) {
    let mut unread = Vec::new();
    for ordinal in 0.. {
        let Some((head, body)) = request(&mut stream, &mut unread).await else { return };
        let acts = {
            let mut log = log.lock().unwrap();
            let number = log.iter().filter(|seen| !seen.is_probe()).count();
            let seen = Seen { connection, ordinal, number, head, body };
            log.push(seen.clone());
            respond(&seen)
        };
        for act in acts {
            match act {
                Act::Send(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Act::Drip => {
                    while stream.write_all(b"x").await.is_ok() {
                        sleep(Duration::from_millis(20)).await;
                    }
                    return;
                }
                Act::Wait(gate) => gate.acquire().await.unwrap().forget(),
                // Until the other side closes.
                Act::Hang => {
                    while matches!(stream.read(&mut [0; 1024]).await, Ok(1..)) {}
                    return;
                }
                Act::Fin => return,
                Act::Rst => {
                    stream.set_zero_linger().unwrap();
                    return;
                }
            }
        }
    }
}

async fn request(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let end = loop {
        if let Some(at) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if !matches!(stream.read_buf(unread).await, Ok(1..)) {
            return None;
        }
    };
    let head = String::from_utf8(unread.drain(..end).collect()).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    let length: usize = length.parse().unwrap();
    while unread.len() < length {
        if !matches!(stream.read_buf(unread).await, Ok(1..)) {
            return None;
        }
    }
    let mut body: Vec<u8> = unread.drain(..length).collect();
    if head.contains("transfer-encoding: chunked") {
        while !unread.ends_with(b"0\r\n\r\n") {
            if !matches!(stream.read_buf(unread).await, Ok(1..)) {
                return None;
            }
        }
        body = std::mem::take(unread);
    }
    Some((head, body))
}
