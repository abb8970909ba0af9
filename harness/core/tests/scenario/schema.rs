//! The published schema is the one of the types, and agrees with the reader.

use std::path::Path;

use gatecrash_core::checks::{CHECKS, CheckSpec};
use gatecrash_core::diagnostics::SourceText;
use gatecrash_core::faults::malformed::KINDS;
use gatecrash_core::faults::{FAULTS, FaultSpec};
use gatecrash_core::scenario::{from_yaml, schema};

use super::examples::{OUTAGE, PERMISSIONS, THROTTLING};
use super::{RIGHT, read, with};

/// Set to rewrite the published schema.
const REWRITE: &str = "GATECRASH_REWRITE";

#[test]
fn the_published_schema_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/schema/scenario.v1.json");
    let wanted = format!("{}\n", serde_json::to_string_pretty(&schema()).expect("plain data"));
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&path, &wanted).expect("the schema is writable");
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == wanted,
        "run the tests once with {REWRITE}=1 to bring {} up to date",
        path.display()
    );
}

#[test]
fn the_schema_accepts_what_the_reader_accepts() {
    let validator = jsonschema::validator_for(&schema()).expect("is a schema");
    for text in [RIGHT, THROTTLING, OUTAGE, PERMISSIONS] {
        let value: serde_json::Value = from_yaml(&SourceText::new("x", text)).expect("is YAML");
        let errors: Vec<_> =
            validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

/// Every scenario beside the schema that begins with the format version, variables and matrix included.
#[test]
fn the_schema_accepts_the_shipped_scenarios() {
    let validator = jsonschema::validator_for(&schema()).expect("is a schema");
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("is a folder") {
            let path = entry.expect("is readable").path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "lib") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let text = std::fs::read_to_string(&path).expect("is text");
                let value: serde_json::Value = from_yaml(&SourceText::new("x", text)).expect("is YAML");
                let errors: Vec<_> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
                assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
            }
        }
    }
}

#[test]
fn variables_may_stand_for_quantities_and_numbers() {
    let validator = jsonschema::validator_for(&schema()).expect("is a schema");
    let text = with("probability: 20%", "probability: ${odds}")
        .replace("for: 10s", "for: ${length}")
        .replace("endpoints: 2", "endpoints: \"${n}\"");
    let value: serde_json::Value = from_yaml(&SourceText::new("x", text)).expect("is YAML");
    let errors: Vec<_> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let validator = jsonschema::validator_for(&schema()).expect("is a schema");
    let table = [
        ("probability: 20%", "probablity: 20%"),
        ("probability: 20%", "probability: 0.2"),
        ("for: 10s", "for: 10"),
        ("fault: { latency", "fault: { latencies"),
        ("gatecrash: 1", "gatecrash: 2"),
        ("endpoints: 2 }", "endpoints: 0 }"),
    ];
    for (from, to) in table {
        let text = with(from, to);
        let value: serde_json::Value = from_yaml(&SourceText::new("x", text.as_str())).expect("is YAML");
        assert!(!validator.is_valid(&value), "the schema accepts `{to}`");
        assert!(read(&text).is_err(), "the reader accepts `{to}`");
    }
}

/// The examples of the catalogue are `fault:` and `check:` values that parse, for the reader and for the
/// schema.
#[test]
fn catalogue_examples_parse() {
    let validator = jsonschema::validator_for(&schema()).expect("is a schema");
    for fault in FAULTS {
        let spec = from_yaml::<FaultSpec>(&SourceText::new(fault.name, fault.example));
        assert_eq!(spec.unwrap_or_else(|wrong| panic!("{wrong}")).name(), fault.name);
        accepts(&validator, "{ latency: { add: 100ms } }", fault.example);
    }
    for check in CHECKS {
        let spec = from_yaml::<CheckSpec>(&SourceText::new(check.name, check.example));
        assert_eq!(spec.unwrap_or_else(|wrong| panic!("{wrong}")).info().name, check.name);
        accepts(&validator, "{ success-rate: { min: 99% } }", check.example);
    }
}

/// A kind that no shipped scenario exercises would not be judged on any gateway.
#[test]
fn the_library_has_every_malformed_kind() {
    let library = include_str!("../../../../scenarios/invalid/catalogue.yaml");
    for info in KINDS {
        let kind = format!("kind: {} }}", info.name);
        assert!(library.contains(&kind), "{} is not in invalid/catalogue.yaml", info.name);
    }
}

#[track_caller]
fn accepts(validator: &jsonschema::Validator, place: &str, example: &str) {
    let text = with(place, &format!("{{ {example} }}"));
    let value: serde_json::Value = from_yaml(&SourceText::new("x", text)).expect("is YAML");
    let errors: Vec<_> =
        validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{example}: {errors:#?}");
}
