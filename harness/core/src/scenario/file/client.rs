//! The `client` block of a workload: who carries its requests.

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use crate::scenario::decode::Spanned;
use crate::units::Span;

/// The client of a workload.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Client {
    /// What sends the requests. Default: native.
    #[serde(default)]
    pub(crate) engine: Option<Spanned<Engine>>,
    /// Version of HTTP to the gateway: 1.1 or 2. Default: 1.1.
    #[serde(default)]
    pub(crate) http: Option<Spanned<Http>>,
    /// Whether a connection carries more than one request. Default: true.
    #[serde(default)]
    pub(crate) keep_alive: Option<Spanned<bool>>,
    /// Connections that may be open at once; a request over them waits its turn, and the wait counts in its
    /// response time. Over HTTP/2 requests share them, as many as the gateway allows on each. Default: as many as there
    /// are requests in flight; one with `http: 2`.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) connections: Option<Spanned<u32>>,
    /// Uploads send their head with `Expect: 100-continue`, and the body when 100 Continue has come or so much time has
    /// passed (RFC 9110 10.1.1), as some SDKs do. An upload that is answered before does not send its body; with a time of `timeout`
    /// and more it never does without a 100. Default: no.
    #[serde(default)]
    pub(crate) expect_continue: Option<Spanned<Span>>,
    /// Whether it speaks TLS to the gateway, whose certificate the run's own authority signs. Default: false.
    #[serde(default)]
    pub(crate) tls: Option<Spanned<bool>>,
    /// Whether the client tries again by itself. Default: off.
    #[serde(default)]
    pub(crate) retries: Option<Spanned<Retries>>,
    /// Where the bucket's name stands. Default: path.
    #[serde(default)]
    pub(crate) addressing: Option<Spanned<Addressing>>,
}

/// What sends the requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Engine {
    /// Our own client, which sees every byte and never repairs anything.
    Native,
    /// The same client for users whom goose moves through `journeys`. Default where there are some.
    Goose,
    /// The AWS SDK for Rust, as an application would use it.
    AwsSdk,
}

/// A version of HTTP.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[schemars(transform = or_numbers)]
pub(crate) enum Http {
    /// HTTP/1.1.
    #[serde(rename = "1.1")]
    Http1,
    /// HTTP/2: by ALPN where `tls` is on, by prior knowledge where it is not (RFC 9113 3.2, 3.3).
    #[serde(rename = "2")]
    Http2,
}

/// Nobody writes quotes around them.
fn or_numbers(schema: &mut Schema) {
    if let Some(serde_json::Value::Array(choices)) = schema.get_mut("oneOf") {
        choices.push(serde_json::json!({ "type": "number", "enum": [1.1, 2] }));
    }
}

/// Whether a client tries again by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Retries {
    /// One try for each request.
    Off,
    /// AWS SDKs since 2021: three tries, a bucket of 500 tokens, back-off from 1 s.
    Standard,
    /// AWS SDKs by the rules of 2026: as standard, with back-off from 50 ms but from 1 s after throttling.
    #[serde(rename = "standard-2026")]
    Standard2026,
    /// AWS SDKs: as standard, and a rate limit of the client's that falls with throttling.
    Adaptive,
}

/// Where the bucket's name stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Addressing {
    /// In the path: `/bucket/key`.
    Path,
    /// In the host: `bucket.s3.localhost`.
    VirtualHost,
}
