//! A body that ends as nobody announced: without a length, halfway, and under TLS without close_notify.

use gatecrash_core::rules::Orders;

use crate::attempt::End;
use crate::delivery::Paced;
use crate::download::{Answer, Download};
use crate::head::ResponseHead;

impl Download<'_> {
    /// Writes the answer delimited by its end, and half of its body.
    pub(crate) async fn cut_unannounced(
        &mut self,
        head: &[u8],
        response: ResponseHead,
        orders: &Orders,
    ) -> Result<Answer, End> {
        let mut frame = response.frame;
        let down = &mut *self.out.down;
        down.status = response.status;
        if response.has_body {
            // The attempt is judged by what the upstream promised.
            down.framing = frame.kind();
            down.promised = response.states;
        }
        self.out.head(&delimited_by_close(head), orders.head_pace).await?;
        let mut paced = orders.body_pace.map(Paced::new);
        let mut left = response.states.map_or(u64::MAX, |length| length / 2);
        while left > 0 {
            let Some(mut bytes) = self.payload(&mut frame).await? else { break };
            if response.states.is_none() {
                // Of unknown length: the first piece, halved.
                left = bytes.len() as u64 / 2;
            }
            bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            self.out.body(&bytes, bytes.len(), paced.as_mut()).await?;
            left -= (bytes.len() as u64).min(left);
        }
        self.out.down.whole = !response.has_body;
        Ok(Answer::Unannounced)
    }
}

/// The head without what says where the body ends.
fn delimited_by_close(head: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(head.len() + 20);
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        let framing = ["content-length", "transfer-encoding", "connection"];
        if line == b"\r\n" {
            lines.extend_from_slice(b"Connection: close\r\n");
        }
        if !framing.iter().any(|other| name.eq_ignore_ascii_case(other.as_bytes())) {
            lines.extend_from_slice(line);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::delimited_by_close;

    #[test]
    fn only_the_framing_goes() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"1\"\r\nconnection: keep-alive\r\n\r\n";
        let wanted = b"HTTP/1.1 200 OK\r\nETag: \"1\"\r\nConnection: close\r\n\r\n";
        assert_eq!(delimited_by_close(head).escape_ascii().to_string(), wanted.escape_ascii().to_string());
    }
}
