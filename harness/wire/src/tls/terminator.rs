//! What a link presents to its gateway: one configuration for each kind of certificate, made when it is first
//! needed.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};

use super::authority::{Authority, CertificateKind, Presented};
use super::{TlsError, provider};

/// TLS as the gateway meets it on one link.
pub struct Terminator {
    authority: Arc<Authority>,
    names: Vec<String>,
    client_certificate: bool,
    http2: bool,
    configs: Mutex<HashMap<(CertificateKind, bool), Arc<ServerConfig>>>,
}

/// Presents the same certificates to everyone, whether or not they fit together.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl fmt::Debug for Terminator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminator").field("names", &self.names).finish_non_exhaustive()
    }
}

// === impl Terminator ===

impl Terminator {
    /// Of a server with these names or addresses. With `client_certificate`, no handshake without a
    /// certificate of the authority; with `http2`, h2 is preferred in the negotiation of the protocol.
    pub fn new(
        authority: Arc<Authority>,
        names: Vec<String>,
        client_certificate: bool,
        http2: bool,
    ) -> Result<Self, TlsError> {
        let configs = Mutex::default();
        let terminator = Self { authority, names, client_certificate, http2, configs };
        terminator.good()?;
        Ok(terminator)
    }

    /// Everything as it should be.
    pub fn good(&self) -> Result<Arc<ServerConfig>, TlsError> {
        self.config(CertificateKind::Good, self.client_certificate)
    }

    /// With certificates of this kind, or with a client's certificate required.
    pub(super) fn config(
        &self,
        kind: CertificateKind,
        client_certificate: bool,
    ) -> Result<Arc<ServerConfig>, TlsError> {
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = configs.get(&(kind, client_certificate)) {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.build(kind, client_certificate)?);
        configs.insert((kind, client_certificate), Arc::clone(&config));
        Ok(config)
    }

    fn build(&self, kind: CertificateKind, client_certificate: bool) -> Result<ServerConfig, TlsError> {
        let Presented { chain, key } = self.authority.server(&self.names, kind)?;
        let provider = provider();
        let signing = provider.key_provider.load_private_key(key)?;
        // `with_single_cert` would refuse the wrong order: it looks whether key and first certificate match.
        let presented = Always(Arc::new(CertifiedKey::new(chain, signing)));
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let builder = if client_certificate {
            let roots = Arc::new(trusting([self.authority.root_der()])?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            let unreadable = |e: rustls::server::VerifierBuilderError| TlsError::Unreadable {
                what: "the root certificate",
                problem: e.to_string(),
            };
            builder.with_client_cert_verifier(verifier.map_err(unreadable)?)
        } else {
            builder.with_no_client_auth()
        };
        let mut config = builder.with_cert_resolver(Arc::new(presented));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        if self.http2 {
            config.alpn_protocols.insert(0, b"h2".to_vec());
        }
        Ok(config)
    }
}

/// A store that trusts these certificates.
pub(super) fn trusting(
    certificates: impl IntoIterator<Item = CertificateDer<'static>>,
) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates {
        store.add(certificate)?;
    }
    Ok(store)
}

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}
