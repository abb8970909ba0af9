//! The spot where the swapping defect lets two waiting responses meet.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Response;
use tokio::sync::oneshot;

use super::Reply;

/// How long a response waits for another to be swapped with.
const PATIENCE: Duration = Duration::from_millis(50);

#[derive(Default)]
pub(crate) struct SwapSpot {
    parked: Mutex<Option<Parked>>,
    tickets: AtomicU64,
}

struct Parked {
    ticket: u64,
    reply: Response<Reply>,
    back: oneshot::Sender<Response<Reply>>,
}

// === impl SwapSpot ===

impl SwapSpot {
    /// Gives `reply` for one that waits, if there is one; waits itself if `willing`. Responses are swapped
    /// whole, so each keeps the header that names the attempt it came from.
    pub(crate) async fn trade(&self, reply: Response<Reply>, willing: bool) -> Response<Reply> {
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        let mut received = {
            let mut spot = self.lock();
            if let Some(parked) = spot.take() {
                return match parked.back.send(reply) {
                    Ok(()) => parked.reply,
                    Err(reply) => reply,
                };
            }
            if !willing {
                return reply;
            }
            let (back, received) = oneshot::channel();
            *spot = Some(Parked { ticket, reply, back });
            received
        };
        if let Ok(Ok(other)) = tokio::time::timeout(PATIENCE, &mut received).await {
            return other;
        }
        if let Some(own) = self.leave(ticket) {
            return own;
        }
        // Somebody took ours in this very moment and has sent or is about to send theirs.
        match received.await {
            Ok(other) => other,
            Err(_) => Response::new(Reply::full("")),
        }
    }

    fn leave(&self, ticket: u64) -> Option<Response<Reply>> {
        let mut spot = self.lock();
        spot.take_if(|parked| parked.ticket == ticket).map(|parked| parked.reply)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Parked>> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
