//! The rules of evaluation as a table, and what documents are rejected.

use gatecrash_model::Decision::{self, Allowed, ExplicitDeny, ImplicitDeny};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::document::{Kind, Policy, PolicyError};
use super::super::glob::Glob;
use super::super::principal::Caller;
use super::{Ask, Evaluation, Layer, evaluate};

const OWNER: &str = "000000000001";
const KEY: &str = "arn:aws:s3:::reports/r/1.csv";

fn app() -> Caller {
    Caller::User { arn: format!("arn:aws:iam::{OWNER}:user/app"), account: OWNER.into() }
}

fn stranger() -> Caller {
    Caller::User { arn: "arn:aws:iam::000000000002:user/app".into(), account: "000000000002".into() }
}

/// An identity statement over everything in the bucket.
fn own(effect: &str, action: &str) -> Value {
    json!({ "Effect": effect, "Action": action, "Resource": "arn:aws:s3:::reports/*" })
}

/// A bucket statement over everything in the bucket.
fn bucket(effect: &str, principal: Value, action: &str) -> Value {
    let mut statement = own(effect, action);
    statement["Principal"] = principal;
    statement
}

fn policy(statements: &[Value], kind: Kind) -> Policy {
    Policy::parse(&json!({ "Version": "2012-10-17", "Statement": statements }), kind).unwrap()
}

fn ask(caller: &Caller, identity: &[Value], bucket: &[Value]) -> Evaluation {
    evaluate(&Ask {
        caller,
        action: "s3:GetObject",
        resources: &[KEY],
        identity: &[policy(identity, Kind::Identity)],
        withdrawn: &[],
        bucket: Some((&[&policy(bucket, Kind::Bucket)], OWNER)),
        open: false,
    })
}

#[test]
fn the_order_of_decision() {
    let named = json!({ "AWS": "arn:aws:iam::000000000001:user/app" });
    let root = json!({ "AWS": "arn:aws:iam::000000000001:root" });
    let other = json!({ "AWS": "000000000002" });
    let all = json!("*");
    let allow = own("Allow", "s3:GetObject");
    let deny = own("Deny", "s3:*");
    type Row = (&'static str, Caller, Vec<Value>, Vec<Value>, Decision, Layer);
    let table: Vec<Row> = vec![
        ("nothing", app(), vec![], vec![], ImplicitDeny, Layer::Identity),
        ("own allow", app(), vec![allow.clone()], vec![], Allowed, Layer::Identity),
        ("other action", app(), vec![own("Allow", "s3:PutObject")], vec![], ImplicitDeny, Layer::Identity),
        ("own deny wins", app(), vec![allow.clone(), deny.clone()], vec![], ExplicitDeny, Layer::Identity),
        (
            "deny wins over a bucket allow",
            app(),
            vec![deny.clone()],
            vec![bucket("Allow", all.clone(), "s3:*")],
            ExplicitDeny,
            Layer::Identity,
        ),
        (
            "bucket allow by name",
            app(),
            vec![],
            vec![bucket("Allow", named.clone(), "s3:*")],
            Allowed,
            Layer::Bucket,
        ),
        (
            "bucket allow for all",
            app(),
            vec![],
            vec![bucket("Allow", all.clone(), "s3:Get*")],
            Allowed,
            Layer::Bucket,
        ),
        (
            "a grant to the account is a delegation",
            app(),
            vec![],
            vec![bucket("Allow", root.clone(), "s3:*")],
            ImplicitDeny,
            Layer::Identity,
        ),
        (
            "bucket deny by name",
            app(),
            vec![allow.clone()],
            vec![bucket("Deny", named.clone(), "s3:*")],
            ExplicitDeny,
            Layer::Bucket,
        ),
        (
            "bucket deny by account",
            app(),
            vec![allow.clone()],
            vec![bucket("Deny", root.clone(), "s3:*")],
            ExplicitDeny,
            Layer::Bucket,
        ),
        (
            "bucket deny of another",
            app(),
            vec![allow.clone()],
            vec![bucket("Deny", other.clone(), "s3:*")],
            Allowed,
            Layer::Identity,
        ),
        ("anonymous, nothing", Caller::Anonymous, vec![], vec![], ImplicitDeny, Layer::Bucket),
        (
            "anonymous, allow for all",
            Caller::Anonymous,
            vec![],
            vec![bucket("Allow", all.clone(), "s3:GetObject")],
            Allowed,
            Layer::Bucket,
        ),
        (
            "anonymous, allow by name",
            Caller::Anonymous,
            vec![],
            vec![bucket("Allow", named, "s3:*")],
            ImplicitDeny,
            Layer::Bucket,
        ),
        ("across accounts, only own", stranger(), vec![allow.clone()], vec![], ImplicitDeny, Layer::Bucket),
        (
            "across accounts, only bucket",
            stranger(),
            vec![],
            vec![bucket("Allow", other.clone(), "s3:*")],
            ImplicitDeny,
            Layer::Identity,
        ),
        (
            "across accounts, both",
            stranger(),
            vec![allow],
            vec![bucket("Allow", other, "s3:*")],
            Allowed,
            Layer::Identity,
        ),
    ];
    for (name, caller, identity, bucket, decision, layer) in table {
        let got = ask(&caller, &identity, &bucket);
        assert_eq!((got.decision, got.layer), (decision, layer), "{name}: {}", got.explain());
    }
}

proptest! {
    #[test]
    fn a_matching_deny_wins_whatever_else_is_said(
        own_allows in proptest::collection::vec(any::<bool>(), 0..5),
        bucket_allows in proptest::collection::vec(any::<bool>(), 0..5),
        open: bool,
        caller in prop_oneof![Just(app()), Just(stranger()), Just(Caller::Anonymous)],
    ) {
        let effect = |allows: &bool| if *allows { "Allow" } else { "Deny" };
        let signed = caller != Caller::Anonymous;
        let own: Vec<Value> = own_allows.iter().filter(|_| signed).map(|a| own(effect(a), "s3:*")).collect();
        let all: Vec<Value> = bucket_allows.iter().map(|a| bucket(effect(a), json!("*"), "s3:*")).collect();
        let denied = (signed && own_allows.contains(&false)) || bucket_allows.contains(&false);
        let (own, all) = (policy(&own, Kind::Identity), policy(&all, Kind::Bucket));
        let got = evaluate(&Ask {
            caller: &caller,
            action: "s3:GetObject",
            resources: &[KEY],
            identity: &[own],
            withdrawn: &[],
            bucket: Some((&[&all], OWNER)),
            open,
        });
        prop_assert_eq!(got.decision == ExplicitDeny, denied);
    }
}

#[test]
fn complements_cases_and_wildcards() {
    let table = [
        (json!({ "NotAction": "s3:PutObject", "Resource": "*" }), true),
        (json!({ "NotAction": "s3:Get*", "Resource": "*" }), false),
        (json!({ "Action": ["s3:PutObject", "S3:GETOBJECT"], "Resource": "*" }), true),
        (json!({ "Action": "s3:Get?bject", "Resource": "arn:aws:s3:::reports/*.csv" }), true),
        (json!({ "Action": "*", "Resource": "arn:aws:s3:::reports" }), false),
        (json!({ "Action": "*", "NotResource": "arn:aws:s3:::reports/r/*" }), false),
        (json!({ "Action": "*", "NotResource": "arn:aws:s3:::other/*" }), true),
    ];
    for (mut statement, allowed) in table {
        statement["Effect"] = "Allow".into();
        assert_eq!(ask(&app(), std::slice::from_ref(&statement), &[]).is_allowed(), allowed, "{statement}");
    }
}

#[test]
fn the_statement_that_decided_is_named() {
    let mut deny = own("Deny", "s3:*");
    let unnamed = ask(&app(), &[own("Allow", "s3:*"), deny.clone()], &[]);
    assert_eq!(unnamed.statement.as_deref(), Some("#1"));
    deny["Sid"] = "lockout".into();
    let named = ask(&app(), &[own("Allow", "s3:*"), deny], &[]);
    assert_eq!(
        named.explain(),
        "s3:GetObject on arn:aws:s3:::reports/r/1.csv is denied \
         by statement lockout of the identity's policies"
    );
}

#[test]
fn a_withdrawn_action_is_an_implicit_deny_unless_the_bucket_allows_it() {
    let identity = [policy(&[own("Allow", "s3:*")], Kind::Identity)];
    let open_bucket = policy(&[bucket("Allow", json!("*"), "s3:GetObject")], Kind::Bucket);
    let closed_bucket = Policy::default();
    let caller = app();
    let withdrawn = [Glob::action("s3:GetObject")];
    let ask = |bucket| Ask {
        caller: &caller,
        action: "s3:GetObject",
        resources: &[KEY],
        identity: &identity,
        withdrawn: &withdrawn,
        bucket: Some((bucket, OWNER)),
        open: false,
    };
    let (closed, open) = ([&closed_bucket], [&open_bucket]);
    assert_eq!(evaluate(&ask(&closed[..])).decision, ImplicitDeny);
    assert_eq!(evaluate(&ask(&open[..])).decision, Allowed);
    assert_eq!(evaluate(&Ask { action: "s3:PutObject", ..ask(&closed[..]) }).decision, Allowed);
}

#[test]
fn open_means_anonymous_may_do_what_nothing_denies() {
    let deny = policy(&[bucket("Deny", json!("*"), "s3:GetObject")], Kind::Bucket);
    let nothing = Policy::default();
    let ask = |bucket| Ask {
        caller: &Caller::Anonymous,
        action: "s3:GetObject",
        resources: &[KEY],
        identity: &[],
        withdrawn: &[],
        bucket: Some((bucket, OWNER)),
        open: true,
    };
    let (nothing, deny) = ([&nothing], [&deny]);
    assert_eq!(evaluate(&ask(&nothing[..])).decision, Allowed);
    assert_eq!(evaluate(&ask(&deny[..])).decision, ExplicitDeny);
}

#[test]
fn what_cannot_be_evaluated_is_rejected() {
    let unsupported = |text: &str| PolicyError::Unsupported(text.to_owned());
    let table = [
        (json!({ "Condition": {} }), unsupported("Condition")),
        (json!({ "NotPrincipal": "*" }), unsupported("NotPrincipal")),
        (json!({ "Principal": { "Service": "x" } }), unsupported("Principal Service")),
        (json!({ "Principal": { "AWS": "arn:aws:iam::1:role/x" } }), unsupported("a role as Principal")),
        (json!({ "Principal": { "AWS": "arn:aws:iam::1:user/*" } }), PolicyError::Malformed("Principal")),
        (json!({ "Resource": "arn:aws:s3:::b/${aws:username}" }), unsupported("a policy variable ${...}")),
        (json!({ "Effect": "allow" }), PolicyError::Malformed("Effect")),
        (json!({ "Resouce": "*" }), PolicyError::Unknown("Resouce".into())),
        (json!({ "NotAction": "*" }), PolicyError::Malformed("NotAction")),
        (json!({ "Resource": [] }), PolicyError::Malformed("Resource")),
    ];
    for (change, error) in table {
        let mut statement = bucket("Allow", json!("*"), "s3:*");
        for (name, value) in change.as_object().unwrap() {
            statement[name] = value.clone();
        }
        let got = Policy::parse(&json!({ "Statement": statement }), Kind::Bucket);
        assert_eq!(got, Err(error), "{change}");
    }
}
