use std::sync::{Arc, OnceLock};

use gatecrash_model::Shape;

use super::*;
use crate::plan::Expect;
use crate::testing;
use crate::workload::{ByteRange, OpPlan, RangeLaw};

const GET: OpPlan = OpPlan::GetObject { range: None };

struct Case {
    pool: Arc<Pool>,
    plan: RequestPlan,
    object: Vec<u8>,
}

fn case(op: OpPlan) -> Case {
    static POOL: OnceLock<Arc<Pool>> = OnceLock::new();
    let pool = Arc::clone(POOL.get_or_init(|| Arc::new(Pool::new(7))));
    let plan = Arc::new(testing::workload(op)).plan(&pool, 0);
    let object = match plan.expect {
        Expect::Object { content, size, .. } => content.chunk(&pool, 0, size as usize).to_vec(),
        _ => Vec::new(),
    };
    Case { pool, plan, object }
}

impl Case {
    /// What a record says after these bytes, however they are cut.
    fn read(&self, wire: &[u8], closed: Option<Closed>) -> (Ending, ClientRecord) {
        let whole = self.read_in(wire.len().max(1), wire, closed);
        for piece in [1, 7, 100] {
            assert_eq!(self.read_in(piece, wire, closed), whole, "pieces of {piece}");
        }
        whole
    }

    fn read_in(&self, piece: usize, wire: &[u8], closed: Option<Closed>) -> (Ending, ClientRecord) {
        let mut response = Response::default();
        response.reset();
        let mut ending = None;
        for bytes in wire.chunks(piece) {
            ending = response.feed(&self.pool, &self.plan, bytes).or(ending);
        }
        let ending = ending.unwrap_or_else(|| {
            closed.map_or(Ending::Hang, |closed| response.closed(&self.plan, closed, false))
        });
        let mut record = ClientRecord { op: self.plan.op, ..ClientRecord::default() };
        response.describe(&self.pool, &mut record);
        (ending, record)
    }

    fn answer(&self, head: &str, body: &[u8]) -> Vec<u8> {
        let mut wire = format!("HTTP/1.1 {}\r\n\r\n", head.replace('\n', "\r\n")).into_bytes();
        wire.extend_from_slice(body);
        wire
    }
}

#[test]
fn a_whole_object_is_exact_under_every_framing() {
    let case = case(GET);
    let plain = case.answer("200 OK\nContent-Length: 1000", &case.object);
    let (ending, record) = case.read(&plain, None);
    assert_eq!((ending, record.shape), (Ending::Complete, Shape::new(Framing::Length, BodyCheck::Exact)));
    assert_eq!((record.status, record.body_bytes, record.flags), (200, 1000, 0));

    let mut chunked = format!("{:x}\r\n", 1000).into_bytes();
    chunked.extend_from_slice(&case.object);
    chunked.extend_from_slice(b"\r\n0\r\nx-checksum: 1\r\n\r\n");
    let (ending, record) = case.read(&case.answer("200 OK\nTransfer-Encoding: chunked", &chunked), None);
    assert_eq!((ending, record.shape), (Ending::Complete, Shape::new(Framing::Chunked, BodyCheck::Exact)));

    let (ending, record) = case.read(&case.answer("200 OK", &case.object), Some(Closed::Fin));
    assert_eq!((ending, record.shape), (Ending::Complete, Shape::new(Framing::Close, BodyCheck::Exact)));
    let (ending, _) = case.read(&case.answer("200 OK", &case.object), Some(Closed::Rst));
    assert_eq!(ending, Ending::CutRst, "a reset never ends a body properly");
}

#[test]
fn a_cut_body_is_a_prefix_and_the_cut_is_named() {
    let case = case(GET);
    let cut = case.answer("200 OK\nContent-Length: 1000", &case.object[..400]);
    for (closed, expected) in
        [(Some(Closed::Fin), Ending::CutFin), (Some(Closed::Rst), Ending::CutRst), (None, Ending::Hang)]
    {
        let (ending, record) = case.read(&cut, closed);
        assert_eq!((ending, record.shape.body(), record.body_bytes), (expected, BodyCheck::Prefix, 400));
    }
    let short = case.answer("200 OK\nContent-Length: 400", &case.object[..400]);
    let (ending, record) = case.read(&short, None);
    assert_eq!((ending, record.shape.body()), (Ending::Complete, BodyCheck::Prefix), "a rewritten length");
    let (ending, _) = case.read(b"HTTP/1.1 200 OK\r\nContent-Le", Some(Closed::Fin));
    assert_eq!(ending, Ending::CutFin);
}

#[test]
fn wrong_bytes_are_told_apart() {
    let case = case(GET);
    let check = |body: &[u8]| {
        let head = format!("200 OK\nContent-Length: {}", body.len());
        case.read(&case.answer(&head, body), None).1.shape.body()
    };
    let mut flipped = case.object.clone();
    flipped[700] ^= 1;
    assert_eq!(check(&flipped), BodyCheck::Wrong);
    let mut padded = case.object[..400].to_vec();
    padded.resize(1000, 0);
    assert_eq!(check(&padded), BodyCheck::Wrong);
    let mut twice = case.object[..400].to_vec();
    twice.extend_from_slice(&case.object[..600]);
    assert_eq!(check(&twice), BodyCheck::Wrong, "own bytes from the wrong offset");
    let other = case.pool.content("media", "img/else", 0);
    let mut mixed = case.object[..400].to_vec();
    mixed.extend_from_slice(other.chunk(&case.pool, 400, 600));
    assert_eq!(check(&mixed), BodyCheck::Other);
    let mut long = case.object.clone();
    long.push(b'!');
    assert_eq!(check(&long), BodyCheck::Wrong);
}

#[test]
fn a_wrong_body_keeps_its_beginning_and_the_offset() {
    let case = case(GET);
    let mut body = case.object.clone();
    body[700] ^= 1;
    let mut response = Response::default();
    response.reset();
    response.feed(&case.pool, &case.plan, &case.answer("200 OK\nContent-Length: 1000", &body));
    assert_eq!((response.body.mismatch, &response.body.kept), (Some(700), &body));
}

#[test]
fn ranges_are_compared_at_their_offset() {
    let case = case(OpPlan::GetObject { range: Some(RangeLaw::Fixed(ByteRange { first: 100, last: 199 })) });
    let part = case.answer("206 Partial Content\nContent-Length: 100", &case.object[100..200]);
    assert_eq!(case.read(&part, None).1.shape.body(), BodyCheck::Exact);
    let wrong = case.answer("206 Partial Content\nContent-Length: 100", &case.object[..100]);
    assert_eq!(case.read(&wrong, None).1.shape.body(), BodyCheck::Wrong);
    let whole = case.answer("200 OK\nContent-Length: 1000", &case.object);
    assert_eq!(case.read(&whole, None).1.shape.body(), BodyCheck::Exact, "ranges may be ignored");
}

#[test]
fn a_body_for_a_key_that_does_not_exist_is_wrong() {
    let mut case = case(GET);
    case.plan.expect = Expect::Absent;
    let found = |status: &str, body: &[u8]| {
        let head = format!("{status}\nContent-Length: {}", body.len());
        case.read(&case.answer(&head, body), None).1.shape.body()
    };
    assert_eq!(found("404 Not Found", b"<Error><Code>NoSuchKey</Code></Error>"), BodyCheck::NotChecked);
    assert_eq!(found("200 OK", &case.object), BodyCheck::Other);
    assert_eq!(found("200 OK", b"hello"), BodyCheck::Wrong);
}

#[test]
fn what_is_no_head_is_raw_and_a_bad_head_unparsable() {
    let case = case(GET);
    let table: [(&[u8], Ending); 7] = [
        (b"<html>hello</html>", Ending::Raw),
        (b"\r\nHTTP/1.1 200 OK\r\n\r\n", Ending::Raw),
        (b"SSH-2.0-x\r\n", Ending::Raw),
        (b"HTTP/1.1 abc OK\r\n\r\n", Ending::Unparsable),
        (b"HTTP/1.1 200 OK\r\nA: \0\r\n\r\n", Ending::Unparsable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n", Ending::Unparsable),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Ending::Unparsable),
    ];
    for (wire, expected) in table {
        assert_eq!(case.read(wire, None).0, expected, "{}", String::from_utf8_lossy(wire));
    }
}

#[test]
fn surplus_is_flagged_and_undue_bodies_are_told_apart() {
    let get = case(GET);
    let mut wire = get.answer("200 OK\nContent-Length: 1000", &get.object);
    wire.extend_from_slice(b"HTTP/1.1 200 OK\r\n\r\n");
    let record = get.read_in(wire.len(), &wire, None).1;
    assert_eq!((record.flags, record.shape.body()), (ClientRecord::SURPLUS, BodyCheck::Exact));
    let head = case(OpPlan::HeadObject);
    let wire = head.answer("200 OK\nContent-Length: 1000", b"body");
    let record = head.read_in(wire.len(), &wire, None).1;
    assert_eq!((record.flags, record.shape.framing()), (ClientRecord::UNDUE_BODY, Framing::None));
    let wire = get.answer("304 Not Modified\nContent-Length: 1000", b"body");
    assert_eq!(get.read_in(wire.len(), &wire, None).1.flags, ClientRecord::UNDUE_BODY);
}

#[test]
fn informational_responses_are_skipped() {
    let case = case(GET);
    let mut wire = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n".to_vec();
    wire.extend(case.answer("200 OK\nContent-Length: 1000", &case.object));
    let (ending, record) = case.read(&wire, None);
    assert_eq!((ending, record.status, record.shape.body()), (Ending::Complete, 200, BodyCheck::Exact));
    let (ending, record) = case.read(b"HTTP/1.1 100 Continue\r\n\r\n", Some(Closed::Fin));
    assert_eq!((ending, record.status), (Ending::CutFin, 0));
}

#[test]
fn nothing_of_an_exchange_survives_into_the_next() {
    let case = case(GET);
    let mut response = Response::default();
    response.reset();
    response.feed(&case.pool, &case.plan, &case.answer("503 Slow Down\nContent-Length: 5", b"hello"));
    response.reset();
    assert_eq!(response.closed(&case.plan, Closed::Fin, true), Ending::DroppedReused);
    let mut record = ClientRecord::default();
    response.describe(&case.pool, &mut record);
    assert_eq!(record, ClientRecord::default());
    assert!(response.body.kept.is_empty() && response.shown_head().is_empty() && !response.keeps_alive());
}

mod any_bytes {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of which heads and bodies, good and bad, are put together.
    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let texts = [
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.0 503 Slow\n",
            "Content-Length: 5\r\n",
            "Content-Length: 0\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Connection: close\r\n",
            " folded\r\n",
            "\r\n",
            "\r\n\r\n",
            "5\r\nhello\r\n",
            "0\r\n\r\n",
            "hello",
            "\0",
        ];
        prop_oneof![
            8 => proptest::sample::select(texts.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
            1 => proptest::collection::vec(any::<u8>(), 1..8),
        ]
    }

    proptest! {
        #[test]
        fn nothing_panics_and_cuts_do_not_matter(
            pieces in proptest::collection::vec(piece(), 0..12),
            closed in proptest::sample::select(vec![None, Some(Closed::Fin), Some(Closed::Rst)]),
        ) {
            let wire = pieces.concat();
            for op in [GET, OpPlan::HeadObject, OpPlan::PutObject] {
                case(op).read(&wire, closed);
            }
        }
    }
}
