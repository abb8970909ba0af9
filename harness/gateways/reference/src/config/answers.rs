//! What answers look like: the gateway's own errors, and how upstream answers are handed on.

use serde::{Deserialize, Serialize};

use super::{ConfigError, require};

/// Form and statuses of the errors the gateway makes itself, and limits on what it hands on.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Answers {
    /// Form of the gateway's own errors. Default `s3-xml`.
    pub shape: Shape,
    /// Status when no connection stands; 500 to 599. Default 502.
    pub refused: u16,
    /// Status when the response is invalid or broke off before its head; 500 to 599. Default 502.
    pub invalid: u16,
    /// Status when time ran out; 500 to 599. Default 504.
    pub timeout: u16,
    /// Response bodies are read whole before the first byte goes out, up to so many bytes, so that a broken one
    /// is an error; a longer one is a 500. 0 streams them. Default 0.
    pub buffer: usize,
    /// Longest request body, in bytes, where it is stated; a longer one is answered 413. 0 for no limit. Default 0.
    pub request_limit: u64,
}

/// Form of an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// As S3's own.
    #[default]
    S3Xml,
    /// `{"message": "..."}` as API Gateway's, with x-amzn-errortype, and x-amzn-requestid on every answer.
    Json,
}

// === impl Answers ===

impl Default for Answers {
    fn default() -> Self {
        Self { shape: Shape::S3Xml, refused: 502, invalid: 502, timeout: 504, buffer: 0, request_limit: 0 }
    }
}

impl Answers {
    pub(super) fn check(self) -> Result<(), ConfigError> {
        let errors = [self.refused, self.invalid, self.timeout];
        let in_range = errors.iter().all(|status| (500..600).contains(status));
        require(in_range, "answers", "must hold statuses of 500 to 599 for errors")
    }
}
