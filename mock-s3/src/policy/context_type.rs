//! The types of context entries (IAM API, ContextEntry: ContextKeyType).

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::condition;

/// What the values of a context entry are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContextType {
    name: &'static str,
    kind: Kind,
    list: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Text,
    Number,
    Truth,
    Address,
    Binary,
    Date,
}

#[rustfmt::skip]
const TYPES: &[ContextType] = &[
    ContextType { name: "string",      kind: Kind::Text,    list: false },
    ContextType { name: "stringList",  kind: Kind::Text,    list: true },
    ContextType { name: "numeric",     kind: Kind::Number,  list: false },
    ContextType { name: "numericList", kind: Kind::Number,  list: true },
    ContextType { name: "boolean",     kind: Kind::Truth,   list: false },
    ContextType { name: "booleanList", kind: Kind::Truth,   list: true },
    ContextType { name: "ip",          kind: Kind::Address, list: false },
    ContextType { name: "ipList",      kind: Kind::Address, list: true },
    ContextType { name: "binary",      kind: Kind::Binary,  list: false },
    ContextType { name: "binaryList",  kind: Kind::Binary,  list: true },
    ContextType { name: "date",        kind: Kind::Date,    list: false },
    ContextType { name: "dateList",    kind: Kind::Date,    list: true },
];

impl ContextType {
    /// The type of a name: `string`, `numericList`, ...
    pub fn parse(name: &str) -> Option<Self> {
        TYPES.iter().find(|known| known.name == name).copied()
    }

    /// The names of all types.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TYPES.iter().map(|known| known.name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Whether there may be several values, or none.
    pub fn is_list(self) -> bool {
        self.list
    }

    /// Whether a value is of this type. A date is ISO 8601 or seconds since the Unix epoch, binary is base64.
    pub fn takes(self, value: &str) -> bool {
        match self.kind {
            Kind::Text => true,
            Kind::Number => condition::number(value).is_some(),
            Kind::Truth => value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false"),
            Kind::Address => value.parse::<IpAddr>().is_ok(),
            Kind::Binary => STANDARD.decode(value).is_ok(),
            Kind::Date => condition::date::milliseconds(value).is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_of_their_type() {
        let table = [
            ("string", "anything", None),
            ("numeric", "-2.5", Some("two")),
            ("boolean", "True", Some("yes")),
            ("ip", "2001:db8::1", Some("10.0.0.0/8")),
            ("binary", "QmluYXJ5", Some("%")),
            ("date", "2026-11-21T12:00:00Z", Some("tomorrow")),
        ];
        for (name, good, bad) in table {
            for (name, list) in [(name.to_owned(), false), (format!("{name}List"), true)] {
                let kind = ContextType::parse(&name).unwrap();
                assert_eq!((kind.name(), kind.is_list()), (name.as_str(), list));
                assert!(kind.takes(good), "{name}");
                assert!(!bad.is_some_and(|bad| kind.takes(bad)), "{name}");
            }
        }
        assert_eq!(ContextType::names().count(), 12);
        assert_eq!(ContextType::parse("number"), None);
    }
}
