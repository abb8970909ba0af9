//! A link on the clients' side: what the gateway sees of clients that are slow, stop or leave, and that everything
//! else passes through untouched.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod support;

use std::time::{Duration, Instant};

use gatecrash_core::faults::{
    Close, FaultSpec, HalfAt, HalfRequest, Leaving, Reset, ResetAt, SlowRequest, Stall,
};
use gatecrash_core::plan::{FaultPlan, Side};
use gatecrash_core::units::{Size, Span};
use gatecrash_model::AttemptId;
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const BODY: &str = "0123456789abcdef";

fn of_client(spec: FaultSpec) -> FaultPlan {
    FaultPlan { side: Side::Client, ..fault("f", spec) }
}

/// A link on the clients' side with one fault, and a bare listener in the gateway's place.
async fn before(spec: Option<FaultSpec>) -> (Rig, TcpListener) {
    let gateway = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = gateway.local_addr().unwrap();
    let faults: Vec<_> = spec.map(of_client).into_iter().collect();
    let rig = Rig::with(
        &faults,
        |_| ok(b""),
        |config| {
            config.side = Side::Client;
            config.upstream = addr;
        },
    );
    (rig.await, gateway)
}

/// The gateway's end of the link's connection.
struct Gateway(TcpStream);

impl Gateway {
    async fn accept(listener: &TcpListener) -> Self {
        Self(tokio::time::timeout(PATIENCE, listener.accept()).await.expect("a connection").unwrap().0)
    }

    /// All that comes until the end, and which end.
    async fn rest(&mut self) -> (String, End) {
        let mut all = Vec::new();
        let read = async {
            loop {
                match self.0.read_buf(&mut all).await {
                    Ok(0) => return End::Fin,
                    Ok(_) => {}
                    Err(_) => return End::Rst,
                }
            }
        };
        let end = tokio::time::timeout(PATIENCE, read).await.expect("the connection ends");
        (String::from_utf8(all).unwrap(), end)
    }

    /// So many bytes.
    async fn read(&mut self, count: usize) -> String {
        let mut all = vec![0; count];
        tokio::time::timeout(PATIENCE, self.0.read_exact(&mut all)).await.expect("bytes").unwrap();
        String::from_utf8(all).unwrap()
    }

    async fn answer(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }
}

fn put(length: usize) -> String {
    request("PUT", "/media/o", 1, &format!("Content-Length: {length}\r\n"))
}

#[tokio::test]
async fn without_a_fault_every_byte_passes_and_no_attempt_is_written_down() {
    let (rig, listener) = before(None).await;
    let mut client = rig.connect().await;
    client.send(put(BODY.len()) + BODY).await;
    let mut gateway = Gateway::accept(&listener).await;
    assert_eq!(gateway.read(put(16).len() + 16).await, put(16) + BODY);
    let answer = "HTTP/1.1 200 OK\r\nx-gatecrash-attempt: 0-1-2\r\nContent-Length: 2\r\n\r\nok";
    gateway.answer(answer).await;
    client.expect(answer).await;
    drop(gateway);
    assert_eq!(client.rest().await, (Vec::new(), End::Fin));
    let connection = rig.connections(1).await[0];
    assert_eq!((connection.link, connection.attempts, connection.down), (3, 1, answer.len() as u64));
    assert!(rig.kept().attempts.is_empty());
}

/// (what the gateway writes, how it leaves).
#[tokio::test]
async fn what_is_no_http_reaches_the_client_as_it_is() {
    let table = [
        ("SSH-2.0-nonsense\r\n\r\n", End::Fin),
        ("HTTP/1.1 2000 Oh\r\n\r\nbody", End::Rst),
        ("HTTP/1.1 200 OK\r\nContent-Le", End::Fin),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfour", End::Rst),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\nzz\r\nnoise", End::Fin),
    ];
    for (bytes, end) in table {
        let (rig, listener) = before(None).await;
        let mut client = rig.connect().await;
        client.send(get(1)).await;
        let mut gateway = Gateway::accept(&listener).await;
        gateway.read(get(1).len()).await;
        gateway.answer(bytes).await;
        if end == End::Rst {
            client.expect(bytes).await;
            gateway.0.set_zero_linger().unwrap();
        }
        drop(gateway);
        let rest = if end == End::Rst { "" } else { bytes };
        assert_eq!(client.rest().await, (rest.as_bytes().to_vec(), end), "{bytes}");
    }
}

#[tokio::test]
async fn a_slow_request_arrives_in_steps() {
    let slow = SlowRequest { bytes: Size(16), every: Span::millis(10) };
    let (rig, listener) = before(Some(FaultSpec::SlowRequest(slow))).await;
    let mut client = rig.connect().await;
    let begun = Instant::now();
    client.send(put(BODY.len()) + BODY).await;
    let mut gateway = Gateway::accept(&listener).await;
    assert_eq!(gateway.read(put(16).len() + 16).await, put(16) + BODY);
    let steps = (put(16).len() + 16).div_ceil(16) as u32 - 1;
    assert!(begun.elapsed() >= Duration::from_millis(10) * steps, "{:?}", begun.elapsed());
    gateway.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    client.expect("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let firing = rig.kept().firings[0];
    assert_eq!((firing.request, firing.attempt, firing.link), (request_id(1), AttemptId::NONE, 3));
}

#[tokio::test]
async fn a_client_that_gives_up_on_a_slow_request_takes_its_connection_along() {
    let slow = SlowRequest { bytes: Size(1), every: Span::seconds(60) };
    let (rig, listener) = before(Some(FaultSpec::SlowRequest(slow))).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    let mut gateway = Gateway::accept(&listener).await;
    assert_eq!(gateway.read(1).await, "G");
    client.reset();
    assert_eq!(gateway.rest().await.0, "");
    rig.connections(1).await;
}

/// (how far, how it leaves, bytes of head and body at the gateway, the end it sees).
#[tokio::test]
async fn half_a_request_is_all_that_comes() {
    let head = put(16).len();
    let table = [
        (HalfAt::Head(Size(20)), Leaving::Rst, 20, End::Rst),
        (HalfAt::Head(Size(20)), Leaving::Fin, 20, End::Fin),
        (HalfAt::Head(Size(9999)), Leaving::Rst, head - 1, End::Rst),
        (HalfAt::Body(Size(0)), Leaving::Fin, head, End::Fin),
        (HalfAt::Body(Size(5)), Leaving::Rst, head + 5, End::Rst),
        (HalfAt::Body(Size(5)), Leaving::Fin, head + 5, End::Fin),
        (HalfAt::Body(Size(9999)), Leaving::Rst, head + 15, End::Rst),
    ];
    for (at, with, bytes, end) in table {
        let (rig, listener) = before(Some(FaultSpec::HalfRequest(HalfRequest { at, with }))).await;
        let mut client = rig.connect().await;
        client.send(put(16) + BODY).await;
        let mut gateway = Gateway::accept(&listener).await;
        let (got, seen) = gateway.rest().await;
        assert_eq!((got.as_str(), seen), (&(put(16) + BODY)[..bytes], end), "{at:?} {with:?}");
        drop(gateway);
        let left = if with == Leaving::Rst { End::Rst } else { End::Fin };
        assert_eq!(client.rest().await, (Vec::new(), left), "{at:?} {with:?}");
    }
}

#[tokio::test]
async fn a_request_without_a_body_is_cut_in_its_head() {
    let half = HalfRequest { at: HalfAt::Body(Size(5)), with: Leaving::Rst };
    let (rig, listener) = before(Some(FaultSpec::HalfRequest(half))).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    let (got, end) = Gateway::accept(&listener).await.rest().await;
    assert_eq!((got.as_str(), end), (&get(1)[..get(1).len() - 1], End::Rst));
}

#[tokio::test]
async fn who_stalls_hears_what_the_gateway_says_about_it() {
    let half = HalfRequest { at: HalfAt::Head(Size(10)), with: Leaving::Stall };
    let (rig, listener) = before(Some(FaultSpec::HalfRequest(half))).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    let mut gateway = Gateway::accept(&listener).await;
    assert_eq!(gateway.read(10).await, &get(1)[..10]);
    client.expect_silence(Duration::from_millis(50)).await;
    gateway.answer("HTTP/1.1 408 Request Timeout\r\n\r\n").await;
    drop(gateway);
    assert_eq!(client.rest().await, (b"HTTP/1.1 408 Request Timeout\r\n\r\n".to_vec(), End::Fin));
}

/// A client that leaves while it is answered: (fault, the end at the gateway).
#[tokio::test]
async fn the_gateway_sees_clients_leave() {
    let at = ResetAt::Bytes(Size(4));
    let table = [(FaultSpec::Reset(Reset { at }), End::Rst), (FaultSpec::Close(Close { at }), End::Fin)];
    for (spec, end) in table {
        let (rig, listener) = before(Some(spec.clone())).await;
        let mut client = rig.connect().await;
        client.send(get(1)).await;
        let mut gateway = Gateway::accept(&listener).await;
        gateway.read(get(1).len()).await;
        gateway.answer("HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n").await;
        gateway.answer(&BODY[..4]).await;
        let (got, seen) = client.rest().await;
        assert!(got.ends_with(b"\r\n\r\n0123") && seen == end, "{spec:?}: {}", got.escape_ascii());
        assert_eq!(gateway.rest().await, (String::new(), end), "{spec:?}");
    }
}

#[tokio::test]
async fn a_reader_that_stops_makes_the_gateway_stop() {
    let (rig, listener) = before(Some(FaultSpec::Stall(Stall { after: Size(1024) }))).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    let mut gateway = Gateway::accept(&listener).await;
    gateway.read(get(1).len()).await;
    let size = 64 << 20;
    gateway.answer(format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n")).await;
    // Far more than sockets hold: the write comes to a stop, and ends when the client gives up.
    let body = vec![7; size];
    let mut write = std::pin::pin!(gateway.0.write_all(&body));
    assert!(tokio::time::timeout(Duration::from_millis(500), &mut write).await.is_err(), "all was taken");
    client.reset();
    let ended = tokio::time::timeout(PATIENCE, write).await.expect("the gateway is told");
    assert!(ended.is_err());
}
