//! `/version`.

use super::{Answer, Ask};
use crate::api::TOXIPROXY_VERSION;
use crate::api::reply::{Content, Reply};

pub(super) async fn version(_: Ask) -> Answer {
    let body = format!("{{\"version\": \"{TOXIPROXY_VERSION}\"}}\n");
    Ok(Reply { status: 200, content: Content::JsonUtf8, body })
}
