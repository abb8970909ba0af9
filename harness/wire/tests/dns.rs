//! The name server as raw sockets and as `dig` see it, under every kind of the fault `dns`.

mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatecrash_core::faults::{Dns, DnsKind};
use gatecrash_core::units::Span;
use gatecrash_model::{Clock, Nanos};
use gatecrash_wire::dns::{NameServer, NamedRegion, host_name};
use support::PATIENCE;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::timeout;

const EAST: &str = "us-east-1.gatecrash.test";

struct Ticker(Instant);

impl Clock for Ticker {
    fn now(&self) -> Nanos {
        self.0.elapsed().as_nanos() as u64
    }
    fn wall_seconds(&self) -> i64 {
        0
    }
}

/// Two regions: `us-east-1` with two endpoints, `us-west-2` with one.
async fn server() -> NameServer {
    let ip = |last| Ipv4Addr::new(127, 0, 10, last);
    let regions = vec![
        NamedRegion { name: "us-east-1".into(), addresses: vec![ip(1), ip(2)] },
        NamedRegion { name: "us-west-2".into(), addresses: vec![ip(3)] },
    ];
    let free = TcpListener::bind("127.0.11.1:0").await.expect("a loopback socket");
    let port = free.local_addr().expect("a loopback socket").port();
    drop(free);
    let clock = Arc::new(Ticker(Instant::now()));
    NameServer::start(Ipv4Addr::new(127, 0, 53, 2), regions, port, clock).await.expect("a loopback socket")
}

fn of(kind: DnsKind) -> Dns {
    Dns { kind, dead: None, ttl: None, every: None }
}

/// A question as RFC 1035 4.1 lays it out: id, flags (recursion desired), one question of this type.
fn question(name: &str, qtype: u16) -> Vec<u8> {
    let mut bytes = vec![0x9f, 0x2c, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        bytes.push(label.len() as u8);
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend_from_slice(&qtype.to_be_bytes());
    bytes.extend_from_slice(&1u16.to_be_bytes());
    bytes
}

const A: u16 = 1;
const AAAA: u16 = 28;

async fn udp(server: SocketAddr, question: &[u8], patience: Duration) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a loopback socket");
    socket.send_to(question, server).await.expect("a loopback socket");
    let mut buffer = [0; 4096];
    let (length, from) =
        timeout(patience, socket.recv_from(&mut buffer)).await.ok()?.expect("a loopback socket");
    assert_eq!(from, server);
    Some(buffer[..length].to_vec())
}

async fn ask(server: &NameServer, name: &str, qtype: u16) -> Vec<u8> {
    udp(server.addr(), &question(name, qtype), PATIENCE).await.expect("an answer")
}

/// Flags, and the numbers of answers and authority records.
fn summary(answer: &[u8]) -> (u16, u16, u16) {
    let word = |at: usize| u16::from_be_bytes([answer[at], answer[at + 1]]);
    assert_eq!(word(0), 0x9f2c, "the id of the question");
    assert_eq!(word(4), 1, "the question comes back");
    (word(2), word(6), word(8))
}

/// (TTL, address) of the answers to a question of this length, each with a compressed name (RFC 1035 4.1.4).
fn addresses(answer: &[u8], question: usize) -> Vec<(u32, [u8; 4])> {
    let (_, count, _) = summary(answer);
    let records = answer[question..].chunks_exact(16).take(usize::from(count));
    records
        .map(|r| {
            assert_eq!(r[..6], [0xc0, 0x0c, 0, 1, 0, 1], "pointer to the name, A, IN");
            assert_eq!(r[10..12], [0, 4]);
            (u32::from_be_bytes([r[6], r[7], r[8], r[9]]), [r[12], r[13], r[14], r[15]])
        })
        .collect()
}

/// Response, authoritative, recursion desired, NOERROR.
const NO_ERROR: u16 = 0x8500;
const NX_DOMAIN: u16 = 0x8503;
/// Not authoritative.
const SERV_FAIL: u16 = 0x8102;
const REFUSED: u16 = 0x8105;

#[tokio::test]
async fn the_bytes_of_an_answer() {
    let server = server().await;
    let asked = question(EAST, A);
    let mut expected = asked.clone();
    expected[2..8].copy_from_slice(&[0x85, 0x00, 0, 1, 0, 2]);
    for last in [1, 2] {
        expected.extend_from_slice(&[0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 10, last]);
    }
    assert_eq!(udp(server.addr(), &asked, PATIENCE).await.expect("a loopback socket"), expected);
    server.stop().await;
}

#[tokio::test]
async fn addresses_take_turns_and_every_name_of_a_region_has_them() {
    let server = server().await;
    let names =
        [EAST, "US-East-1.GateCrash.test", "s3.us-east-1.amazonaws.com", "media.s3.us-east-1.amazonaws.com"];
    let mut first = Vec::new();
    for name in names {
        let answer = ask(&server, name, A).await;
        let found = addresses(&answer, question(name, A).len());
        assert_eq!(found.len(), 2, "{name}");
        first.push(found[0].1[3]);
    }
    assert_eq!(first, [1, 2, 1, 2]);
    let west = host_name("us-west-2");
    let answer = ask(&server, &west, A).await;
    assert_eq!(addresses(&answer, question(&west, A).len()), [(1, [127, 0, 10, 3])]);
}

#[tokio::test]
async fn what_there_is_not() {
    let server = server().await;
    assert_eq!(summary(&ask(&server, EAST, AAAA).await), (NO_ERROR, 0, 1), "no IPv6 addresses: an SOA");
    assert_eq!(summary(&ask(&server, "eu-west-1.gatecrash.test", A).await), (NX_DOMAIN, 0, 1));
    assert_eq!(summary(&ask(&server, "gatecrash.test", A).await), (NO_ERROR, 0, 1));
    assert_eq!(summary(&ask(&server, "example.com", A).await), (REFUSED, 0, 0));
    assert_eq!(summary(&ask(&server, "notgatecrash.test", A).await), (REFUSED, 0, 0));
    // Broken messages get FORMERR, responses and scraps get nothing, and none of them stops the server.
    let mut two = question(EAST, A);
    two[5] = 2;
    let answer = udp(server.addr(), &two, PATIENCE).await.expect("a loopback socket");
    assert_eq!((answer[..2].to_vec(), answer[3] & 0x0f), (vec![0x9f, 0x2c], 1));
    let mut response = question(EAST, A);
    response[2] = 0x80;
    for silent in [&response[..], &[0x9f], &[]] {
        assert_eq!(udp(server.addr(), silent, Duration::from_millis(50)).await, None);
    }
    assert_eq!(summary(&ask(&server, EAST, A).await).0, NO_ERROR);
}

#[tokio::test]
async fn over_tcp_one_connection_takes_many_questions() {
    let server = server().await;
    let mut stream = TcpStream::connect(server.addr()).await.expect("a loopback socket");
    for name in [EAST, "eu-west-1.gatecrash.test", EAST] {
        let asked = question(name, A);
        stream.write_u16(asked.len() as u16).await.expect("a loopback socket");
        stream.write_all(&asked).await.expect("a loopback socket");
        let length = stream.read_u16().await.expect("a loopback socket");
        let mut answer = vec![0; usize::from(length)];
        stream.read_exact(&mut answer).await.expect("a loopback socket");
        assert_eq!(summary(&answer).0, if name == EAST { NO_ERROR } else { NX_DOMAIN });
    }
    let addr = server.addr();
    server.stop().await;
    assert!(TcpStream::connect(addr).await.is_err(), "the port is free again");
}

#[tokio::test]
async fn each_fault_is_answered_confirmed_counted_and_taken_back() {
    let server = server().await;
    let cases = [
        (DnsKind::Nxdomain, Some((NX_DOMAIN, vec![]))),
        (DnsKind::Servfail, Some((SERV_FAIL, vec![]))),
        (DnsKind::Empty, Some((NO_ERROR, vec![]))),
        (DnsKind::Timeout, None),
        (DnsKind::Stale, Some((NO_ERROR, vec![(1, [127, 0, 11, 1]), (1, [127, 0, 11, 2])]))),
        (DnsKind::DeadSubset, Some((NO_ERROR, vec![(1, [127, 0, 10, 2]), (1, [127, 0, 11, 1])]))),
        (DnsKind::TtlFlip, Some((NO_ERROR, vec![(0, [127, 0, 10, 1])]))),
    ];
    let asked = question(EAST, A);
    for (fault, (kind, expected)) in cases.into_iter().enumerate() {
        let fault = fault as u16;
        let flip = Dns { every: Some(Span::seconds(3600)), ..of(kind) };
        let dns = if kind == DnsKind::TtlFlip { flip } else { of(kind) };
        assert!(server.switch_on(fault, &dns, Some(0)).await, "{kind:?} confirmed");
        assert_eq!(server.asked_under(fault), Some(0), "{kind:?}: our own probes do not count");
        let patience = if expected.is_some() { PATIENCE } else { Duration::from_millis(100) };
        let answer = udp(server.addr(), &asked, patience).await;
        let seen = answer.map(|answer| {
            let mut found = addresses(&answer, asked.len());
            found.sort_unstable();
            (summary(&answer).0, found)
        });
        assert_eq!(seen, expected, "{kind:?}");
        assert_eq!(server.asked_under(fault), Some(1), "{kind:?}");
        let other = ask(&server, &host_name("us-west-2"), A).await;
        assert_eq!(summary(&other).1, 1, "{kind:?}: the other region is not touched");
        assert!(server.switch_off(fault, Some(0)).await, "{kind:?} gone");
        assert_eq!(server.asked_under(fault), None);
        assert_eq!(addresses(&ask(&server, EAST, A).await, asked.len()).len(), 2);
    }
}

#[tokio::test]
async fn of_several_faults_the_latest_counts_and_others_come_back() {
    let server = server().await;
    assert!(server.switch_on(0, &of(DnsKind::Empty), None).await);
    assert!(server.switch_on(1, &of(DnsKind::Nxdomain), Some(0)).await);
    assert_eq!(summary(&ask(&server, EAST, A).await).0, NX_DOMAIN);
    assert_eq!(summary(&ask(&server, &host_name("us-west-2"), A).await), (NO_ERROR, 0, 1));
    assert!(server.switch_off(1, Some(0)).await);
    assert_eq!(summary(&ask(&server, EAST, A).await), (NO_ERROR, 0, 1));
    assert!(server.switch_off(0, None).await);
    assert_eq!(summary(&ask(&server, EAST, A).await), (NO_ERROR, 2, 0));
}

#[tokio::test]
async fn an_address_that_answers_is_not_dead() {
    let ip = Ipv4Addr::new(127, 0, 12, 1);
    let listener = TcpListener::bind("127.0.13.1:0").await.expect("a loopback socket");
    let port = listener.local_addr().expect("a loopback socket").port();
    let regions = vec![NamedRegion { name: "us-east-1".into(), addresses: vec![ip] }];
    let clock = Arc::new(Ticker(Instant::now()));
    let server = NameServer::start(Ipv4Addr::new(127, 0, 53, 2), regions, port, clock)
        .await
        .expect("a loopback socket");
    assert!(!server.switch_on(0, &of(DnsKind::Stale), None).await);
}

// === dig ===

/// What `dig` prints of a question; `None` where it is not installed.
async fn dig(server: &NameServer, arguments: &[&str]) -> Option<String> {
    let port = server.addr().port().to_string();
    let at = format!("@{}", server.addr().ip());
    let mut command = tokio::process::Command::new("dig");
    command.args([at.as_str(), "-p", &port, "+tries=1", "+time=1"]).args(arguments).kill_on_drop(true);
    match timeout(PATIENCE, command.output()).await.expect("dig ends") {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(_) => {
            eprintln!("skipped: dig not installed");
            None
        }
    }
}

#[tokio::test]
async fn what_dig_shows() {
    let server = server().await;
    let Some(healthy) = dig(&server, &[EAST, "A"]).await else { return };
    assert!(healthy.contains("status: NOERROR"), "{healthy}");
    assert!(healthy.contains("flags: qr aa rd;") && healthy.contains("ANSWER: 2"), "{healthy}");
    assert!(healthy.contains("EDNS: version: 0") && healthy.contains("udp: 1232"), "{healthy}");
    let short = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines.join(" ")
    };
    let over_tcp = dig(&server, &["+tcp", "+short", EAST]).await.expect("a loopback socket");
    assert_eq!(short(&over_tcp), "127.0.10.1 127.0.10.2");
    let newer = dig(&server, &["+edns=1", "+noednsnegotiation", EAST]).await.expect("a loopback socket");
    assert!(newer.contains("status: BADVERS"), "{newer}");

    let cases = [
        (DnsKind::Nxdomain, "status: NXDOMAIN", ""),
        (DnsKind::Servfail, "status: SERVFAIL", ""),
        (DnsKind::Empty, "status: NOERROR", ""),
        (DnsKind::Stale, "status: NOERROR", "127.0.11.1 127.0.11.2"),
        (DnsKind::DeadSubset, "status: NOERROR", "127.0.10.2 127.0.11.1"),
        (DnsKind::TtlFlip, "status: NOERROR", "127.0.10.1"),
    ];
    for (kind, status, expected) in cases {
        let every = (kind == DnsKind::TtlFlip).then(|| Span::seconds(3600));
        assert!(server.switch_on(0, &Dns { every, ..of(kind) }, None).await, "{kind:?}");
        for transport in ["+notcp", "+tcp"] {
            let long = dig(&server, &[transport, EAST]).await.expect("a loopback socket");
            assert!(long.contains(status), "{kind:?} {transport}: {long}");
            let found = dig(&server, &[transport, "+short", EAST]).await.expect("a loopback socket");
            assert_eq!(short(&found), expected, "{kind:?} {transport}");
        }
        assert!(server.switch_off(0, None).await, "{kind:?}");
    }
    assert!(server.switch_on(0, &of(DnsKind::Timeout), None).await);
    let nothing = dig(&server, &[EAST]).await.expect("a loopback socket");
    assert!(nothing.contains("timed out"), "{nothing}");
    assert!(server.switch_off(0, None).await);
    let long = Dns { ttl: Some(Span::seconds(60)), ..of(DnsKind::Ttl) };
    assert!(server.switch_on(0, &long, None).await);
    let kept = dig(&server, &["+noall", "+answer", EAST]).await.expect("a loopback socket");
    assert!(kept.lines().all(|line| line.split_whitespace().nth(1) == Some("60")), "{kept}");
}
