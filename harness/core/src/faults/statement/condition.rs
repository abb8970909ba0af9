//! The `Condition` of a statement: under which circumstances of a request it counts.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

/// Operator, then key, then the values of which one has to fit: `{ Bool: { "aws:SecureTransport": "false" } }`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(with = "serde_json::Value")]
pub struct Condition(BTreeMap<String, BTreeMap<String, Values>>);

/// Values as texts, as AWS compares them; flags and numbers may be written without quotes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Values(Vec<String>);

/// Operators without `ForAllValues:`, `ForAnyValue:` and `IfExists` (IAM, "IAM JSON policy elements: Condition
/// operators"): those that the upstream evaluates.
const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "Null",
];

fn is_operator(name: &str) -> bool {
    let name = name.strip_prefix("ForAllValues:").or(name.strip_prefix("ForAnyValue:")).unwrap_or(name);
    let name = name.strip_suffix("IfExists").unwrap_or(name);
    OPERATORS.contains(&name)
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let block = BTreeMap::<String, BTreeMap<String, Values>>::deserialize(deserializer)?;
        if let Some(name) = block.keys().find(|name| !is_operator(name)) {
            let known = "expected one such as StringNotEquals, Bool or NotIpAddress";
            return Err(D::Error::custom(format!("unknown condition operator `{name}`: {known}")));
        }
        if let Some(key) = block.values().flat_map(BTreeMap::keys).find(|key| !key.contains(':')) {
            let known = "expected one such as aws:SourceIp";
            return Err(D::Error::custom(format!("invalid condition key `{key}`: {known}")));
        }
        Ok(Self(block))
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrList;
        impl<'de> Visitor<'de> for OneOrList {
            type Value = Values;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a value or a list of values")
            }
            fn visit_str<E>(self, text: &str) -> Result<Values, E> {
                Ok(Values(vec![text.to_owned()]))
            }
            fn visit_bool<E>(self, on: bool) -> Result<Values, E> {
                Ok(Values(vec![on.to_string()]))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Values, E> {
                Ok(Values(vec![number.to_string()]))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Values, E> {
                Ok(Values(vec![number.to_string()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Values, A::Error> {
                let mut all = Vec::new();
                while let Some(Values(mut one)) = seq.next_element()? {
                    all.append(&mut one);
                }
                Ok(Values(all))
            }
        }
        deserializer.deserialize_any(OneOrList)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        let condition = serde_json::from_str::<Condition>(text).map_err(|e| e.to_string())?;
        Ok(serde_json::to_string(&condition).expect("plain data"))
    }

    #[test]
    fn values_are_lists_of_texts() {
        let given =
            r#"{"Bool":{"aws:SecureTransport":false},"IpAddress":{"aws:SourceIp":["10.0.0.0/8","::1"]}}"#;
        let texts =
            r#"{"Bool":{"aws:SecureTransport":["false"]},"IpAddress":{"aws:SourceIp":["10.0.0.0/8","::1"]}}"#;
        assert_eq!(read(given).as_deref(), Ok(texts));
        assert_eq!(read(texts).as_deref(), Ok(texts));
        let number = r#"{"NumericLessThan":{"s3:max-keys":10}}"#;
        assert_eq!(read(number).as_deref(), Ok(r#"{"NumericLessThan":{"s3:max-keys":["10"]}}"#));
    }

    #[test]
    fn operators_and_keys_are_looked_at() {
        assert!(read(r#"{"ForAnyValue:StringLikeIfExists":{"aws:PrincipalOrgPaths":"o-1/*"}}"#).is_ok());
        let wrong = read(r#"{"StringNotEqual":{"aws:SourceVpce":"vpce-1"}}"#).unwrap_err();
        assert!(wrong.starts_with("unknown condition operator `StringNotEqual`"), "{wrong}");
        let wrong = read(r#"{"IpAddress":{"SourceIp":"10.0.0.0/8"}}"#).unwrap_err();
        assert!(wrong.starts_with("invalid condition key `SourceIp`"), "{wrong}");
    }
}
