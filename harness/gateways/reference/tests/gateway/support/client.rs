//! A raw client that tells how a response ended.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;

pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    unread: Vec<u8>,
    /// What the stream said last, once it has ended.
    ended: bool,
}

/// How a response ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Whole under its own framing.
    Complete,
    /// Broken off after the head.
    Cut,
    /// The connection ended before a complete head.
    Dropped,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) ending: Ending,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        Self { stream, unread: Vec::new(), ended: false }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    pub(crate) async fn ask(&mut self, request: &str) -> Reply {
        self.send(request).await;
        self.reply(request.split(' ').next().unwrap()).await
    }

    /// Reads one response to a request of `method`.
    pub(crate) async fn reply(&mut self, method: &str) -> Reply {
        timeout(PATIENCE, self.read_reply(method)).await.expect("the gateway answers or closes in time")
    }

    async fn read_reply(&mut self, method: &str) -> Reply {
        let Some(head) = self.head().await else {
            let body = std::mem::take(&mut self.unread);
            return Reply { status: 0, head: String::new(), body, ending: Ending::Dropped };
        };
        let status = head[9..12].parse().unwrap();
        let mut reply = Reply { status, head, body: Vec::new(), ending: Ending::Complete };
        if method == "HEAD" || status == 204 || status == 304 {
            return reply;
        }
        let whole = if reply.header("transfer-encoding") == Some("chunked") {
            self.chunks(&mut reply.body).await
        } else {
            let length = reply.header("content-length").expect("a framed response").parse().unwrap();
            self.take(length, &mut reply.body).await
        };
        if !whole {
            reply.ending = Ending::Cut;
        }
        reply
    }

    pub(crate) async fn head(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.unread.windows(4).position(|window| window == b"\r\n\r\n") {
                let head: Vec<u8> = self.unread.drain(..at + 4).collect();
                return Some(String::from_utf8(head).unwrap());
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    async fn chunks(&mut self, body: &mut Vec<u8>) -> bool {
        loop {
            let Some(line) = self.line().await else { return false };
            let size = usize::from_str_radix(&line, 16).expect("a chunk size");
            if !self.take(size, body).await || self.line().await.is_none() {
                return false;
            }
            if size == 0 {
                return true;
            }
        }
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.unread.windows(2).position(|window| window == b"\r\n") {
                let line: Vec<u8> = self.unread.drain(..at + 2).collect();
                return Some(String::from_utf8(line[..at].to_vec()).unwrap());
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    async fn take(&mut self, length: usize, body: &mut Vec<u8>) -> bool {
        let mut left = length;
        loop {
            let count = left.min(self.unread.len());
            body.extend(self.unread.drain(..count));
            left -= count;
            if left == 0 || !self.fill().await {
                return left == 0;
            }
        }
    }

    /// Reads some more; false at the end, however it came.
    pub(crate) async fn fill(&mut self) -> bool {
        if !self.ended {
            self.ended = !matches!(self.stream.read_buf(&mut self.unread).await, Ok(1..));
        }
        !self.ended
    }
}

impl Reply {
    /// Value of the first header called `name` (lower case).
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether the gateway made this response itself.
    pub(crate) fn is_gateways(&self) -> bool {
        self.header("x-gatecrash-reference") == Some("error")
    }

    #[track_caller]
    pub(crate) fn expect(&self, status: u16, body: &str) {
        assert_eq!(
            (self.status, self.text().as_str(), self.ending),
            (status, body, Ending::Complete),
            "{}",
            self.head
        );
    }

    /// Asserts a whole response that the gateway made.
    #[track_caller]
    pub(crate) fn expect_error(&self, status: u16) {
        assert_eq!(
            (self.status, self.ending, self.is_gateways()),
            (status, Ending::Complete, true),
            "{self:?}"
        );
    }
}
