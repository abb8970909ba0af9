//! Which client carries the requests of a workload: the seam between the driver and whatever sends.
//!
//! An engine exchanges one plan for one record at a time and writes the record to the session's sink; pacing, caps and
//! counts are the driver's. To add one: a variant of [`Kind`] with what it needs to know, a module with a type like
//! [`Client`], and an arm in each of the functions of [`Engine`].

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use gatecrash_model::{ClientRecord, Nanos};

use crate::plan::RequestPlan;
use crate::wire::{Client, Connections, Session};
use crate::workload::Workload;

/// The client of a workload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientOptions {
    /// What sends the requests.
    pub kind: Kind,
    /// Whether a connection carries more than one request.
    pub keep_alive: bool,
    /// Connections that may be open at once, over all threads (at least one each); any number when absent.
    pub connections: Option<NonZeroUsize>,
    /// How long an upload waits for 100 Continue before its body goes out; when absent it does not ask for one. Over
    /// HTTP/1.1 only.
    pub expect_continue: Option<Duration>,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// Whether it speaks HTTP/2. Then `connections` are shared by requests, and there is one for each thread when absent.
    pub http2: bool,
}

/// What sends the requests.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Kind {
    /// The wire client of this crate.
    #[default]
    Native,
    /// The AWS SDK for Rust, as an application would use it.
    #[cfg(feature = "aws-sdk")]
    AwsSdk(SdkOptions),
}

/// How an application configures its SDK.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SdkOptions {
    /// Whether and how it retries.
    pub retries: Retries,
    /// Whether the bucket's name stands in the host instead of the path.
    pub virtual_host: bool,
}

/// The retry modes of AWS SDKs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retries {
    /// One try for each call.
    Off,
    /// Three tries by the rules that SDKs have had since 2021.
    Standard,
    /// Three tries by the rules of 2026.
    Standard2026,
    /// As standard, and a rate limit that falls with throttling.
    Adaptive,
}

/// One client of one thread.
#[derive(Debug)]
pub enum Engine {
    /// The wire client of this crate.
    Native(Box<Client>),
    /// The AWS SDK.
    #[cfg(feature = "aws-sdk")]
    AwsSdk(Box<crate::sdk::SdkClient>),
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            kind: Kind::default(),
            keep_alive: true,
            connections: None,
            expect_continue: None,
            tls: false,
            http2: false,
        }
    }
}

impl Engine {
    /// The engine of a workload on thread `number` of `threads`.
    fn open(session: &Arc<Session>, workload: &Workload, number: u64, threads: u64) -> Self {
        let options = &workload.client;
        let most = options.connections.map(|all| {
            let share = (all.get() as u64).saturating_sub(number).div_ceil(threads);
            NonZeroUsize::new(share as usize).unwrap_or(NonZeroUsize::MIN)
        });
        let (keep_alive, tls, http2) = (options.keep_alive, options.tls, options.http2);
        let connections = Connections { keep_alive, most, expect: options.expect_continue, tls, http2 };
        match &options.kind {
            Kind::Native => Self::Native(Box::new(Client::with(Arc::clone(session), connections))),
            #[cfg(feature = "aws-sdk")]
            Kind::AwsSdk(sdk) => {
                let (session, keep_alive) = (Arc::clone(session), options.keep_alive);
                let client = crate::sdk::SdkClient::new(session, workload, *sdk, keep_alive, number);
                Self::AwsSdk(Box::new(client))
            }
        }
    }

    /// The engines of all workloads on one thread, in order. Workloads that ask for nothing share one client and its
    /// connections; each of the others has its own.
    pub(crate) fn open_all(
        session: &Arc<Session>,
        workloads: &[Arc<Workload>],
        number: u64,
        threads: u64,
    ) -> Vec<Arc<Self>> {
        let plain = ClientOptions::default();
        let shared = Arc::new(Self::Native(Box::new(Client::new(Arc::clone(session)))));
        let engine = |workload: &Arc<Workload>| match workload.client == plain {
            true => Arc::clone(&shared),
            false => Arc::new(Self::open(session, workload, number, threads)),
        };
        workloads.iter().map(engine).collect()
    }

    /// Sends one request that was due at `intended`, and writes its record to the sink. Never fails: what went wrong
    /// is in the record. A future that is dropped midway leaves no record.
    pub async fn exchange(&self, plan: &RequestPlan, intended: Nanos) -> ClientRecord {
        match self {
            Self::Native(client) => client.exchange(plan, intended).await,
            #[cfg(feature = "aws-sdk")]
            Self::AwsSdk(client) => client.exchange(plan, intended).await,
        }
    }

    /// Sends the request of an arrival and those that follow from its answers (the parts of an upload, the pages of a
    /// list), each due when the one before has ended. `seen` is told of each.
    pub async fn exchange_all(
        &self,
        first: RequestPlan,
        intended: Nanos,
        seen: impl FnMut(&RequestPlan, &ClientRecord),
    ) {
        match self {
            Self::Native(client) => client.exchange_all(first, intended, seen).await,
            // One call of the SDK is one request of ours: what takes several is refused for it in scenarios.
            #[cfg(feature = "aws-sdk")]
            Self::AwsSdk(client) => {
                let mut seen = seen;
                seen(&first, &client.exchange(&first, intended).await);
            }
        }
    }

    /// The load is over: a last look at idle connections.
    pub fn close_idle(&self) {
        match self {
            Self::Native(client) => client.close_idle(),
            #[cfg(feature = "aws-sdk")]
            Self::AwsSdk(_) => {}
        }
    }
}
