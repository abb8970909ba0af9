//! `causes.md`.

use gatecrash_core::diagnose::CAUSES;

use super::page::{Page, sentence};

pub(crate) fn page() -> String {
    let mut page = Page::new(
        "Causes",
        "What [`gatecrash diagnose`](../diagnose.md) can name, in the order of the layers a request passes. Of two \
         causes with equal evidence the lower layer comes first, because it explains the other.",
    );
    let rows: Vec<_> =
        CAUSES.iter().map(|c| [format!("[`{0}`](#{0})", c.name), sentence(c.summary)]).collect();
    page.table(["cause", "what it is"], &rows);
    for cause in CAUSES {
        page.heading(2, cause.name);
        page.text(&sentence(cause.summary));
        page.text(cause.doc);
        let rows: Vec<_> = cause.look_at.iter().map(|(who, what)| [(*who).into(), (*what).into()]).collect();
        page.table(["where", "look at"], &rows);
    }
    page.finish()
}
