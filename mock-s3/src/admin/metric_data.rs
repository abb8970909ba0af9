//! POST /cloudwatch/GetMetricData

use http::StatusCode;
use serde_json::json;

use super::{Answer, Ask, Refused};
use crate::metrics::GetMetricData;

/// The request metrics as CloudWatch answers for them, its own errors included.
pub(super) fn run(ask: &Ask) -> Result<Answer, Refused> {
    let question: Result<GetMetricData, _> = serde_json::from_slice(&ask.body);
    let answer = match question {
        Ok(question) => question.answer(ask.shared.observers.metrics()).map_err(|why| why.to_string()),
        Err(why) => Err(why.to_string()),
    };
    Ok(match answer {
        Ok(answer) => Answer::json(&answer),
        Err(message) => Answer::json(&json!({ "__type": "ValidationError", "message": message }))
            .status(StatusCode::BAD_REQUEST),
    })
}
