//! The first pass: format version, variables, matrix and `--set`, read before any `${name}` is put in.

mod cases;

use std::collections::BTreeSet;

use super::decode::Spanned;
use super::file::{Named, VERSION, Word};
use super::mistakes::{self, unknown};
use super::node::{Node, Value};
use super::yaml;
use crate::diagnostics::{Diagnostic, Place, SourceText};

/// What the first pass found.
#[derive(Debug, Default)]
pub(super) struct Header {
    vars: Vec<(Spanned<String>, String)>,
    axes: Vec<Axis>,
    exclude: Vec<Combination>,
    include: Vec<Combination>,
    sets: Vec<Setting>,
}

/// One `--set path=value` that is not about a variable.
#[derive(Debug)]
struct Setting {
    path: Vec<String>,
    place: Place,
    value: Node,
}

#[derive(Debug)]
struct Axis {
    name: Spanned<String>,
    values: Vec<String>,
}

type Combination = Vec<(String, String)>;

// === reading ===

/// Reads the header. `sets` are the sources of the `--set` options, numbered from `first`.
pub(super) fn read(
    tree: &Node,
    sets: &[SourceText],
    first: u16,
    problems: &mut Vec<Diagnostic>,
) -> Option<Header> {
    check_version(tree, problems)?;
    let before = problems.len();
    let mut header = Header::default();
    if let Some(vars) = tree.get("vars") {
        match mistakes::read::<Named<Word>>(vars) {
            Ok(vars) => header.vars = vars.0.into_iter().map(|(name, word)| (name, word.0)).collect(),
            Err(mistakes) => problems.extend(mistakes),
        }
    }
    if let Some((_, matrix)) = tree.entry("matrix") {
        header.read_matrix(matrix, problems);
    }
    for (at, source) in sets.iter().enumerate() {
        header.read_set(source, first + at as u16, problems);
    }
    (problems.len() == before).then_some(header)
}

fn check_version(tree: &Node, problems: &mut Vec<Diagnostic>) -> Option<()> {
    let Value::Map(_) = tree.value else {
        let label = "expected `gatecrash: 1` and the other keys of a scenario";
        problems.push(Diagnostic::error(format!("the file is {}", tree.kind()), tree.place, label));
        return None;
    };
    let Some(version) = tree.get("gatecrash") else {
        let label = format!("expected `gatecrash: {VERSION}`, the version of the format");
        problems.push(Diagnostic::error("missing key `gatecrash`", tree.place, label));
        return None;
    };
    if version.text() == Some("1") {
        return Some(());
    }
    let known = format!("this release reads version {VERSION}");
    let text = version.kind();
    let newer = version.text().and_then(|t| t.parse::<u32>().ok()).is_some_and(|v| v > VERSION);
    let diagnostic = Diagnostic::error(format!("unknown format version {text}"), version.place, known);
    problems.push(if newer { diagnostic.help("a newer gatecrash may read this file") } else { diagnostic });
    None
}

impl Header {
    fn read_matrix(&mut self, matrix: &Node, problems: &mut Vec<Diagnostic>) {
        let Value::Map(entries) = &matrix.value else {
            let label = "expected variables with lists of values";
            problems.push(Diagnostic::error(format!("`matrix` is {}", matrix.kind()), matrix.place, label));
            return;
        };
        for (key, node) in entries {
            match key.text.as_str() {
                "include" | "exclude" => match mistakes::read::<Vec<Named<Word>>>(node) {
                    Ok(list) => {
                        let plain = |c: Named<Word>| c.0.into_iter().map(|(n, w)| (n.value, w.0)).collect();
                        let list = list.into_iter().map(plain).collect();
                        *if key.text == "include" { &mut self.include } else { &mut self.exclude } = list;
                    }
                    Err(mistakes) => problems.extend(mistakes),
                },
                _ => match mistakes::read::<Vec<Word>>(node) {
                    Ok(values) if values.is_empty() => problems.push(Diagnostic::error(
                        format!("axis `{}` has no values", key.text),
                        node.place,
                        "expected at least one",
                    )),
                    Ok(values) => {
                        let name = Spanned { value: key.text.clone(), place: key.place };
                        self.axes.push(Axis { name, values: values.into_iter().map(|w| w.0).collect() });
                    }
                    Err(mistakes) => problems.extend(mistakes),
                },
            }
        }
        self.check_combinations(matrix, problems);
    }

    fn check_combinations(&self, matrix: &Node, problems: &mut Vec<Diagnostic>) {
        let axes: Vec<_> = self.axes.iter().map(|a| a.name.value.clone()).collect();
        for list in ["include", "exclude"] {
            for node in matrix.get(list).map_or(&[][..], Node::elements) {
                for (key, _) in node.entries().iter().filter(|(key, _)| !axes.contains(&key.text)) {
                    problems.push(unknown("axis", &key.text, &axes, key.place));
                }
                if list == "include" {
                    for axis in axes.iter().filter(|axis| node.get(axis).is_none()) {
                        let label = "an included combination gives every axis";
                        problems.push(Diagnostic::error(format!("missing axis `{axis}`"), node.place, label));
                    }
                }
            }
        }
    }

    fn read_set(&mut self, source: &SourceText, number: u16, problems: &mut Vec<Diagnostic>) {
        let whole = Place::new(number, 0, source.text.len());
        let Some((path, value)) = source.text.split_once('=') else {
            problems.push(Diagnostic::error("`--set` without a value", whole, "expected path=value"));
            return;
        };
        let place = Place::new(number, 0, path.len());
        let path: Vec<_> = path.trim().split('.').map(str::to_owned).collect();
        let mut value = match yaml::parse(value, number) {
            Ok(value) => value,
            Err(diagnostic) => {
                problems.push(Diagnostic { place: whole, ..diagnostic });
                return;
            }
        };
        value.shift(source.text.len() - source.text.split_once('=').map_or(0, |(_, v)| v.len()));
        match path.as_slice() {
            [vars, name] if vars == "vars" => self.set_variable(name, &value, place, problems),
            [first, ..] if ["vars", "matrix", "use", "gatecrash", "x"].contains(&first.as_str()) => problems
                .push(Diagnostic::error(
                    format!("`{first}` cannot be set like this"),
                    place,
                    "expected another path",
                )),
            _ => self.sets.push(Setting { path, place, value }),
        }
    }

    fn set_variable(&mut self, name: &str, value: &Node, place: Place, problems: &mut Vec<Diagnostic>) {
        let Some(text) = value.text().map(str::to_owned) else {
            problems.push(Diagnostic::error(
                format!("variable `{name}` is {}", value.kind()),
                value.place,
                "expected text",
            ));
            return;
        };
        if let Some(axis) = self.axes.iter_mut().find(|axis| axis.name.value == name) {
            axis.values = vec![text];
            self.exclude.clear();
            self.include.retain(|_| false);
        } else if let Some(at) = self.vars.iter().position(|(n, _)| n.value == name) {
            self.vars[at].1 = text;
            self.vars[at].0.place = place;
        } else {
            let names: Vec<_> = self.names().map(str::to_owned).collect();
            problems.push(unknown("variable", name, &names, place));
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let axes = self.axes.iter().map(|a| a.name.value.as_str());
        self.vars.iter().map(|(n, _)| n.value.as_str()).chain(axes)
    }

    /// Warns of variables that no value uses.
    pub(super) fn unused(&self, used: &BTreeSet<String>, problems: &mut Vec<Diagnostic>) {
        let axes = self.axes.iter().map(|a| (&a.name, "axis"));
        for (name, what) in self.vars.iter().map(|(n, _)| (n, "variable")).chain(axes) {
            if !used.contains(&name.value) {
                let label = format!("nothing says `${{{}}}`", name.value);
                problems.push(Diagnostic::warning(
                    format!("unused {what} `{}`", name.value),
                    name.place,
                    label,
                ));
            }
        }
    }
}
