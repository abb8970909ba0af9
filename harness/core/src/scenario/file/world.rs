//! The blocks `upstreams`, `buckets` and `identities`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Either, Flag, Named, OneOrMany};
use crate::faults::statement;
use crate::plan::LatencyProfile;
use crate::scenario::decode::Spanned;
use crate::units::{Share, Size, Span};

/// One upstream region.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Upstream {
    /// Whether traffic belongs here while it is healthy. Default: primary.
    #[serde(default)]
    pub(crate) role: Option<Spanned<Role>>,
    /// Endpoints, each with a link (and address) of its own; 1 to 16. Default: 1.
    #[serde(default)]
    #[schemars(range(min = 1, max = 16))]
    pub(crate) endpoints: Option<Spanned<u32>>,
    /// Latency that the links add to every exchange, by two quantiles; or `aws-like`: the upstream itself takes
    /// as long as S3 has been measured to, by operation and size. Default: none.
    #[serde(default)]
    pub(crate) latency: Option<Spanned<Either<LatencyProfile, Latency>>>,
    /// What the gateway speaks to it. Default: http1.
    #[serde(default)]
    pub(crate) http: Option<Spanned<Protocol>>,
    /// What stands in for the links: an existing Toxiproxy, which knows TCP faults only and sees no attempts. Needs a
    /// build with the feature `external-toxiproxy`. Default: links of gatecrash.
    #[serde(default)]
    pub(crate) proxy: Option<Spanned<StandIn>>,
    /// Whether the gateway speaks TLS to it: `true`, or how. The links present certificates of the run's own CA,
    /// whose file the gateway is given. Default: false.
    #[serde(default)]
    pub(crate) tls: Option<Spanned<Either<Flag, UpstreamTls>>>,
    /// Whether this entry replaces the one of a fragment. Default: false.
    #[serde(default, rename = "replace")]
    pub(crate) _replace: bool,
}

/// Somebody else's proxy in place of the links.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "UpstreamProxy")]
pub(crate) struct StandIn {
    /// A Toxiproxy on this machine: `http://host:port` of its API.
    pub(crate) toxiproxy: Spanned<String>,
}

/// TLS between gateway and upstream.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct UpstreamTls {
    /// Whether the gateway has to show a certificate; it is given one, with its key. Default: none.
    #[serde(default)]
    pub(crate) client_certificate: Option<ClientCertificate>,
}

/// Whether clients of TLS show a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ClientCertificate {
    /// Not asked for.
    None,
    /// No handshake without one of the run's CA.
    Required,
}

/// A version of HTTP.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 without TLS, by prior knowledge (RFC 9113 3.3).
    H2c,
}

/// The role of a region.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    /// Serves while healthy.
    Primary,
    /// Serves when no primary does.
    Standby,
}

/// A latency law by two quantiles (lognormal).
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "UpstreamLatency")]
pub(crate) struct Latency {
    /// Median.
    pub(crate) p50: Span,
    /// 99th percentile. Default: as the median, a constant.
    #[serde(default)]
    pub(crate) p99: Option<Span>,
}

/// One bucket.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Bucket {
    /// Regions that hold it: a list, or a mapping from region to that region's name for it. Default: every
    /// region, under its own name.
    #[serde(default)]
    pub(crate) r#in: Option<Spanned<Homes>>,
    /// Synthetic objects that exist from the start. Default: 1000 of 16KiB, `o/{n:06}`.
    #[serde(default)]
    pub(crate) objects: Objects,
    /// Whether unsigned requests may read and write it. Default: true while the scenario has no identities.
    #[serde(default)]
    pub(crate) public: Option<Spanned<bool>>,
    /// How what is written in one region comes to the others; turns versioning on. Default: not at all.
    #[serde(default)]
    pub(crate) replication: Option<Spanned<Replication>>,
    /// Bucket policy, AWS JSON. Default: none.
    #[serde(default)]
    pub(crate) policy: Option<Spanned<Policy>>,
    /// Whether this entry replaces the one of a fragment. Default: false.
    #[serde(default, rename = "replace")]
    pub(crate) _replace: bool,
}

/// Replication of a bucket between its regions, as S3 does it: new versions only, replicas not onwards.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "BucketReplication")]
pub(crate) struct Replication {
    /// How long a version takes: a constant, or a median and a 99th percentile.
    pub(crate) lag: Spanned<Either<Span, Latency>>,
    /// The one region whose writes are replicated. Default: those of every region.
    #[serde(default)]
    pub(crate) from: Option<Spanned<String>>,
    /// Whether delete markers are replicated too. Default: false.
    #[serde(default)]
    pub(crate) delete_markers: Option<Spanned<bool>>,
}

/// Where a bucket lives: regions, or regions with their own names for it.
pub(crate) type Homes = Either<Vec<Spanned<String>>, Named<Spanned<String>>>;

/// Synthetic objects: their bytes follow from key and seed, nothing is stored.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Objects {
    /// How many. Default: 1000.
    #[serde(default)]
    pub(crate) count: Option<Spanned<u32>>,
    /// Key pattern with the number as `{n}`, or `{n:06}` with leading zeros. Default: `o/{n:06}`.
    #[serde(default)]
    pub(crate) key: Option<Spanned<String>>,
    /// Their size. Default: 16KiB.
    #[serde(default)]
    pub(crate) size: Option<Spanned<Sizes>>,
    /// Cache-Control that reads of them carry, such as `max-age=1`. Default: none.
    #[serde(default)]
    pub(crate) cache_control: Option<Spanned<String>>,
    /// How often each of them has a new version with other bytes, ETag and Last-Modified, in all regions at the same
    /// time; at least 100ms. Which version is current when follows from key and seed. Default: they never change.
    #[serde(default)]
    pub(crate) change_every: Option<Spanned<Span>>,
}

/// One size, or a law of sizes.
pub(crate) type Sizes = Either<Size, SizeLaw>;

/// A law of sizes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SizeLaw {
    /// Sizes with their shares, which sum to 100%.
    Weighted(Named<Spanned<Share>>),
    /// Many short ones, few long ones, as in real stores.
    Lognormal(Lognormal),
    /// Sizes from a file beside the scenario: a size and how often it occurs on each line (`16KiB 90`), `#` begins
    /// a comment.
    FromFile(Spanned<String>),
}

/// A lognormal law of sizes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "LognormalSizes")]
pub(crate) struct Lognormal {
    /// Half of them are shorter.
    pub(crate) median: Spanned<Size>,
    /// One in a hundred is longer.
    pub(crate) p99: Spanned<Size>,
    /// None is longer. Default: four times `p99`.
    #[serde(default)]
    pub(crate) max: Option<Spanned<Size>>,
}

/// A bucket policy in AWS spelling.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Policy {
    /// Policy language version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    /// Policy id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// Its statements.
    pub(crate) statement: Vec<statement::Statement>,
}

/// One identity.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Identity {
    /// Account, twelve digits (in quotes). Default: "000000000001".
    #[serde(default)]
    pub(crate) account: Option<Spanned<String>>,
    /// What it may do: one statement or a list. Default: nothing but what bucket policies grant.
    #[serde(default)]
    pub(crate) allow: OneOrMany<Statement>,
    /// What it must not do: one statement or a list. Default: nothing.
    #[serde(default)]
    pub(crate) deny: OneOrMany<Statement>,
    /// Whether this entry replaces the one of a fragment. Default: false.
    #[serde(default, rename = "replace")]
    pub(crate) _replace: bool,
}

/// Actions on resources.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "IdentityStatement")]
pub(crate) struct Statement {
    /// Actions such as `s3:GetObject`, `*` and `?` allowed.
    pub(crate) actions: Vec<Spanned<String>>,
    /// Resources such as `arn:aws:s3:::media/*`, `*` and `?` allowed.
    pub(crate) resources: Vec<Spanned<String>>,
}
