//! The JSON schema of the format, generated from the same types that read it.

use schemars::generate::SchemaSettings;

use super::file::File;

/// The schema of scenario files, version 1 (JSON Schema 2020-12). Published as `scenarios/schema/scenario.v1.json`.
pub fn schema() -> serde_json::Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<File>();
    schema.insert("title".into(), "gatecrash scenario, version 1".into());
    schema.to_value()
}
