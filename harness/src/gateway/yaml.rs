//! Reads the recipes' YAML with the care that scenario files get.

use gatecrash_core::diagnostics::SourceText;
use gatecrash_core::scenario;
use serde::de::DeserializeOwned;

pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    scenario::from_yaml(&SourceText::new("recipe", text)).map_err(|diagnostics| diagnostics.to_string())
}
