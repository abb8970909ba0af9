//! `/proxies/{}/toxics` and `/proxies/{}/toxics/{}`.

use super::{Answer, Ask};
use crate::api::json::array;
use crate::api::reply::Reply;
use crate::api::views;

pub(super) async fn index(ask: Ask) -> Answer {
    let view = ask.api.registry.named(&ask.names[0])?.view();
    Ok(Reply::json(200, array(view.toxics.iter().map(views::toxic))))
}

/// Answers 200 where one expects 201: so does Toxiproxy.
pub(super) async fn create(ask: Ask) -> Answer {
    let toxic = ask.api.registry.named(&ask.names[0])?.add_toxic(&ask.body).await?;
    ask.api.keep().await?;
    Ok(Reply::json(200, views::toxic(&toxic)))
}

pub(super) async fn show(ask: Ask) -> Answer {
    let toxic = ask.api.registry.named(&ask.names[0])?.toxic(&ask.names[1])?;
    Ok(Reply::json(200, views::toxic(&toxic)))
}

pub(super) async fn update(ask: Ask) -> Answer {
    let toxic = ask.api.registry.named(&ask.names[0])?.change_toxic(&ask.names[1], &ask.body).await?;
    ask.api.keep().await?;
    Ok(Reply::json(200, views::toxic(&toxic)))
}

pub(super) async fn delete(ask: Ask) -> Answer {
    ask.api.registry.named(&ask.names[0])?.remove_toxic(&ask.names[1]).await?;
    ask.api.keep().await?;
    Ok(Reply::nothing(204))
}
