//! The official AWS SDK for Rust as a client: what an application that uses it would see and do.
//!
//! The SDK signs, retries, backs off and checks sums by its own rules; nothing of that is ours. An interceptor names
//! the request on every try and watches the tries go by (`observer`); one call makes one record, whatever the SDK
//! tried for it. How an error of the SDK ends an exchange is in `told`. The wire itself stays unseen: records have no
//! framing, no connection and no bytes after a message.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::future;
use aws_sdk_s3::config::retry::{RetryConfig, RetryPartition};
use aws_sdk_s3::config::{BehaviorVersion, Credentials, IdentityCache, ProvideCredentials, Region};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use aws_sdk_s3::{Client as S3, Config};
use aws_smithy_async::time::{SystemTimeSource, TimeSource};
use aws_smithy_types::retry::RetrySpec;
use gatecrash_model::time::micros_between;
use gatecrash_model::{ClientRecord, Ending, Event, Framing, Nanos, Op, Shape};
use tokio::time::{Instant, timeout_at};

use crate::engine::{Retries, SdkOptions};
use crate::plan::{Payload, RequestPlan};
use crate::sign::Signer;
use crate::wire::{Body, Session};
use crate::workload::{OpPlan, Workload};

mod observer;
mod told;

use observer::{Observer, Place, Seen};
use told::{Told, told};

/// The SDK's client for one workload on one thread.
pub struct SdkClient {
    session: Arc<Session>,
    s3: S3,
    place: Place,
}

impl SdkClient {
    /// A client as an application would configure it: defaults of the SDK but for what the options say. Its bucket of
    /// retry tokens is its own.
    pub(crate) fn new(
        session: Arc<Session>,
        workload: &Workload,
        options: SdkOptions,
        keep_alive: bool,
        thread: u64,
    ) -> Self {
        let setup = session.setup();
        let mut http = aws_smithy_http_client::Builder::new();
        if !keep_alive {
            http = http.pool_max_idle_per_host(0);
        }
        let place = Place::new(setup.target.addr, &setup.target.host_header, options.virtual_host);
        let region = workload.signing.as_ref().map_or("us-east-1", |signer| signer.region());
        let partition = format!("gatecrash-{}-{}-{thread}", setup.run, workload.index);
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(region.to_owned()))
            .endpoint_url(place.endpoint())
            .force_path_style(!options.virtual_host)
            .retry_config(rules(options.retries))
            .retry_partition(RetryPartition::new(partition))
            .http_client(http.build_http());
        let config = match &workload.signing {
            None => config.allow_no_auth(),
            Some(signer) => config
                .credentials_provider(Keys(Arc::clone(signer)))
                .identity_cache(IdentityCache::no_cache())
                .time_source(Skewed(Arc::clone(signer))),
        };
        let s3 = S3::from_conf(config.build());
        Self { session, s3, place }
    }

    /// Makes one call that was due at `intended`, and writes its record to the sink.
    pub(crate) async fn exchange(&self, plan: &RequestPlan, intended: Nanos) -> ClientRecord {
        let setup = self.session.setup();
        let deadline = Instant::now() + plan.workload.timeout;
        let begun = setup.clock.now();
        let id = format!("{}-{}-{}", setup.run, plan.workload.index, plan.k);
        let observer = Observer::new(id, Arc::clone(&setup.clock), self.place.clone());
        let mut body = Body::default();
        let told = match timeout_at(deadline, self.call(plan, &observer, &mut body)).await {
            Ok(told) => told,
            Err(_) => Told::ended(Ending::Hang, "the workload's timeout passed"),
        };
        let seen = observer.seen();
        let record = self.record(plan, (intended, begun, setup.clock.now()), &seen, &told, &body);
        if seen.tries.len() > 1 {
            let tries = u32::try_from(seen.tries.len()).unwrap_or(u32::MAX);
            setup.sink.event(Event::ClientTries { request: plan.id().pack(), tries });
        }
        setup.sink.client(record);
        record
    }

    /// What came of the call, without a retry of ours.
    async fn call(&self, plan: &RequestPlan, observer: &Observer, body: &mut Body) -> Told {
        let (bucket, key) = (plan.workload.population.bucket.as_str(), plan.key.as_str());
        // Every operation's builder is a type of its own.
        macro_rules! send {
            ($request:expr) => {
                $request.bucket(bucket).customize().interceptor(observer.clone()).send().await
            };
        }
        match plan.op {
            Op::GetObject => {
                let range = plan.range.map(|(first, last)| format!("bytes={first}-{last}"));
                match send!(self.s3.get_object().key(key).set_range(range)) {
                    Ok(output) => self.read(plan, observer, output.body, body).await,
                    Err(error) => told(error),
                }
            }
            Op::HeadObject => send!(self.s3.head_object().key(key)).map_or_else(told, |_| Told::WHOLE),
            Op::PutObject => {
                let content = ByteStream::from(self.upload(&plan.payload));
                send!(self.s3.put_object().key(key).body(content)).map_or_else(told, |_| Told::WHOLE)
            }
            Op::DeleteObject => send!(self.s3.delete_object().key(key)).map_or_else(told, |_| Told::WHOLE),
            Op::DeleteObjects => {
                let keys = plan.workload.deletes(plan.k);
                let ids = keys.iter().filter_map(|key| ObjectIdentifier::builder().key(key).build().ok());
                match Delete::builder().set_objects(Some(ids.collect())).quiet(true).build() {
                    Ok(keys) => {
                        send!(self.s3.delete_objects().delete(keys)).map_or_else(told, |_| Told::WHOLE)
                    }
                    Err(error) => Told::ended(Ending::Dropped, &error.to_string()),
                }
            }
            Op::ListObjectsV2 => {
                let Some(OpPlan::ListObjectsV2 { prefix, max_keys, .. }) = plan.workload.op(plan.k) else {
                    return Told::ended(Ending::Dropped, "no list");
                };
                let prefix = prefix.as_deref().unwrap_or(plan.workload.population.pattern.prefix());
                let request = self.s3.list_objects_v2().prefix(prefix).max_keys(i32::from(*max_keys));
                send!(request).map_or_else(told, |_| Told::WHOLE)
            }
            other => Told::ended(Ending::Dropped, &format!("{other} is not sent through the SDK")),
        }
    }

    /// Reads an object to its end and compares every byte.
    async fn read(
        &self,
        plan: &RequestPlan,
        observer: &Observer,
        mut stream: ByteStream,
        body: &mut Body,
    ) -> Told {
        body.begin(plan, observer.seen().last().status);
        while let Some(next) = stream.next().await {
            match next {
                Ok(bytes) => body.take(&self.session.setup().pool, &bytes),
                Err(error) => return Told::of_body(&error, body),
            }
        }
        Told::WHOLE
    }

    fn upload(&self, payload: &Payload) -> Vec<u8> {
        let Payload::Object { content, len } = payload else { return Vec::new() };
        let (pool, mut bytes) = (&self.session.setup().pool, Vec::new());
        while (bytes.len() as u64) < *len {
            let at = bytes.len() as u64;
            bytes.extend_from_slice(content.chunk(pool, at, (*len - at) as usize));
        }
        bytes
    }

    fn record(
        &self,
        plan: &RequestPlan,
        (intended, begun, ended): (Nanos, Nanos, Nanos),
        seen: &Seen,
        told: &Told,
        body: &Body,
    ) -> ClientRecord {
        let setup = self.session.setup();
        let mut record = self.session.blank(plan, intended);
        let sent = seen.tries.first().map_or(begun, |first| first.sent);
        let last = seen.last();
        record.lag = micros_between(intended, sent);
        record.first_byte = last.head.map_or(u32::MAX, |at| micros_between(sent, at));
        record.done = micros_between(sent, ended);
        (record.status, record.attempt, record.request_id) = (last.status, last.attempt, last.request_id);
        record.flags = last.flags | told.flags;
        record.ending = told.ending;
        record.body_bytes = u32::try_from(body.seen.max(told.body.len() as u64)).unwrap_or(u32::MAX);
        record.shape = Shape::new(Framing::None, body.check(&setup.pool));
        if let Some(code) = &told.code {
            record.code = setup.sink.intern(code);
        }
        self.session.note_versions(plan, &record, body, last.shown.as_bytes());
        self.session.judge_blind(plan, &mut record, &last.shown, &told.body, &seen.story(&told.why));
        record
    }
}

impl std::fmt::Debug for SdkClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SdkClient").field("session", &self.session).finish_non_exhaustive()
    }
}

/// The SDK's own configurations. Its rules of 2026 are not public API yet: this release of the SDK has them behind a
/// field that is hidden from its documentation.
fn rules(retries: Retries) -> RetryConfig {
    match retries {
        Retries::Off => RetryConfig::disabled(),
        Retries::Standard => RetryConfig::standard().with_retry_spec(RetrySpec::v2_0()),
        Retries::Standard2026 => RetryConfig::standard().with_retry_spec(RetrySpec::v2_1()),
        Retries::Adaptive => RetryConfig::adaptive(),
    }
}

/// Whatever the workload signs with at that moment.
#[derive(Debug)]
struct Keys(Arc<Signer>);

impl ProvideCredentials for Keys {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let keys = self.0.source().current();
        let mut credentials = Credentials::builder()
            .access_key_id(&keys.access_key)
            .secret_access_key(&keys.secret)
            .provider_name("gatecrash");
        credentials.set_session_token(keys.session_token.clone());
        future::ProvideCredentials::ready(Ok(credentials.build()))
    }
}

/// The client's clock, wrong by as much as the workload's is.
#[derive(Debug)]
struct Skewed(Arc<Signer>);

impl TimeSource for Skewed {
    fn now(&self) -> SystemTime {
        let (now, skew) = (SystemTimeSource::new().now(), self.0.skew());
        let by = Duration::from_secs(skew.unsigned_abs());
        if skew < 0 { now - by } else { now + by }
    }
}
