//! Why a question was decided as it was, in the vocabulary of the IAM policy simulator.

use std::cell::RefCell;
use std::collections::BTreeMap;

use gatecrash_model::Decision;
use serde_json::{Value, json};

use super::document::{Policy, Statement};
use super::evaluate::{Ask, Layer, Verdict, evaluate};
use super::principal::Grant;
use super::scope::Scope;
use super::span::{Position, Span};

/// What was decided, by whom, and what else there was to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evaluation {
    /// The outcome.
    pub decision: Decision,
    /// The layer that decided; for an implicit deny the layer where an allow was missing.
    pub layer: Layer,
    /// Sid of the statement that decided, or `#n` by its position; none for an implicit deny.
    pub statement: Option<String>,
    /// The action asked for.
    pub action: String,
    /// The resource asked for, by the scenario's bucket name.
    pub resource: String,
    /// Every statement that applies, by layer and in order.
    pub matched: Vec<Matched>,
    /// Condition keys and variables that were asked for and that the request does not have, sorted, as the policies
    /// spell them.
    pub missing_context: Vec<String>,
    /// What each layer that has policies says by itself.
    pub layers: Vec<(Layer, Decision)>,
}

/// A statement that applies to a question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Matched {
    /// The layer of its policy.
    pub layer: Layer,
    /// The name of its policy; empty without one.
    pub policy: String,
    /// Its Sid, or `#n` by its position from 0.
    pub statement: String,
    /// Whether it denies.
    pub denies: bool,
    /// Where it is in its document.
    pub span: Span,
}

/// Decides one question and says why.
pub fn explain(ask: &Ask<'_>) -> Evaluation {
    let missing = RefCell::default();
    let mut record = Record {
        ask,
        scope: Scope { missing: Some(&missing), ..ask.scope() },
        matched: Vec::new(),
        layers: Vec::new(),
    };
    let layers = &ask.layers;
    record.levels(Layer::ResourceControl, layers.resource_control);
    if ask.caller.account().is_some() {
        record.levels(Layer::ServiceControl, layers.service_control);
    }
    record.layer(Layer::Identity, layers.identity);
    record.layer(Layer::Boundary, layers.boundary);
    record.layer(Layer::Session, layers.session.into_iter().flatten());
    record.layer(Layer::Bucket, layers.bucket.iter().flat_map(|bucket| bucket.policies).copied());
    let Record { matched, layers, .. } = record;
    let Verdict { decision, layer, statement } = evaluate(ask);
    let missing: BTreeMap<String, String> = missing.into_inner();
    Evaluation {
        decision,
        layer,
        statement: statement.map(Statement::name),
        action: ask.action.to_owned(),
        resource: ask.resources.first().copied().unwrap_or("*").to_owned(),
        matched,
        missing_context: missing.into_values().collect(),
        layers,
    }
}

/// What is gathered on the way.
struct Record<'a> {
    ask: &'a Ask<'a>,
    scope: Scope<'a>,
    matched: Vec<Matched>,
    layers: Vec<(Layer, Decision)>,
}

// === impl Record ===

impl Record<'_> {
    fn layer<'p>(&mut self, layer: Layer, policies: impl IntoIterator<Item = &'p Policy>) {
        let mut policies = policies.into_iter().peekable();
        if policies.peek().is_some() {
            let decision = self.said(layer, policies);
            self.layers.push((layer, decision));
        }
    }

    fn levels(&mut self, layer: Layer, levels: &[Vec<Policy>]) {
        let said: Vec<Decision> = levels.iter().map(|level| self.said(layer, level)).collect();
        let limits = layer == Layer::ServiceControl && said.contains(&Decision::ImplicitDeny);
        let decision = match said.contains(&Decision::ExplicitDeny) {
            true => Decision::ExplicitDeny,
            false if limits => Decision::ImplicitDeny,
            false => Decision::Allowed,
        };
        if !levels.is_empty() {
            self.layers.push((layer, decision));
        }
    }

    fn said<'p>(&mut self, layer: Layer, policies: impl IntoIterator<Item = &'p Policy>) -> Decision {
        let mut said = Decision::ImplicitDeny;
        for policy in policies {
            for statement in policy.statements() {
                let meant = statement.grant(&self.scope) > Grant::None;
                if !meant || !statement.applies(self.ask.action, self.ask.resources, &self.scope) {
                    continue;
                }
                match (statement.denies(), said) {
                    (true, _) => said = Decision::ExplicitDeny,
                    (false, Decision::ImplicitDeny) => said = Decision::Allowed,
                    (false, _) => {}
                }
                self.matched.push(Matched {
                    layer,
                    policy: policy.id().to_owned(),
                    statement: statement.name(),
                    denies: statement.denies(),
                    span: statement.span(),
                });
            }
        }
        said
    }
}

// === impl Evaluation ===

impl Matched {
    /// The statement as a JSON object, as the policy simulator reports one.
    pub fn json(&self) -> Value {
        let position = |at: Position| json!({ "line": at.line, "column": at.column });
        json!({
            "source_policy_type": self.layer.source_type(),
            "source_policy_id": self.policy,
            "statement": self.statement,
            "effect": if self.denies { "Deny" } else { "Allow" },
            "start": position(self.span.start),
            "end": position(self.span.end),
        })
    }
}

impl Evaluation {
    /// Whether the request may go on.
    pub fn is_allowed(&self) -> bool {
        self.decision == Decision::Allowed
    }

    /// The statement that decided, with its policy and its place; none for an implicit deny and for what no
    /// statement decides.
    pub fn deciding(&self) -> Option<&Matched> {
        let name = self.statement.as_ref()?;
        let denies = self.decision == Decision::ExplicitDeny;
        let decides = |m: &&Matched| m.layer == self.layer && m.denies == denies && m.statement == *name;
        self.matched.iter().find(decides)
    }

    /// What a layer says by itself; none without policies of that layer.
    pub fn said_by(&self, layer: Layer) -> Option<Decision> {
        self.layers.iter().find(|(known, _)| *known == layer).map(|(_, decision)| *decision)
    }

    /// Who decided, in words.
    pub fn explain(&self) -> String {
        let Self { action, resource, .. } = self;
        let layer = self.layer.words();
        match (self.decision, &self.statement) {
            (Decision::Allowed, Some(name)) => {
                format!("{action} on {resource} is allowed by statement {name} of {layer}")
            }
            (Decision::Allowed, None) => format!("{action} on {resource} is allowed by {layer}"),
            (Decision::ExplicitDeny, Some(name)) => {
                format!("{action} on {resource} is denied by statement {name} of {layer}")
            }
            (Decision::ExplicitDeny, None) => {
                format!("{action} on {resource} is denied by {layer}: the bucket's policy is public")
            }
            _ => format!("{action} on {resource}: no statement of {layer} allows it"),
        }
    }
}
