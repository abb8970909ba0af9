//! The `load` block.

use schemars::JsonSchema;
use serde::Deserialize;

use super::arrivals::{Closed, Open};
use super::client::Client;
use super::journeys::Journey;
use super::requests::{Keys, OpEntry, Signing};
use super::world::Sizes;
use super::{Either, FromLog, Named};
use crate::scenario::decode::Spanned;
use crate::units::{Share, Span};

/// One workload.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Workload {
    /// Requests start at their time, whether earlier ones have ended or not. One of `open`, `closed` and `from-log`
    /// has to be there.
    #[serde(default)]
    pub(crate) open: Option<Spanned<Open>>,
    /// Users wait for their answer before they ask again: a slow target slows the load down.
    #[serde(default)]
    pub(crate) closed: Option<Spanned<Closed>>,
    /// Makes the requests of a log again, each at its time: a file of Amazon S3 server access logs, a folder of them, or
    /// the directory of a run. The bucket gets the objects that the log reads, unless it has `objects` of its own.
    /// In place of `ops`, `keys`, `missing` and `writes`.
    #[serde(default)]
    pub(crate) from_log: Option<Spanned<Either<String, FromLog>>>,
    /// Bucket, by its name in this file. Default: the only one.
    #[serde(default)]
    pub(crate) bucket: Option<Spanned<String>>,
    /// Operations with their shares, which sum to 100%: GetObject, HeadObject, PutObject, DeleteObject,
    /// DeleteObjects, ListObjectsV2. A share alone, one with details, or a list of those. Needed unless there are
    /// `journeys`.
    #[serde(default)]
    pub(crate) ops: Option<Spanned<Named<OpEntry>>>,
    /// What users do step after step, by name, in place of `ops`; with `closed`. Default: none.
    #[serde(default)]
    pub(crate) journeys: Option<Spanned<Named<Journey>>>,
    /// Rules on journeys in goose's own words, such as `p95<500ms for GET GetObject`, which the report notes. Default:
    /// none.
    #[serde(default)]
    pub(crate) thresholds: Option<Spanned<Vec<Spanned<String>>>>,
    /// Which keys are read. Default: uniform.
    #[serde(default)]
    pub(crate) keys: Option<Spanned<Keys>>,
    /// Share of reads for keys that do not exist. Default: 0%.
    #[serde(default)]
    pub(crate) missing: Option<Spanned<Share>>,
    /// What writes write.
    #[serde(default)]
    pub(crate) writes: Writes,
    /// Identity whose key signs. Default: none, or the only identity when `sign` is client or gateway.
    #[serde(default)]
    pub(crate) r#as: Option<Spanned<String>>,
    /// Who signs: `client`, `gateway`, `none`, `presigned`, or `presigned: { expires, age }`. Default: client when
    /// `as` is given, else none.
    #[serde(default)]
    pub(crate) sign: Option<Spanned<Signing>>,
    /// From sending to the end of the response. Default: 5s.
    #[serde(default)]
    pub(crate) timeout: Option<Spanned<Span>>,
    /// Who carries the requests. Default: our own HTTP/1.1 client.
    #[serde(default)]
    pub(crate) client: Option<Client>,
    /// Whether this entry replaces the one of a fragment. Default: false.
    #[serde(default, rename = "replace")]
    pub(crate) _replace: bool,
}

/// What writes write.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Writes {
    /// Key pattern with the number of the write as `{n}` or `{n:06}`. Default: `w/{n:08}`.
    #[serde(default)]
    pub(crate) key: Option<Spanned<String>>,
    /// Size of what is written. Default: 4KiB.
    #[serde(default)]
    pub(crate) size: Option<Spanned<Sizes>>,
    /// What it is made of. Default: bytes.
    #[serde(default)]
    pub(crate) body: Option<Spanned<Bodies>>,
}

/// What uploads are made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Bodies {
    /// Bytes that are no HTTP, other ones for each upload.
    Bytes,
    /// Whole requests, one after the other, each of 64 bytes: whoever loses count of a body sends or reads them.
    HttpRequests,
}
