//! Bytes that do not begin like HTTP at all.

use gatecrash_model::hash;

use super::{Body, Original, Script};

pub(super) fn garbage_bytes(_: &Original<'_>) -> Script {
    let bytes = (0..50u64).flat_map(|i| hash::mix(i ^ 0x6a4b).to_le_bytes()).collect();
    Script::fin(bytes, Body::None, false)
}

pub(super) fn ssh_banner(_: &Original<'_>) -> Script {
    Script::fin(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n".to_vec(), Body::None, false)
}

/// A record of TLS 1.2 (RFC 8446 5.1) with the alert `protocol_version` (RFC 8446 6.2).
pub(super) fn tls_bytes(_: &Original<'_>) -> Script {
    Script::fin(vec![0x15, 3, 3, 0, 2, 2, 70], Body::None, false)
}

pub(super) fn http09_body(_: &Original<'_>) -> Script {
    Script::fin(Vec::new(), Body::Pass, false)
}
