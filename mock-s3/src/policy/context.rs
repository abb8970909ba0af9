//! What is known of a request beside who, what and where: the condition keys.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// The condition keys of a request, looked up only when a condition or a variable asks.
pub trait Context {
    /// The values of a key; the key is in lower case.
    fn values(&self, key: &str) -> Values<'_>;
}

/// The values of a condition key in a request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Values<'a> {
    /// The request has none.
    #[default]
    Missing,
    /// One value.
    One(Cow<'a, str>),
    /// Any number of values, of a key that may have several.
    Many(Vec<Cow<'a, str>>),
}

/// The name of a condition key as a policy spells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Key {
    written: Box<str>,
    lower: Box<str>,
}

/// Condition keys written down: for simulations and tests.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Entries {
    values: BTreeMap<String, Vec<String>>,
}

// === impl Key ===

impl Key {
    pub(super) fn new(written: &str) -> Self {
        Self { written: written.into(), lower: written.to_lowercase().into() }
    }

    /// As keys are looked up: case does not matter.
    pub(super) fn lower(&self) -> &str {
        &self.lower
    }

    /// As the policy has it, for people.
    pub(super) fn written(&self) -> &str {
        &self.written
    }
}

// === impl Values ===

impl Values<'_> {
    /// No value at all.
    pub fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    pub(super) fn as_slice(&self) -> &[Cow<'_, str>] {
        match self {
            Self::Missing => &[],
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

impl<'a> From<&'a str> for Values<'a> {
    fn from(value: &'a str) -> Self {
        Self::One(Cow::Borrowed(value))
    }
}

impl From<String> for Values<'_> {
    fn from(value: String) -> Self {
        Self::One(Cow::Owned(value))
    }
}

impl<'a, T: Into<Values<'a>>> From<Option<T>> for Values<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Missing, Into::into)
    }
}

// === impl Entries ===

impl Entries {
    /// No keys at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more key with its values; the same key again replaces them.
    #[must_use]
    pub fn with<V: Into<String>>(mut self, key: &str, values: impl IntoIterator<Item = V>) -> Self {
        self.set(key, values);
        self
    }

    /// Sets a key's values.
    pub fn set<V: Into<String>>(&mut self, key: &str, values: impl IntoIterator<Item = V>) {
        self.values.insert(key.to_lowercase(), values.into_iter().map(Into::into).collect());
    }
}

impl Context for Entries {
    fn values(&self, key: &str) -> Values<'_> {
        match self.values.get(key).map(Vec::as_slice) {
            None => Values::Missing,
            Some([one]) => one.as_str().into(),
            Some(many) => Values::Many(many.iter().map(|value| value.as_str().into()).collect()),
        }
    }
}
