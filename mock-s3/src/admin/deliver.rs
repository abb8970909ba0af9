//! POST /access-log/deliver

use serde_json::json;

use super::{Answer, Ask, Refused};
use crate::access_log::Due;

/// Access logs that wait go into their target buckets, and log files are written out.
pub(super) fn run(ask: &Ask) -> Result<Answer, Refused> {
    ask.shared.deliver_access_logs(Due::All);
    ask.shared.observers.flush();
    Ok(Answer::json(&json!({ "status": "delivered" })))
}
