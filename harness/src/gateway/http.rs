//! One GET over a fresh connection, status only: enough to see that a gateway answers.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Status of `GET path`; an error when no HTTP/1 status line comes back.
pub(super) async fn status(addr: SocketAddr, path: &str) -> io::Result<u16> {
    let mut stream = TcpStream::connect(addr).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {addr}\r\nUser-Agent: gatecrash-ready\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.contains(&b'\n') && head.len() < 4096 {
        if stream.read_buf(&mut head).await? == 0 {
            break;
        }
    }
    parse(&head).ok_or_else(|| io::Error::other("did not answer in HTTP/1"))
}

fn parse(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(b"HTTP/1.")?;
    std::str::from_utf8(rest.get(2..5)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn status_lines() {
        assert_eq!(super::parse(b"HTTP/1.1 204 No Content\r\n"), Some(204));
        assert_eq!(super::parse(b"HTTP/1.0 403\r\n"), Some(403));
        assert_eq!(super::parse(b"SSH-2.0-x\r\n"), None);
        assert_eq!(super::parse(b"HTTP/1.1 "), None);
    }
}
