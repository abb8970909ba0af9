//! What the requests of a workload are: operations, keys, sizes.

use gatecrash_model::{Lengths, Op, SizeLaw};
use serde::{Deserialize, Serialize};

use crate::units::{Share, Size, Span};

/// A law of sizes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SizePlan {
    /// All equal.
    Fixed(Size),
    /// Sizes with shares that sum to 1.
    Weighted(Vec<(Size, Share)>),
    /// Many short ones, few long ones.
    Lognormal {
        /// Half of them are shorter.
        median: Size,
        /// One in a hundred is longer.
        p99: Size,
        /// None is longer.
        max: Size,
    },
    /// One by one.
    Listed(Lengths),
}

/// One operation of a mix.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct OpPlan {
    /// Operation.
    pub op: Op,
    /// Its share.
    pub share: Share,
    /// The part that a GetObject asks for; the whole when absent.
    pub range: Option<RangePlan>,
    /// What a request makes its success depend on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<ConditionPlan>,
    /// Sends a PutObject as a multipart upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<PartsPlan>,
    /// Pages that a list goes on to ask for, 1 for the first alone.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub pages: u16,
}

/// A part of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RangePlan {
    /// First and last byte, inclusive.
    Fixed(u64, u64),
    /// By a law.
    Law(RangeLaw),
}

/// A part of an object that depends on its size.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "RangeLaw")]
pub enum RangeLaw {
    /// So many bytes from somewhere within; all of a shorter object.
    Random(Size),
    /// The last so many bytes.
    Suffix(Size),
}

/// What a conditional request compares (RFC 9110 13.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConditionPlan {
    /// `If-Match`: the right answer to an ETag that is not the object's is 412.
    IfMatch(TagPlan),
    /// `If-None-Match`: the right answer to the object's ETag is 304.
    IfNoneMatch(TagPlan),
}

/// The ETag in a condition.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "ETag")]
pub enum TagPlan {
    /// The object's own.
    Current,
    /// Of an object that changes, that of the version before.
    Previous,
    /// One that no object has.
    Other,
    /// `*`: whatever there is.
    Any,
}

/// The parts of a multipart upload, all of one size.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PartsPlan {
    /// How many, 1 to 10,000.
    pub count: u16,
    /// Bytes in each.
    pub size: Size,
}

/// The key law.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeysPlan {
    /// Every key alike.
    Uniform,
    /// Zipf with this exponent.
    Zipf(f64),
    /// One after the other.
    Sequential,
    /// A share of the requests is for the first keys.
    HotSet {
        /// Share of the keys that are hot.
        keys: Share,
        /// Share of the requests that are for them.
        share: Share,
    },
    /// Those that a file lists.
    FromFile {
        /// The file, as the scenario names it.
        file: String,
        /// Numbers of objects with their weights.
        weights: Vec<(u32, f64)>,
    },
}

/// Who signs a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignPlan {
    /// The client.
    Client,
    /// The client, in the query: its requests are links that somebody signed earlier.
    Presigned {
        /// How long a link is valid, 1 s to 7 days.
        expires: Span,
        /// How old it is when it is used.
        age: Span,
    },
    /// The gateway, which holds the key.
    Gateway,
    /// Nobody.
    None,
}

impl OpPlan {
    /// An operation without details.
    pub fn plain(op: Op, share: Share) -> Self {
        Self { op, share, range: None, condition: None, parts: None, pages: 1 }
    }

    /// Whether requests of this operation come of it; an upload in parts begins, sends them, and ends or is given up.
    pub fn sends(&self, op: Op) -> bool {
        let of_parts = [
            Op::CreateMultipartUpload,
            Op::UploadPart,
            Op::CompleteMultipartUpload,
            Op::AbortMultipartUpload,
        ];
        if self.parts.is_some() { of_parts.contains(&op) } else { self.op == op }
    }

    /// Request ids that one arrival takes up: a multipart upload is create, parts, complete and abort.
    pub fn steps(&self) -> u32 {
        match self.parts {
            Some(parts) => u32::from(parts.count) + 3,
            None => u32::from(self.pages.max(1)),
        }
    }
}

impl SignPlan {
    /// Whether the client's own signature is on the request.
    pub fn is_by_client(self) -> bool {
        matches!(self, Self::Client | Self::Presigned { .. })
    }
}

impl From<&SizePlan> for SizeLaw {
    fn from(plan: &SizePlan) -> Self {
        match plan {
            SizePlan::Fixed(size) => Self::Fixed(size.0),
            SizePlan::Weighted(list) => Self::Weighted(list.iter().map(|(size, s)| (size.0, s.0)).collect()),
            SizePlan::Lognormal { median, p99, max } => {
                Self::Lognormal { median: median.0, p99: p99.0, max: max.0 }
            }
            SizePlan::Listed(lengths) => Self::Listed(lengths.clone()),
        }
    }
}

fn one() -> u16 {
    1
}

fn is_one(pages: &u16) -> bool {
    *pages == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_of_earlier_releases_still_load() {
        let stored = r#"{"op":"GetObject","share":"100%","range":[0,1023]}"#;
        let op: OpPlan = serde_json::from_str(stored).unwrap();
        assert_eq!(op.range, Some(RangePlan::Fixed(0, 1023)));
        assert_eq!((op.condition, op.parts, op.pages, op.steps()), (None, None, 1, 1));
        assert!(op.sends(op.op) && !op.sends(Op::UploadPart));
        assert_eq!(serde_json::to_string(&op).unwrap(), stored);
        let law = RangePlan::Law(RangeLaw::Suffix(Size(1024)));
        let text = serde_json::to_string(&law).unwrap();
        assert_eq!((serde_json::from_str(&text).ok(), text.as_str()), (Some(law), r#"{"suffix":"1KiB"}"#));
    }
}
