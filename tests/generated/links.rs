//! Relative links of every Markdown file: the file is there, and so is the heading.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::page::anchor;

/// Folders that hold nothing of ours.
const SKIPPED: &[&str] = &["target", "runs", "node_modules"];

/// Links that lead nowhere: file and target.
pub(crate) fn broken(root: &Path) -> Vec<String> {
    let mut broken = Vec::new();
    for file in documents(root) {
        let text = std::fs::read_to_string(&file).expect("is UTF-8");
        for target in targets(&text) {
            if let Some(problem) = problem(&file, &text, target) {
                broken.push(format!("{}: `{target}`: {problem}", file.display()));
            }
        }
    }
    broken
}

fn problem(file: &Path, text: &str, target: &str) -> Option<&'static str> {
    let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
    let linked = file.parent().expect("a file is in a folder").join(path);
    let there =
        if path.is_empty() { text.to_owned() } else { std::fs::read_to_string(&linked).unwrap_or_default() };
    if !path.is_empty() && !linked.exists() {
        Some("there is no such file")
    } else if !fragment.is_empty() && !anchors(&there).contains(fragment) {
        Some("there is no such heading")
    } else {
        None
    }
}

/// Every Markdown file below a folder, hidden folders left out.
pub(crate) fn documents(root: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("is a folder") {
            let path = entry.expect("is readable").path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            if path.is_dir() && !name.starts_with('.') && !SKIPPED.contains(&name) {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Lines outside blocks of code.
pub(crate) fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// Targets of inline links that are not addresses of the web.
fn targets(text: &str) -> Vec<&str> {
    let links = prose(text).flat_map(|line| line.split("](").skip(1));
    links
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
        .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
        .collect()
}

/// Headings as they are linked to.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#'))).collect()
}
