//! GET /health

use serde_json::json;

use super::{Answer, Ask, Refused};
use crate::time::document_date;

/// It serves; where, and what time it is there.
pub(super) fn run(ask: &Ask) -> Result<Answer, Refused> {
    let shared = &ask.shared;
    Ok(Answer::json(&json!({
        "status": "ok",
        "regions": shared.regions,
        "time": document_date(shared.wall()),
        "requests": shared.observers.journal().written(),
        "faults": shared.rules.list().len(),
    })))
}
