//! `/proxies/{}/rules` and `/proxies/{}/rules/{}`: faults of HTTP exchanges, on proxies that understand it.

use std::sync::Arc;

use gatecrash_core::rules::{AddError, RuleView};

use super::{Answer, Ask};
use crate::api::entry::Entry;
use crate::api::json::array;
use crate::api::reply::{ApiError, Reply};
use crate::api::rules::{merged, read, view};

pub(super) async fn index(ask: Ask) -> Answer {
    let rules = proxy(&ask)?.rules().list();
    Ok(Reply::json(200, array(rules.iter().map(view))))
}

pub(super) async fn create(ask: Ask) -> Answer {
    let proxy = proxy(&ask)?;
    let plan = read(&text(&ask))?;
    let name = plan.name.clone();
    proxy.rules().add(plan, ask.api.settings.clock.now()).map_err(|why| match why {
        AddError::Taken => ApiError::new(409, "rule already exists"),
        AddError::Full => ApiError::new(409, why.to_string()),
    })?;
    ask.api.keep().await?;
    Ok(Reply::json(201, view(&rule(&proxy, &name)?)))
}

pub(super) async fn show(ask: Ask) -> Answer {
    Ok(Reply::json(200, view(&rule(&*proxy(&ask)?, &ask.names[1])?)))
}

pub(super) async fn update(ask: Ask) -> Answer {
    let proxy = proxy(&ask)?;
    let plan = merged(&rule(&proxy, &ask.names[1])?.plan, &text(&ask))?;
    proxy.rules().replace(plan, ask.api.settings.clock.now()).ok_or_else(rule_not_found)?;
    ask.api.keep().await?;
    Ok(Reply::json(200, view(&rule(&proxy, &ask.names[1])?)))
}

pub(super) async fn delete(ask: Ask) -> Answer {
    proxy(&ask)?.rules().remove(&ask.names[1]).ok_or_else(rule_not_found)?;
    ask.api.keep().await?;
    Ok(Reply::nothing(204))
}

fn proxy(ask: &Ask) -> Result<Arc<Entry>, ApiError> {
    let entry = ask.api.registry.named(&ask.names[0])?;
    match entry.view().http {
        true => Ok(entry),
        false => {
            let why =
                "the proxy does not understand HTTP: give it \"http\": true, by PATCH or when it is created";
            Err(ApiError::new(409, why))
        }
    }
}

fn rule(proxy: &Entry, name: &str) -> Result<RuleView, ApiError> {
    proxy.rules().list().into_iter().find(|rule| rule.plan.name == name).ok_or_else(rule_not_found)
}

fn rule_not_found() -> ApiError {
    ApiError::new(404, "rule not found")
}

fn text(ask: &Ask) -> String {
    String::from_utf8_lossy(&ask.body).into_owned()
}
