//! Why a node is not what a type asked for, with its place.

use serde::de;

use crate::diagnostics::Place;
use crate::scenario::node::Node;

/// Why a node is not what was asked for.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Fail {
    /// Where; the innermost known.
    pub(crate) place: Option<Place>,
    /// Why.
    pub(crate) why: Why,
}

/// The kinds of [`Fail`].
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Why {
    /// A key that the mapping does not have.
    UnknownKey(String, &'static [&'static str]),
    /// A name that is none of a fixed set.
    UnknownName(String, &'static [&'static str]),
    /// A key that must be there.
    Missing(&'static str),
    /// Something else stands there.
    Expected(String, String),
    /// Neither a name nor a mapping with one, but this.
    Choose(String, &'static [&'static str]),
    /// A name whose parameters are missing.
    Bare(String),
    /// A second key (the second) where one (the first) is all.
    Second(String, String),
    /// A type's own words.
    Other(String),
}

// === impl Fail ===

impl Fail {
    /// Something else than what was expected stands at a node.
    pub(super) fn expected(expected: impl Into<String>, node: &Node) -> Self {
        Self { place: Some(node.place), why: Why::Expected(expected.into(), node.kind()) }
    }

    /// At this place, unless one nearer is known.
    pub(super) fn at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }
}

impl From<Why> for Fail {
    fn from(why: Why) -> Self {
        Self { place: None, why }
    }
}

impl de::Error for Fail {
    fn custom<T: std::fmt::Display>(text: T) -> Self {
        let text = text.to_string();
        // Units say "expected a duration ..., found `5`".
        let parts = text.strip_prefix("expected ").and_then(|rest| rest.rsplit_once(", found "));
        match parts {
            Some((expected, found)) => Why::Expected(expected.to_owned(), found.to_owned()).into(),
            None => Why::Other(text).into(),
        }
    }
    fn invalid_type(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Why::Expected(expected.to_string(), unexpected.to_string()).into()
    }
    fn invalid_value(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let found = match unexpected {
            de::Unexpected::Unsigned(n) => format!("`{n}`"),
            de::Unexpected::Signed(n) => format!("`{n}`"),
            de::Unexpected::Str(text) => format!("`{text}`"),
            other => other.to_string(),
        };
        let expected = match expected.to_string().as_str() {
            "u8" => "a whole number from 0 to 255".to_owned(),
            "u16" => "a whole number from 0 to 65535".to_owned(),
            "u32" => "a whole number from 0 to 4294967295".to_owned(),
            other => other.to_owned(),
        };
        Why::Expected(expected, found).into()
    }
    fn unknown_variant(name: &str, expected: &'static [&'static str]) -> Self {
        Why::UnknownName(name.to_owned(), expected).into()
    }
    fn unknown_field(key: &str, expected: &'static [&'static str]) -> Self {
        Why::UnknownKey(key.to_owned(), expected).into()
    }
    fn missing_field(field: &'static str) -> Self {
        Why::Missing(field).into()
    }
}

impl std::fmt::Display for Fail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.why)
    }
}

impl std::error::Error for Fail {}
