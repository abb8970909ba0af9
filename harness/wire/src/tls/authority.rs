//! The run's certificate authority: a root that gateways trust, an intermediate below it, and leaves, good
//! ones and bad ones. Everything lives in memory; keys are ECDSA P-256 and never shown.

use std::fmt;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};

use super::TlsError;

/// Lifetime of what is valid, on both sides of now.
const VALID: Duration = Duration::days(30);
/// How far from now an invalid certificate ends or begins.
const OFF: Duration = Duration::days(1);
/// The name in a certificate of another host.
const ANOTHER_HOST: &str = "another-host.gatecrash.invalid";

/// A certificate authority of one run.
pub struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
    intermediate: CertifiedIssuer<'static, KeyPair>,
    now: OffsetDateTime,
}

/// What is right or wrong with the certificates of a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum CertificateKind {
    /// Leaf and intermediate, in order, valid now.
    Good,
    /// The leaf ran out yesterday.
    Expired,
    /// The leaf begins tomorrow.
    NotYetValid,
    /// A good certificate of another name.
    WrongHost,
    /// Right name, signed by itself.
    SelfSigned,
    /// The intermediate first, then the leaf.
    WrongOrder,
    /// The leaf alone.
    MissingIntermediate,
}

/// Certificates as they are sent, leaf first unless that is what is wrong, and the leaf's key.
pub(super) struct Presented {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

/// A certificate with its key, in PEM.
pub struct Identity {
    /// Leaf, then intermediate.
    pub certificates: String,
    /// PKCS #8.
    pub key: String,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("now", &self.now).finish_non_exhaustive()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

// === impl Authority ===

impl Authority {
    /// A fresh authority. `now` is in seconds since the Unix epoch.
    pub fn new(now: i64) -> Result<Self, TlsError> {
        let now = OffsetDateTime::from_unix_timestamp(now).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let root = CertifiedIssuer::self_signed(issuing("gatecrash run root", now), KeyPair::generate()?)?;
        let below = issuing("gatecrash run intermediate", now);
        let intermediate = CertifiedIssuer::signed_by(below, KeyPair::generate()?, &root)?;
        Ok(Self { root, intermediate, now })
    }

    /// The root in PEM: what gateways are told to trust.
    pub fn root_pem(&self) -> String {
        self.root.pem()
    }

    pub(super) fn root_der(&self) -> CertificateDer<'static> {
        self.root.der().clone()
    }

    /// A client's certificate, signed like a server's.
    pub fn client(&self, name: &str) -> Result<Identity, TlsError> {
        let mut params = leaf(name, &[], self.now - VALID, self.now + VALID)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.identity(params)
    }

    /// The certificate of a server that is no link of ours, good for these names and addresses.
    pub fn server_of(&self, names: &[String]) -> Result<Identity, TlsError> {
        let name = names.first().map_or("", String::as_str);
        self.identity(leaf(name, names, self.now - VALID, self.now + VALID)?)
    }

    fn identity(&self, params: CertificateParams) -> Result<Identity, TlsError> {
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.intermediate)?;
        let certificates = certificate.pem() + &self.intermediate.pem();
        Ok(Identity { certificates, key: key.serialize_pem() })
    }

    /// What a server of these names (or addresses) presents.
    pub(super) fn server(&self, names: &[String], kind: CertificateKind) -> Result<Presented, TlsError> {
        let (from, until) = match kind {
            CertificateKind::Expired => (self.now - VALID, self.now - OFF),
            CertificateKind::NotYetValid => (self.now + OFF, self.now + VALID),
            _ => (self.now - VALID, self.now + VALID),
        };
        let other = [ANOTHER_HOST.to_owned()];
        let names = if kind == CertificateKind::WrongHost { &other } else { names };
        let key = KeyPair::generate()?;
        let params = leaf(names.first().map_or("", String::as_str), names, from, until)?;
        let leaf = if kind == CertificateKind::SelfSigned {
            params.self_signed(&key)?
        } else {
            params.signed_by(&key, &self.intermediate)?
        };
        let (leaf, intermediate) = (leaf.der().clone(), self.intermediate.der().clone());
        let chain = match kind {
            CertificateKind::SelfSigned | CertificateKind::MissingIntermediate => vec![leaf],
            CertificateKind::WrongOrder => vec![intermediate, leaf],
            _ => vec![leaf, intermediate],
        };
        Ok(Presented { chain, key: PrivatePkcs8KeyDer::from(key.serialize_der()).into() })
    }
}

fn issuing(name: &str, now: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params.not_before = now - VALID;
    params.not_after = now + VALID;
    params
}

fn leaf(
    name: &str,
    names: &[String],
    from: OffsetDateTime,
    until: OffsetDateTime,
) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.not_before = from;
    params.not_after = until;
    Ok(params)
}
