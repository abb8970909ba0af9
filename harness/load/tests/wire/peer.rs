//! A server of HTTP/2 written by hand, frame by frame, so that it can break any rule.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

/// RFC 9113 7.
pub(crate) const NO_ERROR: u32 = 0;
pub(crate) const INTERNAL_ERROR: u32 = 2;
pub(crate) const REFUSED_STREAM: u32 = 7;

pub(crate) struct Listener(TcpListener);

/// One connection.
pub(crate) struct Peer {
    stream: TcpStream,
    /// Bytes of DATA that came on any stream.
    pub(crate) uploaded: Vec<u8>,
}

impl Listener {
    pub(crate) async fn bind() -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        (Self(listener), addr)
    }

    /// Takes a connection and its preface, and allows so many streams.
    pub(crate) async fn accept(&self, streams: u32) -> Peer {
        let (mut stream, _) = self.0.accept().await.unwrap();
        // What was sent before a reset has to be on its way by then.
        stream.set_nodelay(true).unwrap();
        let mut preface = [0; 24];
        stream.read_exact(&mut preface).await.unwrap();
        assert_eq!(&preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        let mut peer = Peer { stream, uploaded: Vec::new() };
        let most = [&[0, 3][..], &streams.to_be_bytes()].concat();
        peer.send(SETTINGS, 0, 0, &most).await;
        peer
    }
}

impl Peer {
    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = &(payload.len() as u32).to_be_bytes()[1..];
        let frame = [length, &[kind, flags], &stream.to_be_bytes(), payload].concat();
        self.stream.write_all(&frame).await.unwrap();
    }

    /// The stream of the next request, or 0 at the end of the connection. Answers what has to be answered on the way.
    pub(crate) async fn request(&mut self) -> u32 {
        self.until(|kind, _| kind == HEADERS).await
    }

    /// Waits for the last DATA of some stream.
    pub(crate) async fn body_end(&mut self) -> u32 {
        self.until(|kind, flags| kind == DATA && flags & END_STREAM != 0).await
    }

    async fn until(&mut self, wanted: impl Fn(u8, u8) -> bool) -> u32 {
        loop {
            let mut head = [0; 9];
            if self.stream.read_exact(&mut head).await.is_err() {
                return 0;
            }
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let (kind, flags) = (head[3], head[4]);
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            let mut payload = vec![0; length as usize];
            self.stream.read_exact(&mut payload).await.unwrap();
            match kind {
                SETTINGS if flags & ACK == 0 => self.send(SETTINGS, ACK, 0, &[]).await,
                PING if flags & ACK == 0 => self.send(PING, ACK, 0, &payload).await,
                DATA => self.uploaded.extend_from_slice(&payload),
                _ => {}
            }
            if wanted(kind, flags) {
                return stream;
            }
        }
    }

    /// `:status: 200` and `content-length` (RFC 7541: indexed field 8, and field name 28 with a literal value).
    pub(crate) async fn head(&mut self, stream: u32, length: &str) {
        let block = [&[0x88, 0x0f, 0x0d, length.len() as u8][..], length.as_bytes()].concat();
        self.send(HEADERS, END_HEADERS, stream, &block).await;
    }

    /// A 204: indexed field 9.
    pub(crate) async fn no_content(&mut self, stream: u32) {
        self.send(HEADERS, END_HEADERS | END_STREAM, stream, &[0x89]).await;
    }

    /// A 200 without a length.
    pub(crate) async fn open_head(&mut self, stream: u32) {
        self.send(HEADERS, END_HEADERS, stream, &[0x88]).await;
    }

    pub(crate) async fn data(&mut self, stream: u32, bytes: &[u8]) {
        self.send(DATA, 0, stream, bytes).await;
    }

    pub(crate) async fn last_data(&mut self, stream: u32, bytes: &[u8]) {
        self.send(DATA, END_STREAM, stream, bytes).await;
    }

    /// A whole answer.
    pub(crate) async fn answer(&mut self, stream: u32, bytes: &[u8]) {
        self.head(stream, &bytes.len().to_string()).await;
        self.last_data(stream, bytes).await;
    }

    pub(crate) async fn reset(&mut self, stream: u32, code: u32) {
        self.send(RST_STREAM, 0, stream, &code.to_be_bytes()).await;
    }

    pub(crate) async fn go_away(&mut self, last: u32, code: u32) {
        self.send(GOAWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat()).await;
    }

    /// Ends the connection by FIN, and waits for the client's end.
    pub(crate) async fn fin(mut self) {
        self.stream.shutdown().await.unwrap();
        self.rest().await;
    }

    /// Ends it by RST.
    pub(crate) fn rst(self) {
        self.stream.set_zero_linger().unwrap();
    }

    /// Answers what has to be answered until the client leaves.
    pub(crate) async fn rest(&mut self) {
        self.until(|_, _| false).await;
    }
}
