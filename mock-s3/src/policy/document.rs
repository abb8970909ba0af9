//! Policy documents: AWS JSON in, compiled statements with their places out.

use std::sync::Arc;

use serde_json::Value;

use super::actions::Reach;
use super::condition::{self, Condition};
use super::error::{PolicyError, Problem};
use super::json::{self, Member, Node};
use super::pattern::{Pattern, Reading};
use super::principal::{Grant, Principals};
use super::public::is_public;
use super::scope::Scope;
use super::span::{Position, Span};

/// What a document hangs on; decides which elements its statements have, and how long it may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// An identity's policy, permissions boundary, session policy or service control policy: no principals.
    Identity,
    /// A bucket's policy or a resource control policy: principals and resources. At most 20 KiB.
    Bucket,
    /// A role's trust policy: principals, no resources.
    Trust,
}

/// A policy document. Cheap to clone.
#[derive(Clone, PartialEq, Debug)]
pub struct Policy {
    id: Arc<str>,
    text: Arc<str>,
    statements: Arc<[Statement]>,
    public: bool,
}

/// One compiled statement.
#[derive(Clone, PartialEq, Debug)]
pub struct Statement {
    sid: Option<Arc<str>>,
    /// From 0, in its document.
    position: usize,
    span: Span,
    denies: bool,
    /// None in identity policies.
    pub(super) principals: Option<Principals>,
    actions: Matcher,
    resources: Matcher,
    conditions: Vec<Condition>,
}

/// A list of patterns, or everything but them.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Matcher {
    patterns: Vec<Pattern>,
    complement: bool,
}

type Result<T> = std::result::Result<T, PolicyError>;

const VERSION: &str = "2012-10-17";
const OLD_VERSION: &str = "2008-10-17";

// === impl Kind ===

impl Kind {
    /// Bytes a document may have: 20 KiB for bucket policies (S3, "Bucket policies"), for others what the
    /// policy simulator takes.
    fn limit(self) -> usize {
        if self == Self::Bucket { 20 << 10 } else { 128 << 10 }
    }

    fn has_principals(self) -> bool {
        self != Self::Identity
    }
}

// === impl Policy ===

impl Policy {
    /// Reads a document.
    pub fn read(text: &str, kind: Kind) -> Result<Self> {
        let refused = |problem| Err(PolicyError::new(problem, Position::default()));
        if text.len() > kind.limit() {
            return refused(Problem::TooLong(kind.limit()));
        }
        if !text.trim_start().starts_with('{') {
            return refused(Problem::NotAnObject);
        }
        let document = json::parse(text)?;
        let statements = Statement::list(&document, kind)?;
        let mut policy =
            Self { id: "".into(), text: text.into(), statements: statements.into(), public: false };
        policy.public = is_public(&policy);
        Ok(policy)
    }

    /// Reads a document that something else has parsed; places refer to its indented text.
    pub fn parse(document: &Value, kind: Kind) -> Result<Self> {
        Self::read(&format!("{document:#}"), kind)
    }

    /// The same document under a name, which evaluations tell.
    #[must_use]
    pub fn named(mut self, id: &str) -> Self {
        self.id = id.into();
        self
    }

    /// Its name; empty without one.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The document as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its statements in order.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Whether S3 takes it for public: some `Allow` for everyone that no condition confines to fixed
    /// principals, networks or sources.
    pub fn is_public(&self) -> bool {
        self.public
    }

    /// Adds a statement; the text stays as it was.
    pub(crate) fn push(&mut self, statement: Statement) {
        self.statements = self.statements.iter().cloned().chain([statement]).collect();
        self.public = is_public(self);
    }

    /// Reads the policy that is put on a bucket: every statement has to be about the bucket or what is in it,
    /// and every action one that can be done to a resource of its statement.
    pub fn of_bucket(text: &str, bucket: &str) -> Result<Self> {
        let policy = Self::read(text, Kind::Bucket)?;
        for statement in policy.statements() {
            let refused = |problem| Err(PolicyError::new(problem, statement.span.start));
            let resources = &statement.resources;
            if !resources.patterns.iter().all(|pattern| pattern.can_mean_of_bucket(bucket)) {
                return refused(Problem::Resource(bucket.to_owned()));
            }
            let reaches = resources.patterns.iter().map(Pattern::reach);
            let all = Reach { buckets: true, objects: true };
            let named = reaches.fold(Reach { buckets: false, objects: false }, Reach::or);
            let reached = if resources.complement { all } else { named };
            for pattern in &statement.actions.patterns {
                let action = Reach::of_action(pattern);
                if action.is_nothing() {
                    return refused(Problem::Action(statement.name()));
                }
                if !statement.actions.complement && !action.meets(reached) {
                    return refused(Problem::Inapplicable(statement.name()));
                }
            }
        }
        Ok(policy)
    }
}

impl Default for Policy {
    /// A document without statements.
    fn default() -> Self {
        Self { id: "".into(), text: "".into(), statements: Arc::new([]), public: false }
    }
}

// === impl Statement ===

impl Statement {
    /// Reads statement number `position` of what something else has parsed, with the variables of Version
    /// 2012-10-17.
    pub(crate) fn parse(statement: &Value, position: usize, kind: Kind) -> Result<Self> {
        Self::read(&json::parse(&format!("{statement:#}"))?, position, kind, true)
    }

    fn list(document: &Node, kind: Kind) -> Result<Vec<Self>> {
        let refused = |problem, at| Err(PolicyError::new(problem, at));
        let start = document.span.start;
        let Some(members) = document.members() else { return refused(Problem::NotAnObject, start) };
        let (mut variables, mut list) = (false, None);
        for member in members {
            let at = member.value.span.start;
            match member.name.as_str() {
                "Version" => match member.value.text() {
                    Some(VERSION) => variables = true,
                    Some(OLD_VERSION) => {}
                    other => return refused(Problem::Version(other.unwrap_or_default().to_owned()), at),
                },
                "Id" if member.value.text().is_some() => {}
                "Id" => return refused(Problem::Malformed("Id"), at),
                "Statement" => list = Some(&member.value),
                other => return refused(Problem::Unknown(other.to_owned()), member.at),
            }
        }
        let Some(list) = list else { return refused(Problem::Missing("Statement"), start) };
        let mut statements: Vec<Self> = Vec::new();
        for (position, node) in list.items().iter().enumerate() {
            let statement = Self::read(node, position, kind, variables)?;
            if let Some(sid) = &statement.sid
                && statements.iter().any(|other| other.sid.as_ref() == Some(sid))
            {
                return refused(Problem::Twice(sid.to_string()), node.span.start);
            }
            statements.push(statement);
        }
        Ok(statements)
    }

    fn read(node: &Node, position: usize, kind: Kind, variables: bool) -> Result<Self> {
        let start = node.span.start;
        let refused = |problem, at| Err(PolicyError::new(problem, at));
        let Some(members) = node.members() else { return refused(Problem::Malformed("Statement"), start) };
        for member in members {
            match member.name.as_str() {
                "Sid" | "Effect" | "Action" | "NotAction" | "Condition" => {}
                "Principal" | "NotPrincipal" if kind.has_principals() => {}
                "Resource" | "NotResource" if kind != Kind::Trust => {}
                other => return refused(Problem::Unknown(other.to_owned()), member.at),
            }
        }
        let find = |name: &str| members.iter().find(|member| member.name == name).map(|m| &m.value);
        let sid = match find("Sid").map(|sid| (sid.text(), sid.span.start)) {
            Some((None, at)) => return refused(Problem::Malformed("Sid"), at),
            sid => sid.and_then(|(text, _)| text).filter(|sid| !sid.is_empty()).map(Arc::from),
        };
        let denies = match find("Effect").map(|effect| (effect.text(), effect.span.start)) {
            Some((Some("Allow"), _)) => false,
            Some((Some("Deny"), _)) => true,
            Some((other, at)) => return refused(Problem::Effect(other.unwrap_or_default().to_owned()), at),
            None => return refused(Problem::Missing("Effect"), start),
        };
        let principals = match either(members, "Principal", "NotPrincipal") {
            _ if !kind.has_principals() => None,
            Some(Ok((_, true))) if !denies => return refused(Problem::AllowNotPrincipal, start),
            Some(Ok((value, complement))) => Some(Principals::parse(value, complement)?),
            Some(Err(error)) => return Err(error),
            None => return refused(Problem::Missing("Principal"), start),
        };
        let conditions = find("Condition").map(|block| condition::parse(block, variables)).transpose()?;
        Ok(Self {
            sid,
            position,
            span: node.span,
            denies,
            principals,
            actions: Matcher::actions(members, start)?,
            resources: match kind {
                Kind::Trust => Matcher::everything(),
                _ => Matcher::resources(members, start, variables)?,
            },
            conditions: conditions.unwrap_or_default(),
        })
    }

    /// The Sid, or `#n` by its position from 0.
    pub fn name(&self) -> String {
        self.sid.as_deref().map_or_else(|| format!("#{}", self.position), str::to_owned)
    }

    /// The Sid.
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// Where it is in the document.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Whether its effect is Deny.
    pub fn denies(&self) -> bool {
        self.denies
    }

    pub(super) fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Whether action, resource and conditions fit. Conditions are asked last: they cost most.
    pub(super) fn applies(&self, action: &str, resources: &[&str], scope: &Scope<'_>) -> bool {
        self.actions.matches_action(action)
            && self.resources.matches(resources, scope)
            && self.conditions.iter().all(|condition| condition.holds(scope))
    }

    /// How it means the caller.
    pub(super) fn grant(&self, scope: &Scope<'_>) -> Grant {
        self.principals.as_ref().map_or(Grant::Direct, |principals| principals.mean(scope.caller))
    }
}

// === impl Matcher ===

impl Matcher {
    fn everything() -> Self {
        Self { patterns: Vec::new(), complement: true }
    }

    fn actions(members: &[Member], start: Position) -> Result<Self> {
        let compile = |text: &str| {
            let named = text.split_once(':').is_some_and(|(service, name)| {
                let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'*' | b'?');
                !service.is_empty() && !name.is_empty() && service.bytes().chain(name.bytes()).all(plain)
            });
            let known = text == "*" || named;
            known.then(|| Pattern::action(text)).ok_or_else(|| Problem::Action(text.to_owned()))
        };
        Self::parse(members, start, "Action", "NotAction", compile)
    }

    fn resources(members: &[Member], start: Position, variables: bool) -> Result<Self> {
        let reading = Reading { wild: true, variables, folds: false };
        let compile = |text: &str| {
            if text != "*" && !text.starts_with("arn:") && !text.starts_with('*') {
                return Err(Problem::Resource(text.to_owned()));
            }
            // An ARN with fewer than six parts stands for all that begin so (IAM, "Resource").
            let colons = if text.starts_with("arn:") { text.matches(':').count().min(5) } else { 5 };
            let whole = text.to_owned() + &":*".repeat(5 - colons);
            Ok(Pattern::compile(&whole, reading))
        };
        Self::parse(members, start, "Resource", "NotResource", compile)
    }

    fn parse(
        members: &[Member],
        start: Position,
        plain: &'static str,
        not: &'static str,
        compile: impl Fn(&str) -> std::result::Result<Pattern, Problem>,
    ) -> Result<Self> {
        let missing = || PolicyError::new(Problem::Missing(plain), start);
        let (value, complement) = either(members, plain, not).ok_or_else(missing)??;
        let malformed = |at| PolicyError::new(Problem::Malformed(plain), at);
        if value.items().is_empty() {
            return Err(malformed(value.span.start));
        }
        let one = |item: &Node| {
            let text = item.text().ok_or_else(|| malformed(item.span.start))?;
            compile(text).map_err(|problem| PolicyError::new(problem, item.span.start))
        };
        Ok(Self { patterns: value.items().iter().map(one).collect::<Result<_>>()?, complement })
    }

    fn matches_action(&self, action: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches_plain(action)) != self.complement
    }

    /// Whether any of the names of the resource is meant; of a complement, whether none is listed.
    fn matches(&self, names: &[&str], scope: &Scope<'_>) -> bool {
        let listed = |pattern: &Pattern| names.iter().any(|name| pattern.matches(name, scope));
        self.patterns.iter().any(listed) != self.complement
    }
}

/// The one of two elements that exclude each other, and whether it is the second.
fn either<'n>(
    members: &'n [Member],
    plain: &'static str,
    not: &'static str,
) -> Option<Result<(&'n Node, bool)>> {
    let find = |name: &str| members.iter().find(|member| member.name == name);
    Some(match (find(plain), find(not)) {
        (Some(member), None) => Ok((&member.value, false)),
        (None, Some(member)) => Ok((&member.value, true)),
        (Some(_), Some(member)) => Err(PolicyError::new(Problem::Malformed(not), member.at)),
        (None, None) => return None,
    })
}

#[cfg(test)]
mod tests;
