//! What documents mention in code type: paths of this repository exist, and so do commands of gatecrash.

use std::path::Path;

use super::links::{documents, prose};

/// Folders at the top: a path below one of them is one of ours.
const TOP: &[&str] = &["benches/", "docs/", "harness/", "mock-s3/", "scenarios/", "tests/"];

/// Paths that exist neither from the top nor from the document's folder: file and path.
pub(crate) fn missing_paths(root: &Path) -> Vec<String> {
    let is_path =
        |span: &str| TOP.iter().any(|top| span.starts_with(top)) && !span.contains(['<', '*', '{', ' ', ':']);
    missing(root, |folder, span| is_path(span) && !root.join(span).exists() && !folder.join(span).exists())
}

/// Commands that do not exist: file and command.
pub(crate) fn missing_commands(root: &Path) -> Vec<String> {
    let known = gatecrash::cli::description();
    let is_known = |word: &str| known.find_subcommand(word).is_some();
    missing(root, |_, span| {
        let word = span.strip_prefix("gatecrash ").and_then(|rest| rest.split_whitespace().next());
        word.is_some_and(|word| word.starts_with(|c: char| c.is_ascii_lowercase()) && !is_known(word))
    })
}

fn missing(root: &Path, wrong: impl Fn(&Path, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for file in documents(root) {
        let text = std::fs::read_to_string(&file).expect("is UTF-8");
        let folder = file.parent().expect("a file is in a folder");
        let wrong = spans(&text).into_iter().filter(|span| wrong(folder, span));
        found.extend(wrong.map(|span| format!("{}: `{span}` does not exist", file.display())));
    }
    found
}

/// Everything in code type; a span may go on in the next line.
fn spans(text: &str) -> Vec<String> {
    let text = prose(text).collect::<Vec<_>>().join("\n");
    let paragraphs = text.split("\n\n").filter(|paragraph| !paragraph.starts_with("    "));
    paragraphs.flat_map(|p| p.split('`').skip(1).step_by(2)).map(|span| span.replace('\n', " ")).collect()
}
