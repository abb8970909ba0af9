//! TLS from the clients.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::tls::{bad, certificates};

/// A listener with TLS, and what is presented there.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Front {
    /// Address to listen on; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The gateway's certificates, PEM, leaf first.
    pub certificates: PathBuf,
    /// The leaf's key, PEM.
    pub key: PathBuf,
}

impl Front {
    /// What the TLS library needs. HTTP/2 is offered by ALPN where it is spoken.
    pub(crate) fn load(&self, http2: bool) -> Result<Arc<ServerConfig>, ConfigError> {
        let chain = certificates("front.certificates", &self.certificates)?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|e| bad("front.key", &e))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|e| bad("front", &e))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|e| bad("front.key", &e))?;
        let offered: [&[u8]; 2] = [b"h2", b"http/1.1"];
        config.alpn_protocols = offered.iter().skip(usize::from(!http2)).map(|name| name.to_vec()).collect();
        Ok(Arc::new(config))
    }
}
