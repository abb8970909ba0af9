//! Cases of the matrix, and the tree of each: variables put in, `--set` applied.

use std::collections::BTreeSet;

use super::{Axis, Combination, Header};
use crate::diagnostics::{Diagnostic, Place};
use crate::scenario::mistakes::unknown;
use crate::scenario::node::{Key, Node, Value, Via};

/// Most cases of one file.
const MAX_CASES: usize = 256;

/// One case: its id and the variables that hold in it.
#[derive(Debug, Default)]
pub(in crate::scenario) struct Case {
    /// `gw=nginx,odds=20%`, empty without a matrix.
    pub(in crate::scenario) id: String,
    values: Vec<(String, String, Via)>,
}

impl Header {
    /// Every case, in the order of the axes; the included ones last.
    pub(in crate::scenario) fn cases(&self, matrix: Place) -> Result<Vec<Case>, Diagnostic> {
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
        let left_out = |c: &Combination| {
            self.exclude.iter().any(|e| !e.is_empty() && e.iter().all(|pair| c.contains(pair)))
        };
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

    /// The tree of one case: variables put in, then `--set` applied; `asked` is the gateway of the command line.
    pub(in crate::scenario) fn apply(
        &self,
        case: &Case,
        tree: &Node,
        asked: Option<(&str, Place)>,
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
        if let Some((asked, place)) = asked {
            self.make_room(asked, place, &mut tree);
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

    /// Where `--set` is about the gateway that the command line puts in the place of the file's, that one stands in
    /// the tree, so that there is something to set.
    fn make_room(&self, asked: &str, place: Place, tree: &mut Node) {
        let name = asked.split('@').next().unwrap_or_default();
        let kind = if name == "embedded" { name } else { "recipe" };
        let is_about = |path: &[String]| path.len() > 2 && path[0] == "gateway" && path[1] == kind;
        if !self.sets.iter().any(|set| is_about(&set.path)) {
            return;
        }
        let written = tree.get("gateway").and_then(|gateway| gateway.get(kind));
        if written.is_some_and(|it| kind == name || it.get("name").and_then(Node::text) == Some(name)) {
            return;
        }
        let entry = |key: &str, node| (Key { text: key.to_owned(), place }, node);
        let named = Node::new(Value::Scalar { text: name.to_owned(), quoted: true }, place);
        let of_kind = if kind == name { Vec::new() } else { vec![entry("name", named)] };
        let gateway = vec![entry(kind, Node::new(Value::Map(of_kind), place))];
        tree.set(&["gateway".to_owned()], place, Node::new(Value::Map(gateway), place));
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
