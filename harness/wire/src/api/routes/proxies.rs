//! `/proxies` and `/proxies/{}`.

use super::{Answer, Ask};
use crate::api::bodies;
use crate::api::json::quoted;
use crate::api::reply::Reply;
use crate::api::views;

pub(super) async fn index(ask: Ask) -> Answer {
    let mut json = String::from("{");
    for entry in ask.api.registry.all() {
        if json.len() > 1 {
            json.push(',');
        }
        json += &quoted(&entry.name);
        json.push(':');
        json += &views::proxy(&entry.view());
    }
    json.push('}');
    Ok(Reply::json(200, json))
}

pub(super) async fn create(ask: Ask) -> Answer {
    let entry = ask.api.registry.add(bodies::one(&ask.body)?).await?;
    ask.api.keep().await?;
    Ok(Reply::json(201, views::proxy(&entry.view())))
}

pub(super) async fn show(ask: Ask) -> Answer {
    let entry = ask.api.registry.named(&ask.names[0])?;
    Ok(Reply::json(200, views::proxy(&entry.view())))
}

pub(super) async fn update(ask: Ask) -> Answer {
    let entry = ask.api.registry.named(&ask.names[0])?;
    let change = bodies::change(&ask.body)?;
    let updated = entry.update(change).await;
    // Also after a failure: it may have stopped at its old place.
    let kept = ask.api.keep().await;
    updated.and(kept)?;
    Ok(Reply::json(200, views::proxy(&entry.view())))
}

pub(super) async fn delete(ask: Ask) -> Answer {
    ask.api.registry.remove(&ask.names[0]).await?;
    ask.api.keep().await?;
    Ok(Reply::nothing(204))
}
