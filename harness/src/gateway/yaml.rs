//! Reads the recipes' YAML. The one place here that names the YAML crate.

use serde::de::DeserializeOwned;

pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_saphyr::from_str(text).map_err(|e| e.to_string())
}
