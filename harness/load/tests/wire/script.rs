//! Scripted connections, and a client to put against them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gatecrash_load::wire::Connections;
use gatecrash_load::{Client, RequestPlan, Session, Workload};
use gatecrash_model::{MemorySink, Pool};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{answer, read_head, read_request, setup};

const ONE_BY_ONE: Connections =
    Connections { keep_alive: true, most: None, expect: None, tls: false, http2: false };

/// A client with everything it needs, and what it wrote.
pub(crate) struct Bench {
    pub(crate) client: Client,
    pub(crate) sink: Arc<MemorySink>,
    pub(crate) workload: Arc<Workload>,
    pub(crate) pool: Arc<Pool>,
}

impl Bench {
    pub(crate) fn new(addr: SocketAddr, workload: Workload) -> Self {
        Self::with(addr, workload, ONE_BY_ONE)
    }

    /// The same over HTTP/2, on one connection.
    pub(crate) fn over_http2(addr: SocketAddr, workload: Workload) -> Self {
        Self::with(addr, workload, Connections { http2: true, ..ONE_BY_ONE })
    }

    /// Uploads ask for 100 Continue and wait so long for it.
    pub(crate) fn expecting(addr: SocketAddr, workload: Workload, wait: Duration) -> Self {
        Self::with(addr, workload, Connections { expect: Some(wait), ..ONE_BY_ONE })
    }

    fn with(addr: SocketAddr, workload: Workload, connections: Connections) -> Self {
        let (sink, workload) = (Arc::new(MemorySink::default()), Arc::new(workload));
        let setup = setup(addr, &sink);
        let pool = Arc::clone(&setup.pool);
        let session = Session::new(setup, std::slice::from_ref(&workload));
        Self { client: Client::with(Arc::new(session), connections), sink, workload, pool }
    }

    pub(crate) fn plan(&self, k: u32) -> RequestPlan {
        self.workload.plan(&self.pool, k)
    }

    pub(crate) async fn run(&self, k: u32) -> gatecrash_model::ClientRecord {
        let now = self.client.session().setup().clock.now();
        let record = self.client.exchange(&self.plan(k), now).await;
        assert_eq!(self.sink.kept().clients.last(), Some(&record));
        record
    }

    pub(crate) fn object(&self, k: u32) -> Vec<u8> {
        self.pool.content("media", &self.plan(k).key, 0).chunk(&self.pool, 0, 1000).to_vec()
    }

    /// A correct answer to request `k`.
    pub(crate) fn answer(&self, k: u32) -> Vec<u8> {
        answer("200 OK\ncontent-length: 1000", &self.object(k))
    }
}

/// What a scripted connection does next.
pub(crate) enum Step {
    /// Reads a request head and its body.
    Read,
    /// Reads a request head only.
    ReadHead,
    Write(Vec<u8>),
    Fin,
    Rst,
    /// Waits until this is notified.
    Wait(Arc<tokio::sync::Notify>),
    /// Notifies.
    Tell(Arc<tokio::sync::Notify>),
    /// Keeps the connection open for ever.
    Hold,
}

/// Accepts one connection after the other, each with its script. Runs on the caller's runtime.
pub(crate) async fn scripted(scripts: Vec<Vec<Step>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for script in scripts {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(play(stream, script));
        }
        std::future::pending::<()>().await;
    });
    addr
}

async fn play(mut stream: TcpStream, script: Vec<Step>) {
    for step in script {
        match step {
            Step::Read => {
                read_request(&mut stream).await.unwrap();
            }
            Step::ReadHead => {
                read_head(&mut stream).await.unwrap();
            }
            Step::Write(bytes) => stream.write_all(&bytes).await.unwrap(),
            Step::Fin => stream.shutdown().await.unwrap(),
            Step::Rst => return stream.set_zero_linger().unwrap(),
            Step::Wait(notify) => notify.notified().await,
            Step::Tell(notify) => notify.notify_one(),
            Step::Hold => std::future::pending().await,
        }
    }
    // Waits for the client's end, so that no close of ours is a reset.
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await.is_ok_and(|n| n > 0) {}
}

/// Lets everything that is ready on this single-threaded runtime happen, sockets included.
pub(crate) async fn settle() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}
