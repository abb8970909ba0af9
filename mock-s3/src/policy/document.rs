//! Policy documents: AWS JSON in, compiled statements out.

use serde_json::{Map, Value};

use super::glob::Glob;
use super::principal::Principal;

/// What a document hangs on; decides whether statements name principals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Identity,
    Bucket,
}

/// A list of statements in the order of the document.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Policy {
    pub(crate) statements: Vec<Statement>,
}

/// One compiled statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Statement {
    /// The Sid, or `#n` by position from 0.
    pub(crate) name: String,
    pub(crate) denies: bool,
    /// Empty in identity policies.
    pub(super) principals: Vec<Principal>,
    pub(super) actions: Matcher,
    pub(super) resources: Matcher,
}

/// A list of patterns, or everything but them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Matcher {
    patterns: Vec<Glob>,
    complement: bool,
}

/// Why a policy document is not accepted.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PolicyError {
    /// An element that is absent.
    #[error("a statement has no {0}")]
    Missing(&'static str),
    /// An element with a value that is not one of AWS's.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// An element no policy has.
    #[error("unknown element {0:?}")]
    Unknown(String),
    /// Something of AWS that the mock does not evaluate yet.
    #[error("{0} is not supported yet")]
    Unsupported(String),
}

// === impl Policy ===

impl Policy {
    /// Reads a whole document.
    pub(crate) fn parse(document: &Value, kind: Kind) -> Result<Self, PolicyError> {
        let fields = document.as_object().ok_or(PolicyError::Malformed("the policy"))?;
        if let Some(other) = fields.keys().find(|k| !matches!(k.as_str(), "Version" | "Id" | "Statement")) {
            return Err(PolicyError::Unknown(other.clone()));
        }
        let one;
        let list = match fields.get("Statement") {
            Some(Value::Array(list)) => list,
            Some(statement @ Value::Object(_)) => {
                one = vec![statement.clone()];
                &one
            }
            Some(_) => return Err(PolicyError::Malformed("Statement")),
            None => return Err(PolicyError::Missing("Statement")),
        };
        let statements = list
            .iter()
            .enumerate()
            .map(|(at, value)| Statement::parse(value, at, kind))
            .collect::<Result<_, _>>()?;
        Ok(Self { statements })
    }
}

// === impl Statement ===

impl Statement {
    /// Reads statement number `at` of a document.
    pub(crate) fn parse(value: &Value, at: usize, kind: Kind) -> Result<Self, PolicyError> {
        let fields = value.as_object().ok_or(PolicyError::Malformed("Statement"))?;
        for name in fields.keys() {
            match name.as_str() {
                "Sid" | "Effect" | "Action" | "NotAction" | "Resource" | "NotResource" => {}
                "Principal" if kind == Kind::Bucket => {}
                "Condition" | "NotPrincipal" => return Err(PolicyError::Unsupported(name.clone())),
                _ => return Err(PolicyError::Unknown(name.clone())),
            }
        }
        let denies = match fields.get("Effect").and_then(Value::as_str) {
            Some("Allow") => false,
            Some("Deny") => true,
            Some(_) => return Err(PolicyError::Malformed("Effect")),
            None => return Err(PolicyError::Missing("Effect")),
        };
        let principals = match (kind, fields.get("Principal")) {
            (Kind::Identity, _) => Vec::new(),
            (Kind::Bucket, Some(value)) => Principal::list(value)?,
            (Kind::Bucket, None) => return Err(PolicyError::Missing("Principal")),
        };
        let sid =
            fields.get("Sid").map(|sid| sid.as_str().ok_or(PolicyError::Malformed("Sid"))).transpose()?;
        Ok(Self {
            name: sid.filter(|s| !s.is_empty()).map_or_else(|| format!("#{at}"), str::to_owned),
            denies,
            principals,
            actions: Matcher::parse(fields, "Action", "NotAction", Glob::action)?,
            resources: Matcher::parse(fields, "Resource", "NotResource", Glob::resource)?,
        })
    }
}

// === impl Matcher ===

impl Matcher {
    fn parse(
        fields: &Map<String, Value>,
        plain: &'static str,
        not: &'static str,
        compile: fn(&str) -> Glob,
    ) -> Result<Self, PolicyError> {
        let (name, value, complement) = match (fields.get(plain), fields.get(not)) {
            (Some(value), None) => (plain, value, false),
            (None, Some(value)) => (not, value, true),
            (Some(_), Some(_)) => return Err(PolicyError::Malformed(not)),
            (None, None) => return Err(PolicyError::Missing(plain)),
        };
        let texts = texts(value, name)?;
        if texts.iter().any(|text| text.contains("${")) {
            return Err(PolicyError::Unsupported("a policy variable ${...}".to_owned()));
        }
        Ok(Self { patterns: texts.into_iter().map(compile).collect(), complement })
    }

    /// Whether any of the texts is meant.
    pub(super) fn matches(&self, texts: &[&str]) -> bool {
        self.patterns.iter().any(|p| texts.iter().any(|text| p.matches(text))) != self.complement
    }
}

/// A string, or a list of strings.
pub(super) fn texts<'v>(value: &'v Value, name: &'static str) -> Result<Vec<&'v str>, PolicyError> {
    match value {
        Value::String(text) => Ok(vec![text]),
        Value::Array(list) if !list.is_empty() => {
            list.iter().map(|item| item.as_str().ok_or(PolicyError::Malformed(name))).collect()
        }
        _ => Err(PolicyError::Malformed(name)),
    }
}
