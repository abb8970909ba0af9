//! The gateway's own credentials. The secret key is written to JSON, never to debug output.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Credentials with which the gateway signs upstream requests in the client's place (AWS Signature 4).
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Signing {
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: Secret,
    /// Whose region goes into the signature's scope. Default `upstream`.
    #[serde(default)]
    pub region_scope: RegionScope,
}

/// Which region a signature is made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegionScope {
    /// The region of the upstream the attempt goes to.
    #[default]
    Upstream,
}

/// A string that does not show itself.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

// === impl Signing ===

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signing")
            .field("access_key", &format_args!("{}", masked(&self.access_key)))
            .field("secret_key", &self.secret_key)
            .field("region_scope", &self.region_scope)
            .finish()
    }
}

/// First four and last two characters; nothing of a key too short to hide the rest.
fn masked(key: &str) -> String {
    let characters: Vec<char> = key.chars().collect();
    if characters.len() < 10 {
        return "…".to_owned();
    }
    let (head, tail) = (&characters[..4], &characters[characters.len() - 2..]);
    head.iter().chain(&['…']).chain(tail).collect()
}

// === impl Secret ===

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
