//! What holds for all policies.

use gatecrash_mock_s3::policy::{Caller, Entries, Kind, Policy, Simulation};
use gatecrash_model::Decision;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

const RESOURCES: &[&str] = &["arn:aws:s3:::media/a", "arn:aws:s3:::media/b/c", "arn:aws:s3:::media"];
const ACTIONS: &[&str] = &["s3:GetObject", "s3:PutObject", "s3:ListBucket"];

/// What a document is for.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Place {
    Identity,
    Boundary,
    Session,
    ServiceControl,
    ResourceControl,
    Bucket,
}

const PLACES: &[Place] = &[
    Place::Identity,
    Place::Boundary,
    Place::Session,
    Place::ServiceControl,
    Place::ResourceControl,
    Place::Bucket,
];

fn pattern(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![
        select(of).prop_map(str::to_owned),
        (select(of), any::<prop::sample::Index>()).prop_map(|(text, at)| {
            // Behind the service or the last colon, so that it stays an action or an ARN.
            let first = text.rfind(':').map_or(0, |colon| colon + 1);
            format!("{}*", &text[..first + at.index(text.len() - first)])
        }),
        Just("*".to_owned()),
    ]
}

fn condition() -> impl Strategy<Value = Value> {
    let operators = [
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLikeIfExists",
        "ForAllValues:StringEquals",
        "ForAnyValue:StringNotEquals",
        "NumericLessThan",
        "NumericNotEquals",
        "NumericGreaterThanEqualsIfExists",
    ];
    prop_oneof![
        Just(json!({})),
        (select(operators.to_vec()), select(vec!["s3:prefix", "aws:TagKeys"]), select(vec!["1", "2"]))
            .prop_map(|(operator, key, value)| json!({ operator: { key: value } })),
        any::<bool>().prop_map(|absent| json!({ "Null": { "s3:prefix": absent } })),
    ]
}

fn statement() -> impl Strategy<Value = Value> {
    let principal = select(vec![
        json!("*"),
        json!({ "AWS": "000000000001" }),
        json!({ "AWS": "arn:aws:iam::000000000001:user/app" }),
        json!({ "AWS": "arn:aws:iam::000000000001:role/reader" }),
        json!({ "AWS": "000000000002" }),
    ]);
    (any::<bool>(), pattern(ACTIONS), pattern(RESOURCES), condition(), principal).prop_map(
        |(allows, action, resource, condition, principal)| {
            let effect = if allows { "Allow" } else { "Deny" };
            json!({ "Effect": effect, "Action": action, "Resource": resource, "Condition": condition,
                "Principal": principal })
        },
    )
}

fn caller() -> impl Strategy<Value = Caller> {
    select(vec![
        Caller::anonymous(),
        Caller::root("000000000001"),
        Caller::user("000000000001", "app"),
        Caller::user("000000000002", "app"),
        Caller::role_session("000000000001", "reader", "s"),
        Caller::service("logging.s3.amazonaws.com"),
    ])
}

fn context() -> impl Strategy<Value = Entries> {
    vec((select(vec!["s3:prefix", "aws:TagKeys"]), vec(select(vec!["1", "2", "3"]), 1..3)), 0..3).prop_map(
        |entries| entries.into_iter().fold(Entries::new(), |all, (key, value)| all.with(key, value)),
    )
}

/// Statements by place.
type Documents = Vec<(Place, Vec<Value>)>;

/// Policies, and a question: caller, action, resource, context.
fn case() -> impl Strategy<Value = (Documents, Caller, &'static str, &'static str, Entries)> {
    let documents = vec((select(PLACES), vec(statement(), 0..4)), 0..5);
    (documents, caller(), select(ACTIONS), select(RESOURCES), context())
}

fn simulation(caller: &Caller, documents: &[(Place, Vec<Value>)]) -> Simulation {
    let mut simulation = Simulation::of(caller.clone()).owned_by("000000000001");
    for (place, statements) in documents {
        let mut statements = statements.clone();
        if !matches!(place, Place::Bucket | Place::ResourceControl) {
            statements.iter_mut().for_each(|s| drop(s.as_object_mut().unwrap().remove("Principal")));
        }
        let text = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        simulation = match place {
            Place::Identity => simulation.identity("", &text),
            Place::Boundary => simulation.boundary("", &text),
            Place::Session => simulation.session("", &text),
            Place::ServiceControl => simulation.service_control(&[("", &text)]),
            Place::ResourceControl => simulation.resource_control(&[("", &text)]),
            Place::Bucket => simulation.bucket("", &text),
        }
        .unwrap();
    }
    simulation
}

proptest! {
    #[test]
    fn an_explicit_deny_always_wins(
        (documents, caller, action, resource, context) in case(),
        place in select(PLACES),
        at: prop::sample::Index,
    ) {
        let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource });
        let mut documents = documents;
        match documents.iter_mut().rev().find(|(other, _)| *other == place) {
            Some((_, statements)) => statements.insert(at.index(statements.len() + 1), deny),
            None => documents.push((place, vec![deny])),
        }
        let got = simulation(&caller, &documents).ask(action, resource, &context);
        // Service control policies have no say over who has no account.
        if place == Place::ServiceControl && caller.account().is_none() {
            return Ok(());
        }
        prop_assert_eq!(got.decision, Decision::ExplicitDeny, "{:?}", got);
    }

    #[test]
    fn a_statement_about_something_else_changes_no_decision(
        (documents, caller, action, resource, context) in case(),
        allows: bool,
        otherwise in 0..4,
        document: prop::sample::Index,
        at: prop::sample::Index,
    ) {
        prop_assume!(!documents.is_empty());
        let mut other = json!({ "Effect": if allows { "Allow" } else { "Deny" }, "Principal": "*",
            "Action": action, "Resource": resource });
        match otherwise {
            0 => other["Action"] = "s3:GetBucketTagging".into(),
            1 => other["Resource"] = "arn:aws:s3:::media/other".into(),
            2 => other["Condition"] = json!({ "Null": { "s3:prefix": "true", "s3:delimiter": "false" } }),
            _ => other["Condition"] = json!({ "StringEquals": { "s3:prefix": "none" } }),
        }
        let before = simulation(&caller, &documents).ask(action, resource, &context);
        let mut documents = documents;
        let index = document.index(documents.len());
        let statements = &mut documents[index].1;
        let at = at.index(statements.len() + 1);
        statements.insert(at, other);
        let after = simulation(&caller, &documents).ask(action, resource, &context);
        prop_assert_eq!((before.decision, before.layer), (after.decision, after.layer));
        prop_assert_eq!(before.matched.len(), after.matched.len());
    }

    #[test]
    fn an_allowed_question_has_a_statement_that_allows_and_none_that_denies(
        (documents, caller, action, resource, context) in case(),
    ) {
        let got = simulation(&caller, &documents).ask(action, resource, &context);
        if got.is_allowed() {
            prop_assert!(got.matched.iter().all(|matched| !matched.denies));
            prop_assert!(got.layer.name() == "root" || got.matched.iter().any(|m| m.layer == got.layer));
        }
    }

    #[test]
    fn reading_a_document_never_panics(text in any::<String>()) {
        for kind in [Kind::Identity, Kind::Bucket, Kind::Trust] {
            let _ = Policy::read(&text, kind);
        }
    }

    #[test]
    fn reading_nearly_a_document_never_panics(
        statements in vec(statement(), 0..3),
        cut: prop::sample::Index,
        put in any::<char>(),
    ) {
        let text = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        let mut changed: Vec<char> = text.chars().collect();
        let at = cut.index(changed.len());
        changed[at] = put;
        let changed: String = changed.into_iter().collect();
        for kind in [Kind::Identity, Kind::Bucket, Kind::Trust] {
            if let Err(error) = Policy::read(&changed, kind) {
                prop_assert!(error.at.line >= 1 && error.at.column >= 1 && !error.s3_message().is_empty());
            }
            prop_assert!(Policy::read(&text[..at], kind).is_err());
        }
    }
}
