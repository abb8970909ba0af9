//! GET /openapi.json

use super::{Answer, Ask, Refused};

/// The description of this API, OpenAPI 3.1.
pub(super) const DOCUMENT: &str = include_str!("../../docs/openapi.json");

pub(super) fn run(_: &Ask) -> Result<Answer, Refused> {
    Ok(Answer::text("application/json", DOCUMENT))
}
