//! Proxies and toxics as replies show them, keys in the order of Toxiproxy's.

use super::bodies::WrittenToxic;
use super::entry::{Entry, View};
use super::json::{Object, array, float32};
use super::rules;

pub(crate) fn proxy(view: &View) -> String {
    members(view).finish()
}

/// A proxy as the state file keeps it.
pub(crate) fn kept(entry: &Entry) -> String {
    let view = entry.view();
    let json = members(&view);
    let json = match view.http {
        true => json.raw("rules", array(entry.rules().list().iter().map(|rule| rules::kept(&rule.plan)))),
        false => json,
    };
    json.finish()
}

fn members(view: &View) -> Object {
    let json = Object::new()
        .text("name", &view.name)
        .text("listen", &view.listen)
        .text("upstream", &view.upstream)
        .raw("enabled", view.enabled)
        // A field of its type that shows by mistake; clients have seen it ever since.
        .raw("Logger", "{}")
        .raw("toxics", array(view.toxics.iter().map(toxic)));
    // Ours, and shown only where it was asked for.
    if view.http { json.raw("http", true) } else { json }
}

pub(crate) fn toxic(written: &WrittenToxic) -> String {
    let toxic = &written.toxic;
    let attributes = toxic.spec.attributes().into_iter();
    let attributes = attributes.fold(Object::new(), |json, (name, value)| json.raw(name, value));
    Object::new()
        .raw("attributes", attributes.finish())
        .text("name", &toxic.name)
        .text("type", toxic.spec.type_name())
        .text("stream", &written.stream)
        .raw("toxicity", float32(toxic.toxicity))
        .finish()
}
