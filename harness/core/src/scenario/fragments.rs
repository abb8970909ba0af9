//! `use`: named parts of other files, added to this one's. Nothing is merged deeply.

use super::Fragments;
use super::decode::Spanned;
use super::file::Fragment;
use super::mistakes;
use super::node::{Key, Node, Value};
use super::yaml;
use crate::diagnostics::{Diagnostic, Place, SourceText};

/// The blocks whose entries have names.
const BLOCKS: [&str; 4] = ["upstreams", "buckets", "identities", "load"];

/// Adds what the fragments define to the tree of the file.
pub(super) fn merge(
    tree: &mut Node,
    from: &str,
    loader: &dyn Fragments,
    sources: &mut Vec<SourceText>,
    problems: &mut Vec<Diagnostic>,
) {
    let paths: Vec<Spanned<String>> = match tree.get("use").map(mistakes::read) {
        None => Vec::new(),
        Some(Ok(paths)) => paths,
        Some(Err(mistakes)) => return problems.extend(mistakes),
    };
    let mut given: Vec<(&str, Key)> = Vec::new();
    for path in &paths {
        let Some(fragment) = load(path, from, loader, sources, problems) else { continue };
        for block in BLOCKS {
            for (key, node) in fragment.get(block).map_or(&[][..], Node::entries) {
                if let Some((_, first)) = given.iter().find(|(b, k)| *b == block && k.text == key.text) {
                    problems.push(clash(block, key, first.place));
                    continue;
                }
                given.push((block, key.clone()));
                add(tree, block, key, node, problems);
            }
        }
    }
    for block in BLOCKS {
        for (key, node) in tree.get(block).map_or(&[][..], Node::entries) {
            let replaces = node.get("replace").filter(|r| r.text() == Some("true"));
            let is_given = given.iter().any(|(b, k)| *b == block && k.text == key.text);
            if let Some(replaces) = replaces.filter(|_| !is_given) {
                let label = format!("no fragment defines `{}`", key.text);
                problems.push(Diagnostic::error("nothing to replace", replaces.place, label));
            }
        }
    }
}

fn load(
    path: &Spanned<String>,
    from: &str,
    loader: &dyn Fragments,
    sources: &mut Vec<SourceText>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Node> {
    let source = match loader.read(from, &path.value) {
        Ok(source) => source,
        Err(reason) => {
            problems.push(Diagnostic::error(format!("cannot read `{}`", path.value), path.place, reason));
            return None;
        }
    };
    let number = sources.len() as u16;
    let text = source.text.clone();
    sources.push(source);
    let node = yaml::parse(&text, number).map_err(|diagnostic| problems.push(diagnostic)).ok()?;
    match mistakes::read::<Fragment>(&node) {
        Ok(_) => Some(node),
        Err(mistakes) => {
            problems.extend(mistakes);
            None
        }
    }
}

/// Adds one entry after the file's own; an own entry of the same name stays when it says `replace: true`.
fn add(tree: &mut Node, block: &'static str, key: &Key, node: &Node, problems: &mut Vec<Diagnostic>) {
    let place = key.place;
    let Value::Map(top) = &mut tree.value else { return };
    if top.iter().all(|(k, _)| k.text != block) {
        let empty = Node::new(Value::Map(Vec::new()), place.head());
        top.push((Key { text: block.to_owned(), place: place.head() }, empty));
    }
    let Some((_, Node { value: Value::Map(entries), .. })) = top.iter_mut().find(|(k, _)| k.text == block)
    else {
        return;
    };
    match entries.iter().find(|(k, _)| k.text == key.text) {
        None => entries.push((key.clone(), node.clone())),
        Some((_, own)) if own.get("replace").and_then(Node::text) == Some("true") => {}
        Some((own, _)) => problems.push(clash(block, own, place)),
    }
}

fn clash(block: &str, key: &Key, first: Place) -> Diagnostic {
    Diagnostic::error(format!("`{block}.{}` is defined twice", key.text), key.place, "again here")
        .also(first, "first here")
        .help("give the entry another name, or write `replace: true` in the one of the scenario")
}
