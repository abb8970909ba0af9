//! An RST comes after the bytes before it, however slowly they are read: every fault that resets a connection
//! on which it wrote something, with a reader whose receive buffer is small.

mod support;

use std::time::Duration;

use gatecrash_core::faults::{
    CloseAfterReply, EarlyClose, EarlyEnd, FaultSpec, IdleClose, Reset, ResetAt, Truncate, With,
};
use gatecrash_core::units::{Size, Span};
use gatecrash_model::{Closing, EndedBy};
use support::*;
use tokio::io::AsyncReadExt;
use tokio::net::TcpSocket;

const BODY: usize = 1 << 20;

/// What follows a request, read in small steps through a small window.
async fn read_slowly(rig: &Rig, request: &str) -> (Vec<u8>, End) {
    let socket = TcpSocket::new_v4().expect("a loopback socket");
    socket.set_recv_buffer_size(8 * 1024).expect("a loopback socket");
    let mut stream = socket.connect(rig.link.addr()).await.expect("a loopback socket");
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.expect("a loopback socket");
    let (mut all, mut step) = (Vec::new(), vec![0; 16 * 1024]);
    let read = async {
        loop {
            match stream.read(&mut step).await {
                Ok(0) => return End::Fin,
                Ok(n) => all.extend_from_slice(&step[..n]),
                Err(_) => return End::Rst,
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let end = tokio::time::timeout(PATIENCE, read).await.expect("the connection ends");
    (all, end)
}

#[tokio::test]
async fn no_byte_before_the_rst_is_lost() {
    let body: Vec<u8> = (0..BODY).map(|i| (i / 1000) as u8).collect();
    let size = |bytes: usize| Size(bytes as u64);
    let table = [
        ("reset", FaultSpec::Reset(Reset { at: ResetAt::Bytes(size(BODY - 7)) }), BODY - 7),
        (
            "truncate",
            FaultSpec::Truncate(Truncate { at: size(BODY / 2), with: With::Rst, unframed: false }),
            BODY / 2,
        ),
        ("close-after-reply", FaultSpec::CloseAfterReply(CloseAfterReply { with: With::Rst }), BODY),
        ("idle-close", FaultSpec::IdleClose(IdleClose { after: Span(0), with: With::Rst }), BODY),
    ];
    for (name, spec, bytes) in table {
        let answer = body.clone();
        let rig = Rig::start(&[fault("f", spec)], move |_| ok(&answer)).await;
        let (got, end) = read_slowly(&rig, &get(1)).await;
        let head = ok_via("3-0-0", "").replace("Length: 0", &format!("Length: {BODY}"));
        assert_eq!((got.len(), end), (head.len() + bytes, End::Rst), "{name}");
        assert!(got[..head.len()] == *head.as_bytes() && got[head.len()..] == body[..bytes], "{name}");
        let connection = rig.connections(1).await[0];
        assert_eq!((connection.ended_by, connection.closing), (EndedBy::Fault, Closing::Rst), "{name}");
    }
}

#[tokio::test]
async fn short_answers_before_the_rst_arrive_too() {
    let early = EarlyClose { status: 503, then: EarlyEnd::Rst };
    let table = [
        (FaultSpec::Reset(Reset { at: ResetAt::Headers }), "HTTP/1.1 200 OK\r\nCon".to_owned()),
        (FaultSpec::EarlyClose(early), {
            "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\
             x-gatecrash-attempt: 3-0-0\r\n\r\n"
                .to_owned()
        }),
    ];
    for (spec, wanted) in table {
        let rig = Rig::start(&[fault("f", spec)], |_| ok(b"x")).await;
        let request = request("PUT", "/b/k", 1, "Content-Length: 3\r\n") + "abc";
        let (got, end) = read_slowly(&rig, &request).await;
        assert_eq!((String::from_utf8(got).expect("a loopback socket"), end), (wanted, End::Rst));
    }
}
