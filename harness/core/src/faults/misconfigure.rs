//! `misconfigure`: reloads the gateway with a wrong setting

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host};

/// The gateway's configuration is rendered with one wrong value and reloaded; at the end of the interval the
/// right one is. Recipes declare which of these they can do.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Misconfigure {
    /// Upstream bucket name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// Region the gateway signs for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Host header sent upstream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Upstream address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Integration responses of an API gateway such as `default:200`, which turns every error into a success, or `5..:500`,
    /// which leaves all else without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<String>,
}

impl Fault for Misconfigure {
    const INFO: FaultInfo = FaultInfo {
        name: "misconfigure",
        summary: "reloads the gateway with a wrong setting",
        doc: "The gateway's configuration is rendered with one wrong value and reloaded; at the end of the \
              interval the right one is. Recipes declare which of these they can do.",
        example: "misconfigure: { bucket: no-such-bucket }",
        host: Host::Process,
        points: &[],
    };
}
