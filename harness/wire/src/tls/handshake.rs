//! The handshake on a connection of the gateway, as it should be or as a fault wants it.

use std::io;
use std::sync::Arc;

use gatecrash_core::faults::{TlsKind, With};
use gatecrash_model::{AttemptContext, EndedBy};
use rustls::ServerConfig;
use tokio::io::AsyncWriteExt;

use super::authority::CertificateKind;
use super::terminator::Terminator;
use super::{TlsError, hello};
use crate::attempt::End;
use crate::connection::Connection;
use crate::stream::Stream;

/// Alert descriptions (RFC 8446 6).
mod alert {
    pub(super) const HANDSHAKE_FAILURE: u8 = 40;
    pub(super) const PROTOCOL_VERSION: u8 = 70;
    pub(super) const INTERNAL_ERROR: u8 = 80;
}

impl Connection {
    /// Shakes hands where the link terminates TLS. An end: that failed, through no fault of a rule.
    pub(crate) async fn secure(&mut self) -> Option<End> {
        let terminator = self.wire.config.tls.clone()?;
        let failed = match self.shake_hands(terminator.good()).await {
            Ok(()) => return None,
            Err(failed) => failed,
        };
        let note = format!("the gateway's TLS handshake: {failed}");
        self.wire.keep_evidence(AttemptContext::STRANGER, b"", note);
        Some(match failed.kind() {
            io::ErrorKind::UnexpectedEof => End::fin(EndedBy::Gateway),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => End::rst(EndedBy::Gateway),
            _ => End::fin(EndedBy::Harness),
        })
    }

    /// Carries out a TLS fault on a fresh connection. `None`: the gateway took what it should not have taken, and
    /// is served.
    pub(crate) async fn spoil(&mut self, kind: TlsKind) -> Option<End> {
        // Without TLS there is nothing to spoil; the rules know that.
        let terminator = self.wire.config.tls.clone()?;
        let certificate = match kind {
            TlsKind::CertExpired => CertificateKind::Expired,
            TlsKind::CertNotYetValid => CertificateKind::NotYetValid,
            TlsKind::CertWrongHost => CertificateKind::WrongHost,
            TlsKind::CertSelfSigned => CertificateKind::SelfSigned,
            TlsKind::ChainOrder => CertificateKind::WrongOrder,
            TlsKind::MissingIntermediate => CertificateKind::MissingIntermediate,
            TlsKind::ClientCertRequired | TlsKind::CutNoCloseNotify => CertificateKind::Good,
            raw => return Some(self.answer_hello(raw, &terminator).await),
        };
        let required = kind == TlsKind::ClientCertRequired;
        let done = self.shake_hands(terminator.config(certificate, required)).await;
        done.is_err().then_some(End::fault(With::Fin))
    }

    async fn shake_hands(&mut self, config: Result<Arc<ServerConfig>, TlsError>) -> io::Result<()> {
        let config = config.map_err(io::Error::other)?;
        match &mut self.gateway {
            Stream::Tls(tls) => tls.accept(config).await,
            Stream::Plain(_) => Ok(()),
        }
    }

    /// Answers the ClientHello by bytes that no TLS library would send.
    async fn answer_hello(&mut self, kind: TlsKind, terminator: &Terminator) -> End {
        let record = match hello::first_record(&mut self.gateway).await {
            Ok(Some(record)) => record,
            Ok(None) => return End::gateway(With::Fin, false),
            Err(_) => return End::gateway(With::Rst, false),
        };
        let (answer, with) = match kind {
            TlsKind::NoCommonVersion => (hello::fatal_alert(alert::PROTOCOL_VERSION).to_vec(), With::Fin),
            TlsKind::NoCommonCipher => (hello::fatal_alert(alert::HANDSHAKE_FAILURE).to_vec(), With::Fin),
            TlsKind::AlertHandshake => (hello::fatal_alert(alert::INTERNAL_ERROR).to_vec(), With::Fin),
            TlsKind::PlaintextOnTlsPort => (hello::PLAINTEXT.to_vec(), With::Fin),
            TlsKind::RstMidHandshake => match terminator.good() {
                Ok(config) => (hello::half_a_flight(config, &record), With::Rst),
                Err(_) => (Vec::new(), With::Rst),
            },
            _ => return self.outlast().await,
        };
        match self.gateway.write_all(&answer).await {
            Ok(()) => End::fault(with),
            Err(_) => End::gateway(With::Rst, false),
        }
    }
}
