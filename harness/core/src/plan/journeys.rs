//! What the users of a workload do, step after step.

use gatecrash_model::Op;
use serde::{Deserialize, Serialize};

use super::{OpPlan, PartsPlan, RangePlan};
use crate::units::{Share, Span};

/// The journeys of a workload.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JourneysPlan {
    /// The journeys, in order of the file.
    pub each: Vec<JourneyPlan>,
    /// Rules in the words of the engine that walks them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<String>,
}

/// One journey, which a user walks again and again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JourneyPlan {
    /// Its name.
    pub name: String,
    /// Its share of the users, beside the other weights; at least 1.
    pub weight: u32,
    /// Pause after each step; whole milliseconds.
    pub think: Span,
    /// The steps, in order.
    pub steps: Vec<StepPlan>,
}

/// One request of a journey: of what the journey has put, and of an object of the bucket before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepPlan {
    /// Uploads an object of the user's own.
    Put,
    /// The same in parts.
    Multipart(PartsPlan),
    /// Asks for metadata.
    Head,
    /// Reads a whole object.
    Get,
    /// Reads a part of it.
    Range(RangePlan),
    /// Lists objects of the bucket.
    List,
    /// Removes what was put.
    Delete,
}

impl StepPlan {
    /// What it sends, with this share of all requests.
    pub fn sends(self, share: Share) -> OpPlan {
        match self {
            Self::Put => OpPlan::plain(Op::PutObject, share),
            Self::Multipart(parts) => OpPlan { parts: Some(parts), ..OpPlan::plain(Op::PutObject, share) },
            Self::Head => OpPlan::plain(Op::HeadObject, share),
            Self::Get => OpPlan::plain(Op::GetObject, share),
            Self::Range(range) => OpPlan { range: Some(range), ..OpPlan::plain(Op::GetObject, share) },
            Self::List => OpPlan::plain(Op::ListObjectsV2, share),
            Self::Delete => OpPlan::plain(Op::DeleteObject, share),
        }
    }
}
