//! Responses that are written past the HTTP library, which would refuse them: what defects relay as it came.

use std::io;

use bytes::BufMut;
use http::Response;
use http::response::Parts;
use http_body_util::BodyExt;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::Reply;

/// Marks a response, in its extensions, whose head and body go to the client as they are.
#[derive(Clone, Copy)]
pub(crate) struct AsItIs;

/// Ends the HTTP library's part in a connection, so that a response can be written past it.
#[derive(Debug, thiserror::Error)]
#[error("the response is written past the HTTP library")]
pub(crate) struct Bypassed;

/// Writes the response and ends the connection. The first piece of the body goes out with the head.
pub(crate) async fn write_as_it_is(
    client: &mut (impl AsyncWrite + Unpin),
    response: Response<Reply>,
) -> io::Result<()> {
    let (head, mut body) = response.into_parts();
    let mut bytes = head_bytes(&head);
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(data) = frame.into_data() {
            bytes.put(data);
            client.write_all(&bytes).await?;
            bytes.clear();
        }
    }
    client.write_all(&bytes).await?;
    client.shutdown().await
}

fn head_bytes(head: &Parts) -> Vec<u8> {
    let reason = head.status.canonical_reason().unwrap_or_default();
    let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", head.status.as_u16()).into_bytes();
    for (name, value) in &head.headers {
        bytes.put([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat().as_slice());
    }
    bytes.put(&b"\r\n"[..]);
    bytes
}
