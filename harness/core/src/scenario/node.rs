//! A YAML document as a tree of text with places: what fragments, variables and `--set` work on before
//! types exist.
//!
//! Scalars stay as written (`000000000001`, `no`, `1_000` are text until a type asks), so nothing is guessed.

use crate::diagnostics::Place;

/// A value and where it stands.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Node {
    /// Where.
    pub(crate) place: Place,
    /// What.
    pub(crate) value: Value,
    /// Who gave it, when not the text at its place alone.
    pub(crate) via: Via,
}

/// The three shapes of a value, and none.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// Text.
    Scalar {
        /// As written, quotes resolved.
        text: String,
        /// Whether it was quoted or a block, and so is never a number.
        quoted: bool,
    },
    /// Keys in order, each once.
    Map(Vec<(Key, Node)>),
    /// A list.
    Seq(Vec<Node>),
}

/// A key and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Key {
    /// Its text.
    pub(crate) text: String,
    /// Where.
    pub(crate) place: Place,
}

/// Who had a say in a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Via {
    /// The text at its place.
    #[default]
    Text,
    /// A variable with a fixed value.
    Variable,
    /// An axis of the matrix.
    Matrix,
    /// A `--set`.
    Set,
}

impl Node {
    /// A value at a place.
    pub(crate) fn new(value: Value, place: Place) -> Self {
        Self { place, value, via: Via::Text }
    }

    /// The entry of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, node)| node)
    }

    /// The entry of a key, with the key.
    pub(crate) fn entry(&self, key: &str) -> Option<&(Key, Self)> {
        self.entries().iter().find(|(k, _)| k.text == key)
    }

    /// The entries of a map; none of anything else.
    pub(crate) fn entries(&self) -> &[(Key, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The elements of a list; none of anything else.
    pub(crate) fn elements(&self) -> &[Self] {
        match &self.value {
            Value::Seq(elements) => elements,
            _ => &[],
        }
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The node that stands at a place.
    pub(crate) fn find(&self, place: Place) -> Option<&Self> {
        if self.place == place {
            return Some(self);
        }
        let children = self.entries().iter().map(|(_, node)| node).chain(self.elements());
        children.into_iter().find_map(|node| node.find(place))
    }

    /// The path to the key or value at a place: keys as they are, list elements as their number.
    pub(crate) fn path_to(&self, place: Place) -> Option<Vec<String>> {
        if self.place == place {
            return Some(Vec::new());
        }
        let below = |segment: &str, node: &Self| {
            let mut path = node.path_to(place)?;
            path.insert(0, segment.to_owned());
            Some(path)
        };
        for (key, node) in self.entries() {
            if key.place == place {
                return Some(vec![key.text.clone()]);
            }
            if let Some(path) = below(&key.text, node) {
                return Some(path);
            }
        }
        self.elements().iter().enumerate().find_map(|(at, node)| below(&at.to_string(), node))
    }

    /// What it is, in words.
    pub(crate) fn kind(&self) -> String {
        match &self.value {
            Value::Null => "nothing".into(),
            Value::Scalar { text, .. } => format!("`{text}`"),
            Value::Map(entries) if entries.is_empty() => "an empty mapping".into(),
            Value::Map(_) => "a mapping".into(),
            Value::Seq(_) => "a list".into(),
        }
    }
}

// === changing ===

impl Node {
    /// Moves every place by a number of bytes.
    pub(crate) fn shift(&mut self, by: usize) {
        let moved =
            |place: Place| Place { start: place.start + by as u32, end: place.end + by as u32, ..place };
        self.place = moved(self.place);
        match &mut self.value {
            Value::Map(entries) => entries.iter_mut().for_each(|(key, node)| {
                key.place = moved(key.place);
                node.shift(by);
            }),
            Value::Seq(elements) => elements.iter_mut().for_each(|node| node.shift(by)),
            Value::Null | Value::Scalar { .. } => {}
        }
    }

    /// Notes who gave every value below.
    pub(crate) fn mark(&mut self, via: Via) {
        self.via = via;
        match &mut self.value {
            Value::Map(entries) => entries.iter_mut().for_each(|(_, node)| node.mark(via)),
            Value::Seq(elements) => elements.iter_mut().for_each(|node| node.mark(via)),
            Value::Null | Value::Scalar { .. } => {}
        }
    }

    /// Puts a value at a path, making mappings on the way; list entries go by number, or by their `phase`
    /// or `name`. False when the path leads nowhere.
    pub(crate) fn set(&mut self, path: &[String], place: Place, value: Self) -> bool {
        let Some((first, rest)) = path.split_first() else {
            *self = value;
            return true;
        };
        if first.is_empty() {
            return false;
        }
        if matches!(self.value, Value::Null) {
            self.value = Value::Map(Vec::new());
            self.place = place;
        }
        match &mut self.value {
            Value::Map(entries) => {
                if entries.iter().all(|(key, _)| key.text != *first) {
                    let key = Key { text: first.clone(), place };
                    entries.push((key, Self::new(Value::Null, place)));
                }
                let entry = entries.iter_mut().find(|(key, _)| key.text == *first);
                entry.is_some_and(|(_, node)| node.set(rest, place, value))
            }
            Value::Seq(elements) => {
                let named =
                    |n: &Self| ["phase", "name"].iter().any(|k| n.get(k).and_then(Self::text) == Some(first));
                let at = elements.iter().position(named).or_else(|| first.parse().ok());
                at.and_then(|at| elements.get_mut(at)).is_some_and(|node| node.set(rest, place, value))
            }
            Value::Null | Value::Scalar { .. } => false,
        }
    }
}
