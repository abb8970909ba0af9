//! What becomes of a connection between exchanges.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::With;

/// What a link does with a connection once its answer is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parting {
    /// Keeps it, whatever the messages said.
    Keep,
    /// Closes it.
    Close(With),
    /// Ends its own direction by FIN, and reads on until the gateway leaves.
    HalfClose,
}

/// What befalls a kept connection that was idle too long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lapse {
    /// It is closed.
    Close(With),
    /// Bytes that nobody asked for are written on it.
    Say(Stray),
}

/// Bytes that nobody asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stray {
    /// 16 bytes that are no HTTP; the connection stays open.
    #[default]
    Bytes,
    /// A 408 that says `Connection: close`, then FIN.
    #[serde(rename = "408")]
    RequestTimeout,
}

impl Stray {
    /// What is written.
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Self::Bytes => b"surplus surplus\n",
            Self::RequestTimeout => {
                b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            }
        }
    }

    /// Whether the connection is closed after them.
    pub fn closes(self) -> bool {
        self == Self::RequestTimeout
    }
}
