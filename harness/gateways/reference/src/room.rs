//! How many client connections there is room for, so that a crowd cannot use up the descriptors that the
//! upstream connections need.

use std::io;
use std::sync::Arc;

use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Descriptors for everything but clients and upstreams: the listener, the runtime, probes, standard streams.
const RESERVED: usize = 24;
/// Most connections that are being turned away at a time.
const LOBBY: usize = 64;

pub(crate) struct Room {
    seats: Arc<Semaphore>,
    lobby: Arc<Semaphore>,
}

/// A connection's place, held for as long as it lasts.
pub(crate) enum Place {
    Seat {
        _permit: OwnedSemaphorePermit,
    },
    /// Its requests are turned away.
    Lobby {
        _permit: OwnedSemaphorePermit,
    },
}

// === impl Room ===

impl Room {
    /// Room for `wanted` connections, or for as many as the process may have descriptors for.
    pub(crate) fn new(wanted: usize) -> Self {
        let descriptors = getrlimit(Resource::Nofile)
            .current
            .map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let (seats, lobby) = share(wanted, descriptors);
        Self { seats: Arc::new(Semaphore::new(seats)), lobby: Arc::new(Semaphore::new(lobby)) }
    }

    /// Accepts a connection once there is at least room to turn it away.
    pub(crate) async fn admit(&self, listener: &TcpListener) -> io::Result<(TcpStream, Place)> {
        let lobby = Arc::clone(&self.lobby).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, _) = listener.accept().await?;
        let place = match Arc::clone(&self.seats).try_acquire_owned() {
            Ok(permit) => Place::Seat { _permit: permit },
            Err(_) => Place::Lobby { _permit: lobby },
        };
        Ok((stream, place))
    }
}

/// Seats and lobby places: of the descriptors two fifths for clients, as many for upstreams, the rest to turn
/// others away.
fn share(wanted: usize, descriptors: usize) -> (usize, usize) {
    let fifth = (descriptors.saturating_sub(RESERVED) / 5).max(1);
    let seats = wanted.min(fifth.saturating_mul(2)).min(Semaphore::MAX_PERMITS);
    (seats, LOBBY.min(fifth))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_bound_what_is_wanted() {
        assert_eq!(share(4096, 1_048_576), (4096, 64));
        assert_eq!(share(4096, 1024), (400, 64));
        assert_eq!(share(10, 1024), (10, 64));
        assert_eq!(share(4096, 64), (16, 8));
        assert_eq!(share(4096, 3), (2, 1));
        assert_eq!(share(usize::MAX, usize::MAX).0, Semaphore::MAX_PERMITS);
    }
}
