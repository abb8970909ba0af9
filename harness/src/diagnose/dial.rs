//! TCP connections.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use gatecrash_core::diagnose::{Dial, DialFailure, Place};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::milliseconds;

/// Connects.
pub(super) async fn connect(address: SocketAddr, patience: Duration) -> Result<TcpStream, DialFailure> {
    match timeout(patience, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => {
            // Requests are one small write each.
            _ = stream.set_nodelay(true);
            Ok(stream)
        }
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Err(DialFailure::Refused),
        Ok(Err(error)) => Err(DialFailure::Unreachable(error.to_string())),
        Err(_) => Err(DialFailure::Unreachable("timed out".to_owned())),
    }
}

/// Connects and leaves.
pub(super) async fn dial(place: Place, address: SocketAddr, patience: Duration) -> Dial {
    let started = Instant::now();
    let failure = connect(address, patience).await.err();
    Dial { place, address: address.to_string(), failure, took: milliseconds(started.elapsed()) }
}
