//! `json`: the comparison itself, versioned, pretty.

use super::ChangeRenderer;

pub(super) const RENDERER: ChangeRenderer = ChangeRenderer {
    name: "json",
    summary: "the whole comparison for programs, versioned",
    render: |changes, _| {
        let text = serde_json::to_vec_pretty(changes);
        let mut out = text.expect("names are strings and writing to memory does not fail");
        out.push(b'\n');
        out
    },
};
