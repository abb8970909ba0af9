//! `defects.md`.

use gatecrash_core::selftest::{DEFECTS as PROOFS, SIDE_EFFECTS};
use gatecrash_reference::DEFECTS;

use super::page::{Page, code, codes};

pub(crate) fn page() -> String {
    let mut page = Page::new(
        "Defects",
        &format!(
            "What can be switched on in the embedded reference gateway, to prove that the \
             [checks](checks.md) can fail: `gatecrash run --defect NAME`, or `defects` in a \
             [scenario](scenario-format.md#embedded). Numbers are those of the catalogue of defects; they \
             do not change.\n\n\
             `gatecrash selftest` runs each under its scenario. The checks of *must* have to fail; those of \
             *may* are allowed to, and so are the service-level checks {}. Any other failure is a false \
             alarm.",
            codes(SIDE_EFFECTS)
        ),
    );
    let rows: Vec<_> = DEFECTS
        .iter()
        .map(|defect| {
            let proof = PROOFS.iter().find(|p| p.name == defect.name);
            [
                defect.number.to_string(),
                code(defect.name),
                defect.what.to_owned(),
                proof.map_or_else(|| "–".into(), |p| checks(p.must)),
                proof.map_or_else(|| "–".into(), |p| checks(p.may)),
                proof.map_or_else(|| "not in the self-test".into(), |p| code(p.scenario)),
            ]
        })
        .collect();
    page.table(["number", "name", "what", "must", "may", "scenario"], &rows);
    page.finish()
}

fn checks(names: &[&str]) -> String {
    let links: Vec<_> = names.iter().map(|name| format!("[`{name}`](checks.md#{name})")).collect();
    if links.is_empty() { "–".into() } else { links.join(", ") }
}
