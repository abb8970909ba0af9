//! The first pass: format version, variables, matrix and `--set`, read before any `${name}` is put in.

use std::collections::BTreeSet;

use super::decode::Spanned;
use super::file::{Named, VERSION, Word};
use super::mistakes::{self, unknown};
use super::node::{Node, Value, Via};
use super::yaml;
use crate::diagnostics::{Diagnostic, Place, SourceText};

/// Most cases of one file.
const MAX_CASES: usize = 256;

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

/// One case: its id and the variables that hold in it.
#[derive(Debug, Default)]
pub(super) struct Case {
    /// `gw=nginx,odds=20%`, empty without a matrix.
    pub(super) id: String,
    values: Vec<(String, String, Via)>,
}

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
                .push(Diagnostic::error(format!("`{first}` cannot be set like this"), place, "expected another path")),
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
                problems.push(Diagnostic::warning(format!("unused {what} `{}`", name.value), name.place, label));
            }
        }
    }

    // === cases ===

    /// Every case, in the order of the axes; the included ones last.
    pub(super) fn cases(&self, matrix: Place) -> Result<Vec<Case>, Diagnostic> {
        let mut all: Vec<Combination> = vec![Vec::new()];
        for axis in &self.axes {
            let name = &axis.name.value;
            let with = |c: &Combination| {
                let extended = |v: &String| [c.as_slice(), &[(name.clone(), v.clone())]].concat();
                axis.values.iter().map(extended).collect::<Vec<_>>()
            };
            all = all.iter().flat_map(with).collect();
            if all.len() > MAX_CASES {
                let label = format!("at most {MAX_CASES} cases");
                return Err(Diagnostic::error("too many cases", matrix, label));
            }
        }
        let left_out =
            |c: &Combination| self.exclude.iter().any(|e| !e.is_empty() && e.iter().all(|pair| c.contains(pair)));
        all.retain(|c| !left_out(c));
        for extra in &self.include {
            let value = |axis: &Axis| extra.iter().find(|(n, _)| *n == axis.name.value).cloned();
            let extra: Combination = self.axes.iter().filter_map(value).collect();
            if !all.contains(&extra) {
                all.push(extra);
            }
        }
        if all.is_empty() {
            return Err(Diagnostic::error("the matrix leaves no case", matrix, "everything is excluded"));
        }
        Ok(all.into_iter().map(|c| self.case(&c)).collect())
    }

    fn case(&self, combination: &Combination) -> Case {
        let id = combination.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join(",");
        let axes = combination.iter().map(|(n, v)| (n.clone(), v.clone(), Via::Matrix));
        let fixed = self.vars.iter().filter(|(n, _)| combination.iter().all(|(axis, _)| *axis != n.value));
        let fixed = fixed.map(|(n, v)| (n.value.clone(), v.clone(), Via::Variable));
        Case { id, values: axes.chain(fixed).collect() }
    }

    /// The tree of one case: variables put in, then `--set` applied.
    pub(super) fn apply(
        &self,
        case: &Case,
        tree: &Node,
        used: &mut BTreeSet<String>,
        problems: &mut Vec<Diagnostic>,
    ) -> Node {
        let mut tree = tree.clone();
        if let Value::Map(entries) = &mut tree.value {
            let own = ["vars", "matrix", "use", "x"];
            for (_, node) in entries.iter_mut().filter(|(key, _)| !own.contains(&key.text.as_str())) {
                case.fill(node, used, problems);
            }
        }
        for set in &self.sets {
            let mut value = set.value.clone();
            value.mark(Via::Set);
            if !tree.set(&set.path, set.place, value) {
                let path = set.path.join(".");
                let label = "expected keys (or numbers or names of list entries) joined by dots";
                problems.push(Diagnostic::error(format!("no such place `{path}`"), set.place, label));
            }
        }
        tree
    }
}

impl Case {
    /// Puts variables into every scalar below a node.
    fn fill(&self, node: &mut Node, used: &mut BTreeSet<String>, problems: &mut Vec<Diagnostic>) {
        let place = node.place;
        match &mut node.value {
            Value::Null => {}
            Value::Map(entries) => entries.iter_mut().for_each(|(_, n)| self.fill(n, used, problems)),
            Value::Seq(elements) => elements.iter_mut().for_each(|n| self.fill(n, used, problems)),
            Value::Scalar { text, .. } => {
                if text.contains("${") {
                    let (filled, via) = self.substitute(text, place, used, problems);
                    *text = filled;
                    node.via = via;
                }
            }
        }
    }

    /// `${name}` becomes its value, `$${` a plain `${`.
    fn substitute(
        &self,
        text: &str,
        place: Place,
        used: &mut BTreeSet<String>,
        problems: &mut Vec<Diagnostic>,
    ) -> (String, Via) {
        let (mut filled, mut via, mut rest) = (String::new(), Via::Text, text);
        while let Some(at) = rest.find("${") {
            let (before, after) = (&rest[..at], &rest[at + 2..]);
            if let Some(escaped) = before.strip_suffix('$') {
                filled.push_str(escaped);
                filled.push_str("${");
                rest = after;
                continue;
            }
            filled.push_str(before);
            let Some((name, tail)) = after.split_once('}') else {
                problems.push(Diagnostic::error("`${` without `}`", place, "a variable is written ${name}"));
                return (text.to_owned(), via);
            };
            rest = tail;
            match self.values.iter().find(|(n, ..)| n == name) {
                Some((_, value, of)) => {
                    used.insert(name.to_owned());
                    filled.push_str(value);
                    via = if via == Via::Matrix { via } else { *of };
                }
                None => {
                    let names: Vec<_> = self.values.iter().map(|(n, ..)| n.clone()).collect();
                    problems.push(unknown("variable", name, &names, place));
                }
            }
        }
        filled.push_str(rest);
        (filled, via)
    }
}
