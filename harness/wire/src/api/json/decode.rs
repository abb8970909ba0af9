//! Filling fields from a value by Go's rules: keys match in any case, `null` changes nothing, unknown keys are
//! ignored, a wrong type is told at the end (the first one), and the last of several equal keys wins.

use super::{Node, Value};

/// A reading of one text: the first wrong type, as Go words it.
#[derive(Default, Debug)]
pub(crate) struct Decoding {
    problem: Option<(usize, String)>,
}

/// The members of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(&'a [(String, Node)]);

impl Decoding {
    /// The first wrong type.
    pub(crate) fn finish(self) -> Result<(), (usize, String)> {
        self.problem.map_or(Ok(()), Err)
    }

    /// The members of an object; none for `null`. `target` is Go's description of what it is read into, such as
    /// `Go value of type toxiproxy.Proxy`.
    pub(crate) fn fields<'a>(&mut self, node: &'a Node, target: &str) -> Fields<'a> {
        match &node.value {
            Value::Object(members) => Fields(members),
            Value::Null => Fields(&[]),
            _ => {
                self.mistyped(node, node.value.kind(), target);
                Fields(&[])
            }
        }
    }

    /// The items of an array; none for `null`.
    pub(crate) fn items<'a>(&mut self, node: &'a Node, target: &str) -> &'a [Node] {
        match &node.value {
            Value::Array(items) => items,
            Value::Null => &[],
            _ => {
                self.mistyped(node, node.value.kind(), target);
                &[]
            }
        }
    }

    /// Reads a string field; `field` is its path as Go writes it, such as `Proxy.name`.
    pub(crate) fn string(&mut self, node: &Node, field: &str, into: &mut String) {
        match &node.value {
            Value::String(text) => into.clone_from(text),
            _ => self.unless_null(node, field, "string"),
        }
    }

    /// Reads a boolean field.
    pub(crate) fn boolean(&mut self, node: &Node, field: &str, into: &mut bool) {
        match &node.value {
            Value::Bool(value) => *into = *value,
            _ => self.unless_null(node, field, "bool"),
        }
    }

    /// Reads an integer field: floats, exponents and what does not fit are wrong types. `word` is Go's type.
    pub(crate) fn integer(&mut self, node: &Node, field: &str, word: &str, into: &mut i64) {
        match &node.value {
            Value::Number(text) => match text.parse() {
                Ok(value) => *into = value,
                Err(_) => self.misfit(node, text, field, word),
            },
            _ => self.unless_null(node, field, word),
        }
    }

    /// Reads a field of 32-bit floating point.
    pub(crate) fn float32(&mut self, node: &Node, field: &str, into: &mut f32) {
        match &node.value {
            Value::Number(text) => match text.parse::<f32>() {
                Ok(value) if value.is_finite() => *into = value,
                _ => self.misfit(node, text, field, "float32"),
            },
            _ => self.unless_null(node, field, "float32"),
        }
    }

    /// A field that only an object or `null` may fill, and of which nothing is kept.
    pub(crate) fn opaque(&mut self, node: &Node, field: &str, word: &str) {
        if !matches!(node.value, Value::Object(_)) {
            self.unless_null(node, field, word);
        }
    }

    fn unless_null(&mut self, node: &Node, field: &str, word: &str) {
        if node.value != Value::Null {
            self.mistyped(node, node.value.kind(), &format!("Go struct field {field} of type {word}"));
        }
    }

    fn misfit(&mut self, node: &Node, number: &str, field: &str, word: &str) {
        let kind = format!("number {number}");
        self.mistyped(node, &kind, &format!("Go struct field {field} of type {word}"));
    }

    fn mistyped(&mut self, node: &Node, kind: &str, target: &str) {
        self.problem(node.at, format!("json: cannot unmarshal {kind} into {target}"));
    }

    /// Something else that is wrong with a value.
    pub(crate) fn problem(&mut self, at: usize, message: String) {
        self.problem.get_or_insert((at, message));
    }
}

impl<'a> Fields<'a> {
    /// Every value given for a field, in order.
    pub(crate) fn all(self, name: &str) -> impl Iterator<Item = &'a Node> {
        self.0.iter().filter(move |(key, _)| folded_eq(key, name)).map(|(_, node)| node)
    }
}

/// Go's folding of a key against a lower-case ASCII name: ASCII case, and the two letters outside ASCII that fold
/// into it.
fn folded_eq(key: &str, name: &str) -> bool {
    let fold = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    };
    key.chars().map(fold).eq(name.chars().map(fold))
}
