//! `/connections` and `/proxies/{}/connections`: what is open, live.

use super::{Answer, Ask};
use crate::api::entry::Entry;
use crate::api::json::{Object, array};
use crate::api::reply::Reply;
use crate::api::reporter::traffic;

pub(super) async fn all(ask: Ask) -> Answer {
    Ok(Reply::json(200, array(ask.api.registry.all().iter().flat_map(|entry| of(entry)))))
}

pub(super) async fn of_proxy(ask: Ask) -> Answer {
    Ok(Reply::json(200, array(of(&*ask.api.registry.named(&ask.names[0])?))))
}

fn of(entry: &Entry) -> Vec<String> {
    let views = entry.engine().connections().into_iter();
    let json = views.map(|view| {
        let json = Object::new()
            .text("proxy", &entry.name)
            .raw("connection", view.conn)
            .text("client", &view.peer.to_string())
            .raw("opened_ns", view.opened);
        traffic(json, view.upstream, view.downstream).finish()
    });
    json.collect()
}
