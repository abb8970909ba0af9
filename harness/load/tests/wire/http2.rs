//! The client over HTTP/2 against a server written frame by frame.

use std::sync::Arc;
use std::time::Duration;

use gatecrash_load::OpPlan;
use gatecrash_model::{BodyCheck, ClientRecord, Ending, Framing};
use tokio::sync::Notify;

use crate::peer::{INTERNAL_ERROR, Listener, NO_ERROR, REFUSED_STREAM};
use crate::script::{Bench, Step, scripted};
use crate::support::{GET, answer, workload};

/// Streams that a server allows where their number is no matter.
const MANY: u32 = 100;

async fn run(bench: &Bench, k: u32) -> ClientRecord {
    let now = bench.client.session().setup().clock.now();
    bench.client.exchange(&bench.plan(k), now).await
}

fn note(bench: &Bench, record: &ClientRecord) -> String {
    let kept = bench.sink.kept().evidence;
    let of = kept.iter().filter(|e| e.request == record.id().pack());
    of.map(|e| e.note.clone()).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn many_requests_share_one_connection() {
    let (listener, addr) = Listener::bind().await;
    let bench = Bench::over_http2(addr, workload(GET));
    let objects: Vec<_> = (0..20).map(|k| bench.object(k)).collect();
    tokio::spawn(async move {
        let mut peer = listener.accept(MANY).await;
        let mut streams = Vec::new();
        for _ in &objects {
            streams.push(peer.request().await);
        }
        // The last one first: each answer finds its request.
        for (stream, object) in streams.iter().zip(&objects).rev() {
            peer.answer(*stream, object).await;
        }
        peer.rest().await;
    });
    let mut running = tokio::task::JoinSet::new();
    let bench = Arc::new(bench);
    for k in 0..20 {
        let bench = Arc::clone(&bench);
        running.spawn(async move { run(&bench, k).await });
    }
    let records = running.join_all().await;
    for record in &records {
        assert_eq!((record.ending, record.status, record.conn), (Ending::Complete, 200, 0), "{record:?}");
        assert_eq!((record.shape.body(), record.body_bytes), (BodyCheck::Exact, 1000));
        assert!(record.first_byte <= record.done);
    }
    assert_eq!(records.iter().filter(|r| r.has(ClientRecord::REUSED)).count(), 19);
    assert_eq!(bench.client.session().stats().connections, 1);
    assert!(bench.sink.kept().evidence.is_empty());
}

#[tokio::test]
async fn who_waits_for_a_stream_is_not_late_of_itself() {
    let (listener, addr) = Listener::bind().await;
    let bench = Bench::over_http2(addr, workload(GET));
    let objects = [bench.object(0), bench.object(1)];
    let (second_waits, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (waits, gone) = (Arc::clone(&second_waits), Arc::clone(&go));
    tokio::spawn(async move {
        let mut peer = listener.accept(1).await;
        let first = peer.request().await;
        waits.notify_one();
        gone.notified().await;
        peer.answer(first, &objects[0]).await;
        let second = peer.request().await;
        peer.answer(second, &objects[1]).await;
        peer.rest().await;
    });
    let second = async {
        second_waits.notified().await;
        let late = async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            go.notify_one();
        };
        tokio::join!(run(&bench, 1), late).0
    };
    let (first, second) = tokio::join!(run(&bench, 0), second);
    assert_eq!((first.ending, second.ending, second.conn), (Ending::Complete, Ending::Complete, 0));
    assert!(second.connect >= 20_000 && second.lag >= second.connect, "{second:?}");
    assert_eq!(second.own_lag(), second.lag - second.connect);
}

#[tokio::test]
async fn a_reset_stream_takes_no_other_along() {
    let (listener, addr) = Listener::bind().await;
    let bench = Bench::over_http2(addr, workload(GET));
    let objects: Vec<_> = (0..4).map(|k| bench.object(k)).collect();
    tokio::spawn(async move {
        let mut peer = listener.accept(MANY).await;
        let [a, b, c, d] =
            [peer.request().await, peer.request().await, peer.request().await, peer.request().await];
        peer.head(a, "1000").await;
        peer.data(a, &objects[0][..400]).await;
        peer.reset(a, INTERNAL_ERROR).await;
        peer.reset(b, INTERNAL_ERROR).await;
        peer.reset(c, REFUSED_STREAM).await;
        peer.answer(d, &objects[3]).await;
        peer.rest().await;
    });
    let (a, b, c, d) = tokio::join!(run(&bench, 0), run(&bench, 1), run(&bench, 2), run(&bench, 3));
    assert_eq!((a.ending, a.status, a.body_bytes), (Ending::StreamReset, 200, 400));
    assert_eq!(a.shape.body(), BodyCheck::Prefix);
    assert_eq!((b.ending, b.status, b.first_byte), (Ending::StreamReset, 0, u32::MAX));
    assert_eq!((c.ending, c.status), (Ending::StreamRefused, 0));
    assert_eq!((d.ending, d.shape.body()), (Ending::Complete, BodyCheck::Exact));
    assert!(note(&bench, &a).contains("RST_STREAM INTERNAL_ERROR on stream 1"), "{}", note(&bench, &a));
    assert!(note(&bench, &c).contains("RST_STREAM REFUSED_STREAM on stream 5"), "{}", note(&bench, &c));
    assert_eq!(bench.client.session().stats().connections, 1);
}

#[tokio::test]
async fn a_goaway_lets_streams_end_and_gives_up_those_after_its_last() {
    let (listener, addr) = Listener::bind().await;
    let bench = Bench::over_http2(addr, workload(GET));
    let objects: Vec<_> = (0..3).map(|k| bench.object(k)).collect();
    tokio::spawn(async move {
        let mut peer = listener.accept(MANY).await;
        let (a, _) = (peer.request().await, peer.request().await);
        peer.go_away(a, NO_ERROR).await;
        peer.answer(a, &objects[0]).await;
        let mut next = listener.accept(MANY).await;
        let c = next.request().await;
        next.answer(c, &objects[2]).await;
        tokio::join!(peer.rest(), next.rest());
    });
    let (a, b) = tokio::join!(run(&bench, 0), run(&bench, 1));
    assert_eq!((a.ending, a.shape.body()), (Ending::Complete, BodyCheck::Exact));
    assert_eq!((b.ending, b.status), (Ending::GoAway, 0));
    assert!(
        note(&bench, &b).contains("GOAWAY NO_ERROR after stream 1, stream 3 given up"),
        "{}",
        note(&bench, &b)
    );
    let c = run(&bench, 2).await;
    assert_eq!((c.ending, c.conn, c.flags), (Ending::Complete, 1, 0), "a GOAWAY costs no later request");
}

#[tokio::test]
async fn a_cut_connection_ends_all_its_streams() {
    for (by_rst, cut) in [(false, Ending::CutFin), (true, Ending::CutRst)] {
        let (listener, addr) = Listener::bind().await;
        let bench = Bench::over_http2(addr, workload(GET));
        let (object, sent, go) = (bench.object(0), Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (told, gone) = (Arc::clone(&sent), Arc::clone(&go));
        tokio::spawn(async move {
            let mut peer = listener.accept(MANY).await;
            let (a, _) = (peer.request().await, peer.request().await);
            peer.head(a, "1000").await;
            peer.data(a, &object[..400]).await;
            told.notify_one();
            gone.notified().await;
            if by_rst { peer.rst() } else { peer.fin().await }
        });
        let cut_it = async {
            sent.notified().await;
            crate::script::settle().await;
            go.notify_one();
        };
        let (a, b, ()) = tokio::join!(run(&bench, 0), run(&bench, 1), cut_it);
        assert_eq!((a.ending, a.status, a.body_bytes), (cut, 200, 400));
        assert_eq!((b.ending, b.status), (Ending::DroppedReused, 0), "the second on its connection");
    }
}

#[tokio::test]
async fn lengths_have_to_add_up() {
    let (listener, addr) = Listener::bind().await;
    let bench = Bench::over_http2(addr, workload(GET));
    let objects: Vec<_> = (0..4).map(|k| bench.object(k)).collect();
    tokio::spawn(async move {
        let mut peer = listener.accept(MANY).await;
        let short = peer.request().await;
        peer.head(short, "1000").await;
        peer.data(short, &objects[0][..300]).await;
        peer.last_data(short, &objects[0][300..900]).await;
        let long = peer.request().await;
        peer.head(long, "1000").await;
        peer.data(long, &objects[1]).await;
        peer.last_data(long, b"extra").await;
        let open = peer.request().await;
        peer.open_head(open).await;
        peer.last_data(open, &objects[2]).await;
        let open = peer.request().await;
        peer.open_head(open).await;
        peer.last_data(open, &objects[3][..999]).await;
        peer.rest().await;
    });
    let short = run(&bench, 0).await;
    assert_eq!((short.ending, short.status, short.shape.body()), (Ending::CutFin, 200, BodyCheck::Prefix));
    assert!(note(&bench, &short).contains("END_STREAM after 900 of 1000 bytes"), "{}", note(&bench, &short));
    let long = run(&bench, 1).await;
    assert_eq!((long.ending, long.has(ClientRecord::SURPLUS)), (Ending::Unparsable, true));
    assert!(note(&bench, &long).contains("1005 bytes of DATA under a Content-Length of 1000"));
    let open = run(&bench, 2).await;
    assert_eq!(
        (open.ending, open.shape.framing(), open.shape.body()),
        (Ending::Complete, Framing::Stream, BodyCheck::Exact)
    );
    let open = run(&bench, 3).await;
    assert_eq!((open.ending, open.shape.body()), (Ending::Complete, BodyCheck::Prefix));
    assert_eq!(bench.client.session().stats().connections, 1, "each is the business of its stream");
}

#[tokio::test]
async fn uploads_stream_and_an_early_answer_is_heard() {
    let (listener, addr) = Listener::bind().await;
    let mut put = workload(OpPlan::PutObject);
    put.writes = gatecrash_load::Writes::under("main", 50_000).unwrap();
    let bench = Bench::over_http2(addr, put);
    let server = tokio::spawn(async move {
        let mut peer = listener.accept(MANY).await;
        peer.request().await;
        let stream = peer.body_end().await;
        peer.no_content(stream).await;
        let uploaded = std::mem::take(&mut peer.uploaded);
        // The second one is answered at once and told to stop (RFC 9113 8.1).
        let stream = peer.request().await;
        peer.answer(stream, b"").await;
        peer.reset(stream, NO_ERROR).await;
        tokio::spawn(async move { peer.rest().await });
        uploaded
    });
    let whole = run(&bench, 0).await;
    assert_eq!((whole.ending, whole.status), (Ending::Complete, 204));
    let early = run(&bench, 1).await;
    assert_eq!((early.ending, early.status), (Ending::Complete, 200));
    let uploaded = server.await.unwrap();
    let content = bench.pool.content("media", "up/main/0", whole.id().pack() + 1);
    assert_eq!((uploaded.len(), content.mismatch(&bench.pool, 0, &uploaded)), (50_000, None));
}

#[tokio::test]
async fn silence_is_a_hang_and_the_connection_goes_on() {
    let (listener, addr) = Listener::bind().await;
    let mut impatient = workload(GET);
    impatient.timeout = Duration::from_millis(200);
    let bench = Bench::over_http2(addr, impatient);
    let object = bench.object(1);
    tokio::spawn(async move {
        let mut peer = listener.accept(MANY).await;
        peer.request().await;
        let second = peer.request().await;
        peer.answer(second, &object).await;
        peer.rest().await;
    });
    let (silent, answered) = (run(&bench, 0).await, run(&bench, 1).await);
    assert_eq!((silent.ending, silent.status), (Ending::Hang, 0));
    assert_eq!((answered.ending, answered.conn), (Ending::Complete, 0));
}

#[tokio::test]
async fn a_server_of_http_1_is_no_connection() {
    let refusal = answer("400 Bad Request\ncontent-length: 0", b"");
    let addr = scripted(vec![vec![Step::ReadHead, Step::Write(refusal), Step::Fin]]).await;
    let bench = Bench::over_http2(addr, workload(GET));
    let record = run(&bench, 0).await;
    assert_eq!((record.ending, record.status), (Ending::ConnectFailed, 0));
    let note = note(&bench, &record);
    assert!(note.contains("answered the preface with `HTTP/1.1 400 Bad Request`"), "{note}");
}
