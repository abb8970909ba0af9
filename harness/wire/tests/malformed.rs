//! Golden bytes of every malformed kind, as a raw socket reads them through a real link.

mod support;

use gatecrash_core::faults::malformed::{KINDS, Kind};
use gatecrash_core::faults::{FaultSpec, Malformed};
use gatecrash_core::plan::FaultPlan;
use gatecrash_core::rules::Matcher;
use gatecrash_core::units::Size;
use gatecrash_model::{AttemptRecord, EndedBy, Ending, Op};
use support::*;

const ETAG: &str = "ETag: \"1\"\r\n";
const LENGTH: &str = "Content-Length: 5\r\n";
const LINE: &str = "x-gatecrash-attempt: 3-0-0\r\n";
const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\n";

/// What is on the wire after the request, and what becomes of the connection.
struct Golden(Vec<u8>, Ends);

/// How an answer ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ends {
    /// The connection is kept for the next request.
    Kept,
    /// By FIN or RST; whole or cut.
    Closed(End, Ending),
    /// It stays open, silent.
    Silent,
}

fn golden_of(parts: &[&str], ends: Ends) -> Golden {
    Golden(parts.concat().into_bytes(), ends)
}

fn keep(parts: &[&str]) -> Golden {
    golden_of(parts, Ends::Kept)
}

fn whole(parts: &[&str]) -> Golden {
    golden_of(parts, Ends::Closed(End::Fin, Ending::Complete))
}

fn cut(parts: &[&str]) -> Golden {
    golden_of(parts, Ends::Closed(End::Fin, Ending::CutFin))
}

fn status(line: &str) -> Golden {
    keep(&[line, "\r\n", ETAG, LENGTH, LINE, "\r\nhello"])
}

fn header(line: &str) -> Golden {
    keep(&[OK, ETAG, LENGTH, LINE, line, "\r\nhello"])
}

fn framed(lines: &str) -> Golden {
    whole(&[OK, ETAG, LINE, lines, "\r\nhello"])
}

fn chunks(body: &str) -> Golden {
    cut(&[OK, ETAG, LINE, CHUNKED, "\r\n", body])
}

/// The upstream sends 200 with an ETag, Content-Length 5 and `hello`.
fn golden(kind: Kind) -> Golden {
    let correct = "5\r\nhello\r\n0\r\n\r\n";
    match kind {
        Kind::GarbageBytes => {
            let bytes = (0..50u64).flat_map(|i| gatecrash_model::hash::mix(i ^ 0x6a4b).to_le_bytes());
            Golden(bytes.collect(), Ends::Closed(End::Fin, Ending::CutFin))
        }
        Kind::TlsBytesOnPlain => {
            Golden(b"\x15\x03\x03\x00\x02\x02\x46".to_vec(), Ends::Closed(End::Fin, Ending::CutFin))
        }
        Kind::PartialStatusFin => cut(&["HTTP/1.1 20"]),
        Kind::PartialHeaderFin => cut(&[OK, ETAG, "Content-Le"]),
        Kind::PartialHeaderRst => {
            golden_of(&[OK, ETAG, "Content-Le"], Ends::Closed(End::Rst, Ending::CutRst))
        }
        Kind::PartialHeaderStall => golden_of(&[OK, ETAG, "Content-Le"], Ends::Silent),
        Kind::SshBanner => cut(&["SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"]),
        Kind::Http09Body => cut(&["hello"]),
        Kind::BadProtocolName => status("HTP/1.1 200 OK"),
        Kind::StatusTwoDigits => status("HTTP/1.1 20 OK"),
        Kind::StatusFourDigits => status("HTTP/1.1 2000 OK"),
        Kind::StatusLetters => status("HTTP/1.1 2OO OK"),
        Kind::StatusZero => status("HTTP/1.1 000 Nothing"),
        Kind::StatusNines => status("HTTP/1.1 999 Beyond"),
        Kind::HttpVersionNine => status("HTTP/9.9 200 OK"),
        Kind::MissingReason => status("HTTP/1.1 200"),
        Kind::Http10KeepAliveLie => {
            whole(&["HTTP/1.0 200 OK\r\n", ETAG, LINE, "Connection: keep-alive\r\n", "\r\nhello"])
        }
        Kind::BareLfLines => keep(&[&[OK, ETAG, LENGTH, LINE, "\r\n"].concat().replace('\r', ""), "hello"]),
        Kind::LeadingCrlf => keep(&["\r\n", OK, ETAG, LENGTH, LINE, "\r\nhello"]),
        Kind::HeaderNoColon => header("X-Broken no colon here\r\n"),
        Kind::HeaderEmptyName => header(": no name\r\n"),
        Kind::HeaderSpaceBeforeColon => header("X-Broken : 1\r\n"),
        Kind::HeaderNul => header("X-Broken: a\0b\r\n"),
        Kind::HeaderBareCr => header("X-Broken: a\rb\r\n"),
        Kind::HeaderObsFold => header("X-Folded: a\r\n b\r\n"),
        Kind::HeaderOversize => header(&format!("X-Oversize: {}\r\n", "a".repeat(65_524))),
        Kind::HeaderCount => header(&(0..2000).map(|n| format!("X-Many-{n}: {n}\r\n")).collect::<String>()),
        Kind::HeaderEightBit => {
            let head = [OK, ETAG, LENGTH, LINE, "X-Broken: caf"].concat();
            Golden([head.as_bytes(), b"\xe9\r\n\r\nhello"].concat(), Ends::Kept)
        }
        Kind::HeaderDuplicateSingleton => header("Content-Type: text/plain\r\nContent-Type: text/html\r\n"),
        Kind::ClDuplicateDiffer => framed("Content-Length: 5\r\nContent-Length: 9\r\n"),
        Kind::ClDuplicateShort => framed("Content-Length: 5\r\nContent-Length: 2\r\n"),
        Kind::ClPlus => framed("Content-Length: +5\r\n"),
        Kind::ClTooSmall => keep(&[OK, ETAG, LINE, "Content-Length: 2\r\n", "\r\nhello"]),
        Kind::ClDuplicateSame => keep(&[OK, ETAG, LINE, LENGTH, LENGTH, "\r\nhello"]),
        Kind::ClList => framed("Content-Length: 5, 9\r\n"),
        Kind::ClNegative => framed("Content-Length: -5\r\n"),
        Kind::ClText => framed("Content-Length: many\r\n"),
        Kind::ClOverflow => framed("Content-Length: 99999999999999999999\r\n"),
        Kind::ClTooLarge => cut(&[OK, ETAG, LINE, "Content-Length: 1005\r\n", "\r\nhello"]),
        Kind::ClAndTe => whole(&[OK, ETAG, LINE, LENGTH, CHUNKED, "\r\n", correct]),
        Kind::TeUnknown => framed("Transfer-Encoding: zork\r\n"),
        Kind::TeDuplicate => whole(&[OK, ETAG, LINE, CHUNKED, CHUNKED, "\r\n", correct]),
        Kind::TeOnHttp10 => whole(&["HTTP/1.0 200 OK\r\n", ETAG, LINE, CHUNKED, "\r\n", correct]),
        Kind::TeSpaceColon => whole(&[OK, ETAG, LINE, "Transfer-Encoding : chunked\r\n\r\n", correct]),
        Kind::ChunkSizeInvalid => chunks("zz\r\nhello\r\n0\r\n\r\n"),
        Kind::ChunkSizeOverflow => chunks("fffffffffffffffff5\r\nhello\r\n0\r\n\r\n"),
        Kind::ChunkMissingCrlf => chunks("5\r\nhello0\r\n\r\n"),
        Kind::ChunkNoLast => chunks("5\r\nhello\r\n"),
        Kind::ChunkCutMid => chunks("5\r\nhe"),
        Kind::ChunkBadTrailer => {
            keep(&[OK, ETAG, LINE, CHUNKED, "\r\n5\r\nhello\r\n0\r\nno colon here\r\n\r\n"])
        }
        Kind::ChunkExtensionHuge => {
            let extension = "y".repeat(16_381);
            keep(&[OK, ETAG, LINE, CHUNKED, "\r\n5;x=", &extension, "\r\nhello\r\n0\r\n\r\n"])
        }
        Kind::ChunkDataAfterLast => keep(&[OK, ETAG, LINE, CHUNKED, "\r\n", correct, "surplus surplus\n"]),
        Kind::SurplusBytes => keep(&[OK, ETAG, LENGTH, LINE, "\r\nhello", "surplus surplus\n"]),
        Kind::SecondResponsePoison => {
            let second = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nX-Gatecrash-Poison: 1\r\n\r\npoisoned";
            keep(&[OK, ETAG, LENGTH, LINE, "\r\nhello", second])
        }
        Kind::NoContentWithBody => keep(&["HTTP/1.1 204 No Content\r\n", ETAG, LINE, LENGTH, "\r\nstray"]),
        Kind::NotModifiedWithBody => keep(&["HTTP/1.1 304 Not Modified\r\n", ETAG, LINE, "\r\nstray"]),
        // To a GET, the answer as it was.
        Kind::HeadWithBody => keep(&[OK, ETAG, LENGTH, LINE, "\r\nhello"]),
        Kind::BodyCorruptBits => keep(&[OK, ETAG, LENGTH, LINE, "\r\niello"]),
        Kind::BodyGzipBroken => {
            let head = [OK, ETAG, LENGTH, LINE, "Content-Encoding: gzip\r\n\r\n"].concat();
            Golden([head.as_bytes(), b"\x1f\x8b\x08\x00\x00"].concat(), Ends::Kept)
        }
        Kind::ContinueUnasked => {
            keep(&["HTTP/1.1 100 Continue\r\n\r\n", OK, ETAG, LENGTH, LINE, "\r\nhello"])
        }
        Kind::ContinueFlood => {
            let flood = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
            keep(&[&flood, OK, ETAG, LENGTH, LINE, "\r\nhello"])
        }
        Kind::EarlyHintsFlood => {
            let flood = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n".repeat(1000);
            keep(&[&flood, OK, ETAG, LENGTH, LINE, "\r\nhello"])
        }
        Kind::SwitchingUnasked => {
            let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: gatecrash\r\n";
            cut(&[head, LINE, "\r\nhello"])
        }
    }
}

fn told_status(kind: Kind) -> u16 {
    match kind {
        Kind::NoContentWithBody => 204,
        Kind::NotModifiedWithBody => 304,
        Kind::SwitchingUnasked => 101,
        Kind::HttpVersionNine | Kind::Http10KeepAliveLie | Kind::MissingReason => 200,
        Kind::BareLfLines | Kind::LeadingCrlf => 200,
        Kind::StatusNines => 999,
        _ if matches!(kind.info().group, "raw" | "partial" | "status_line") => 0,
        _ => 200,
    }
}

/// Kinds that are legal to the eye, or as far as they go.
fn is_legal(kind: Kind) -> bool {
    let legal = [Kind::ClTooSmall, Kind::BodyCorruptBits, Kind::BodyGzipBroken, Kind::HeadWithBody];
    kind.info().group == "partial" || legal.contains(&kind)
}

fn on_gets(kind: Kind) -> FaultPlan {
    on(Op::GetObject, Malformed::of(kind))
}

fn on(op: Op, malformed: Malformed) -> FaultPlan {
    let matcher = Matcher { op: Some(op), ..Matcher::default() };
    FaultPlan { matcher, ..fault("f", FaultSpec::Malformed(malformed)) }
}

#[tokio::test]
async fn every_kind_is_on_the_wire_to_the_byte() {
    let answer = [OK, ETAG, LENGTH, "\r\nhello"].concat();
    for info in KINDS {
        let sent = answer.clone();
        let rig =
            Rig::start(
                &[on_gets(info.kind)],
                move |head| {
                    if head.starts_with("GET") { reply(&sent) } else { ok(b"") }
                },
            )
            .await;
        let mut client = rig.connect().await;
        client.send(get(1)).await;
        let Golden(bytes, ends) = golden(info.kind);
        let (ending, by) = match ends {
            Ends::Closed(wanted, ending) => {
                let (got, end) = client.rest().await;
                assert_eq!(got.escape_ascii().to_string(), bytes.escape_ascii().to_string(), "{}", info.name);
                assert_eq!(end, wanted, "{}", info.name);
                (ending, EndedBy::Fault)
            }
            Ends::Kept => {
                client.expect(&bytes).await;
                client.send(request("DELETE", "/b/k", 2, "")).await;
                client.expect(ok_via("3-0-1", "")).await;
                rig.attempts(2).await;
                (Ending::Complete, EndedBy::Nobody)
            }
            Ends::Silent => {
                client.expect(&bytes).await;
                assert!(rig.kept().attempts.is_empty(), "{} goes on", info.name);
                drop(client);
                (Ending::Hang, EndedBy::Gateway)
            }
        };
        let attempt = rig.attempts(1).await[0];
        assert_eq!((attempt.ending, attempt.ended_by), (ending, by), "{}", info.name);
        let kept = rig.kept();
        let attempt = kept.attempts[0];
        assert_eq!(attempt.has(AttemptRecord::ILLEGAL), !is_legal(info.kind), "{}", info.name);
        assert!(attempt.has(AttemptRecord::FORWARDED), "{}", info.name);
        assert_eq!((attempt.fault, attempt.status), (1, told_status(info.kind)), "{}", info.name);
        assert_eq!((kept.firings.len(), kept.evidence.len()), (1, 1), "{}", info.name);
        assert_eq!(kept.evidence[0].note, format!("malformed: {}", info.name));
        assert_eq!(kept.evidence[0].attempt, attempt.attempt);
    }
}

#[tokio::test]
async fn chunks_are_of_one_size_however_the_body_came() {
    let body = vec![b'x'; 20_000];
    let upstream = [format!("{OK}{CHUNKED}\r\n").as_bytes(), b"4e20\r\n", &body, b"\r\n0\r\n\r\n"].concat();
    let rig = Rig::start(&[on_gets(Kind::HeaderEmptyName)], move |_| reply(&upstream)).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    client.expect([OK, CHUNKED, LINE, ": no name\r\n\r\n"].concat()).await;
    for size in [0x2000, 0x2000, 20_000 - 0x4000] {
        client.expect([format!("{size:x}\r\n").as_bytes(), &body[..size], b"\r\n"].concat()).await;
    }
    client.expect("0\r\n\r\n").await;
    assert_eq!(rig.attempts(1).await[0].response_bytes, 20_000);
}

#[tokio::test]
async fn a_head_request_gets_no_body_but_the_stray_one() {
    for (kind, after) in [
        (Kind::ClDuplicateSame, ""),
        (Kind::SurplusBytes, "surplus surplus\n"),
        (Kind::HeadWithBody, "xxxxx"),
    ] {
        let rig = Rig::start(&[on(Op::HeadObject, Malformed::of(kind))], |head| {
            if head.starts_with("HEAD") { reply([OK, LENGTH, "\r\n"].concat()) } else { ok(b"") }
        })
        .await;
        let mut client = rig.connect().await;
        client.send(request("HEAD", "/b/k", 1, "")).await;
        let head = match kind {
            Kind::ClDuplicateSame => [OK, LINE, LENGTH, LENGTH, "\r\n"].concat(),
            _ => [OK, LENGTH, LINE, "\r\n"].concat(),
        };
        client.expect(head + after).await;
        client.send(get(2)).await;
        client.expect(ok_via("3-0-1", "")).await;
    }
}

#[tokio::test]
async fn amounts_are_as_the_scenario_says() {
    let sized = |kind, size| Malformed { size: Some(Size(size)), ..Malformed::of(kind) };
    let counted = |kind, count| Malformed { count: Some(count), ..Malformed::of(kind) };
    let head = [OK, LENGTH, LINE].concat();
    let table = [
        (sized(Kind::HeaderOversize, 20), [&head, "X-Oversize: aaaaaaaa\r\n\r\nhello"].concat()),
        (counted(Kind::HeaderCount, 2), [&head, "X-Many-0: 0\r\nX-Many-1: 1\r\n\r\nhello"].concat()),
        (counted(Kind::ContinueFlood, 2), "HTTP/1.1 100 Continue\r\n\r\n".repeat(2) + &head + "\r\nhello"),
        (
            sized(Kind::ChunkExtensionHuge, 5),
            [OK, LINE, CHUNKED, "\r\n5;x=yy\r\nhello\r\n0\r\n\r\n"].concat(),
        ),
    ];
    for (malformed, wanted) in table {
        let rig = Rig::start(&[on(Op::GetObject, malformed)], |_| ok(b"hello")).await;
        let mut client = rig.connect().await;
        client.send(get(1)).await;
        client.expect(wanted).await;
    }
}

#[tokio::test]
async fn a_changed_body_keeps_its_length_and_framing() {
    let body = vec![b'a'; 3000];
    let sent = [format!("{OK}{CHUNKED}\r\nbb8\r\n").as_bytes(), &body, b"\r\n0\r\n\r\n"].concat();
    let rig = Rig::start(&[on_gets(Kind::BodyCorruptBits)], move |_| reply(&sent)).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    let mut wanted = body;
    [0, 1024, 2048].iter().for_each(|at| wanted[*at] = b'`');
    let head = [OK, CHUNKED, LINE, "\r\nbb8\r\n"].concat();
    client.expect([head.as_bytes(), &wanted, b"\r\n0\r\n\r\n"].concat()).await;
    assert_eq!(rig.attempts(1).await[0].response_bytes, 3000);
}
