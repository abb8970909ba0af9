//! A gateway that speaks HTTP/2, frame by frame.

use std::time::Duration;

use gatecrash_model::RequestId;

use super::{Client, End, RUN, Rig};

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// What a link begins with: SETTINGS (128 streams, 64 KiB of fields) and 1 MiB more of window.
pub(crate) const GREETING: &[u8] = b"\0\0\x0c\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x06\0\x01\0\0\
                                     \0\0\x04\x08\0\0\0\0\0\0\x10\0\0";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Fields as literals without indexing, in plain bytes; none longer than 126 bytes.
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |t: &str| [&[t.len() as u8], t.as_bytes()].concat();
    fields.iter().flat_map(|(n, v)| [vec![0], text(n), text(v)].concat()).collect()
}

/// The HEADERS of a request of this run.
pub(crate) fn ask(stream: u32, method: &str, k: u32, more: &[(&str, &str)], end: bool) -> Vec<u8> {
    let id = RequestId { workload: 0, k }.header(RUN);
    let mut fields = vec![
        (":method", method),
        (":scheme", "http"),
        (":path", "/media/img/1.bin"),
        (":authority", "x"),
        ("x-gatecrash-id", &id),
    ];
    fields.extend_from_slice(more);
    frame(HEADERS, END_HEADERS | if end { END_STREAM } else { 0 }, stream, block(&fields))
}

/// The HEADERS of a 200 with a body of this length.
pub(crate) fn ok_head(stream: u32, attempt: &str, length: usize) -> Vec<u8> {
    let length = length.to_string();
    let fields = [(":status", "200"), ("content-length", &*length), ("x-gatecrash-attempt", attempt)];
    frame(HEADERS, END_HEADERS, stream, block(&fields))
}

/// All frames of a 200 with this body.
pub(crate) fn ok_frames(stream: u32, attempt: &str, body: &str) -> Vec<u8> {
    [ok_head(stream, attempt, body.len()), frame(DATA, END_STREAM, stream, body)].concat()
}

pub(crate) fn setting(id: u16, value: u32) -> Vec<u8> {
    frame(SETTINGS, 0, 0, [&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
}

pub(crate) fn rst_stream(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, code.to_be_bytes())
}

pub(crate) fn goaway(last: u32, code: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, [last.to_be_bytes(), code.to_be_bytes()].concat())
}

pub(crate) fn window_update(stream: u32, by: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, by.to_be_bytes())
}

/// A connection that has exchanged its settings.
pub(crate) struct Peer(pub(crate) Client);

impl Peer {
    pub(crate) async fn connect(rig: &Rig) -> Self {
        Self::with(rig, &frame(SETTINGS, 0, 0, [])).await
    }

    /// With settings of its own.
    pub(crate) async fn with(rig: &Rig, settings: &[u8]) -> Self {
        let mut peer = Self(rig.connect().await);
        peer.send([PREFACE, settings].concat()).await;
        peer.expect([GREETING, &frame(SETTINGS, ACK, 0, [])].concat()).await;
        peer
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.send(bytes).await;
    }

    pub(crate) async fn expect(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.expect(bytes).await;
    }

    /// All that comes until the end is these bytes, and this is the end.
    pub(crate) async fn expect_end(&mut self, bytes: impl AsRef<[u8]>, wanted: End) {
        let (rest, end) = self.0.rest().await;
        assert_eq!(rest.escape_ascii().to_string(), bytes.as_ref().escape_ascii().to_string());
        assert_eq!(end, wanted);
    }

    /// Nothing more comes, and the connection stands: it still answers a ping.
    pub(crate) async fn expect_silence(&mut self) {
        self.0.expect_silence(Duration::from_millis(100)).await;
        self.send(frame(PING, 0, 0, b"are you?")).await;
        self.expect(frame(PING, ACK, 0, b"are you?")).await;
    }
}
