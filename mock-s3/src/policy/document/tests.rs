//! What documents are refused, and where.

use super::super::error::Problem;
use super::*;

fn text(change: &str) -> String {
    let fields = [
        ("Effect", r#""Allow""#),
        ("Principal", r#""*""#),
        ("Action", r#""s3:GetObject""#),
        ("Resource", r#""arn:aws:s3:::b/*""#),
    ];
    let kept = fields.iter().filter(|(name, _)| !change.contains(&format!("\"{name}\":")));
    let kept = kept.map(|(name, value)| format!("\"{name}\":{value}"));
    let fields: Vec<String> = kept.chain((!change.is_empty()).then(|| change.to_owned())).collect();
    format!("{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": {{{}}}\n}}", fields.join(","))
}

#[test]
fn what_is_malformed_is_named() {
    let said = |text: &str| text.to_owned();
    let table = [
        (r#""Effect":"allow""#, Problem::Effect(said("allow"))),
        (r#""Effect":"Permit""#, Problem::Effect(said("Permit"))),
        (r#""Resouce":"*""#, Problem::Unknown(said("Resouce"))),
        (r#""NotAction":"*""#, Problem::Malformed("NotAction")),
        (r#""Resource":[]"#, Problem::Malformed("Resource")),
        (r#""Resource":7"#, Problem::Malformed("Resource")),
        (r#""Resource":"media/*""#, Problem::Resource(said("media/*"))),
        (r#""Action":"GetObject""#, Problem::Action(said("GetObject"))),
        (r#""Action":"s3:Get Object""#, Problem::Action(said("s3:Get Object"))),
        (r#""Principal":"app""#, Problem::Principal(said("app"))),
        (r#""Principal":{"AWS":"arn:aws:iam::1:user/*"}"#, Problem::Principal(said("arn:aws:iam::1:user/*"))),
        (r#""Sid":7"#, Problem::Malformed("Sid")),
        (r#""Condition":[]"#, Problem::Malformed("Condition")),
        (r#""Condition":{"StringEquals":"x"}"#, Problem::Malformed("Condition")),
        (r#""Condition":{"StringEquals":{"s3:prefix":null}}"#, Problem::Malformed("Condition")),
        (r#""Condition":{"StringEqual":{"s3:prefix":"x"}}"#, Problem::Operator(said("StringEqual"))),
        (r#""Condition":{"StringEquals":{"prefix":"x"}}"#, Problem::Key(said("prefix"))),
        (
            r#""Condition":{"IpAddress":{"aws:SourceIp":"here"}}"#,
            Problem::Value { operator: said("IpAddress"), value: said("here") },
        ),
        (
            r#""Condition":{"NumericEquals":{"s3:max-keys":"ten"}}"#,
            Problem::Value { operator: said("NumericEquals"), value: said("ten") },
        ),
    ];
    for (change, problem) in table {
        assert_eq!(Policy::read(&text(change), Kind::Bucket).unwrap_err().problem, problem, "{change}");
    }
    let not = text(r#""Principal":"#).replace(r#""Principal":"#, r#""NotPrincipal":{"AWS":"000000000001"}"#);
    assert_eq!(Policy::read(&not, Kind::Bucket).unwrap_err().problem, Problem::AllowNotPrincipal);
    let table = [
        ("", Problem::NotAnObject),
        ("[]", Problem::NotAnObject),
        ("{}", Problem::Missing("Statement")),
        (r#"{"Statement":[],"Version":"2012-10-18"}"#, Problem::Version(said("2012-10-18"))),
        (r#"{"Statement":{"Effect":"Allow"}}"#, Problem::Missing("Principal")),
        (r#"{"Statement":{}}"#, Problem::Missing("Effect")),
        (r#"{"Statement":[7]}"#, Problem::Malformed("Statement")),
        (r#"{"Statement":[],"Statement":[]}"#, Problem::Twice(said("Statement"))),
        ("{", Problem::Json("a name in quotes is missing")),
    ];
    for (text, problem) in table {
        assert_eq!(Policy::read(text, Kind::Bucket).unwrap_err().problem, problem, "{text}");
    }
}

#[test]
fn problems_are_where_they_are() {
    let error = Policy::read(&text(r#""Action":"GetObject""#), Kind::Bucket).unwrap_err();
    assert_eq!(error.to_string(), "line 3, column 89: \"GetObject\" is no action");
    assert_eq!(error.s3_message(), "Policy has invalid action");
}

#[test]
fn each_kind_has_its_elements() {
    let own = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let trust =
        r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"000000000001"},"Action":"sts:AssumeRole"}}"#;
    assert!(Policy::read(own, Kind::Identity).is_ok());
    assert!(Policy::read(trust, Kind::Trust).is_ok());
    let refused = |text: &str, kind| Policy::read(text, kind).unwrap_err().problem;
    assert_eq!(refused(own, Kind::Bucket), Problem::Missing("Principal"));
    assert_eq!(refused(own, Kind::Trust), Problem::Unknown("Resource".into()));
    assert_eq!(refused(trust, Kind::Identity), Problem::Unknown("Principal".into()));
    assert_eq!(refused(trust, Kind::Bucket), Problem::Missing("Resource"));
    let long = text(&format!(r#""Sid":"{}""#, "x".repeat(20 << 10)));
    assert_eq!(refused(&long, Kind::Bucket), Problem::TooLong(20 << 10));
}

#[test]
fn a_bucket_takes_only_policies_about_itself() {
    let inapplicable = || Err(Problem::Inapplicable("#0".to_owned()));
    let resource = || Err(Problem::Resource("b".to_owned()));
    let table = [
        (r#""Resource":"arn:aws:s3:::b/*""#, Ok(())),
        (r#""Resource":["arn:aws:s3:::b","arn:aws:s3:::b/x"]"#, Ok(())),
        (r#""Resource":"*""#, Ok(())),
        (r#""Resource":"arn:aws:s3:::*""#, Ok(())),
        (r#""Resource":"arn:aws:s3:::*/x""#, Ok(())),
        (r#""Resource":"arn:aws:s3:::b*""#, Ok(())),
        (r#""Resource":"arn:aws:s3:::b/${aws:username}/*""#, Ok(())),
        (r#""Resource":"arn:aws:s3:::bc/*""#, resource()),
        (r#""Resource":["arn:aws:s3:::b/*","arn:aws:s3:::c/*"]"#, resource()),
        (r#""Resource":"arn:aws:s3:::c*""#, resource()),
        (r#""Resource":"arn:aws:sqs:::b""#, resource()),
        (r#""Resource":"arn:aws:s3:::b""#, inapplicable()),
        (r#""Action":"s3:ListBucket""#, inapplicable()),
        (r#""Action":["s3:GetObject","s3:ListBucket"]"#, inapplicable()),
        (r#""Action":"s3:*""#, Ok(())),
        (r#""Action":"s3:GetObjet""#, Err(Problem::Action("#0".to_owned()))),
        (r#""Action":"sqs:SendMessage""#, Err(Problem::Action("#0".to_owned()))),
    ];
    for (change, expected) in table {
        let got = Policy::of_bucket(&text(change), "b").map(drop).map_err(|error| error.problem);
        assert_eq!(got, expected, "{change}");
    }
}

#[test]
fn the_text_is_kept_and_statements_know_their_place() {
    let text = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\"Sid\": \"é\", \"Effect\": \"Deny\",\n     \
                \"Action\": \"*\", \"Resource\": \"*\"},\n    {\"Effect\": \"Allow\", \"Action\": \"*\", \
                \"Resource\": \"*\"}\n  ]\n}\n";
    let policy = Policy::read(text, Kind::Identity).unwrap().named("inline");
    assert_eq!((policy.text(), policy.id()), (text, "inline"));
    let places: Vec<String> = policy
        .statements()
        .iter()
        .map(|s| format!("{} {} to {}", s.name(), s.span().start, s.span().end))
        .collect();
    assert_eq!(
        places,
        ["é line 4, column 5 to line 5, column 37", "#1 line 6, column 5 to line 6, column 56"]
    );
}
