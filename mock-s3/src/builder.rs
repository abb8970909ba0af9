//! A mock in one line, for the unit tests of other projects.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use gatecrash_model::{Clock, NullSink, Pool, Sink};

use crate::auth::Credentials;
use crate::clock::SystemClock;
use crate::config::{BucketConfig, Config, ConfigError, IdentityConfig};
use crate::hook::{FaultHook, NoFaults};
use crate::server::MockS3;

/// Region of a mock that names none.
const REGION: &str = "us-east-1";

/// What a mock is to be. Made by [`MockS3::builder`].
pub struct Builder {
    config: Config,
    /// Private ones, in every region.
    buckets: Vec<String>,
    objects: Vec<(String, String, Bytes)>,
    clock: Arc<dyn Clock>,
    sink: Arc<dyn Sink>,
    hook: Arc<dyn FaultHook>,
}

/// Why a built mock does not start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The configuration cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An object for a bucket that was never named.
    #[error("object {key:?} is for bucket {bucket:?}, which is not there")]
    NoSuchBucket {
        /// The bucket.
        bucket: String,
        /// The object.
        key: String,
    },
    /// More objects than `upload_capacity` holds.
    #[error("object {0:?} does not fit into the upload capacity")]
    Full(String),
}

impl MockS3 {
    /// Begins a mock with one region (`us-east-1`), no buckets, nobody who may sign, real time and its journal on.
    pub fn builder() -> Builder {
        Builder {
            config: Config { regions: Vec::new(), ..Config::new(Arc::new(Pool::new(0)), REGION) },
            buckets: Vec::new(),
            objects: Vec::new(),
            clock: Arc::new(SystemClock::default()),
            sink: Arc::new(NullSink),
            hook: Arc::new(NoFaults),
        }
    }

    /// Where the first region answers: the endpoint URL of a client.
    pub fn endpoint(&self) -> String {
        let first = self.regions().first().and_then(|region| self.addr(region));
        first.map_or_else(String::new, |address| format!("http://{address}"))
    }

    /// Where a region answers; none for an unknown one.
    pub fn endpoint_of(&self, region: &str) -> Option<String> {
        self.addr(region).map(|address| format!("http://{address}"))
    }
}

impl Builder {
    /// One more region; the first one named takes the place of `us-east-1`.
    pub fn region(mut self, name: &str) -> Self {
        self.config.regions.push(name.into());
        self
    }

    /// An empty bucket in every region, for those who may sign.
    pub fn bucket(mut self, name: &str) -> Self {
        self.buckets.push(name.to_owned());
        self
    }

    /// An object in a bucket of the first region. It counts as an upload, but not as a request.
    pub fn object(mut self, bucket: &str, key: &str, content: impl Into<Bytes>) -> Self {
        self.objects.push((bucket.to_owned(), key.to_owned(), content.into()));
        self
    }

    /// Someone who may sign, and do everything.
    pub fn identity(self, name: &str, access_key: &str, secret_key: &str) -> Self {
        let everything = IdentityConfig::new(name).allow(&["*"], &["*"]);
        self.identity_with(IdentityConfig {
            credentials: Some(Credentials::new(access_key, secret_key)),
            ..everything
        })
    }

    /// Someone with policies of its own.
    pub fn identity_with(mut self, identity: IdentityConfig) -> Self {
        self.config.identities.push(identity);
        self
    }

    /// Unsigned requests may do everything.
    pub fn anonymous(mut self) -> Self {
        self.config.anonymous = true;
        self
    }

    /// Seed of request ids, version ids and fault draws; 0 when not set.
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// The first region listens here; otherwise on a free port of loopback.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        if self.config.regions.is_empty() {
            self.config.regions.push(REGION.into());
        }
        self.config.regions[0].bind = address;
        self
    }

    /// Anything else of the configuration.
    pub fn configure(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Time as the test wants it.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where the records of requests go, besides the journal.
    pub fn sink(mut self, sink: Arc<dyn Sink>) -> Self {
        self.sink = sink;
        self
    }

    /// Faults of the test's own; [`MockS3::faults`] has rules.
    pub fn fault_hook(mut self, hook: Arc<dyn FaultHook>) -> Self {
        self.hook = hook;
        self
    }

    /// Starts it in the current runtime. It ends with [`MockS3::shutdown`], or when it is dropped.
    pub async fn start(self) -> Result<MockS3, BuildError> {
        let Self { mut config, buckets, objects, clock, sink, hook } = self;
        if config.regions.is_empty() {
            config.regions.push(REGION.into());
        }
        let regions: Vec<String> = config.regions.iter().map(|region| region.name.clone()).collect();
        let regions: Vec<&str> = regions.iter().map(String::as_str).collect();
        config.buckets.extend(buckets.iter().map(|name| BucketConfig::new(name, &regions)));
        let mock = MockS3::start(config, clock, sink, Arc::default(), hook).await?;
        mock.journal();
        for (bucket, key, content) in objects {
            let Some(placement) = mock.shared.store.find(0, &bucket) else {
                return Err(BuildError::NoSuchBucket { bucket, key });
            };
            let put = mock.shared.deposit(&placement, &key, content, "binary/octet-stream");
            put.map_err(|_| BuildError::Full(key))?;
        }
        Ok(mock)
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("config", &self.config)
            .field("buckets", &self.buckets)
            .finish_non_exhaustive()
    }
}
