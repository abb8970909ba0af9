//! Conditions (IAM, "IAM JSON policy elements: Condition" and "Condition operators").

pub(super) mod date;
mod network;
mod operator;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::context::Key;
use super::error::{PolicyError, Problem};
use super::json::{Member, Node};
use super::pattern::{Pattern, Reading};
use super::scope::Scope;
use network::Network;
use operator::{Comparison, Operator, Order, Quantifier};

/// One key of a condition block with its operator.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Condition {
    key: Key,
    operator: Operator,
    test: Test,
}

/// What a value of the request is compared with: the values of the policy, of which one must fit.
#[derive(Clone, PartialEq, Debug)]
enum Test {
    Text(Vec<Pattern>),
    Arn(Vec<Pattern>),
    Number(Order, Vec<f64>),
    /// Milliseconds since the Unix epoch.
    Date(Order, Vec<i64>),
    Binary(Vec<Vec<u8>>),
    Address(Vec<Network>),
    /// Whether the key is to be absent.
    Null(Vec<bool>),
}

/// Reads a `Condition` block.
pub(super) fn parse(block: &Node, variables: bool) -> Result<Vec<Condition>, PolicyError> {
    let malformed = || PolicyError::new(Problem::Malformed("Condition"), block.span.start);
    let mut conditions = Vec::new();
    for operator in block.members().ok_or_else(malformed)? {
        let parsed = Operator::parse(&operator.name)
            .ok_or_else(|| PolicyError::new(Problem::Operator(operator.name.clone()), operator.at))?;
        for key in operator.value.members().ok_or_else(malformed)? {
            conditions.push(Condition::parse(parsed, &operator.name, key, variables)?);
        }
    }
    Ok(conditions)
}

// === impl Condition ===

impl Condition {
    fn parse(operator: Operator, spelling: &str, key: &Member, variables: bool) -> Result<Self, PolicyError> {
        if !key.name.split_once(':').is_some_and(|(service, name)| !service.is_empty() && !name.is_empty()) {
            return Err(PolicyError::new(Problem::Key(key.name.clone()), key.at));
        }
        let test = Test::parse(operator.comparison, spelling, key.value.items(), variables)?;
        Ok(Self { key: Key::new(&key.name), operator, test })
    }

    /// Whether the request fulfils it. A missing key fails an operator, and fulfils a negated one, any
    /// `...IfExists` and `ForAllValues`.
    pub(super) fn holds(&self, scope: &Scope<'_>) -> bool {
        let Operator { quantifier, negated, if_exists, .. } = self.operator;
        let values = scope.values(&self.key);
        let values = values.as_slice();
        if let Test::Null(absent) = &self.test {
            return absent.contains(&values.is_empty());
        }
        // ForAllValues and ForAnyValue take a set of empty texts for no set.
        let none = match quantifier {
            Quantifier::One => values.is_empty(),
            Quantifier::All | Quantifier::Any => values.iter().all(|value| value.is_empty()),
        };
        if none {
            return if_exists
                || match quantifier {
                    Quantifier::One => negated,
                    Quantifier::All => true,
                    Quantifier::Any => false,
                };
        }
        let fits = |value: &str| self.test.fits(value, scope);
        match quantifier {
            Quantifier::One => values.iter().any(|value| fits(value)) != negated,
            Quantifier::All => values.iter().all(|value| fits(value) != negated),
            Quantifier::Any => values.iter().any(|value| fits(value) != negated),
        }
    }

    /// The key, in lower case.
    pub(super) fn key(&self) -> &str {
        self.key.lower()
    }

    /// Whether it holds only for requests whose key has one of a fixed set of values: without wildcards,
    /// variables, negation, and never for requests without the key.
    pub(super) fn is_fixed(&self) -> bool {
        let Operator { quantifier, negated, if_exists, .. } = self.operator;
        if negated || if_exists || quantifier == Quantifier::All {
            return false;
        }
        match &self.test {
            Test::Text(wanted) => wanted.iter().all(Pattern::is_fixed),
            Test::Arn(wanted) => {
                wanted.iter().all(|p| p.exact().is_some_and(|arn| !arn.contains(['*', '?'])))
            }
            _ => false,
        }
    }

    /// Whether it holds only for addresses in narrow networks.
    pub(super) fn is_of_narrow_networks(&self) -> bool {
        let Operator { negated, if_exists, .. } = self.operator;
        !negated
            && !if_exists
            && matches!(&self.test, Test::Address(all) if all.iter().all(Network::is_narrow))
    }

    /// The texts or ARNs it compares with, when it compares with them for likeness.
    pub(super) fn fixed_prefixes(&self) -> Option<impl Iterator<Item = Option<&str>>> {
        let Operator { quantifier, negated, if_exists, .. } = self.operator;
        match &self.test {
            Test::Text(wanted) | Test::Arn(wanted)
                if !negated && !if_exists && quantifier != Quantifier::All =>
            {
                Some(wanted.iter().map(Pattern::fixed_start))
            }
            _ => None,
        }
    }
}

// === impl Test ===

impl Test {
    fn parse(
        comparison: Comparison,
        operator: &str,
        items: &[Node],
        variables: bool,
    ) -> Result<Self, PolicyError> {
        let text = |wild, folds| {
            let reading = Reading { wild, variables, folds };
            each(operator, items, move |value| Some(Pattern::compile(value, reading)))
        };
        Ok(match comparison {
            Comparison::Text => Self::Text(text(false, false)?),
            Comparison::TextFolded | Comparison::Truth => Self::Text(text(false, true)?),
            Comparison::TextLike => Self::Text(text(true, false)?),
            Comparison::Arn => Self::Arn(text(true, false)?),
            Comparison::Number(order) => Self::Number(order, each(operator, items, number)?),
            Comparison::Date(order) => Self::Date(order, each(operator, items, date::milliseconds)?),
            Comparison::Binary => {
                Self::Binary(each(operator, items, |value| STANDARD.decode(value.trim()).ok())?)
            }
            Comparison::Address => Self::Address(each(operator, items, Network::parse)?),
            Comparison::Null => {
                Self::Null(each(operator, items, |value| match value.to_ascii_lowercase().as_str() {
                    "true" => Some(true),
                    "false" => Some(false),
                    _ => None,
                })?)
            }
        })
    }

    /// Whether a value of the request fits one of the policy's.
    fn fits(&self, value: &str, scope: &Scope<'_>) -> bool {
        match self {
            Self::Text(wanted) => wanted.iter().any(|pattern| pattern.matches(value, scope)),
            Self::Arn(wanted) => wanted.iter().any(|pattern| pattern.matches_arn(value, scope)),
            Self::Number(order, wanted) => {
                number(value).is_some_and(|given| wanted.iter().any(|wanted| order.holds(&given, wanted)))
            }
            Self::Date(order, wanted) => date::milliseconds(value)
                .is_some_and(|given| wanted.iter().any(|wanted| order.holds(&given, wanted))),
            Self::Binary(wanted) => STANDARD.decode(value.trim()).is_ok_and(|given| wanted.contains(&given)),
            Self::Address(wanted) => {
                value.trim().parse().is_ok_and(|given| wanted.iter().any(|network| network.contains(given)))
            }
            Self::Null(_) => false,
        }
    }
}

fn each<T>(operator: &str, items: &[Node], read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, PolicyError> {
    let one = |item: &Node| {
        let malformed = || PolicyError::new(Problem::Malformed("Condition"), item.span.start);
        let value = item.scalar().ok_or_else(malformed)?;
        let refused = || Problem::Value { operator: operator.to_owned(), value: value.to_owned() };
        read(value).ok_or_else(|| PolicyError::new(refused(), item.span.start))
    };
    items.iter().map(one).collect()
}

/// Integers and decimals; exact up to 2^53.
pub(super) fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}
