//! TLS as a client that verifies: whom to trust, and why a handshake failed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatecrash_core::diagnose::TlsFailure;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, RootCertStore};

/// Where systems keep the roots they trust: Debian, Red Hat, SUSE, Alpine and BSD.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Trusted roots, ready for use.
#[derive(Clone, Debug)]
pub struct Roots(pub(crate) Arc<ClientConfig>);

/// Why roots cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsSetupError {
    /// The file cannot be read, or holds none.
    #[error("no certificates can be read from {0}")]
    Unreadable(PathBuf),
    /// TLS does not allow it.
    #[error("TLS cannot be set up: {0}")]
    Config(#[from] rustls::Error),
}

// === impl Roots ===

impl Roots {
    /// The roots in this PEM file; those of `SSL_CERT_FILE` or of the system otherwise, which may be none.
    pub fn of(file: Option<&Path>) -> Result<Self, TlsSetupError> {
        let mut store = RootCertStore::empty();
        match file {
            Some(file) if add(&mut store, file) == 0 => {
                return Err(TlsSetupError::Unreadable(file.to_owned()));
            }
            Some(_) => {}
            None => {
                let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
                let known = BUNDLES.iter().map(PathBuf::from);
                _ = named.into_iter().chain(known).find(|path| add(&mut store, path) > 0);
            }
        }
        Self::trusting(store)
    }

    /// The roots in this PEM text.
    pub fn in_pem(text: &str) -> Result<Self, TlsSetupError> {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(CertificateDer::pem_slice_iter(text.as_bytes()).flatten());
        Self::trusting(store)
    }

    fn trusting(store: RootCertStore) -> Result<Self, TlsSetupError> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(store)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Each probe shakes hands in full: a resumed session shows no certificate.
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Self(Arc::new(config)))
    }
}

fn add(store: &mut RootCertStore, file: &Path) -> usize {
    let Ok(all) = CertificateDer::pem_file_iter(file) else { return 0 };
    store.add_parsable_certificates(all.flatten()).0
}

/// The failure that an I/O error of a TLS session stands for; `None` when it is none of TLS.
pub(super) fn failure(error: &io::Error) -> Option<TlsFailure> {
    let tls = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let text = tls.to_string();
    Some(match tls {
        rustls::Error::InvalidCertificate(why) => match why {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                TlsFailure::Name(text)
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => TlsFailure::Dates(text),
            _ => TlsFailure::Chain(text),
        },
        _ => TlsFailure::Handshake(text),
    })
}
