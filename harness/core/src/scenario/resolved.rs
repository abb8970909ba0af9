//! `check --resolved`: a plan as YAML, each value with where it comes from.

use serde_json::Value;

use super::Case;

/// Where a value of a plan comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Nothing gave it.
    Default,
    /// A file or a fragment.
    File {
        /// Its name.
        file: String,
        /// Line, from 1.
        line: u32,
    },
    /// A file, with a variable in it.
    Variable {
        /// Its name.
        file: String,
        /// Line, from 1.
        line: u32,
    },
    /// A file, with an axis of the matrix in it.
    Matrix {
        /// Its name.
        file: String,
        /// Line, from 1.
        line: u32,
    },
    /// An option of the command line.
    Option(&'static str),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { file, line } => write!(f, "{file}:{line}"),
            Self::Variable { file, line } => write!(f, "vars, {file}:{line}"),
            Self::Matrix { file, line } => write!(f, "matrix, {file}:{line}"),
            Self::Option(name) => f.write_str(name),
        }
    }
}

/// Keys that come first where they occur; the rest follows by name.
const FIRST: [&str; 17] = [
    "name",
    "about",
    "case",
    "tags",
    "source",
    "seed",
    "gateway",
    "regions",
    "buckets",
    "identities",
    "workloads",
    "phases",
    "faults",
    "expectations",
    "guards",
    "from",
    "until",
];
/// Lists whose elements are told apart by number.
const BY_NUMBER: [&str; 2] = ["faults", "expectations"];
/// From so many values on, a list is cut to the first of them.
const LONG: usize = 64;
const SHOWN: usize = 8;
/// Column of the origins.
const COLUMN: usize = 60;

/// The plan of a case as YAML, each known origin in a comment. What the plan leaves open is left out.
pub fn resolved_yaml(case: &Case) -> String {
    let mut plan = serde_json::to_value(&case.plan).expect("a plan is plain data");
    shorten(&mut plan);
    let mut printer = Printer { case, out: String::new() };
    printer.block(&plan, "", 0);
    printer.out
}

/// Cuts lists of values that are read out of files: nobody looks at each of a million keys.
fn shorten(value: &mut Value) {
    match value {
        Value::Object(map) => map.values_mut().for_each(shorten),
        Value::Array(list) if list.len() > LONG && !list.iter().any(Value::is_object) => {
            let more = list.len() - SHOWN;
            list.truncate(SHOWN);
            list.push(format!("and {more} more").into());
        }
        Value::Array(list) => list.iter_mut().for_each(shorten),
        _ => {}
    }
}

struct Printer<'a> {
    case: &'a Case,
    out: String,
}

impl Printer<'_> {
    /// The entries of a mapping or the elements of a list, each on lines of its own.
    fn block(&mut self, value: &Value, path: &str, depth: usize) {
        match value {
            Value::Object(map) => {
                let mut keys: Vec<&String> =
                    map.iter().filter(|(_, v)| !v.is_null()).map(|(k, _)| k).collect();
                keys.sort_by_key(|key| FIRST.iter().position(|first| first == key).unwrap_or(FIRST.len()));
                for key in keys {
                    let head = format!("{:depth$}{}:", "", scalar(key));
                    self.entry(&head, &map[key], &join(path, key), depth + 2);
                }
            }
            Value::Array(list) => {
                for (at, element) in list.iter().enumerate() {
                    let by_name =
                        element.get("name").and_then(Value::as_str).filter(|_| !BY_NUMBER.contains(&path));
                    let path = join(path, &by_name.map_or_else(|| at.to_string(), str::to_owned));
                    let begin = self.out.len();
                    if is_block(element) {
                        self.block(element, &path, depth + 2);
                        self.out.replace_range(begin + depth..begin + depth + 1, "-");
                    } else {
                        self.entry(&format!("{:depth$}-", ""), element, &path, depth + 2);
                    }
                }
            }
            _ => {}
        }
    }

    /// One line, or the line that opens a block.
    fn entry(&mut self, head: &str, value: &Value, path: &str, depth: usize) {
        let line = if is_block(value) { head.to_owned() } else { format!("{head} {}", flow(value)) };
        let origin = self.case.origins.iter().rev().find(|(p, _)| p == path).map(|(_, origin)| origin);
        match origin {
            Some(origin) => self.out.push_str(&format!("{line:<COLUMN$} # {origin}\n")),
            None => self.out.push_str(&format!("{line}\n")),
        }
        if is_block(value) {
            self.block(value, path, depth);
        }
    }
}

/// Whether a value takes lines of its own: mappings, and lists of anything but scalars.
fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => list.iter().any(|v| v.is_object() || v.is_array()),
        _ => false,
    }
}

/// A value on one line.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(list) => format!("[{}]", list.iter().map(flow).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// Plan paths name the kind of a gateway nowhere: `gateway.preset`, not `gateway.embedded.preset`.
fn join(path: &str, key: &str) -> String {
    let is_kind = path == "gateway" && ["embedded", "recipe", "command", "url"].contains(&key);
    match path {
        "" => key.to_owned(),
        _ if is_kind => path.to_owned(),
        _ => format!("{path}.{key}"),
    }
}

/// Text as a YAML scalar, quoted where it could be read as something else.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./% ".contains(c);
    let wordy = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/') && !text.ends_with(' ');
    let number = text.parse::<f64>().is_ok();
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if wordy && !number && text.chars().all(plain) && !reserved.contains(&text.to_lowercase().as_str()) {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}
