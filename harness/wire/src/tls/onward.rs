//! TLS between a link and the upstream behind it.

use std::fmt;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};

use super::authority::Identity;
use super::terminator::trusting;
use super::{TlsError, provider};

/// How a link, or another client of ours, speaks TLS to a server.
#[derive(Clone)]
pub struct Onward {
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) name: ServerName<'static>,
}

impl fmt::Debug for Onward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Onward").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Onward {
    /// To a server of this name (or address), whose certificate one of these PEM roots vouches for.
    pub fn new(roots: &str, name: &str, client: Option<&Identity>) -> Result<Self, TlsError> {
        let roots = trusting(certificates("the root certificates", roots)?)?;
        let name = ServerName::try_from(name.to_owned())
            .map_err(|e| TlsError::Unreadable { what: "the server's name", problem: e.to_string() })?;
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let mut config = match client {
            None => builder.with_no_client_auth(),
            Some(client) => {
                let what = "the client's key";
                let key = PrivateKeyDer::from_pem_slice(client.key.as_bytes())
                    .map_err(|e| TlsError::Unreadable { what, problem: e.to_string() })?;
                let chain = certificates("the client's certificates", &client.certificates)?;
                builder.with_client_auth_cert(chain, key)?
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), name })
    }

    /// The configuration, for a client of another kind.
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// The server's name (or address).
    pub fn name(&self) -> &ServerName<'static> {
        &self.name
    }
}

fn certificates(what: &'static str, pem: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match all {
        Ok(all) if all.is_empty() => Err(TlsError::Unreadable { what, problem: "none in it".into() }),
        Ok(all) => Ok(all),
        Err(e) => Err(TlsError::Unreadable { what, problem: e.to_string() }),
    }
}
