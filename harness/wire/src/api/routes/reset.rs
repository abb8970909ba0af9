//! `/reset`: every proxy enabled, no toxic left, and no rule of ours.

use super::{Answer, Ask};
use crate::api::reply::Reply;

pub(super) async fn reset(ask: Ask) -> Answer {
    let mut ended = Ok(());
    for entry in ask.api.registry.all() {
        ended = entry.reset().await;
        if ended.is_err() {
            break;
        }
    }
    let kept = ask.api.keep().await;
    ended.and(kept).map(|()| Reply::nothing(204))
}
