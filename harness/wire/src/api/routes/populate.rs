//! `/populate`: proxies in one request, those that are there already left alone.

use super::{Answer, Ask};
use crate::api::bodies;
use crate::api::json::{Object, array};
use crate::api::reply::{ApiError, Reply};
use crate::api::views;

/// Unlike any other error its is JSON by its header too, and says how far it came.
pub(super) async fn populate(ask: Ask) -> Answer {
    let mut done = Vec::new();
    let ended = match bodies::several(&ask.body) {
        Ok(bodies) => {
            let mut ended = Ok(());
            for body in bodies {
                match ask.api.registry.add_or_replace(body).await {
                    Ok(entry) => done.push(entry),
                    Err(error) => {
                        ended = Err(error);
                        break;
                    }
                }
            }
            let kept = ask.api.keep().await;
            ended.and(kept)
        }
        Err((_, error)) => Err(error),
    };
    // Go writes a list that nothing was put in as null.
    let proxies = match done.as_slice() {
        [] => "null".to_owned(),
        done => array(done.iter().map(|entry| views::proxy(&entry.view()))),
    };
    let (status, members) = match &ended {
        Ok(()) => (201, Object::new()),
        Err(error) => (error.status, ApiError::members(error)),
    };
    Ok(Reply::json(status, members.raw("proxies", proxies).finish()))
}
