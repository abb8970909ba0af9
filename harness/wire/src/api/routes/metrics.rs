//! `/metrics`: Prometheus' text format. Bytes are counted as they pass, not when a connection ends.

mod process;

use std::fmt::Write;

use super::{Answer, Ask};
use crate::api::entry::Entry;
use crate::api::reply::{Content, Reply};
use crate::proxy::{Counters, Traffic};

pub(super) async fn metrics(ask: Ask) -> Answer {
    let mut text = String::new();
    let shown = ask.api.settings.metrics;
    if shown.runtime {
        process::write(&mut text);
    }
    if shown.proxy {
        let entries = ask.api.registry.all();
        let counted: Vec<_> = entries.iter().map(|entry| (entry, entry.engine().counters())).collect();
        bytes(&mut text, "received", "Bytes read from senders.", &counted, |traffic| traffic.received);
        bytes(&mut text, "sent", "Bytes written to receivers.", &counted, |traffic| traffic.sent);
        connections(&mut text, &counted);
    }
    Ok(Reply { status: 200, content: Content::Metrics, body: text })
}

fn head(text: &mut String, name: &str, help: &str, kind: &str) {
    _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// Names and labels are Toxiproxy's.
fn bytes(
    text: &mut String,
    what: &str,
    help: &str,
    counted: &[(&std::sync::Arc<Entry>, Counters)],
    of: impl Fn(Traffic) -> u64,
) {
    let name = format!("toxiproxy_proxy_{what}_bytes_total");
    head(text, &name, help, "counter");
    for (entry, counters) in counted {
        let view = entry.view();
        for (direction, traffic) in [("downstream", counters.downstream), ("upstream", counters.upstream)] {
            _ = writeln!(
                text,
                "{name}{{direction=\"{direction}\",listener=\"{}\",proxy=\"{}\",upstream=\"{}\"}} {}",
                label(&view.listen),
                label(&view.name),
                label(&view.upstream),
                of(traffic)
            );
        }
    }
}

fn connections(text: &mut String, counted: &[(&std::sync::Arc<Entry>, Counters)]) {
    let mut family = |name: &str, help: &str, kind: &str, of: &dyn Fn(&Counters) -> u64| {
        head(text, name, help, kind);
        for (entry, counters) in counted {
            _ = writeln!(text, "{name}{{proxy=\"{}\"}} {}", label(&entry.name), of(counters));
        }
    };
    family("gatecrash_proxy_connections_total", "Connections accepted.", "counter", &|c| c.accepted);
    family("gatecrash_proxy_connections_open", "Connections open.", "gauge", &|c| c.open);
}

/// A label's value, escaped.
fn label(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        assert_eq!(label("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }
}
