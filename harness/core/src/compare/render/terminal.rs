//! `terminal`: a line for each change, nothing where nothing changed.

use super::ChangeRenderer;
use crate::compare::{Changes, Weight};
use crate::report::text::clean;

pub(super) const RENDERER: ChangeRenderer = ChangeRenderer {
    name: "terminal",
    summary: "a line for each change; nothing where nothing changed",
    render: |changes, colour| render(changes, colour).into_bytes(),
};

fn render(changes: &Changes, colour: bool) -> String {
    if changes.changes.is_empty() {
        return String::new();
    }
    let side = |gateways: &[String]| gateways.iter().map(|name| clean(name)).collect::<Vec<_>>().join(", ");
    let mut out = format!(
        "\nbaseline {} ({}) -> {} ({})\n",
        clean(&changes.was.name),
        side(&changes.was.gateways),
        clean(&changes.is.name),
        side(&changes.is.gateways)
    );
    for change in &changes.changes {
        let word = painted(change.weight, colour);
        let pad = " ".repeat(8 - change.weight.word().len());
        out.push_str(&format!("  {word}{pad}{}  {}\n", clean(&change.case), change.sentence()));
        out.extend(change.why.iter().map(|why| format!("          only a warning: {}\n", clean(why))));
    }
    out.push_str(&format!("{}\n", changes.summary()));
    // A CI system takes a line that begins with `::` or has `##[` for a command to it.
    out.replace("##[", "##\\[")
}

fn painted(weight: Weight, colour: bool) -> String {
    let code = match weight {
        Weight::Regression => "31;1",
        Weight::Warning => "33",
        Weight::Better => "32",
        Weight::Different => "36",
    };
    if colour { format!("\x1b[{code}m{}\x1b[0m", weight.word()) } else { weight.word().to_owned() }
}
