//! What is kept of an abnormal exchange, besides its record.

use serde::{Deserialize, Serialize};

/// Which side of the gateway the bytes were seen on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceSide {
    /// Between the load generator and the gateway.
    Client,
    /// Between the gateway and a link.
    Upstream,
}

/// The raw beginning of an abnormal exchange.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Evidence {
    /// Where it was seen.
    pub side: EvidenceSide,
    /// Packed request id, or [`crate::RequestId::NONE`].
    pub request: u64,
    /// Packed attempt id, or [`crate::AttemptId::NONE`].
    pub attempt: u64,
    /// The raw head, escaped by [`printable`], at most 4 KiB of it.
    pub head: String,
    /// The beginning of the body, escaped, at most 4 KiB of it.
    pub body: String,
    /// Offset of the first wrong body byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mismatch: Option<u64>,
    /// What was found, in words: whose bytes these are, which rule the head breaks, which secret leaked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// Raw bytes as text: printable ASCII and line breaks as they are, the rest as `\xNN`; cut after 4 KiB of input.
pub fn printable(bytes: &[u8]) -> String {
    let mut out = String::new();
    for byte in bytes.iter().take(4096) {
        match byte {
            b'\n' => out.push('\n'),
            b'\r' => out.push_str("\\r"),
            0x20..=0x7e => out.push(*byte as char),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out
}
