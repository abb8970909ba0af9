//! The AWS SDK as a client: what it tries by itself, and what its records say.

#![cfg(feature = "aws-sdk")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use gatecrash_load::engine::{Kind, Retries, SdkOptions};
use gatecrash_load::{
    Arrivals, ClientOptions, CredentialSource, Credentials, LiveCounters, Load, OpPlan, Schedule, Segment,
    Signer, Stop, Workload, run_load,
};
use gatecrash_model::{BodyCheck, ClientRecord, Ending, Event, MemorySink, Pool};
use support::{GET, PATIENCE, answer, read_request, setup, workload};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

const SLOW_DOWN: &[u8] = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>";

/// What the server does with a request.
#[derive(Clone, Copy, Debug)]
enum Does {
    Serve,
    SlowDown,
    Cut,
    Wrong,
}

struct Server {
    addr: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    /// Does this with the first, the second ... request, and with all further ones what it does last.
    fn start(script: &'static [Does]) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let addr = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let heads_of = Arc::clone(&heads);
        runtime.spawn(async move {
            let pool = Arc::new(Pool::new(7));
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (pool, heads) = (Arc::clone(&pool), Arc::clone(&heads_of));
                tokio::spawn(async move {
                    while let Some((head, _)) = read_request(&mut stream).await {
                        let target = head.split(' ').nth(1).unwrap();
                        let key = target.split('?').next().unwrap().trim_start_matches("/media/").to_owned();
                        let number = {
                            let mut heads = heads.lock().unwrap();
                            heads.push(head.clone());
                            heads.len()
                        };
                        let does = script[(number - 1).min(script.len() - 1)];
                        let mut body = pool.content("media", &key, 0).chunk(&pool, 0, 1000).to_vec();
                        let wire = match does {
                            Does::Serve if head.starts_with("GET") => {
                                answer("200 OK\ncontent-length: 1000", &body)
                            }
                            Does::Serve => answer("200 OK\ncontent-length: 0", b""),
                            Does::SlowDown => {
                                let head = format!("503 Slow Down\ncontent-length: {}", SLOW_DOWN.len());
                                answer(&format!("{head}\ncontent-type: application/xml"), SLOW_DOWN)
                            }
                            Does::Cut => answer("200 OK\ncontent-length: 1000", &body[..500]),
                            Does::Wrong => {
                                body[700] ^= 1;
                                answer("200 OK\ncontent-length: 1000", &body)
                            }
                        };
                        if stream.write_all(&wire).await.is_err() || matches!(does, Does::Cut) {
                            return;
                        }
                    }
                });
            }
        });
        Self { addr, heads, _runtime: runtime }
    }

    /// One request through the SDK.
    fn call(&self, options: SdkOptions, change: impl FnOnce(&mut Workload)) -> (ClientRecord, Option<u32>) {
        let mut one = workload(GET);
        let (from, until) = (20_000_000, 120_000_000);
        one.schedule =
            Schedule::new(&[Segment { from, until, rate: 10.0, to: None, arrivals: Arrivals::Even }], 3);
        one.client = ClientOptions { kind: Kind::AwsSdk(options), ..ClientOptions::default() };
        change(&mut one);
        let sink = Arc::new(MemorySink::default());
        let load = Load {
            setup: setup(self.addr, &sink),
            workloads: vec![Arc::new(one)],
            threads: 1,
            stop: Stop::default(),
            live: Arc::new(LiveCounters::default()),
        };
        assert_eq!(run_load(load).unwrap().sent, 1);
        let kept = sink.kept();
        let tries = kept.events.iter().find_map(|event| match event {
            Event::ClientTries { tries, .. } => Some(*tries),
            _ => None,
        });
        (kept.clients[0], tries)
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn path_style(retries: Retries) -> SdkOptions {
    SdkOptions { retries, virtual_host: false }
}

#[test]
fn the_sdk_retries_by_its_rules_and_one_call_is_one_record() {
    let server = Server::start(&[Does::SlowDown, Does::Serve]);
    let (record, tries) = server.call(path_style(Retries::Standard2026), |_| {});
    assert_eq!((record.status, record.ending, tries), (200, Ending::Complete, Some(2)), "{record:?}");
    assert_eq!((record.shape.body(), record.body_bytes), (BodyCheck::Exact, 1000));
    assert!(record.is_success() && record.first_byte < record.done, "{record:?}");
    let heads = server.heads();
    assert_eq!(heads.len(), 2);
    for (head, number) in heads.iter().zip(1..) {
        assert!(head.contains("\r\nx-gatecrash-id: 9f2c41aa-0-0\r\n"), "{head}");
        assert!(head.contains(&format!("amz-sdk-request: attempt={number}")), "{head}");
    }
}

#[test]
fn without_retries_an_error_is_the_answer() {
    let server = Server::start(&[Does::SlowDown]);
    let (record, tries) = server.call(path_style(Retries::Off), |_| {});
    assert_eq!((record.status, record.ending, tries), (503, Ending::Complete, None), "{record:?}");
    assert!(record.has(ClientRecord::S3_ERROR) && !record.has(ClientRecord::MISLABELLED), "{record:?}");
    assert_eq!(server.heads().len(), 1);
}

#[test]
fn a_body_that_breaks_off_or_is_wrong_is_no_success() {
    let cut = Server::start(&[Does::Cut]).call(path_style(Retries::Standard), |_| {}).0;
    assert_eq!((cut.status, cut.ending, cut.shape.body()), (200, Ending::CutFin, BodyCheck::Prefix));
    let wrong = Server::start(&[Does::Wrong]).call(path_style(Retries::Standard), |_| {}).0;
    assert_eq!((wrong.ending, wrong.shape.body()), (Ending::Complete, BodyCheck::Wrong), "{wrong:?}");
}

#[test]
fn nobody_listening_is_refused() {
    let server = Server::start(&[Does::Serve]);
    let addr = server.addr;
    drop(server);
    let nobody = Server { addr, ..Server::start(&[Does::Serve]) };
    let (record, tries) = nobody.call(path_style(Retries::Off), |_| {});
    assert_eq!((record.ending, record.status, tries), (Ending::Refused, 0, None), "{record:?}");
}

#[test]
fn the_bucket_may_stand_in_the_host_and_the_id_is_not_signed() {
    let server = Server::start(&[Does::Serve]);
    let source = CredentialSource::new(Credentials {
        access_key: "AKIAIOSFODNN7EXAMPLE".into(),
        secret: "secret".into(),
        session_token: None,
    });
    let options = SdkOptions { retries: Retries::Off, virtual_host: true };
    let (record, _) = server.call(options, |one| {
        one.ops = vec![(OpPlan::PutObject, 1.0)];
        one.signing = Some(Arc::new(Signer::new(Arc::new(source), "eu-west-1")));
        one.timeout = PATIENCE;
    });
    assert!(record.is_success(), "{record:?}");
    let head = server.heads().remove(0);
    assert!(head.starts_with("PUT /up/main/0?x-id=PutObject HTTP/1.1\r\n"), "{head}");
    let port = server.addr.port();
    assert!(head.contains(&format!("\r\nhost: media.s3.localhost:{port}\r\n")), "{head}");
    assert!(head.contains("/eu-west-1/s3/aws4_request"), "{head}");
    let signed = head.split("SignedHeaders=").nth(1).unwrap().split(',').next().unwrap();
    assert!(signed.contains("host") && !signed.contains("x-gatecrash-id"), "{signed}");
}
