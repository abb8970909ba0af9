//! JSON as Go's `encoding/json` reads and writes it, which is what Toxiproxy's clients expect to meet.
//!
//! It differs from what `serde_json` does in ways that a client can see: the texts of errors, trailing data that is
//! ignored, keys that match in any case, lone surrogates and bytes that are not UTF-8 (both become U+FFFD), the
//! escapes of `<`, `>` and `&`. Reading is `scan`, a struct's fields are filled by `decode`, `encode` writes.

mod decode;
mod encode;
mod scan;

pub(crate) use decode::{Decoding, Fields};
pub(crate) use encode::{Object, array, float32, quoted};
pub(crate) use scan::first_value;

/// A value and where it begins.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Node {
    /// Offset of its first byte.
    pub(crate) at: usize,
    /// Offset behind its last byte.
    pub(crate) end: usize,
    pub(crate) value: Value,
}

/// A JSON value; numbers as written, members in order and possibly more than once.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Value {
    /// Go's word for its kind.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }
}

#[cfg(test)]
mod tests;
