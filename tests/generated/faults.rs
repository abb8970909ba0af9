//! `faults.md`.

use gatecrash_core::faults::{FAULTS, Host};

use super::page::{Page, sentence};
use super::schema::Schema;

const FILE: &str = "faults.md";

pub(crate) fn page() -> String {
    let schema = Schema::new();
    let mut page = Page::new(
        "Faults",
        "A fault stands in the `inject` list of a phase. Where it acts, when it begins and ends, what it \
         matches and how likely it is to fire are said beside it, see [inject](scenario-format.md#inject). \
         Draws are keyed by seed, fault and request (or attempt, connection, key), so a seed replays \
         them.\n\n\
         Faults that act exchange by exchange or request by request take `match`, `probability`, `per` and \
         `limit`; those that act for an interval take none of these.",
    );
    let rows: Vec<_> = FAULTS
        .iter()
        .map(|f| [format!("[`{0}`](#{0})", f.name), host(f.host).to_owned(), sentence(f.summary)])
        .collect();
    page.table(["fault", "where", "what it does"], &rows);
    for fault in FAULTS {
        page.heading(2, fault.name);
        page.text(&sentence(fault.summary));
        page.text(&format!("{}\n\nWhere: {}.", fault.doc, host(fault.host)));
        page.code("yaml", &format!("inject:\n  - fault: {{ {} }}", fault.example));
        let payload = schema.definition(schema.payload("FaultSpec", fault.name));
        if payload.get("properties").is_some() {
            schema.keys(&mut page, payload, &[], FILE);
        } else {
            page.text("It has no parameters.");
        }
    }
    page.finish()
}

fn host(host: Host) -> &'static str {
    match host {
        Host::Link => "link, exchange by exchange",
        Host::Listener => "listener of the link, for an interval",
        Host::Mock => "mock S3, request by request",
        Host::MockSetting => "settings of the mock S3, for an interval",
        Host::Resolver => "the run's name server, for an interval",
        Host::Process => "process of the gateway, for an interval",
    }
}
