//! One AWS policy statement, as pasted into a scenario.

mod condition;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use condition::Condition;

/// One statement of a policy, in AWS spelling.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Statement {
    /// Statement id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Allow or Deny.
    pub effect: Effect,
    /// `"*"` or `{ AWS: ... }`; required in bucket policies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<Principal>,
    /// Actions with wildcards.
    pub action: OneOrMany,
    /// Resource ARNs with wildcards.
    pub resource: OneOrMany,
    /// When it counts; the upstream evaluates it for each request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
}

/// The effect of a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub enum Effect {
    /// Allows.
    Allow,
    /// Denies, whatever else allows.
    Deny,
}

/// Who a statement is about.
#[derive(Clone, PartialEq, Debug, JsonSchema)]
#[schemars(with = "serde_json::Value")]
pub enum Principal {
    /// `"*"`.
    Anyone,
    /// `{ AWS: [...] }`.
    Aws(Vec<String>),
}

/// One string or a list, as AWS JSON allows.
#[derive(Clone, PartialEq, Eq, Debug, JsonSchema)]
#[schemars(with = "serde_json::Value")]
pub struct OneOrMany(pub Vec<String>);

impl Serialize for OneOrMany {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = OneOrMany;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string or a list of strings")
            }
            fn visit_str<E>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany(vec![text.to_owned()]))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMany, A::Error> {
                let mut all = Vec::new();
                while let Some(text) = seq.next_element()? {
                    all.push(text);
                }
                Ok(OneOrMany(all))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl Serialize for Principal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Anyone => serializer.serialize_str("*"),
            Self::Aws(list) => serializer.collect_map([("AWS", list)]),
        }
    }
}

impl<'de> Deserialize<'de> for Principal {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Principal;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("\"*\" or { AWS: \"arn:aws:iam::...\" }")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Principal, E> {
                if text == "*" {
                    Ok(Principal::Anyone)
                } else {
                    Err(E::custom("a principal is \"*\" or { AWS: ... }"))
                }
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Principal, A::Error> {
                let mut principal = None;
                while let Some(kind) = map.next_key::<String>()? {
                    if kind != "AWS" {
                        return Err(serde::de::Error::custom(format!(
                            "principal type `{kind}` is not supported yet"
                        )));
                    }
                    let list = map.next_value::<OneOrMany>()?.0;
                    principal = Some(if list.iter().any(|p| p == "*") {
                        Principal::Anyone
                    } else {
                        Principal::Aws(list)
                    });
                }
                principal.ok_or_else(|| serde::de::Error::missing_field("AWS"))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
