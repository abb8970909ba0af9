//! GET /metrics

use super::{Answer, Ask, Refused};

/// The request metrics in the Prometheus text format.
pub(super) fn run(ask: &Ask) -> Result<Answer, Refused> {
    let text = ask.shared.observers.metrics().prometheus();
    Ok(Answer::text("text/plain; version=0.0.4; charset=utf-8", text))
}
