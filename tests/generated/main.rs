//! The reference pages of `docs/reference/` are those of the tables in the code, and links between documents
//! lead somewhere.

mod causes;
mod checks;
mod cli;
mod defects;
mod exit_codes;
mod faults;
mod gateways;
mod http2;
mod links;
mod malformed;
mod mentions;
mod page;
mod scenario_format;
mod scenarios;
mod schema;
mod tls;

use std::path::{Path, PathBuf};

/// Set to rewrite the pages.
const REWRITE: &str = "GATECRASH_REWRITE";

/// Writes a page.
type Write = fn() -> String;

/// Every page, in the order of the index: file name and what writes it.
const PAGES: &[(&str, Write)] = &[
    ("scenario-format.md", scenario_format::page),
    ("scenarios.md", scenarios::page),
    ("faults.md", faults::page),
    ("malformed.md", malformed::page),
    ("http2.md", http2::page),
    ("tls.md", tls::page),
    ("checks.md", checks::page),
    ("gateways.md", gateways::page),
    ("defects.md", defects::page),
    ("causes.md", causes::page),
    ("cli.md", cli::page),
    ("exit-codes.md", exit_codes::page),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn folder() -> PathBuf {
    root().join("docs/reference")
}

#[test]
fn reference_pages_are_up_to_date() {
    let mut stale = Vec::new();
    for (file, page) in PAGES {
        let (path, wanted) = (folder().join(file), page());
        if std::env::var_os(REWRITE).is_some() {
            std::fs::write(&path, &wanted).expect("the page is writable");
        }
        if std::fs::read_to_string(&path).unwrap_or_default() != wanted {
            stale.push(*file);
        }
    }
    assert!(stale.is_empty(), "run the tests once with {REWRITE}=1 to bring {} up to date", stale.join(", "));
}

#[test]
fn the_folder_holds_these_pages_alone_and_the_index_names_them() {
    let entries = std::fs::read_dir(folder()).expect("is a folder");
    let mut found: Vec<_> =
        entries.map(|e| e.expect("is readable").file_name().into_string().expect("UTF-8")).collect();
    let mut wanted: Vec<_> = PAGES.iter().map(|(file, _)| (*file).to_owned()).collect();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
    let index = std::fs::read_to_string(root().join("docs/README.md")).expect("is there");
    for (file, _) in PAGES {
        assert!(index.contains(&format!("](reference/{file})")), "docs/README.md does not name {file}");
    }
}

#[test]
fn relative_links_lead_somewhere() {
    let broken = links::broken(root());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn paths_and_commands_in_documents_exist() {
    let missing = [mentions::missing_paths(root()), mentions::missing_commands(root())].concat();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
