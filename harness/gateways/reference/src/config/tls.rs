//! TLS to the upstreams.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// How upstreams with `tls` are verified, and what they are shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tls {
    /// Root certificates to trust, PEM. No others are.
    pub ca_file: PathBuf,
    /// The name in the upstreams' certificates, also sent as server name.
    pub name: String,
    /// The gateway's own certificates, PEM, or null. Default null.
    #[serde(default)]
    pub client_cert: Option<PathBuf>,
    /// Their key, PEM; with `client-cert` only. Default null.
    #[serde(default)]
    pub client_key: Option<PathBuf>,
}

impl Tls {
    /// What the TLS library needs.
    pub(crate) fn load(&self) -> Result<(Arc<ClientConfig>, ServerName<'static>), ConfigError> {
        let name = ServerName::try_from(self.name.clone()).map_err(|e| bad("tls.name", &e))?;
        let mut roots = RootCertStore::empty();
        for root in certificates("tls.ca-file", &self.ca_file)? {
            roots.add(root).map_err(|e| bad("tls.ca-file", &e))?;
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|e| bad("tls", &e))?
            .with_root_certificates(roots);
        let mut config = match (&self.client_cert, &self.client_key) {
            (None, None) => builder.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let chain = certificates("tls.client-cert", certificate)?;
                let key = PrivateKeyDer::from_pem_file(key).map_err(|e| bad("tls.client-key", &e))?;
                builder.with_client_auth_cert(chain, key).map_err(|e| bad("tls.client-key", &e))?
            }
            _ => return Err(bad("tls", &"needs both of client-cert and client-key, or none")),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok((Arc::new(config), name))
    }
}

pub(super) fn certificates(
    field: &'static str,
    file: &Path,
) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let all = CertificateDer::pem_file_iter(file).map_err(|e| bad(field, &e))?;
    let all: Vec<_> = all.collect::<Result<_, _>>().map_err(|e| bad(field, &e))?;
    if all.is_empty() { Err(bad(field, &"holds no certificate")) } else { Ok(all) }
}

pub(super) fn bad(field: &'static str, problem: &dyn std::fmt::Display) -> ConfigError {
    ConfigError::Value { field, problem: problem.to_string() }
}
