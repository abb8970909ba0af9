//! `scenarios.md`.

use std::collections::BTreeMap;

use gatecrash::suite::{self, Incident, PARTS};
use gatecrash_core::scenario::Options;

use super::page::{Page, codes, sentence};

pub(crate) fn page() -> String {
    let mut page = Page::new(
        "Shipped scenarios",
        "Each is in the binary and runs by its name: `gatecrash run smoke/slowdown`, by its theme: `gatecrash run \
         outages`, or by a tag: `gatecrash run --tag ci`. The text stands at the head of the file; `gatecrash explain \
         smoke/slowdown` prints it. The scenarios of the theme `selftest` belong to `gatecrash selftest`.",
    );
    let headers: BTreeMap<_, _> =
        suite::headers(&Options { known: gatecrash::gateway::known(), ..Options::default() })
            .expect("shipped scenarios are valid")
            .into_iter()
            .map(|header| (header.file.clone(), header))
            .collect();
    let mut theme = String::new();
    for incident in suite::shipped().iter().filter_map(Incident::of) {
        let Some(header) = headers.get(&incident.file) else { continue };
        let of = incident.file.split('/').next().unwrap_or_default();
        if of != theme {
            of.clone_into(&mut theme);
            page.heading(2, &theme);
        }
        page.heading(3, &incident.file);
        page.text(&format!("{} Tags: {}.", sentence(&header.about), codes(&header.tags)));
        for (part, text) in PARTS.iter().zip(&incident.parts) {
            page.text(&format!("**{part}.** {text}"));
        }
    }
    page.finish()
}
