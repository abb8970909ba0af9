//! What the users of a workload do, step after step.

use gatecrash_model::Op;
use serde::{Deserialize, Serialize};

use super::RangePlan;
use crate::units::Span;

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
    /// The operation, and the part of an object it asks for.
    pub fn sends(self) -> (Op, Option<RangePlan>) {
        match self {
            Self::Put => (Op::PutObject, None),
            Self::Head => (Op::HeadObject, None),
            Self::Get => (Op::GetObject, None),
            Self::Range(range) => (Op::GetObject, Some(range)),
            Self::List => (Op::ListObjectsV2, None),
            Self::Delete => (Op::DeleteObject, None),
        }
    }
}
