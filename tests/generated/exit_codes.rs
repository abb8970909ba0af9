//! `exit-codes.md`.

use gatecrash::exit::BY_PRECEDENCE;

use super::page::{Page, code, sentence};

pub(crate) fn page() -> String {
    let mut page = Page::new(
        "Exit codes",
        "How every command of gatecrash ends. The numbers are a public promise. Where several cases of one \
         run end differently, the process ends with the code that comes first in the order of precedence, 1 \
         being the first.",
    );
    let mut rows: Vec<_> =
        BY_PRECEDENCE.iter().enumerate().map(|(i, (_, code, what))| (*code, i + 1, *what)).collect();
    rows.sort_unstable();
    let rows: Vec<_> =
        rows.iter().map(|(number, rank, what)| [code(number), sentence(what), rank.to_string()]).collect();
    page.table(["code", "meaning", "precedence"], &rows);
    page.finish()
}
