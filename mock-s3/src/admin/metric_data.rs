//! POST /cloudwatch/GetMetricData and POST /cloudwatch

use http::StatusCode;
use serde_json::json;

use super::{Answer, Ask, Refused};
use crate::metrics::GetMetricData;

/// The same for clients of AWS, whose endpoint URL is `http://<admin port>/cloudwatch`.
pub(super) fn by_target(ask: &Ask) -> Result<Answer, Refused> {
    match ask.target.rsplit('.').next() {
        Some("GetMetricData") => run(ask),
        _ => {
            Ok(Answer::json(&json!({ "__type": "UnknownOperationException" }))
                .status(StatusCode::BAD_REQUEST))
        }
    }
}

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
