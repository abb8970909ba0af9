//! The only module that names the YAML crate: text in, [`Node`] out.

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error, Spanned};

use super::node::{Key, Node, Value};
use crate::diagnostics::{Diagnostic, Place};

/// Most bytes of one file.
const MAX_BYTES: usize = 1 << 20;
/// Most nodes of one file.
const MAX_NODES: usize = 50_000;
/// Deepest nesting.
const MAX_DEPTH: usize = 32;
/// Most aliases (`*name`).
const MAX_ALIASES: usize = 100;

/// Reads one document.
pub(crate) fn parse(text: &str, source: u16) -> Result<Node, Diagnostic> {
    if text.len() > MAX_BYTES {
        let label = format!("the limit is {} KiB", MAX_BYTES >> 10);
        return Err(Diagnostic::error("file too large", Place::new(source, 0, 0), label));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_aliases: MAX_ALIASES,
            max_documents: 1,
        },
        with_snippet: false,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::AsString,
    };
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options) {
        Ok(raw) => Ok(Reader { text, source }.node(raw)),
        Err(error) => Err(explain(error.without_snippet(), text, source)),
    }
}

/// A value as the YAML crate hands it over. The text of unquoted scalars is read from the source instead.
enum Raw {
    Null,
    Typed,
    Text(String),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
    Seq(Vec<Spanned<Raw>>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Raw;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a value")
            }
            fn visit_unit<E>(self) -> Result<Raw, E> {
                Ok(Raw::Null)
            }
            fn visit_none<E>(self) -> Result<Raw, E> {
                Ok(Raw::Null)
            }
            fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
                Ok(Raw::Typed)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
                Ok(Raw::Typed)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
                Ok(Raw::Typed)
            }
            fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
                Ok(Raw::Typed)
            }
            fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
                Ok(Raw::Typed)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
                Ok(Raw::Typed)
            }
            fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
                Ok(Raw::Text(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
                let mut all = Vec::new();
                while let Some(element) = seq.next_element()? {
                    all.push(element);
                }
                Ok(Raw::Seq(all))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
                let mut all: Vec<(Spanned<String>, Spanned<Raw>)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<Spanned<String>, Spanned<Raw>>()? {
                    if all.iter().any(|(k, _)| k.value == key.value) {
                        return Err(A::Error::custom(format!("duplicate key `{}`", key.value)));
                    }
                    all.push((key, value));
                }
                Ok(Raw::Map(all))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// Turns raw values into nodes.
struct Reader<'a> {
    text: &'a str,
    source: u16,
}

impl Reader<'_> {
    fn node(&self, raw: Spanned<Raw>) -> Node {
        let place = place(raw.defined, self.text, self.source);
        let value = match raw.value {
            Raw::Null => Value::Null,
            Raw::Typed => {
                let written = &self.text[place.start as usize..place.end as usize];
                Value::Scalar { text: written.trim().to_owned(), quoted: false }
            }
            Raw::Text(text) => {
                let written = &self.text[place.start as usize..place.end as usize];
                let quoted =
                    self.text[place.start as usize..].starts_with(['"', '\'']) || text.contains('\n');
                let as_is = !quoted && !written.contains('\n');
                Value::Scalar { text: if as_is { written.trim().to_owned() } else { text }, quoted }
            }
            Raw::Seq(all) => Value::Seq(all.into_iter().map(|n| self.node(n)).collect()),
            Raw::Map(all) => Value::Map(all.into_iter().map(|(k, v)| (self.key(k), self.node(v))).collect()),
        };
        Node::new(value, place)
    }

    fn key(&self, raw: Spanned<String>) -> Key {
        Key { place: place(raw.defined, self.text, self.source), text: raw.value }
    }
}

/// The bytes a location covers; locations without bytes are found by line and column.
fn place(location: serde_saphyr::Location, text: &str, source: u16) -> Place {
    let span = location.span();
    let (start, len) = match (span.byte_offset(), span.byte_len()) {
        (Some(start), Some(len)) => (start as usize, len as usize),
        _ => (byte_at(text, location.line(), location.column()), 0),
    };
    let start = text.floor_char_boundary(start);
    Place::new(source, start, text.floor_char_boundary(start.saturating_add(len)))
}

fn byte_at(text: &str, line: u64, column: u64) -> usize {
    let lines = text.split_inclusive('\n').take(line.saturating_sub(1) as usize);
    let start: usize = lines.map(str::len).sum();
    let within = text[start..].lines().next().unwrap_or_default();
    start + within.chars().take(column.saturating_sub(1) as usize).map(char::len_utf8).sum::<usize>()
}

fn explain(error: &Error, text: &str, source: u16) -> Diagnostic {
    let at = error.location().map_or_else(Place::default, |l| place(l, text, source));
    let at = Place { source, ..at };
    let whole = error.to_string();
    let said = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(said, _)| said);
    match error {
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("?");
            Diagnostic::error(format!("duplicate key `{key}`"), at, "given before in the same mapping")
        }
        Error::UnknownAnchor { .. } => Diagnostic::error("unknown alias", at, "no `&` anchor of this name")
            .help("a value that begins with `*` is an alias in YAML; quote a pattern, as in \"*.bin\""),
        _ if said.starts_with("budget breached") => {
            let limits =
                format!("at most 1 document, {MAX_NODES} values, depth {MAX_DEPTH}, {MAX_ALIASES} aliases");
            Diagnostic::error("file beyond the limits of a scenario file", at, limits)
        }
        _ => {
            let diagnostic = Diagnostic::error(format!("invalid YAML: {said}"), at, "");
            match advice(said, text, at) {
                Some(help) => diagnostic.help(help),
                None => diagnostic,
            }
        }
    }
}

/// What usually is behind a syntax error.
fn advice(said: &str, text: &str, at: Place) -> Option<&'static str> {
    let upto = &text[..at.start as usize];
    let line = text[upto.rfind('\n').map_or(0, |n| n + 1)..].lines().next().unwrap_or_default();
    if line.contains("${") {
        Some("inside { } and [ ] write variables in quotes, as in { rate: \"${ceiling}\" }")
    } else if said.contains("block scalar") || said.contains("`>'") {
        Some("a value that begins with `>` or `|` is a text block in YAML; bounds are written { min: 99% }")
    } else if said.contains("mapping values are not allowed") {
        Some("check the indentation, and put text that contains `: ` in quotes")
    } else if line.contains('\t') {
        Some("indent with spaces, not tabs")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalars(text: &str) -> Vec<(String, bool)> {
        fn walk(node: &Node, all: &mut Vec<(String, bool)>) {
            if let Value::Scalar { text, quoted } = &node.value {
                all.push((text.clone(), *quoted));
            }
            node.entries().iter().map(|(_, n)| n).chain(node.elements()).for_each(|n| walk(n, all));
        }
        let mut all = Vec::new();
        walk(&parse(text, 0).expect("parses"), &mut all);
        all
    }

    #[test]
    fn scalars_stay_as_written() {
        let text = "[000001, no, 1_000, 1e999, .nan, 0x1f, 20%, 'a', \"5\", plain text]";
        let wanted = ["000001", "no", "1_000", "1e999", ".nan", "0x1f", "20%", "a", "5", "plain text"];
        let got = scalars(text);
        assert_eq!(got.iter().map(|(t, _)| t.as_str()).collect::<Vec<_>>(), wanted);
        assert_eq!(got.iter().filter(|(_, quoted)| *quoted).count(), 2);
    }

    #[test]
    fn anchors_merges_and_blocks_are_resolved() {
        let text = "a: &x {k: 1}\nb: *x\nc: {<<: *x, z: 2}\nd: |\n  one\n  two\ne: one\n  two\n";
        let node = parse(text, 0).expect("parses");
        assert_eq!(node.get("b").and_then(|b| b.get("k")).and_then(Node::text), Some("1"));
        assert_eq!(node.get("c").and_then(|c| c.get("k")).and_then(Node::text), Some("1"));
        assert_eq!(node.get("d").and_then(Node::text), Some("one\ntwo\n"));
        assert_eq!(node.get("e").and_then(Node::text), Some("one two"));
    }

    #[test]
    fn budgets_hold() {
        let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
        let many = "- 1\n".repeat(60_000);
        let aliases = format!("a: &x 1\nb:\n{}", "  - *x\n".repeat(101));
        let two = "---\na: 1\n---\nb: 2\n";
        for text in [deep.as_str(), &many, &aliases, two, &"#".repeat(2 << 20)] {
            assert!(parse(text, 0).is_err());
        }
    }

    #[test]
    fn errors_have_their_place() {
        let table = [
            ("a: 1\nb: 2\na: 3\n", "duplicate key `a`", (3, 1)),
            ("key: *.bin\n", "unknown alias", (1, 6)),
            (
                "a: 1\nb: >= 99%\n",
                "invalid YAML: while scanning a block scalar, did not find expected comment or line break",
                (2, 4),
            ),
        ];
        for (text, message, position) in table {
            let error = parse(text, 0).expect_err("is wrong");
            assert_eq!(error.message, message);
            let source = crate::diagnostics::SourceText::new("t", text);
            assert_eq!(source.position(error.place.start), position);
        }
    }
}
