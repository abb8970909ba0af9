//! Connect faults as intervals, resets of live connections, and the end of a link.

mod support;

use std::io::ErrorKind;
use std::time::Duration;

use gatecrash_model::{EndedBy, Ending};
use gatecrash_wire::ListenerState;
use support::*;
use tokio::net::TcpStream;
use tokio::time::timeout;

const SHORT: Duration = Duration::from_millis(250);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refuse_closes_the_port_and_resets_what_is_open() {
    let rig = Rig::start(&[], |_| reply("").then(Then::Hang)).await;
    let mut idle = rig.connect().await;
    let mut busy = rig.connect().await;
    busy.send(get(1)).await;
    eventually("the request", || rig.seen().len() == 1).await;
    assert!(rig.link.set_listener_for(ListenerState::Refuse, 4).await);
    let refused = TcpStream::connect(rig.link.addr()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(idle.rest().await, (Vec::new(), End::Rst));
    assert_eq!(busy.rest().await, (Vec::new(), End::Rst));
    let attempt = rig.attempts(1).await[0];
    assert_eq!((attempt.ending, attempt.ended_by, attempt.fault), (Ending::DroppedFirst, EndedBy::Fault, 5));
    assert!(rig.connections(2).await.iter().all(|c| c.ended_by == EndedBy::Fault));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_comes_back_on_its_address_every_time() {
    let rig = Rig::start(&[], |_| ok(b"x")).await;
    for round in 0..3 {
        let mut client = rig.connect().await;
        client.send(get(round)).await;
        client.expect(ok_via(&format!("3-{round}-0"), "x")).await;
        for state in [ListenerState::Refuse, ListenerState::Refuse, ListenerState::Open, ListenerState::Open]
        {
            assert!(rig.link.set_listener(state).await, "{round} {state:?}");
        }
    }
    // Probes are no connections of the gateway.
    assert_eq!(rig.connections(3).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_black_hole_answers_no_connect_and_silences_what_is_open() {
    let rig = Rig::start(&[], |_| ok(b"x")).await;
    let mut open = rig.connect().await;
    open.send(get(1)).await;
    open.expect(ok_via("3-0-0", "x")).await;
    assert!(rig.link.set_listener(ListenerState::Blackhole).await);
    for _ in 0..3 {
        assert!(timeout(SHORT, TcpStream::connect(rig.link.addr())).await.is_err());
    }
    open.send(get(2)).await;
    open.expect_silence(SHORT).await;
    assert_eq!(rig.seen().len(), 1);

    assert!(rig.link.set_listener(ListenerState::Open).await);
    assert_eq!(open.rest().await, (Vec::new(), End::Rst));
    let mut again = rig.connect().await;
    again.send(get(3)).await;
    let attempt = timeout(PATIENCE, async {
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\nx") {
            again.read_some(&mut answer).await;
        }
        rig.attempts(2).await[1]
    });
    assert_eq!(attempt.await.unwrap().request, request_id(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_in_a_black_hole_hangs() {
    let rig = Rig::start(&[], |_| reply("").then(Then::Hang)).await;
    let mut busy = rig.connect().await;
    busy.send(get(1)).await;
    eventually("the request", || rig.seen().len() == 1).await;
    assert!(rig.link.set_listener_for(ListenerState::Blackhole, 2).await);
    assert!(rig.link.set_listener(ListenerState::Refuse).await);
    assert_eq!(busy.rest().await, (Vec::new(), End::Rst));
    let attempt = rig.attempts(1).await[0];
    assert_eq!((attempt.ending, attempt.ended_by, attempt.fault), (Ending::Hang, EndedBy::Fault, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_connections_can_be_reset() {
    let rig = Rig::start(&[], |_| ok(b"x")).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    client.expect(ok_via("3-0-0", "x")).await;
    rig.link.reset_connections().await;
    assert_eq!(client.rest().await, (Vec::new(), End::Rst));
    let mut next = rig.connect().await;
    next.send(get(1)).await;
    next.expect(ok_via("3-1-0", "x")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_run_writes_down_what_was_open() {
    let rig =
        Rig::start(&[], |_| reply("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").then(Then::Hang)).await;
    let mut client = rig.connect().await;
    let mut idle = rig.connect().await;
    client.send(get(1)).await;
    client.expect("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nx-gatecrash-attempt: 3-0-0\r\n\r\nabc").await;
    let Rig { link, sink, .. } = rig;
    link.stop().await;
    let kept = sink.kept();
    let attempt = kept.attempts[0];
    assert_eq!(
        (kept.attempts.len(), attempt.ending, attempt.ended_by),
        (1, Ending::CutRst, EndedBy::Harness)
    );
    assert_eq!((attempt.response_bytes, attempt.promised), (3, 9));
    assert_eq!(kept.connections.len(), 2);
    assert!(kept.connections.iter().all(|c| c.ended_by == EndedBy::Harness));
    assert_eq!((client.rest().await.1, idle.rest().await.1), (End::Rst, End::Rst));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_state_can_be_stopped_in() {
    for state in [ListenerState::Open, ListenerState::Refuse, ListenerState::Blackhole] {
        let rig = Rig::start(&[], |_| ok(b"")).await;
        let _client = rig.connect().await;
        assert!(rig.link.set_listener(state).await);
        let addr = rig.link.addr();
        timeout(PATIENCE, rig.link.stop()).await.unwrap();
        assert_eq!(TcpStream::connect(addr).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    }
}
