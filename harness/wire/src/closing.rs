//! How a connection ends on the wire: FIN or RST, with every byte written before it delivered.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

/// How long an RST waits for the bytes before it to leave; a peer that reads slower than that loses some.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a FIN is followed by reading, so that unread request bytes do not turn it into an RST.
const LINGER: Duration = Duration::from_secs(2);

/// How often a peer is looked for whose bytes are not read.
const LOOK: Duration = Duration::from_millis(20);

/// Makes the drop of the socket an RST, whatever was not sent.
pub(crate) fn rst_now(stream: &TcpStream) {
    // Fails only on a socket that is not connected any more; then there is nothing to reset.
    _ = stream.set_zero_linger();
}

/// Ends our direction, under TLS with a close_notify; the other is read and discarded until the peer has
/// ended it too, or gives no sign.
pub(crate) async fn fin<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) {
    if matches!(timeout(LINGER, stream.shutdown()).await, Ok(Ok(()))) {
        _ = timeout(LINGER, discard(stream)).await;
    }
}

/// Reads until the peer leaves; true when it left by FIN.
pub(crate) async fn discard<S: AsyncRead + Unpin>(stream: &mut S) -> bool {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

/// Reads nothing; returns when the gateway has left as far as the kernel knows, or the time is up.
pub(crate) async fn gone_unread(stream: &TcpStream, lasting: Duration) {
    let deadline = Instant::now() + lasting;
    while Instant::now() < deadline && !has_left(stream) {
        sleep(LOOK.min(deadline - Instant::now())).await;
    }
}

/// Whether the peer's FIN or RST is here, with or without unread bytes before it.
fn has_left(stream: &TcpStream) -> bool {
    let mut asked = [PollFd::new(stream, PollFlags::RDHUP)];
    // HUP and ERR are told unasked.
    poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|told| told > 0)
}

/// Shrinks the receive buffer to about this many bytes, so that the window the peer sees is small too.
pub(crate) fn narrow(stream: &TcpStream, bytes: u64) {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).clamp(4 * 1024, 64 * 1024);
    // A buffer that stays wide is read slowly all the same.
    _ = SockRef::from(stream).set_recv_buffer_size(bytes);
}

/// Waits until no byte is left unsent. With TCP_NOTSENT_LOWAT at 1 the kernel reports a socket writable
/// exactly then, so safe poll(2) can ask. Sent is enough: on loopback those bytes are in the peer's receive
/// queue, which an RST does not empty.
pub(crate) async fn all_sent(stream: &TcpStream) {
    if SockRef::from(stream).set_tcp_notsent_lowat(1).is_err() {
        return;
    }
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let mut asked = [PollFd::new(stream, PollFlags::OUT)];
        match poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
            Ok(0) => sleep(Duration::from_millis(1)).await,
            Ok(_) | Err(_) => return,
        }
    }
}
