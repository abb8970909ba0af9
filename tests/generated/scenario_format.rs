//! `scenario-format.md`.

use super::page::{Page, codes, sentence};
use super::schema::{Schema, VALUES, title};

const FILE: &str = "scenario-format.md";

/// The keys of a scenario in the order in which one writes them.
const ORDER: &[&str] = &[
    "gatecrash",
    "name",
    "about",
    "tags",
    "seed",
    "vars",
    "use",
    "matrix",
    "gateway",
    "upstreams",
    "buckets",
    "identities",
    "load",
    "timeline",
    "expect",
    "guards",
    "x",
];

pub(crate) fn page() -> String {
    let schema = Schema::new();
    let mut page = Page::new(
        "Scenario format, version 1",
        "A scenario is a YAML file. Unknown keys, missing units and wrong types are errors at their line; \
         `gatecrash check FILE` finds all mistakes at once, and `gatecrash check --resolved FILE` prints \
         the plan with every default put in. The JSON schema for editors is \
         [`scenarios/schema/scenario.v1.json`](../../scenarios/schema/scenario.v1.json).\n\n\
         A variable, `${name}`, may stand in any value. A dash in the column of defaults means that the key \
         may be left out and then has no effect.",
    );
    page.heading(2, "Values");
    let rows: Vec<_> =
        VALUES.iter().map(|(name, word)| [(*word).to_owned(), about(schema.definition(name))]).collect();
    page.table(["value", "how it is written"], &rows);
    page.text("Also: text, number, and flag (`true` or `false`).");
    page.heading(2, "The file");
    schema.keys(&mut page, schema.root(), ORDER, FILE);
    for (name, paths) in schema.sections(ORDER) {
        let definition = schema.definition(&name);
        page.heading(2, &title(&name));
        page.text(&format!("{} At {}.", sentence(&about(definition)), places(&paths)));
        if definition.get("properties").is_some() {
            schema.keys(&mut page, definition, &[], FILE);
        } else {
            schema.alternatives(&mut page, definition, FILE);
        }
    }
    page.finish()
}

/// Where a definition is used: the first few places.
fn places(paths: &[String]) -> String {
    const FEW: usize = 3;
    let more = if paths.len() > FEW { " and in other places" } else { "" };
    format!("{}{more}", codes(paths.iter().take(FEW)))
}

fn about(definition: &serde_json::Value) -> String {
    definition["description"].as_str().unwrap_or_default().to_owned()
}
