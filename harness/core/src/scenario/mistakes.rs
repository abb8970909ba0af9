//! What a type refused, as a diagnostic: unknown, not built yet, missing, or of the wrong kind. A mistake
//! is cut out of the tree and reading goes on, so that all of them are shown together.

use serde::de::DeserializeOwned;

use super::decode::{Why, decode};
use super::lost::Lost;
use super::node::{Node, Value};
use super::not_yet;
use crate::diagnostics::{Diagnostic, Place, nearest};

/// More mistakes than this in one file are not searched for.
const ENOUGH: usize = 50;
/// Readings of one tree: a mistake costs one, and one for each mapping around it that cannot do without.
const ATTEMPTS: usize = 8 * ENOUGH;
/// Stands for every key in the list of what was cut.
const INSTEAD: &str = "*";
/// Longest list of names that is printed where a command prints it, too.
const NAMES_SHOWN: usize = 24;
/// Kinds of names, and the command that prints all of one kind.
const SHOWN_BY: &[(&str, &str)] = &[
    ("fault", "gatecrash list faults"),
    ("check", "gatecrash list checks"),
    ("defect", "gatecrash list defects"),
    ("kind", "gatecrash list malformed"),
    ("parameter", "gatecrash explain GATEWAY"),
];

/// What keeps a type from being read, and what can be read without it.
pub(super) struct InPart<T> {
    pub(super) mistakes: Vec<Diagnostic>,
    /// The rest, the tree it was read out of, and what was lost with the mistakes; nothing where too little is left.
    pub(super) rest: Option<(T, Node, Lost)>,
}

/// Reads a type out of a tree, or says everything that keeps it from being read.
pub(super) fn read<T: DeserializeOwned>(tree: &Node) -> Result<T, Vec<Diagnostic>> {
    read_in_part(tree).map_err(|part| part.mistakes)
}

/// Like [`read`], with what is right beside the mistakes.
pub(super) fn read_in_part<T: DeserializeOwned>(tree: &Node) -> Result<T, InPart<T>> {
    let mut pruned = tree.clone();
    let mut mistakes = Vec::new();
    let mut cut: Vec<(Place, String)> = Vec::new();
    let mut lost = Lost::default();
    for _ in 0..ATTEMPTS {
        if mistakes.len() == ENOUGH {
            break;
        }
        let fail = match decode::<T>(&pruned) {
            Ok(value) if mistakes.is_empty() => return Ok(value),
            Ok(rest) => return Err(InPart { mistakes, rest: Some((rest, pruned, lost)) }),
            Err(fail) => fail,
        };
        let place = fail.place.unwrap_or(tree.place);
        let mut path = pruned.path_to(place).unwrap_or_default();
        // What is missing because it was cut out, or misspelt, is no second mistake of the author's.
        let mut cut_here = cut.iter().filter(|(within, _)| *within == place);
        let ours = match &fail.why {
            Why::Missing(key) => cut_here.any(|(_, cut)| cut == key || cut == INSTEAD),
            Why::Choose(..) | Why::Expected(..) => cut_here.next().is_some(),
            _ => false,
        };
        if !ours {
            mistakes.push(explain(&fail.why, place, &path));
        }
        if matches!(fail.why, Why::UnknownName(..)) && pruned.find(place).is_none() {
            path.pop(); // the name is a key: what holds it would be empty
        }
        match remove(&mut pruned, &path) {
            Some((within, key, node)) => {
                lost.note(&path, &node);
                cut.extend(meant(&fail.why, &path).map(|meant| (within, meant)));
                cut.push((within, key));
            }
            None => break,
        }
    }
    Err(InPart { mistakes, rest: None })
}

/// The key that an unknown one stood for: the nearest, or any when it is one that is not built yet.
fn meant(why: &Why, path: &[String]) -> Option<String> {
    let Why::UnknownKey(name, keys) = why else { return None };
    let not_built = not_yet::key(path).map(|_| INSTEAD);
    not_built.or_else(|| nearest(name, keys.iter().copied())).map(str::to_owned)
}

/// Removes what is at a path; returns the place of the mapping it was taken from, its key, and itself.
fn remove(node: &mut Node, path: &[String]) -> Option<(Place, String, Node)> {
    let (first, rest) = path.split_first()?;
    let place = node.place;
    match &mut node.value {
        Value::Map(entries) => {
            let at = entries.iter().position(|(key, _)| key.text == *first)?;
            if rest.is_empty() {
                return Some((place, first.clone(), entries.remove(at).1));
            }
            remove(&mut entries[at].1, rest)
        }
        Value::Seq(elements) => {
            let at = first.parse::<usize>().ok().filter(|at| *at < elements.len())?;
            if rest.is_empty() {
                return Some((place, String::new(), elements.remove(at)));
            }
            remove(&mut elements[at], rest)
        }
        Value::Null | Value::Scalar { .. } => None,
    }
}

fn explain(why: &Why, place: Place, path: &[String]) -> Diagnostic {
    let key = path.iter().rev().find(|segment| segment.parse::<usize>().is_err()).map_or("", String::as_str);
    match why {
        Why::UnknownKey(name, keys) => match not_yet::key(path) {
            Some(help) => not_built(name, place, help),
            None if name.contains(' ') => unknown("key", name, *keys, place)
                .help("inside { } and [ ] a comma ends a value: put text with commas in quotes"),
            None => unknown("key", name, *keys, place),
        },
        Why::UnknownName(name, names) => {
            let what = noun(path, name);
            match not_yet::name(what, name, path) {
                Some(help) => not_built(name, place, help),
                None => unknown(what, name, *names, place),
            }
        }
        Why::Missing(name) => {
            let within = match path.last() {
                None => String::new(),
                Some(last) if last == key => format!(" in `{key}`"),
                Some(_) => format!(" in an entry of `{key}`"),
            };
            Diagnostic::error(
                format!("missing key `{name}`{within}"),
                place,
                format!("`{name}` has to be given here"),
            )
        }
        Why::Expected(expected, found) if found.starts_with('`') => {
            let of = if key.is_empty() { String::new() } else { format!(" for `{key}`") };
            Diagnostic::error(format!("invalid value {found}{of}"), place, format!("expected {expected}"))
        }
        Why::Expected(expected, found) => {
            let of = if key.is_empty() { "the file".to_owned() } else { format!("`{key}`") };
            Diagnostic::error(format!("{of} is {found}"), place, format!("expected {expected}"))
        }
        Why::Choose(found, names) => {
            let of = if key.is_empty() { "the file".to_owned() } else { format!("`{key}`") };
            let names = names.join(", ");
            Diagnostic::error(format!("{of} is {found}"), place, "expected exactly one kind")
                .help(format!("expected one of {names}"))
        }
        Why::Bare(name) => Diagnostic::error(
            format!("`{name}` without its parameters"),
            place,
            format!("expected a mapping, `{name}: {{ ... }}`, empty where there are none"),
        ),
        Why::Second(first, second) => {
            Diagnostic::error(format!("`{second}` beside `{first}`"), place, "expected exactly one key here")
        }
        Why::Other(text) => Diagnostic::error(text.clone(), place, ""),
    }
}

fn not_built(name: &str, place: Place, help: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(
        format!("`{name}` is not supported yet"),
        place,
        "part of the format, not of this release",
    );
    if help.is_empty() { diagnostic } else { diagnostic.help(help) }
}

/// `unknown <what>`, with what it may have meant and what there is.
pub(super) fn unknown<'a, N: AsRef<str> + 'a>(
    what: &str,
    name: &str,
    names: impl IntoIterator<Item = &'a N>,
    place: Place,
) -> Diagnostic {
    let names: Vec<&str> = names.into_iter().map(AsRef::as_ref).collect();
    let label = match nearest(name, names.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("no such {what}"),
    };
    let diagnostic = Diagnostic::error(format!("unknown {what} `{name}`"), place, label).of_unknown(name);
    let shown_by = SHOWN_BY.iter().find(|(kind, _)| *kind == what && names.len() > NAMES_SHOWN);
    match (names.len(), shown_by) {
        (0, _) => diagnostic.help(format!("there is no {what} here")),
        (1, _) => diagnostic.help(format!("there is only `{}`", names[0])),
        (all, Some((_, command))) => diagnostic.help(format!("`{command}` shows all {all} of them")),
        (_, None) => diagnostic.help(format!("expected one of {}", names.join(", "))),
    }
}

/// What a name out of a fixed set is called: the key that holds it.
fn noun<'a>(path: &'a [String], name: &str) -> &'a str {
    let names = path.iter().rev().filter(|segment| segment.parse::<usize>().is_err());
    names.map(String::as_str).find(|segment| *segment != name).unwrap_or("name")
}
