//! `checks.md`.

use gatecrash_core::checks::CHECKS;
use gatecrash_core::selftest::{SIDE_EFFECTS, proving};
use gatecrash_model::Capabilities;

use super::page::{Page, codes, sentence};
use super::schema::Schema;

const FILE: &str = "checks.md";

pub(crate) fn page() -> String {
    let schema = Schema::new();
    let mut page = Page::new(
        "Checks",
        "A check is a pure function over the recorded history. It is written under `expect` and ends in \
         pass, fail or inconclusive; too few samples, a fault that did not fire as its draws say, a load \
         generator that fell behind or a part that could not be observed make it inconclusive, with the \
         reason. An expectation may narrow a check to a phase, a window and a match, see \
         [expectations](scenario-format.md#expectation).\n\n\
         *Proved by* names the [defects](defects.md) of the reference gateway that the self-test switches \
         on and that this check must find.",
    );
    let rows: Vec<_> =
        CHECKS.iter().map(|c| [format!("[`{0}`](#{0})", c.name), sentence(c.summary)]).collect();
    page.table(["check", "what it holds the gateway to"], &rows);
    for check in CHECKS {
        page.heading(2, check.name);
        page.text(&sentence(check.summary));
        page.text(check.doc);
        page.code("yaml", &format!("expect:\n  - check: {{ {} }}", check.example));
        let payload = schema.definition(schema.payload("CheckSpec", check.name));
        schema.keys(&mut page, payload, &[], FILE);
        let needs: Vec<_> = Capabilities::default().missing(check.needs).map(|c| c.name()).collect();
        let sources = check.sources.iter().map(|source| format!("[{source}]({})", source.url()));
        page.text(&format!("Who says so: {}.", sources.collect::<Vec<_>>().join("; ")));
        let fixes: Vec<_> = check.fixes.each().map(|(product, fix)| [product.into(), fix.into()]).collect();
        page.table(["product", "typical fix"], &fixes);
        page.text(&format!(
            "Least samples: {}. Needs to observe: {}. {}",
            check.min_samples,
            if needs.is_empty() { "nothing beyond the client log".into() } else { needs.join(", ") },
            proof(check.name)
        ));
    }
    page.finish()
}

fn proof(check: &str) -> String {
    if SIDE_EFFECTS.contains(&check) {
        return "A service-level check: any defect may touch it.".into();
    }
    format!("Proved by: {}.", codes(proving(check)))
}
