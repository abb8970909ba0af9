//! Which exchanges a fault or an expectation is about.

use std::collections::BTreeMap;

use gatecrash_model::{Nanos, Op};
use percent_encoding::percent_decode_str;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Facts;
use crate::units::{Size, Span};

/// All given parts must hold; an empty match holds for everything.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Matcher {
    /// S3 operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub op: Option<Op>,
    /// Bucket name, as in the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// Object key, with `*` for any characters and `?` for one. Quote it when it begins with `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Glob>,
    /// Beginning of the object key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// HTTP method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Request headers: name to a glob of the value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub header: BTreeMap<String, Glob>,
    /// Query parameters: name to a glob of the decoded value; one without a value has an empty one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, Glob>,
    /// Body bytes as declared: of the request, or of the answer for faults that act on the answer. A body of
    /// undeclared length does not match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<SizeMatch>,
    /// Part number of a multipart upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10000))]
    pub part: Option<u16>,
    /// The identity that signed: in the mock the one it authenticated, on a link the one whose access key the
    /// request names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Which try of a request, 1 = the first seen upstream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u8>,
    /// Every n-th exchange that matches otherwise (depends on order: not replayable one by one).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// The upstream connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionMatch>,
    /// Status of the upstream's answer: expectations, and faults that act on the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_status: Option<u16>,
}

/// What is asked of the upstream connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ConnectionMatch {
    /// Whether it had carried an exchange before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reused: Option<bool>,
    /// Which exchange on it, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u16>,
    /// How long ago it was accepted (faults of links only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<AgeMatch>,
}

/// Bounds of a size, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SizeMatch {
    /// Least. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Size>,
    /// Most. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Size>,
}

/// Bounds of an age, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AgeMatch {
    /// Least. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Span>,
    /// Most. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Span>,
}

/// A pattern with `*` (any characters, also `/`) and `?` (one character).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Glob(pub String);

impl Matcher {
    /// Whether an exchange matches; `nth` is left to the caller.
    pub fn matches(&self, facts: &Facts<'_>) -> bool {
        self.matches_request(facts.op, facts.bucket, facts.key)
            && self.method.as_deref().is_none_or(|m| m.eq_ignore_ascii_case(facts.method))
            && self.part.is_none_or(|n| n == facts.part)
            && self.identity.as_deref().is_none_or(|name| name == facts.identity)
            && self.attempt.is_none_or(|n| n == facts.attempt.number)
            && self.connection.is_none_or(|c| c.matches(facts.ordinal, facts.age))
            && self.upstream_status.is_none_or(|status| status == facts.status)
            && self.size.is_none_or(|size| facts.size.is_some_and(|bytes| size.holds(bytes)))
            && self.query.iter().all(|(name, glob)| has_parameter(facts.query, name, glob))
            && self.header.iter().all(|(name, glob)| {
                facts.headers.iter().any(|(n, v)| n.eq_ignore_ascii_case(name) && glob.matches(v))
            })
    }

    /// The part of a match that a client request alone decides.
    pub fn matches_request(&self, op: Op, bucket: &str, key: &str) -> bool {
        self.op.is_none_or(|o| o == op)
            && self.bucket.as_deref().is_none_or(|b| b == bucket)
            && self.key.as_ref().is_none_or(|g| g.matches(key))
            && self.prefix.as_deref().is_none_or(|p| key.starts_with(p))
    }

    /// Whether the set of matching attempts can be recomputed from the records alone.
    pub fn is_recomputable(&self) -> bool {
        self.header.is_empty()
            && self.query.is_empty()
            && self.nth.is_none()
            && self.part.is_none()
            && self.size.is_none()
            && self.identity.is_none()
            && self.upstream_status.is_none()
            && self.connection.is_none_or(|connection| connection.age.is_none())
    }
}

impl ConnectionMatch {
    /// Whether exchange `ordinal` (from 0) of a connection of this age matches.
    pub fn matches(self, ordinal: u16, age: Nanos) -> bool {
        self.reused.is_none_or(|r| r == (ordinal > 0))
            && self.nth.is_none_or(|n| u32::from(n) == u32::from(ordinal) + 1)
            && self.age.is_none_or(|bounds| bounds.holds(age))
    }
}

impl SizeMatch {
    /// Whether a size lies within the bounds.
    pub fn holds(self, bytes: u64) -> bool {
        self.min.is_none_or(|min| min.0 <= bytes) && self.max.is_none_or(|max| bytes <= max.0)
    }

    /// Whether nothing lies within the bounds.
    pub fn is_empty(self) -> bool {
        self.min.zip(self.max).is_some_and(|(min, max)| min > max)
    }
}

impl AgeMatch {
    /// Whether an age lies within the bounds.
    pub fn holds(self, age: Nanos) -> bool {
        self.min.is_none_or(|min| min.0 <= age) && self.max.is_none_or(|max| age <= max.0)
    }

    /// Whether nothing lies within the bounds.
    pub fn is_empty(self) -> bool {
        self.min.zip(self.max).is_some_and(|(min, max)| min > max)
    }
}

/// Whether a query has a parameter of this name with a value that matches.
fn has_parameter(query: &str, name: &str, glob: &Glob) -> bool {
    let decoded = |text| percent_decode_str(text).decode_utf8_lossy();
    let mut pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.any(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        decoded(key) == name && glob.matches(&decoded(value))
    })
}

impl Glob {
    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        let (mut p, mut t) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        while t < text.len() {
            if p < pattern.len() && pattern[p] == b'*' {
                star = Some((p, t));
                p += 1;
            } else if p < pattern.len() && (pattern[p] == b'?' || pattern[p] == text[t]) {
                p += 1;
                t += 1;
            } else if let Some((at, from)) = star {
                star = Some((at, from + 1));
                p = at + 1;
                t = from + 1;
            } else {
                return false;
            }
        }
        pattern[p..].iter().all(|b| *b == b'*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        let table = [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("img/*.bin", "img/a/b.bin", true),
            ("?", "", false),
            ("a?c", "abc", true),
            ("*a*b*", "xxaxxbxx", true),
            ("", "", true),
            ("", "x", false),
        ];
        for (pattern, text, wanted) in table {
            assert_eq!(Glob(pattern.into()).matches(text), wanted, "{pattern} ~ {text}");
        }
    }
}
