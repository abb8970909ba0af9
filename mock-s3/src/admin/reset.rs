//! POST /reset

use serde_json::json;

use super::{Answer, Ask, Refused};

/// Everything back to what the mock was configured with.
pub(super) fn run(ask: &Ask) -> Result<Answer, Refused> {
    ask.shared.reset().map_err(|why| Refused::new(500, why.to_string()))?;
    super::settings::forget(ask);
    Ok(Answer::json(&json!({ "status": "reset" })))
}
