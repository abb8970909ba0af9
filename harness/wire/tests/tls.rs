//! TLS on links, as clients of two libraries find it: OpenSSL's `s_client` and rustls.
//!
//! Where `openssl` is not installed, its half is skipped and says so.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod support;

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use gatecrash_core::faults::{FaultSpec, TLS_KINDS, Tls, TlsKind};
use gatecrash_core::plan::FaultPlan;
use gatecrash_model::{AttemptRecord, EndedBy, Ending};
use gatecrash_wire::tls::{Authority, Onward, Terminator};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// What the server is called.
const NAME: &str = "us-east-1.gatecrash.test";
const GET: &[u8] = b"GET /media/o/1 HTTP/1.1\r\nHost: s3\r\n\r\n";

/// Clients judge certificates by the system's clock.
fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs() as i64)
}

struct TlsRig {
    rig: Rig,
    authority: Arc<Authority>,
}

impl TlsRig {
    async fn start(faults: &[FaultPlan], client_certificate: bool) -> Self {
        let authority = Arc::new(Authority::new(now()).unwrap());
        let names = vec![NAME.to_owned(), "127.0.0.1".to_owned()];
        let terminator = Terminator::new(Arc::clone(&authority), names, client_certificate, false).unwrap();
        let rig =
            Rig::with(faults, |_| ok(b"0123456789"), |config| config.tls = Some(Arc::new(terminator))).await;
        Self { rig, authority }
    }

    async fn with_kind(kind: TlsKind) -> Self {
        Self::start(&[fault("it", FaultSpec::Tls(Tls { kind }))], false).await
    }

    /// A whole exchange of a client that knows the run's root, or why there is none.
    async fn rustls(&self, client: bool) -> Result<String, String> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.authority.root_pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = if client {
            let identity = self.authority.client("gateway").unwrap();
            let chain = CertificateDer::pem_slice_iter(identity.certificates.as_bytes());
            let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain.collect::<Result<_, _>>().unwrap(), key).unwrap()
        } else {
            builder.with_no_client_auth()
        };
        let exchange = async {
            let tcp = TcpStream::connect(self.rig.link.addr()).await?;
            let name = ServerName::try_from(NAME).unwrap();
            let mut stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
            stream.write_all(GET).await?;
            let mut all = Vec::new();
            while !all.ends_with(b"0123456789") {
                if stream.read_buf(&mut all).await? == 0 {
                    break;
                }
            }
            Ok::<_, std::io::Error>(String::from_utf8_lossy(&all).into_owned())
        };
        match timeout(std::time::Duration::from_millis(if client { 10_000 } else { 1_500 }), exchange).await {
            Ok(done) => done.map_err(|e| e.to_string()),
            Err(_) => Err("waits".into()),
        }
    }

    /// All that `openssl s_client` says on both its outputs; `None` without the program.
    async fn openssl(&self, more: &[&str]) -> Option<String> {
        let ca = file("ca", &self.authority.root_pem());
        let mut child = Command::new("openssl")
            .args(["s_client", "-verify_return_error", "-verify_hostname", NAME, "-servername", NAME])
            .args(["-connect", &self.rig.link.addr().to_string(), "-CAfile"])
            .arg(&ca)
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        let mut stdin = child.stdin.take().unwrap();
        _ = stdin.write_all(GET).await;
        let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let mut said = Vec::new();
        let reading = async {
            let (mut first, mut second) = (Vec::new(), Vec::new());
            loop {
                tokio::select! {
                    n = out.read_buf(&mut first) => if n.unwrap() == 0 { break },
                    n = err.read_buf(&mut second) => if n.unwrap() == 0 { break },
                }
                if first.ends_with(b"0123456789") {
                    break;
                }
            }
            _ = timeout(std::time::Duration::from_secs(1), out.read_to_end(&mut first)).await;
            _ = timeout(std::time::Duration::from_secs(1), err.read_to_end(&mut second)).await;
            [first, second].concat()
        };
        match timeout(std::time::Duration::from_millis(3_000), reading).await {
            Ok(all) => said.extend(all),
            Err(_) => said.extend(b"waits"),
        }
        _ = child.kill().await;
        drop(stdin);
        Some(String::from_utf8_lossy(&said).into_owned())
    }
}

/// A file of its own for these bytes.
fn file(name: &str, text: &str) -> PathBuf {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("tls-{name}-{number}.pem"));
    std::fs::write(&path, text).unwrap();
    path
}

/// What rustls reports.
fn rustls_says(kind: TlsKind) -> &'static str {
    match kind {
        TlsKind::StallHello => "waits",
        TlsKind::AlertHandshake => "received fatal alert: InternalError",
        TlsKind::NoCommonVersion => "received fatal alert: ProtocolVersion",
        TlsKind::NoCommonCipher => "received fatal alert: HandshakeFailure",
        TlsKind::PlaintextOnTlsPort => "received corrupt message of type InvalidContentType",
        TlsKind::RstMidHandshake => "Connection reset by peer",
        TlsKind::CertExpired => "certificate expired",
        TlsKind::CertNotYetValid => "certificate not valid yet",
        TlsKind::CertWrongHost => "certificate not valid for name \"us-east-1.gatecrash.test\"",
        TlsKind::CertSelfSigned | TlsKind::MissingIntermediate => "UnknownIssuer",
        TlsKind::ChainOrder => "CaUsedAsEndEntity",
        TlsKind::ClientCertRequired => "received fatal alert: CertificateRequired",
        TlsKind::CutNoCloseNotify => "peer closed connection without sending TLS close_notify",
    }
}

#[tokio::test]
async fn rustls_says_what_is_wrong() {
    for info in TLS_KINDS {
        let rig = TlsRig::with_kind(info.kind).await;
        let why = rig.rustls(false).await.expect_err(info.name);
        assert!(why.contains(rustls_says(info.kind)), "{}: {why}", info.name);
    }
}

#[tokio::test]
async fn openssl_says_what_the_catalogue_says() {
    for info in TLS_KINDS {
        let rig = TlsRig::with_kind(info.kind).await;
        let Some(said) = rig.openssl(&[]).await else {
            eprintln!("skipped: openssl is not installed");
            return;
        };
        assert!(said.contains(info.openssl), "{}: expected `{}` in:\n{said}", info.name, info.openssl);
    }
}

#[tokio::test]
async fn openssl_is_served_by_tls_1_2_and_1_3() {
    let rig = TlsRig::start(&[], false).await;
    for version in ["-tls1_2", "-tls1_3"] {
        let Some(said) = rig.openssl(&[version]).await else {
            eprintln!("skipped: openssl is not installed");
            return;
        };
        assert!(said.contains("0123456789") && !said.contains("verify error"), "{version}:\n{said}");
    }
    let required = TlsRig::start(&[], true).await;
    let said = required.openssl(&["-tls1_2"]).await.unwrap();
    assert!(said.contains("alert"), "{said}");
    let identity = required.authority.client("gateway").unwrap();
    let both = file("client", &(identity.certificates + &identity.key));
    let said =
        required.openssl(&["-cert", both.to_str().unwrap(), "-cert_chain", both.to_str().unwrap()]).await;
    let said = said.unwrap();
    assert!(said.contains("0123456789"), "{said}");
}

#[tokio::test]
async fn exchanges_over_tls_are_recorded_as_any_other() {
    let rig = TlsRig::start(&[], false).await;
    assert_eq!(rig.rustls(false).await.unwrap(), ok_via("3-0-0", "0123456789"));
    let attempts = rig.rig.attempts(1).await;
    assert_eq!((attempts[0].status, attempts[0].ending, attempts[0].flags & AttemptRecord::NO_HEAD), {
        (200, Ending::Complete, 0)
    });
    assert_eq!(rig.rig.connections(1).await[0].ended_by, EndedBy::Gateway);
}

#[tokio::test]
async fn a_client_certificate_of_the_run_opens_what_is_closed_without() {
    let rig = TlsRig::start(&[], true).await;
    assert_eq!(rig.rustls(false).await.unwrap_err(), "received fatal alert: CertificateRequired");
    assert_eq!(rig.rustls(true).await.unwrap(), ok_via("3-1-0", "0123456789"));
    // No fault did it, so it is no attempt.
    assert_eq!(rig.rig.connections(2).await[0].ended_by, EndedBy::Harness);
    assert_eq!(rig.rig.attempts(1).await.len(), 1);
}

#[tokio::test]
async fn a_failed_handshake_is_an_attempt_without_a_head() {
    for info in TLS_KINDS.iter().filter(|k| k.kind != TlsKind::CutNoCloseNotify) {
        let rig = TlsRig::with_kind(info.kind).await;
        rig.rustls(false).await.expect_err(info.name);
        let attempts = rig.rig.attempts(1).await;
        let first = &attempts[0];
        let ending = match info.kind {
            TlsKind::StallHello => (Ending::Hang, EndedBy::Gateway),
            _ => (Ending::DroppedFirst, EndedBy::Fault),
        };
        assert_eq!((first.ending, first.ended_by), ending, "{}", info.name);
        assert_eq!((first.fault, first.flags & AttemptRecord::NO_HEAD), (1, AttemptRecord::NO_HEAD));
        assert_eq!((attempts.len(), rig.rig.kept().firings.len(), rig.rig.seen().len()), (1, 1, 0));
    }
}

#[tokio::test]
async fn a_client_that_does_not_verify_is_served_and_seen() {
    let rig = TlsRig::with_kind(TlsKind::CertExpired).await;
    let mut client = Command::new("openssl");
    client.args(["s_client", "-quiet", "-connect", &rig.rig.link.addr().to_string()]);
    client.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let Ok(mut client) = client.spawn() else {
        eprintln!("skipped: openssl is not installed");
        return;
    };
    client.stdin.as_mut().unwrap().write_all(GET).await.unwrap();
    let attempts = rig.rig.attempts(0).await.len();
    eventually("an answer", || rig.rig.seen().len() == 1).await;
    client.kill().await.unwrap();
    let served = &rig.rig.attempts(1).await[0];
    assert_eq!((attempts, served.status, served.flags & AttemptRecord::NO_HEAD), (0, 200, 0));
    assert_eq!(rig.rig.kept().firings.len(), 1);
}

#[tokio::test]
async fn the_bytes_of_forged_answers() {
    let hello = client_hello();
    let alert = |description| vec![21, 3, 3, 0, 2, 2, description];
    let plain = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec();
    let table = [
        (TlsKind::AlertHandshake, alert(80)),
        (TlsKind::NoCommonVersion, alert(70)),
        (TlsKind::NoCommonCipher, alert(40)),
        (TlsKind::PlaintextOnTlsPort, plain),
    ];
    for (kind, wanted) in table {
        let rig = TlsRig::with_kind(kind).await;
        let mut client = rig.rig.connect().await;
        // In two pieces: nothing is said before the whole record is there.
        client.send(&hello[..7]).await;
        client.send(&hello[7..]).await;
        assert_eq!(client.rest().await, (wanted, End::Fin), "{}", kind.info().name);
    }
    let rig = TlsRig::with_kind(TlsKind::RstMidHandshake).await;
    let mut client = rig.rig.connect().await;
    client.send(&hello).await;
    let (flight, end) = client.rest().await;
    assert_eq!((end, &flight[..2], flight[5]), (End::Rst, &[22, 3][..], 2), "a ServerHello begins");
}

#[tokio::test]
async fn what_is_no_client_hello_ends_the_connection() {
    let rig = TlsRig::start(&[], false).await;
    let mut client = rig.rig.connect().await;
    client.send(GET).await;
    let (alert, end) = client.rest().await;
    assert_eq!((alert[0], alert.len(), end), (21, 7, End::Fin));
    assert!(rig.rig.kept().attempts.is_empty());
}

#[tokio::test]
async fn a_cut_without_close_notify_looks_like_an_end() {
    let rig = TlsRig::with_kind(TlsKind::CutNoCloseNotify).await;
    let Some(said) = rig.openssl(&["-ign_eof"]).await else {
        eprintln!("skipped: openssl is not installed");
        return;
    };
    let head = "HTTP/1.1 200 OK\r\nx-gatecrash-attempt: 3-0-0\r\nConnection: close\r\n\r\n";
    assert!(said.contains(&format!("{head}01234")) && !said.contains("012345"), "{said}");
    let attempt = rig.rig.attempts(1).await[0];
    assert_eq!((attempt.status, attempt.promised, attempt.response_bytes), (200, 10, 5));
    assert_eq!((attempt.ending, attempt.ended_by), (Ending::CutFin, EndedBy::Fault));
}

#[tokio::test]
async fn a_link_speaks_tls_onward() {
    // One link in front of another that terminates TLS.
    let far = TlsRig::start(&[], true).await;
    let identity = far.authority.client("link").unwrap();
    let onward = Onward::new(&far.authority.root_pem(), NAME, Some(&identity)).unwrap();
    let addr = far.rig.link.addr();
    let near = Rig::with(
        &[],
        |_| ok(b"never asked"),
        |config| {
            (config.upstream, config.onward) = (addr, Some(onward));
        },
    );
    let near = near.await;
    let mut client = near.connect().await;
    for ordinal in 0..3 {
        client.send("GET /media/o/1 HTTP/1.1\r\nHost: s3\r\n\r\n").await;
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n";
        let lines = format!("x-gatecrash-attempt: 3-0-{ordinal}\r\nx-gatecrash-attempt: 3-0-{ordinal}\r\n");
        client.expect(format!("{head}{lines}\r\n0123456789")).await;
    }
    assert_eq!(far.rig.seen().len(), 3);
}

#[tokio::test]
async fn a_large_body_is_whole_over_tls_both_ways() {
    let authority = Arc::new(Authority::new(now()).unwrap());
    let terminator = Terminator::new(Arc::clone(&authority), vec![NAME.into()], false, false).unwrap();
    let body: Vec<u8> = (0..3_000_000u32).map(|i| (i % 251) as u8).collect();
    let (sent, back) = (body.clone(), body.clone());
    let rig = Rig::with(&[], move |_| ok(&back), |config| config.tls = Some(Arc::new(terminator))).await;
    let onward = Onward::new(&authority.root_pem(), NAME, None).unwrap();
    let addr = rig.link.addr();
    let near = Rig::with(
        &[],
        |_| ok(b"never asked"),
        |config| {
            (config.upstream, config.onward) = (addr, Some(onward));
        },
    );
    let near = near.await;
    let mut client = near.connect().await;
    client
        .send(format!(
            "PUT /media/o/1 HTTP/1.1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            sent.len()
        ))
        .await;
    client.send(&sent).await;
    let (all, end) = client.rest().await;
    assert!(end == End::Fin && all.ends_with(&body), "{} bytes, {end:?}", all.len());
    assert!(rig.seen()[0].body == body);
}

/// The first flight of a client.
fn client_hello() -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let name = ServerName::try_from(NAME).unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    hello
}
