//! The `journeys` block of a workload: what its users do, step after step.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Bytes, Either};
use crate::plan::RangeLaw;
use crate::scenario::decode::Spanned;
use crate::units::{Size, Span};

/// A journey. Its users walk its steps one after the other, again and again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Journey {
    /// Its share of the users, beside the weights of the others. Default: 1.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) weight: Option<Spanned<u32>>,
    /// Pause after each step. Default: the one of `closed`.
    #[serde(default)]
    pub(crate) think: Option<Spanned<Span>>,
    /// The steps, in order: put, multipart, head, get, range, list, delete.
    pub(crate) steps: Spanned<Vec<Spanned<Step>>>,
}

/// An upload in parts.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Multipart {
    /// How many parts, 1 to 10000.
    #[schemars(range(min = 1, max = 10_000))]
    pub(crate) parts: Spanned<u16>,
    /// Size of each; S3 wants 5MiB of all but the last. Default: 5MiB.
    #[serde(default)]
    pub(crate) part_size: Option<Spanned<Size>>,
}

/// One request, of a `multipart` several. After a `put` or `multipart`, `head`, `get` and `range` are about what was put, until the next round or a `delete`;
/// otherwise about an object of the bucket.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Step {
    /// Uploads an object of the user's own, as `writes` say.
    Put,
    /// The same in parts: create, the parts one after the other, complete; abort when one fails.
    Multipart(Multipart),
    /// Asks for the metadata of an object.
    Head,
    /// Reads a whole object.
    Get,
    /// Reads a part of an object: first and last byte as in `0-1023`, `random: 64KiB` or `suffix: 1KiB`.
    Range(Either<Bytes, RangeLaw>),
    /// Lists objects of the bucket.
    List,
    /// Removes what the journey has put.
    Delete,
}
