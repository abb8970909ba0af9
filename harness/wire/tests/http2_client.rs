//! A client that is not ours (the crate h2) against a link, and bytes that are no HTTP/2.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod support;

use bytes::Bytes;
use gatecrash_model::{EndedBy, Ending, hash};
use h2::client::SendRequest;
use http::Request;
use support::peer::{GREETING, PREFACE, ask, frame};
use support::*;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Bytes by a key's number, so that mixed-up answers are noticed.
fn content(k: usize, length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 31 + k * 7) as u8).collect()
}

async fn client(rig: &Rig) -> SendRequest<Bytes> {
    let tcp = TcpStream::connect(rig.link.addr()).await.unwrap();
    let (client, connection) = h2::client::handshake(tcp).await.unwrap();
    tokio::spawn(async move { connection.await.unwrap() });
    client.ready().await.unwrap()
}

fn request(method: &str, k: usize) -> Request<()> {
    Request::builder().method(method).uri(format!("http://s3.test/media/{k}")).body(()).unwrap()
}

async fn read(answer: h2::client::ResponseFuture) -> (u16, Vec<u8>) {
    let (head, mut body) = answer.await.unwrap().into_parts();
    let mut all = Vec::new();
    while let Some(bytes) = body.data().await {
        let bytes = bytes.unwrap();
        body.flow_control().release_capacity(bytes.len()).unwrap();
        all.extend_from_slice(&bytes);
    }
    (head.status.as_u16(), all)
}

#[tokio::test(flavor = "multi_thread")]
async fn many_streams_at_once_get_their_own_bodies() {
    const LENGTH: usize = 300_000;
    let rig = Rig::start(&[], |head| {
        let k = head.split("/media/").nth(1).and_then(|r| r.split(' ').next()).unwrap();
        ok(&content(k.parse().unwrap(), LENGTH))
    })
    .await;
    let client = client(&rig).await;
    let mut all = JoinSet::new();
    for k in 0..300 {
        let client = client.clone();
        all.spawn(async move {
            let mut client = client.ready().await.unwrap();
            let (answer, _) = client.send_request(request("GET", k), true).unwrap();
            let (status, body) = read(answer).await;
            assert!(status == 200 && body == content(k, LENGTH), "{k}");
        });
    }
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
    let attempts = rig.attempts(300).await;
    assert!(attempts.iter().all(|a| a.ending == Ending::Complete && a.response_bytes == LENGTH as u32));
    let mut ordinals: Vec<_> = attempts.iter().map(|a| a.attempt & 0xffff).collect();
    ordinals.sort_unstable();
    assert_eq!(ordinals, (0..300).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_upload_arrives_whole() {
    const LENGTH: usize = 3_000_000;
    let rig = Rig::start(&[], |_| ok(b"stored")).await;
    let mut client = client(&rig).await;
    let (answer, mut body) = client.send_request(request("PUT", 1), false).unwrap();
    let sent = content(1, LENGTH);
    for piece in sent.chunks(50_000) {
        let mut piece = Bytes::copy_from_slice(piece);
        while !piece.is_empty() {
            body.reserve_capacity(piece.len());
            let room = std::future::poll_fn(|cx| body.poll_capacity(cx)).await.unwrap().unwrap();
            body.send_data(piece.split_to(room.min(piece.len())), false).unwrap();
        }
    }
    body.send_data(Bytes::new(), true).unwrap();
    assert_eq!(read(answer).await, (200, b"stored".to_vec()));
    // Chunked on the mock's side: no length was stated.
    let chunked = rig.seen()[0].body.clone();
    let mut rest = &chunked[..];
    let mut got = Vec::new();
    loop {
        let line = rest.windows(2).position(|w| w == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            break;
        }
        got.extend_from_slice(&rest[line + 2..][..size]);
        rest = &rest[line + 4 + size..];
    }
    assert!(got == sent);
    assert_eq!(rig.attempts(1).await[0].request_bytes, LENGTH as u32);
}

#[tokio::test]
async fn more_streams_than_are_allowed_wait() {
    let rig = Rig::start(&[], |_| ok(b"x")).await;
    let client = client(&rig).await;
    let mut all = JoinSet::new();
    for k in 0..1000 {
        let client = client.clone();
        all.spawn(async move {
            let (answer, _) = client.ready().await.unwrap().send_request(request("GET", k), true).unwrap();
            read(answer).await
        });
    }
    while let Some(done) = all.join_next().await {
        assert_eq!(done.unwrap(), (200, b"x".to_vec()));
    }
    assert_eq!(rig.attempts(1000).await.len(), 1000);
}

// === noise ===

/// Bytes by seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    (0..length).map(|i| hash::bytes(&[seed.to_le_bytes(), (i as u64).to_le_bytes()].concat()) as u8).collect()
}

/// What a link does with bytes after the preface and settings: it may close or wait, and still serves others.
async fn survive(rig: &Rig, bytes: Vec<u8>) {
    let mut client = rig.connect().await;
    let sent = [PREFACE, &frame(4, 0, 0, []), &bytes].concat();
    _ = tokio::io::AsyncWriteExt::write_all(&mut client.stream, &sent).await;
    _ = tokio::io::AsyncWriteExt::shutdown(&mut client.stream).await;
    let (answer, _) = client.rest().await;
    assert!(GREETING.starts_with(&answer[..answer.len().min(GREETING.len())]));
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_stops_nobody() {
    let rig = Rig::start(&[], |_| ok(b"x")).await;
    for seed in 0..200 {
        // Bytes alone, a few frames with random payloads, and a request cut and bent at random.
        survive(&rig, noise(seed, 300)).await;
        let mut frames = Vec::new();
        for at in 0..20 {
            let [kind, flags, stream, length, ..] = noise(seed * 31 + at, 8)[..] else { unreachable!() };
            let payload = noise(seed * 37 + at, usize::from(length % 40));
            frames.extend(frame(kind % 11, flags, u32::from(stream % 6), payload));
        }
        survive(&rig, frames).await;
        let mut bent =
            [ask(1, "PUT", 1, &[("content-length", "5")], false), frame(0, 1, 1, "12345")].concat();
        let at = hash::bytes(&seed.to_le_bytes()) as usize % bent.len();
        bent[at] ^= 1 << (seed % 8);
        bent.truncate(bent.len() - at % 3);
        survive(&rig, bent).await;
    }
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    let mut answer = Vec::new();
    client.read_some(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 200 OK"));
    eventually("every attempt to end", || {
        let kept = rig.kept();
        kept.connections.len() == 600 && kept.attempts.iter().all(|a| a.ended_by != EndedBy::Fault)
    })
    .await;
}
