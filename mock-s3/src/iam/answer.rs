//! The answer of the simulator: one result for each action, in it one for each resource (IAM API,
//! EvaluationResult).

use std::collections::BTreeMap;

use gatecrash_model::Decision;

use super::request::Questions;
use crate::policy::{CallerKind, Evaluation, Layer, Matched, Position, Simulation, arn_template};
use crate::query_api::QueryError;
use crate::xml::Xml;

/// Decides the questions and writes the results.
pub(super) fn write(xml: &mut Xml, asked: &Questions, simulation: &Simulation) -> Result<(), QueryError> {
    // Organisations only show as their verdict, not with statements and keys.
    let bare = simulation.without_service_control();
    let bare = bare.as_ref().unwrap_or(simulation);
    xml.open("EvaluationResults");
    for action in asked.actions.iter().skip(asked.first).take(asked.most) {
        let all = ["*".to_owned()];
        let resources = if asked.resources.is_empty() { &all[..] } else { &asked.resources };
        let one = |resource: &String| One {
            whole: simulation.ask(action, resource, &asked.context),
            bare: bare.ask(action, resource, &asked.context),
            across: simulation.owner(resource) != simulation.caller().account,
        };
        let decided: Vec<One> = resources.iter().map(one).collect();
        write_action(xml, action, &decided, &asked.resources, simulation);
    }
    xml.close("EvaluationResults");
    let next = asked.next();
    xml.text("IsTruncated", if next.is_some() { "true" } else { "false" });
    if let Some(marker) = next {
        xml.text("Marker", &marker);
    }
    Ok(())
}

/// The decision about one resource.
struct One {
    whole: Evaluation,
    /// Without the organisation's controls.
    bare: Evaluation,
    /// Owned by another account than the caller's.
    across: bool,
}

fn write_action(xml: &mut Xml, action: &str, decided: &[One], named: &[String], simulation: &Simulation) {
    let worst = |decisions: &mut dyn Iterator<Item = Decision>| {
        decisions.max_by_key(|decision| strictness(*decision)).unwrap_or(Decision::ImplicitDeny)
    };
    let decision = worst(&mut decided.iter().map(|one| one.whole.decision));
    xml.open("member");
    xml.text("EvalActionName", action);
    xml.text("EvalResourceName", if named.is_empty() { "*" } else { arn_template(action) });
    xml.text("EvalDecision", decision.name());
    let mut statements: Vec<&Matched> = Vec::new();
    for statement in decided.iter().filter(|one| one.whole.decision == decision).flat_map(One::deciding) {
        if !statements.contains(&statement) {
            statements.push(statement);
        }
    }
    write_statements(xml, &statements, simulation);
    let mut missing: Vec<&String> = decided.iter().flat_map(|one| &one.bare.missing_context).collect();
    missing.sort_unstable();
    missing.dedup();
    write_missing(xml, &missing);
    let organisation: Vec<_> =
        decided.iter().filter_map(|one| one.whole.said_by(Layer::ServiceControl)).collect();
    if !organisation.is_empty() {
        let allowed = organisation.iter().all(|said| *said == Decision::Allowed);
        write_detail(xml, "OrganizationsDecisionDetail", "AllowedByOrganizations", allowed);
    }
    let boundary: Vec<_> = decided.iter().filter_map(|one| one.bare.said_by(Layer::Boundary)).collect();
    if !boundary.is_empty() {
        let allowed = boundary.iter().all(|said| *said == Decision::Allowed);
        write_boundary(xml, allowed);
    }
    if !named.is_empty() && organisation.iter().all(|said| *said == Decision::Allowed) {
        let mut details: BTreeMap<&str, Decision> = BTreeMap::new();
        for (source, said) in decided.iter().flat_map(One::details) {
            let known = details.entry(source).or_insert(said);
            *known = worst(&mut [*known, said].into_iter());
        }
        write_details(xml, details);
    }
    if !named.is_empty() {
        xml.open("ResourceSpecificResults");
        decided.iter().zip(named).for_each(|(one, resource)| one.write(xml, resource, simulation));
        xml.close("ResourceSpecificResults");
    }
    xml.close("member");
}

fn strictness(decision: Decision) -> u8 {
    match decision {
        Decision::Allowed => 0,
        Decision::ImplicitDeny | Decision::NotEvaluated => 1,
        Decision::ExplicitDeny => 2,
    }
}

// === impl One ===

impl One {
    /// The statements of identity and resource policies that made the decision: none for an implicit deny.
    fn deciding(&self) -> impl Iterator<Item = &Matched> {
        let decision = self.whole.decision;
        self.bare.matched.iter().filter(move |matched| {
            matches!(matched.layer, Layer::Identity | Layer::Bucket)
                && decision != Decision::ImplicitDeny
                && matched.denies == (decision == Decision::ExplicitDeny)
        })
    }

    /// What each kind of policy says, when two accounts have to agree.
    fn details(&self) -> Vec<(&'static str, Decision)> {
        if !self.across {
            return Vec::new();
        }
        let said = |layer| self.bare.said_by(layer);
        let or_nothing = |layer| said(layer).unwrap_or(Decision::ImplicitDeny);
        let mut details =
            vec![("IAM Policy", or_nothing(Layer::Identity)), ("Resource Policy", or_nothing(Layer::Bucket))];
        details.extend(said(Layer::Boundary).map(|said| ("Permissions Boundary Policy", said)));
        details
    }

    fn write(&self, xml: &mut Xml, resource: &str, simulation: &Simulation) {
        xml.open("member");
        xml.text("EvalResourceName", resource);
        xml.text("EvalResourceDecision", self.whole.decision.name());
        write_statements(xml, &self.deciding().collect::<Vec<_>>(), simulation);
        write_missing(xml, &self.bare.missing_context.iter().collect::<Vec<_>>());
        if self.across {
            write_details(xml, self.details().into_iter().collect());
        }
        if let Some(said) = self.bare.said_by(Layer::Boundary) {
            write_boundary(xml, said == Decision::Allowed);
        }
        xml.close("member");
    }
}

fn write_statements(xml: &mut Xml, statements: &[&Matched], simulation: &Simulation) {
    xml.open("MatchedStatements");
    for matched in statements {
        xml.open("member");
        xml.text("SourcePolicyId", &matched.policy);
        xml.text("SourcePolicyType", source_type(matched, simulation));
        write_position(xml, "StartPosition", matched.span.start);
        write_position(xml, "EndPosition", matched.span.end);
        xml.close("member");
    }
    xml.close("MatchedStatements");
}

/// PolicySourceType: whose policy it is; `none` for policies of the request.
fn source_type(matched: &Matched, simulation: &Simulation) -> &'static str {
    match matched.layer {
        Layer::Bucket => "resource",
        _ if matched.policy.starts_with("PolicyInputList.") => "none",
        _ if simulation.caller().kind == CallerKind::RoleSession => "role",
        _ => "user",
    }
}

fn write_position(xml: &mut Xml, name: &str, position: Position) {
    xml.open(name);
    xml.text("Line", &position.line.to_string());
    xml.text("Column", &position.column.to_string());
    xml.close(name);
}

fn write_missing(xml: &mut Xml, keys: &[&String]) {
    xml.open("MissingContextValues");
    keys.iter().for_each(|key| xml.text("member", key));
    xml.close("MissingContextValues");
}

fn write_detail(xml: &mut Xml, name: &str, inner: &str, allowed: bool) {
    xml.open(name);
    xml.text(inner, if allowed { "true" } else { "false" });
    xml.close(name);
}

fn write_boundary(xml: &mut Xml, allowed: bool) {
    write_detail(xml, "PermissionsBoundaryDecisionDetail", "AllowedByPermissionsBoundary", allowed);
}

fn write_details(xml: &mut Xml, details: BTreeMap<&str, Decision>) {
    xml.open("EvalDecisionDetails");
    for (source, decision) in details {
        xml.open("entry");
        xml.text("key", source);
        xml.text("value", decision.name());
        xml.close("entry");
    }
    xml.close("EvalDecisionDetails");
}
