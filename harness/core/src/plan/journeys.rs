//! What the users of a workload do, step after step.

use gatecrash_model::Op;
use serde::{Deserialize, Serialize};

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
    /// Reads these bytes, first and last inclusive.
    Range(u64, u64),
    /// Lists objects of the bucket.
    List,
    /// Removes what was put.
    Delete,
}

impl StepPlan {
    /// The operation, and the bytes it asks for.
    pub fn sends(self) -> (Op, Option<(u64, u64)>) {
        match self {
            Self::Put => (Op::PutObject, None),
            Self::Head => (Op::HeadObject, None),
            Self::Get => (Op::GetObject, None),
            Self::Range(first, last) => (Op::GetObject, Some((first, last))),
            Self::List => (Op::ListObjectsV2, None),
            Self::Delete => (Op::DeleteObject, None),
        }
    }
}
