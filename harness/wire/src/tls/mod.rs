//! TLS on links: the run's own certificate authority (`authority`), what a link presents with it
//! (`terminator`), how a link speaks TLS onward (`onward`), and how handshakes go, well or badly, on a
//! connection of the gateway (`handshake`, `hello`).
//!
//! One provider of cryptography, aws-lc-rs, passed along and never installed for the whole process.

mod authority;
mod handshake;
mod hello;
mod onward;
mod terminator;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

pub use authority::{Authority, CertificateKind, Identity};
pub use onward::Onward;
pub use terminator::Terminator;

/// Why something of TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate or key could not be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A configuration that TLS does not allow.
    #[error("invalid TLS configuration: {0}")]
    Config(#[from] rustls::Error),
    /// Certificates or keys that were given cannot be read.
    #[error("cannot read {what}: {problem}")]
    Unreadable {
        /// What was given.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
