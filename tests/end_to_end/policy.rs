//! `gatecrash policy simulate`: the verdict of policy files, with nothing running.

use serde_json::{Value, json};

use crate::support::{Desk, Done};

const ANN: &str = "arn:aws:iam::111111111111:user/ann";
const ETL: &str = "arn:aws:iam::222222222222:role/etl";

/// A desk with the policies of the documentation.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.file("reader.json", include_str!("../../docs/examples/policies/reader.json"));
    desk.file("bucket.json", include_str!("../../docs/examples/policies/bucket.json"));
    desk.file("guardrail.json", include_str!("../../docs/examples/policies/guardrail.json"));
    desk
}

fn simulate(desk: &Desk, principal: &str, arguments: &str) -> Done {
    let fixed = ["policy", "simulate", "--principal", principal];
    desk.gatecrash(&fixed.into_iter().chain(arguments.split_whitespace()).collect::<Vec<_>>())
}

#[test]
fn each_decision_names_its_statement_and_its_place() {
    let desk = desk();
    let asked =
        "--identity reader.json --scp guardrail.json --action s3:GetObject --resource arn:aws:s3:::media/a";
    let done = simulate(&desk, ANN, asked).exits(0);
    let expected = "\
DECISION      ACTION        RESOURCE              BY
allowed       s3:GetObject  arn:aws:s3:::media/a  identity reader.json:4:5-9:6
              s3:GetObject on arn:aws:s3:::media/a is allowed by statement read of the identity's policies
              also allows: scp guardrail.json:4:5-4:56 #0
              layers: scp allowed, identity allowed
              missing context: aws:SecureTransport
";
    assert_eq!(done.stdout, expected);
    let denied = format!("{asked} --context aws:SecureTransport:boolean=false --json");
    let done = simulate(&desk, ANN, &denied).exits(1);
    let whole: Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!(whole["allowed"], false);
    let result = &whole["results"][0];
    assert_eq!((&result["decision"], &result["layer"]), (&json!("explicitDeny"), &json!("scp")));
    assert_eq!(
        result["deciding_statement"],
        json!({
            "source_policy_type": "scp", "source_policy_id": "guardrail.json", "statement": "tls",
            "effect": "Deny", "start": { "line": 5, "column": 5 }, "end": { "line": 11, "column": 6 },
        })
    );
    assert_eq!(result["layers"], json!({ "scp": "explicitDeny", "identity": "allowed" }));
    assert_eq!(result["missing_context"], json!([]));
}

/// What each layer makes of a question: arguments, principal, and the word and layer of the decision.
#[test]
fn layers_decide_as_for_requests() {
    let desk = desk();
    desk.file(
        "all.json",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
    );
    desk.file("lists.json", r#"{"Statement":{"Effect":"Allow","Action":"s3:List*","Resource":"*"}}"#);
    let rcp = r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:Get*","Resource":"*"}}"#;
    desk.file("rcp.json", rcp);
    let public = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:Get*","Resource":"*"}}"#;
    desk.file("public.json", public);
    let theirs =
        "--resource-policy bucket.json --resource-owner 111111111111 --context aws:SourceVpce=vpce-1a2b3c4d";
    let table = [
        ("arn:aws:iam::111111111111:root", String::new(), "allowed", "root"),
        (ANN, String::new(), "implicitDeny", "identity"),
        (ANN, "--identity all.json --boundary lists.json".into(), "implicitDeny", "permissions-boundary"),
        (ANN, "--identity all.json --session all.json lists.json".into(), "allowed", "identity"),
        (ANN, "--identity all.json --session lists.json".into(), "implicitDeny", "session"),
        (ANN, "--identity all.json --scp all.json --scp lists.json".into(), "implicitDeny", "scp"),
        (ANN, "--identity all.json --scp all.json,lists.json".into(), "allowed", "identity"),
        (ANN, "--identity all.json --rcp rcp.json".into(), "explicitDeny", "rcp"),
        (ETL, theirs.into(), "implicitDeny", "identity"),
        (ETL, format!("{theirs} --identity all.json"), "allowed", "identity"),
        (ANN, "--identity all.json --resource-owner 222222222222".into(), "implicitDeny", "resource"),
        (
            "anonymous",
            "--resource-policy public.json --resource-owner 111111111111".into(),
            "allowed",
            "resource",
        ),
        (
            "anonymous",
            "--resource-policy public.json --resource-owner 111111111111 --restrict-public".into(),
            "explicitDeny",
            "block-public-access",
        ),
    ];
    for (principal, arguments, decision, layer) in table {
        let asked = format!("{arguments} --action s3:GetObject --resource arn:aws:s3:::media/a --json");
        let done = simulate(&desk, principal, &asked).exits(if decision == "allowed" { 0 } else { 1 });
        let whole: Value = serde_json::from_str(&done.stdout).expect("JSON");
        let result = &whole["results"][0];
        let found = (result["decision"].as_str(), result["layer"].as_str());
        assert_eq!(found, (Some(decision), Some(layer)), "{principal} {arguments}");
    }
}

#[test]
fn mistakes_have_a_place_and_a_hint() {
    let desk = desk();
    desk.file(
        "effect.json",
        "{\n  \"Statement\": [\n    {\"Effect\": \"Alow\", \"Action\": \"s3:*\"}\n  ]\n}\n",
    );
    desk.file("open.json", "{\n  \"Statement\": [\n");
    let done = simulate(&desk, ANN, "--identity effect.json open.json --action s3:GetObject").exits(2);
    let done = done.says("an effect is Allow or Deny, not \"Alow\"").says("--> effect.json:3:16");
    done.says("3 |     {\"Effect\": \"Alow\"").says("^^^^^^ here").says("--> open.json:2:");
    let table = [
        (ANN, "--identity none.json --action s3:GetObject", "cannot read none.json"),
        (ANN, "--action s3:Get*", "without wildcards"),
        (ANN, "--action s3:GetObject --resource media/a", "is no ARN"),
        (ANN, "--action s3:GetObject --context aws:SourceIp:ip=here", "\"here\" is not ip"),
        (ANN, "--action s3:GetObject --context SourceIp=1", "no condition key"),
        (ANN, "--action s3:GetObject --resource-owner ann", "is no account"),
        ("ann", "--action s3:GetObject", "is no principal"),
        ("anonymous", "--action s3:GetObject", "--resource-owner"),
        (ANN, "", "--action"),
    ];
    for (principal, arguments, said) in table {
        simulate(&desk, principal, arguments).exits(2).says(said);
    }
}
