//! The policy of a form: what it may hold, and until when (S3 API reference, "Creating a POST policy").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::form::Form;
use crate::errors::S3Error;

/// Fields that no condition has to name, besides `x-ignore-*`.
const FREE: [&str; 5] = ["awsaccesskeyid", "file", "policy", "signature", "x-amz-signature"];

/// A policy document.
#[derive(Debug)]
pub(super) struct FormPolicy {
    /// Seconds since the Unix epoch.
    expiration: i64,
    conditions: Vec<Condition>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Condition {
    /// Field names are in lower case.
    Is(String, String),
    StartsWith(String, String),
    /// Length of the file in bytes, both ends included.
    Length(u64, u64),
}

impl FormPolicy {
    /// Reads the field as the form has it.
    pub(super) fn read(encoded: &str) -> Result<Self, S3Error> {
        let plain: String = encoded.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let text = STANDARD.decode(plain).map_err(|_| invalid("Invalid Base64 in policy."))?;
        let text = String::from_utf8(text).map_err(|_| invalid("Invalid JSON."))?;
        let document: Value =
            serde_json::from_str(&unescaped(&text)).map_err(|_| invalid("Invalid JSON."))?;
        let fields = document.as_object().ok_or_else(|| invalid("Invalid JSON."))?;
        if let Some(unknown) =
            fields.keys().find(|name| !matches!(name.as_str(), "expiration" | "conditions"))
        {
            return Err(invalid(format!("Unexpected: '{unknown}'")));
        }
        let expiration = fields.get("expiration").ok_or_else(|| invalid("Policy missing expiration."))?;
        // UTC in the form `2007-12-01T12:00:00.000Z`, nothing else.
        let utc = |text: &&str| text.ends_with('Z') && text.get(10..11) == Some("T");
        let until =
            expiration.as_str().filter(utc).and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
        let until =
            until.ok_or_else(|| invalid(format!("Invalid 'expiration' value: '{}'", bare(expiration))))?;
        let list = fields.get("conditions").ok_or_else(|| invalid("Policy missing conditions."))?;
        let list = list.as_array().ok_or_else(|| invalid("Invalid 'conditions' value."))?;
        let mut conditions = Vec::new();
        for entry in list {
            Condition::read(entry, &mut conditions)?;
        }
        Ok(Self { expiration: until.unix_timestamp(), conditions })
    }

    /// Refuses a form that the policy does not allow. `now`: seconds since the Unix epoch.
    pub(super) fn check(&self, form: &Form, bucket: &str, key: &str, now: i64) -> Result<(), S3Error> {
        let refused =
            |what: &str| S3Error::of("AccessDenied").message(format!("Invalid according to Policy: {what}"));
        if now >= self.expiration {
            return Err(refused("Policy expired."));
        }
        // The bucket is an input of every form, and the key is meant as it will be.
        let value = |name: &str| match name {
            "bucket" => bucket,
            "key" => key,
            name => form.field(name).unwrap_or_default(),
        };
        for condition in &self.conditions {
            condition.check(value, form.file.length()).map_err(|failed| match failed {
                Failed::Condition => refused(&format!("Policy Condition failed: {condition}")),
                Failed::Length(error) => error,
            })?;
        }
        let given = form.fields.iter().map(|(name, _)| name.as_str()).chain(["bucket"]);
        let extra = given.into_iter().find(|name| {
            let named = self.conditions.iter().any(|condition| condition.field() == Some(name));
            !named && !FREE.contains(name) && !name.starts_with("x-ignore-")
        });
        match extra {
            Some(name) => Err(refused(&format!("Extra input fields: {name}"))),
            None => Ok(()),
        }
    }
}

/// Why a condition does not hold.
enum Failed {
    Condition,
    Length(S3Error),
}

impl Condition {
    fn read(entry: &Value, into: &mut Vec<Self>) -> Result<(), S3Error> {
        match entry {
            Value::Object(pairs) if !pairs.is_empty() => {
                for (name, value) in pairs {
                    let value = value.as_str().ok_or_else(|| {
                        invalid("Invalid Simple-Condition: Simple-Conditions must have the form {\"field\": \"value\"}")
                    })?;
                    into.push(Self::Is(name.to_ascii_lowercase(), value.to_owned()));
                }
                Ok(())
            }
            Value::Object(_) => Err(invalid("Invalid Simple-Condition: Simple-Conditions must not be empty")),
            Value::Array(list) => {
                into.push(Self::of_list(list)?);
                Ok(())
            }
            _ => Err(invalid("Invalid Condition: a condition is a list or an object")),
        }
    }

    fn of_list(list: &[Value]) -> Result<Self, S3Error> {
        let wrong = |what: String| invalid(format!("Invalid Condition: {what}"));
        let [operator, first, second] = list else {
            return Err(wrong(format!("wrong number of arguments ({})", list.len())));
        };
        let operator = operator.as_str().unwrap_or_default().to_ascii_lowercase();
        if operator == "content-length-range" {
            let bound = |value: &Value| match value {
                Value::String(text) => text.parse().ok(),
                value => value.as_u64(),
            };
            let (Some(least), Some(most)) = (bound(first), bound(second)) else {
                return Err(wrong("content-length-range takes two numbers that are not negative".to_owned()));
            };
            return Ok(Self::Length(least, most));
        }
        let (Some(field), Some(value)) = (first.as_str(), second.as_str()) else {
            return Err(wrong(format!("{operator} takes texts")));
        };
        let field = field
            .strip_prefix('$')
            .ok_or_else(|| wrong(format!("a field begins with '$': '{field}'")))?
            .to_ascii_lowercase();
        match operator.as_str() {
            "eq" => Ok(Self::Is(field, value.to_owned())),
            "starts-with" => Ok(Self::StartsWith(field, value.to_owned())),
            _ => Err(wrong(format!("unknown operation '{operator}'"))),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Is(field, _) | Self::StartsWith(field, _) => Some(field),
            Self::Length(..) => None,
        }
    }

    fn check<'f>(&self, value: impl Fn(&str) -> &'f str, length: u64) -> Result<(), Failed> {
        let holds = match self {
            Self::Is(field, wanted) => value(field) == wanted,
            // A content type may be a list; each of it must begin so.
            Self::StartsWith(field, prefix) if field == "content-type" => {
                value(field).split(',').all(|one| one.trim_start().starts_with(prefix.as_str()))
            }
            Self::StartsWith(field, prefix) => value(field).starts_with(prefix.as_str()),
            Self::Length(_, most) if length > *most => {
                return Err(Failed::Length(
                    S3Error::of("EntityTooLarge")
                        .extra("ProposedSize", length.to_string())
                        .extra("MaxSizeAllowed", most.to_string()),
                ));
            }
            Self::Length(least, _) if length < *least => {
                return Err(Failed::Length(
                    S3Error::of("EntityTooSmall")
                        .extra("ProposedSize", length.to_string())
                        .extra("MinSizeAllowed", least.to_string()),
                ));
            }
            Self::Length(..) => true,
        };
        if holds { Ok(()) } else { Err(Failed::Condition) }
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Is(field, value) => write!(f, "[\"eq\", \"${field}\", \"{value}\"]"),
            Self::StartsWith(field, prefix) => write!(f, "[\"starts-with\", \"${field}\", \"{prefix}\"]"),
            Self::Length(least, most) => write!(f, "[\"content-length-range\", {least}, {most}]"),
        }
    }
}

fn invalid(what: impl std::fmt::Display) -> S3Error {
    S3Error::of("InvalidPolicyDocument").message(format!("Invalid Policy: {what}"))
}

fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `\$`, which policies may have and JSON does not.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, letters.peek()) {
            ('\\', Some('$')) => {}
            ('\\', Some(_)) => {
                plain.push(letter);
                plain.extend(letters.next());
            }
            _ => plain.push(letter),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Data;

    /// 2013-05-24T00:00:00Z
    const NOW: i64 = 1_369_353_600;

    fn policy(text: &str) -> Result<FormPolicy, S3Error> {
        FormPolicy::read(&STANDARD.encode(text))
    }

    fn conditions(list: &str) -> Result<FormPolicy, S3Error> {
        policy(&format!("{{\"expiration\": \"2013-05-24T00:00:01.000Z\", \"conditions\": {list}}}"))
    }

    fn form(fields: &[(&str, &str)]) -> Form {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Form { fields, file: Data::memory("12345"), file_name: String::new() }
    }

    #[test]
    fn documents_that_are_none() {
        let table = [
            "",
            "[]",
            "{}",
            r#"{"expiration": "2013-05-24T00:00:01Z"}"#,
            r#"{"conditions": []}"#,
            r#"{"expiration": "May 24", "conditions": []}"#,
            r#"{"expiration": "2013-05-24 00:00:01Z", "conditions": []}"#,
            r#"{"expiration": "2013-05-24T00:00:01+00:00", "conditions": []}"#,
            r#"{"EXPIRATION": "2013-05-24T00:00:01Z", "conditions": []}"#,
            r#"{"expiration": "2013-05-24T00:00:01Z", "CONDITIONS": []}"#,
        ];
        for text in table {
            assert_eq!(policy(text).unwrap_err().code, "InvalidPolicyDocument", "{text}");
        }
        assert_eq!(FormPolicy::read("?").unwrap_err().code, "InvalidPolicyDocument");
        for list in [
            "[{}]",
            "[1]",
            r#"["eq"]"#,
            r#"[["eq", "key", "x"]]"#,
            r#"[["is", "$key", "x"]]"#,
            r#"[["eq", "$key", 1]]"#,
            r#"[["content-length-range", 0]]"#,
            r#"[["content-length-range", -1, 0]]"#,
        ] {
            assert_eq!(conditions(list).unwrap_err().code, "InvalidPolicyDocument", "{list}");
        }
    }

    #[test]
    fn forms_against_conditions() {
        let all = r#"[{"bucket": "b"}, ["StArTs-With", "$KEY", "up/"], {"acl": "private"},
            ["starts-with", "$Content-Type", "image/"], ["content-length-range", 1, 5]]"#;
        let good = [("key", "up/1"), ("acl", "private"), ("content-type", "image/png, image/gif")];
        let with = |more: &[(&'static str, &'static str)]| form(&[&good[..], more].concat());
        let check = |form: &Form, key: &str| conditions(all).unwrap().check(form, "b", key, NOW);
        assert!(check(&with(&[]), "up/1").is_ok());
        assert!(
            check(&with(&[("x-ignore-me", "1"), ("policy", "p"), ("x-amz-signature", "s")]), "up/1").is_ok()
        );
        let message = |result: Result<(), S3Error>| result.unwrap_err().message.into_owned();
        assert_eq!(
            message(check(&with(&[("x-amz-meta-a", "1")]), "up/1")),
            "Invalid according to Policy: Extra input fields: x-amz-meta-a"
        );
        assert_eq!(
            message(check(&with(&[]), "down/1")),
            "Invalid according to Policy: Policy Condition failed: [\"starts-with\", \"$key\", \"up/\"]"
        );
        let mixed = form(&[("key", "up/1"), ("acl", "private"), ("content-type", "image/png, text/html")]);
        assert!(message(check(&mixed, "up/1")).contains("$content-type"));
        let late = conditions(all).unwrap().check(&with(&[]), "b", "up/1", NOW + 1);
        assert_eq!(message(late), "Invalid according to Policy: Policy expired.");
        assert!(message(conditions("[]").unwrap().check(&form(&[]), "b", "k", NOW)).ends_with("bucket"));
        let code = |range: &str| {
            let list = format!("[{{\"bucket\": \"b\"}}, [\"content-length-range\", {range}]]");
            conditions(&list).unwrap().check(&form(&[]), "b", "k", NOW).unwrap_err().code
        };
        assert_eq!((code("6, 9"), code("0, 4")), ("EntityTooSmall".into(), "EntityTooLarge".into()));
    }

    #[test]
    fn dollars_may_be_escaped() {
        assert_eq!(unescaped(r#"{"a": "\$x\\$y\"z"}"#), r#"{"a": "$x\\$y\"z"}"#);
    }
}
