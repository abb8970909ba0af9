//! Walks `vectors/*.json`. Each file names the page of AWS's documentation its vectors follow. A vector has
//!
//! - `name`;
//! - `caller`: an ARN, `anonymous` or `service:<name>` (default: user `app` of account 000000000001), and
//!   `owner`: the account of the bucket (default: the caller's, or 000000000001);
//! - policies: `identity`, `session` (lists of documents), `boundary`, `bucket` (a document), `scps`, `rcps`
//!   (lists of levels, each a list of documents). A document that is a list is one of statements, of Version
//!   2012-10-17. `condition` stands for an identity policy with one statement, `conditional`, that allows
//!   everything under it. `acl` is what an ACL grants, to the `account` or to `everyone`;
//! - `action` (default: `s3:GetObject`), `resource` (default: `arn:aws:s3:::media/a.txt`), `context`;
//! - `expect`: decision, deciding layer, and Sid of the deciding statement, if there is one.

use std::path::Path;

use serde_json::Value;

use crate::case::{decide, told};

#[test]
fn every_vector_is_decided_as_aws_documents() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policy/vectors");
    let (mut count, mut wrong) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert!(file["source"].as_str().unwrap().starts_with("https://docs.aws.amazon.com/"));
        for vector in file["vectors"].as_array().unwrap() {
            count += 1;
            let name = format!("{}: {}", path.file_stem().unwrap().display(), vector["name"]);
            let got = match decide(vector) {
                Ok(evaluation) => told(&evaluation),
                Err(error) => format!("error: {error}"),
            };
            let expected = vector["expect"].as_str().unwrap();
            if got != expected {
                wrong.push(format!("{name}: expected {expected}, got {got}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 300, "{count} vectors");
}
