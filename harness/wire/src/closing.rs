//! How a connection ends on the wire: FIN or RST, with every byte written before it delivered.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

/// How long an RST waits for the bytes before it to leave.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a FIN is followed by reading, so that unread request bytes do not turn it into an RST.
const LINGER: Duration = Duration::from_secs(2);

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
