//! `Expect: 100-continue`: the body waits, and not for ever.

use std::sync::Arc;
use std::time::Duration;

use gatecrash_load::OpPlan;
use gatecrash_model::{ClientRecord, Ending};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::script::{Bench, settle};
use crate::support::{PATIENCE, answer, read_head, read_request, workload};

const BODY: usize = 64;

/// An upload to a server that does this with its connection.
async fn upload<F>(wait: Duration, server: impl FnOnce(TcpStream) -> F) -> (ClientRecord, F::Output)
where
    F: Future,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bench = Bench::expecting(listener.local_addr().unwrap(), workload(OpPlan::PutObject), wait);
    tokio::join!(bench.run(0), async {
        let (stream, _) = listener.accept().await.unwrap();
        server(stream).await
    })
}

fn no_content() -> Vec<u8> {
    answer("200 OK\ncontent-length: 0", b"")
}

#[tokio::test]
async fn the_body_follows_100_continue() {
    let (record, ()) = upload(PATIENCE, async |mut stream: TcpStream| {
        let (head, early) = read_head(&mut stream).await.unwrap();
        assert!(head.contains("\r\nexpect: 100-continue\r\n") && early.is_empty(), "{head}");
        settle().await;
        assert!(stream.try_read(&mut [0; 1]).is_err(), "nothing comes before it is asked for");
        // Another interim response is no permission.
        stream.write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n").await.unwrap();
        settle().await;
        assert!(stream.try_read(&mut [0; 1]).is_err(), "103 is not 100");
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        stream.read_exact(&mut [0; BODY]).await.unwrap();
        stream.write_all(&no_content()).await.unwrap();
    })
    .await;
    assert_eq!((record.ending, record.status), (Ending::Complete, 200));
}

#[tokio::test]
async fn without_it_the_body_follows_in_the_end() {
    let (record, ()) = upload(Duration::from_millis(20), async |mut stream: TcpStream| {
        read_request(&mut stream).await.unwrap();
        stream.write_all(&no_content()).await.unwrap();
    })
    .await;
    assert_eq!((record.ending, record.status), (Ending::Complete, 200));
    assert!(record.done >= 20_000, "{record:?}");
}

#[tokio::test]
async fn a_refusal_comes_before_the_body_and_ends_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bench = Bench::expecting(listener.local_addr().unwrap(), workload(OpPlan::PutObject), PATIENCE);
    let answered = Arc::new(Notify::new());
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await.unwrap();
        stream.write_all(&answer("403 Forbidden\ncontent-length: 0", b"")).await.unwrap();
        answered.notified().await;
        stream.read(&mut [0; BODY]).await.unwrap()
    };
    let client = async {
        let record = bench.run(0).await;
        answered.notify_one();
        record
    };
    let (record, more) = tokio::join!(client, server);
    assert_eq!((record.ending, record.status), (Ending::Complete, 403));
    assert_eq!(more, 0, "no body, and no other request on it");
}

#[tokio::test]
async fn who_has_no_body_expects_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bench = Bench::expecting(listener.local_addr().unwrap(), workload(OpPlan::DeleteObject), PATIENCE);
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (head, _) = read_head(&mut stream).await.unwrap();
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        head
    };
    let (record, head) = tokio::join!(bench.run(0), server);
    assert!(record.status == 204 && !head.contains("expect"), "{head}");
}
