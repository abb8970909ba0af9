//! The table of condition operators, and what surrounds their names.

use std::cmp::Ordering;

/// A whole operator: `ForAnyValue:StringNotLikeIfExists`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Operator {
    pub(super) quantifier: Quantifier,
    pub(super) comparison: Comparison,
    /// None of the values may fit.
    pub(super) negated: bool,
    /// A missing key fulfils it.
    pub(super) if_exists: bool,
}

/// Which values of a request must fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Quantifier {
    One,
    All,
    Any,
}

/// What kind of values are compared, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Comparison {
    Text,
    TextFolded,
    TextLike,
    Number(Order),
    Date(Order),
    Truth,
    Binary,
    Address,
    Arn,
    Null,
}

/// How a request's value stands to the policy's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Order {
    Equal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// Every operator: its name, what it compares, whether it is negated.
#[rustfmt::skip]
const OPERATORS: &[(&str, Comparison, bool)] = &[
    ("StringEquals",              Comparison::Text,                    false),
    ("StringNotEquals",           Comparison::Text,                    true),
    ("StringEqualsIgnoreCase",    Comparison::TextFolded,              false),
    ("StringNotEqualsIgnoreCase", Comparison::TextFolded,              true),
    ("StringLike",                Comparison::TextLike,                false),
    ("StringNotLike",             Comparison::TextLike,                true),
    ("NumericEquals",             Comparison::Number(Order::Equal),    false),
    ("NumericNotEquals",          Comparison::Number(Order::Equal),    true),
    ("NumericLessThan",           Comparison::Number(Order::Less),     false),
    ("NumericLessThanEquals",     Comparison::Number(Order::AtMost),   false),
    ("NumericGreaterThan",        Comparison::Number(Order::Greater),  false),
    ("NumericGreaterThanEquals",  Comparison::Number(Order::AtLeast),  false),
    ("DateEquals",                Comparison::Date(Order::Equal),      false),
    ("DateNotEquals",             Comparison::Date(Order::Equal),      true),
    ("DateLessThan",              Comparison::Date(Order::Less),       false),
    ("DateLessThanEquals",        Comparison::Date(Order::AtMost),     false),
    ("DateGreaterThan",           Comparison::Date(Order::Greater),    false),
    ("DateGreaterThanEquals",     Comparison::Date(Order::AtLeast),    false),
    ("Bool",                      Comparison::Truth,                   false),
    ("BinaryEquals",              Comparison::Binary,                  false),
    ("IpAddress",                 Comparison::Address,                 false),
    ("NotIpAddress",              Comparison::Address,                 true),
    // AWS: ArnEquals and ArnLike behave identically, and so do their negations.
    ("ArnEquals",                 Comparison::Arn,                     false),
    ("ArnLike",                   Comparison::Arn,                     false),
    ("ArnNotEquals",              Comparison::Arn,                     true),
    ("ArnNotLike",                Comparison::Arn,                     true),
    ("Null",                      Comparison::Null,                    false),
];

// === impl Operator ===

impl Operator {
    /// Reads an operator; AWS takes any spelling of upper and lower case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (quantifier, name) = match text.split_once(':') {
            Some((all, name)) if all.eq_ignore_ascii_case("ForAllValues") => (Quantifier::All, name),
            Some((any, name)) if any.eq_ignore_ascii_case("ForAnyValue") => (Quantifier::Any, name),
            Some(_) => return None,
            None => (Quantifier::One, text),
        };
        let bare = name.len().checked_sub("IfExists".len()).and_then(|at| name.split_at_checked(at));
        let (name, if_exists) = match bare {
            Some((bare, suffix)) if suffix.eq_ignore_ascii_case("IfExists") => (bare, true),
            _ => (name, false),
        };
        let (_, comparison, negated) =
            OPERATORS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name))?;
        if *comparison == Comparison::Null && (if_exists || quantifier != Quantifier::One) {
            return None;
        }
        Some(Self { quantifier, comparison: *comparison, negated: *negated, if_exists })
    }
}

// === impl Order ===

impl Order {
    pub(super) fn holds<T: PartialOrd>(self, given: &T, wanted: &T) -> bool {
        given.partial_cmp(wanted).is_some_and(|order| match self {
            Self::Equal => order == Ordering::Equal,
            Self::Less => order == Ordering::Less,
            Self::AtMost => order != Ordering::Greater,
            Self::Greater => order == Ordering::Greater,
            Self::AtLeast => order != Ordering::Less,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_read_with_all_that_surrounds_them() {
        for (at, (name, comparison, negated)) in OPERATORS.iter().enumerate() {
            assert!(OPERATORS[..at].iter().all(|(other, ..)| other != name), "{name}");
            let plain = Operator {
                quantifier: Quantifier::One,
                comparison: *comparison,
                negated: *negated,
                if_exists: false,
            };
            assert_eq!(Operator::parse(name), Some(plain));
            let whole = format!("foranyvalue:{name}IFEXISTS");
            let full = Operator { quantifier: Quantifier::Any, if_exists: true, ..plain };
            assert_eq!(Operator::parse(&whole), Some(full).filter(|_| *name != "Null"), "{whole}");
        }
        for text in ["", "IfExists", "StringEqual", "ForSome:StringEquals", "NullIfExists", "éIfExists", "é"]
        {
            assert_eq!(Operator::parse(text), None, "{text}");
        }
    }
}
