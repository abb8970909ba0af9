//! What a workload asks for, and who signs it.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::{SeqAccessDeserializer, StrDeserializer};
use serde::de::{Deserializer, IntoDeserializer as _, SeqAccess, Visitor};

use super::Either;
use crate::plan::{RangeLaw, TagPlan};
use crate::scenario::decode::Spanned;
use crate::units::{Share, Size, Span};

/// A share, one with details, or a list of those.
pub(crate) type OpEntry = Either<Shares, OpDetail>;

/// A share of its own, or several with details.
#[derive(Clone, Debug)]
pub(crate) enum Shares {
    One(Share),
    Several(Vec<OpDetail>),
}

impl<'de> Deserialize<'de> for Shares {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> Visitor<'de> for Forms {
            type Value = Shares;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a share such as 60%, or a list of shares with details")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Shares, E> {
                let text: StrDeserializer<'_, E> = text.into_deserializer();
                Share::deserialize(text).map(Shares::One)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Shares, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Shares::Several)
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

impl JsonSchema for Shares {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Shares".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (one, detail) = (generator.subschema_for::<Share>(), generator.subschema_for::<OpDetail>());
        json_schema!({ "anyOf": [one, { "type": "array", "items": detail }] })
    }
}

/// An operation with details.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct OpDetail {
    /// Its share.
    pub(crate) share: Share,
    /// Part of an object that a GetObject asks for: first and last byte as in `0-1023`, `random: 64KiB` from
    /// somewhere within, or the last bytes, `suffix: 1KiB`. Default: the whole object.
    #[serde(default)]
    pub(crate) range: Option<Spanned<Either<Bytes, RangeLaw>>>,
    /// `If-None-Match` of a GetObject or HeadObject: `current` is the object's ETag, so that 304 is right, `other`
    /// is one that no object has; of objects that change, `previous` is that of the version before, so that 304 is
    /// right from a copy that may still be served. For a PutObject `any`, which is `*`: only if there is no such object. Default:
    /// none.
    #[serde(default)]
    pub(crate) if_none_match: Option<Spanned<TagPlan>>,
    /// `If-Match` of a GetObject or HeadObject: with `other`, an ETag that no object has, 412 is right. Default:
    /// none.
    #[serde(default)]
    pub(crate) if_match: Option<Spanned<TagPlan>>,
    /// Sends a PutObject as a multipart upload of so many parts, 1 to 10000: create, the parts one after the other,
    /// complete; abort when one fails. Default: one request.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10_000))]
    pub(crate) parts: Option<Spanned<u16>>,
    /// Size of each part; S3 wants 5MiB of all but the last. Default: 5MiB.
    #[serde(default)]
    pub(crate) part_size: Option<Spanned<Size>>,
    /// Pages of a ListObjectsV2, 100 keys each, as far as there are any; 1 to 1000. Default: 1.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) pages: Option<Spanned<u16>>,
}

/// An inclusive range of bytes, as written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(crate) struct Bytes(#[schemars(regex(pattern = r"^[0-9]+-[0-9]+$"))] pub(crate) String);

/// The key law.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Keys {
    /// Every key alike.
    Uniform,
    /// One after the other.
    Sequential,
    /// Few keys often: Zipf with this exponent, above 0 and at most 5.
    Zipf(f64),
    /// A share of the keys gets a share of the requests.
    HotSet(HotSet),
    /// The keys that a file lists, relative to this one: a key and how often it is read on each line (`img/7.jpg 90`;
    /// once when that is not said), `#` begins a comment. All of them objects of the bucket.
    FromFile(Spanned<String>),
}

/// Keys that are hot.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct HotSet {
    /// Share of the keys: the first ones, at least one.
    pub(crate) keys: Spanned<Share>,
    /// Share of the requests that are for them.
    pub(crate) share: Spanned<Share>,
}

/// Who signs, in a word or with details.
pub(crate) type Signing = Either<Sign, SignDetail>;

/// Who signs a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Sign {
    /// The client, with the key of its identity.
    Client,
    /// The client, in the query of a link that is valid for 15 minutes.
    Presigned,
    /// The gateway, which holds the key.
    Gateway,
    /// Nobody.
    None,
}

/// Signing with details.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SignDetail {
    /// The client, in the query of a link.
    Presigned(Presigned),
}

/// Links with a signature in their query.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Presigned {
    /// How long a link is valid, whole seconds, at most 7 days. Default: 15m.
    #[serde(default)]
    pub(crate) expires: Option<Spanned<Span>>,
    /// How long ago it was signed when it is used. Default: 0s.
    #[serde(default)]
    pub(crate) age: Option<Spanned<Span>>,
}
