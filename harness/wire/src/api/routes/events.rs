//! `/events`: what happened, from a number on.

use super::{Answer, Ask};
use crate::api::json::{Object, array};
use crate::api::reply::{ApiError, Reply};

/// Events in one reply.
const PAGE: usize = 1_000;

pub(super) async fn since(ask: Ask) -> Answer {
    let page = ask.api.journal.since(number(&ask.query, "since", 0)?, PAGE);
    let events = array(page.lines.iter().map(|line| line.to_string()));
    let json =
        Object::new().raw("events", events).raw("newest", page.newest).raw("forgotten", page.forgotten);
    Ok(Reply::json(200, json.finish()))
}

fn number(query: &str, name: &str, default: u64) -> Result<u64, ApiError> {
    let given = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let refused = |_| ApiError::new(400, format!("`{name}` must be a number"));
    given.map_or(Ok(default), |text| text.parse().map_err(refused))
}
