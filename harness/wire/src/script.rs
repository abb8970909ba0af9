//! Carrying out a malformed script: its bytes, the upstream's payload, its ending, nothing else.

use gatecrash_core::faults::malformed::{self, Body, CHUNK, ChunkStyle, End as ScriptEnd, Kind, Original};
use gatecrash_core::rules::Orders;

use crate::attempt::End;
use crate::delivery::Paced;
use crate::download::{Answer, Download};
use crate::head::ResponseHead;

/// Length of the extension of [`ChunkStyle::HugeExtension`].
const EXTENSION: usize = 16 * 1024;

impl Download<'_> {
    /// Writes the answer as a kind of the malformed catalogue.
    pub(crate) async fn rewrite(
        &mut self,
        kind: Kind,
        head: &[u8],
        attempt_line: &str,
        response: ResponseHead,
        orders: &Orders,
    ) -> Result<Answer, End> {
        let original = Original { status: response.status, head, length: response.states, attempt_line };
        let script = malformed::script(kind, &original);
        let down = &mut *self.out.down;
        down.illegal = true;
        down.status = status(&script.head);
        if matches!(script.body, Body::Pass | Body::PassThen(_)) && script.end == ScriptEnd::Keep {
            down.promised = response.states.filter(|_| response.has_body);
        }
        self.case.wire.keep_evidence(
            self.case.context,
            &script.head,
            format!("malformed: {}", kind.info().name),
        );
        self.out.head(&script.head, orders.head_pace).await?;

        let mut paced = orders.body_pace.map(Paced::new);
        let mut frame = response.frame;
        match script.body {
            Body::None => {}
            Body::Bytes(bytes) => self.out.body(&bytes, bytes.len(), paced.as_mut()).await?,
            Body::Chunked(_) if !response.has_body => {}
            Body::Chunked(style) => self.chunks(style, &mut frame, paced.as_mut()).await?,
            Body::Pass | Body::PassThen(_) => {
                while let Some(bytes) = self.payload(&mut frame).await? {
                    self.out.body(&bytes, bytes.len(), paced.as_mut()).await?;
                }
                if let Body::PassThen(surplus) = script.body {
                    self.out.body(&surplus, 0, paced.as_mut()).await?;
                }
            }
        }
        self.out.down.whole = script.whole;
        match script.end {
            ScriptEnd::Close(with) => Err(End::fault(with)),
            ScriptEnd::Stall => Ok(Answer::Silence),
            ScriptEnd::Keep => {
                // What the script did not use must not be taken for the next answer.
                while self.payload(&mut frame).await?.is_some() {}
                Ok(Answer::Whole { close: response.close })
            }
        }
    }

    async fn chunks(
        &mut self,
        style: ChunkStyle,
        frame: &mut crate::framing::Frame,
        mut paced: Option<&mut Paced>,
    ) -> Result<(), End> {
        let mut rest = Vec::new();
        let mut first = true;
        loop {
            let piece = self.payload(frame).await?;
            let last = piece.is_none();
            rest.extend_from_slice(&piece.unwrap_or_default());
            while rest.len() >= CHUNK || (last && (!rest.is_empty() || (first && style.breaks_size()))) {
                let data: Vec<u8> = rest.drain(..rest.len().min(CHUNK)).collect();
                let chunk = style.chunk(&data, first);
                first = false;
                self.out.body(&chunk, 0, paced.as_deref_mut()).await?;
                self.out.down.bytes += data.len() as u64;
            }
            if last {
                return self.out.body(style.end(), 0, paced).await;
            }
        }
    }
}

/// How a chunk style writes.
trait Write {
    /// Whether the first size line is broken, even of an empty body.
    fn breaks_size(self) -> bool;
    /// One chunk.
    fn chunk(self, data: &[u8], first: bool) -> Vec<u8>;
    /// What follows the chunks.
    fn end(self) -> &'static [u8];
}

impl Write for ChunkStyle {
    fn breaks_size(self) -> bool {
        matches!(self, Self::BadSize | Self::OverflowSize)
    }

    fn chunk(self, data: &[u8], first: bool) -> Vec<u8> {
        let size = format!("{:x}", data.len());
        let line = match self {
            Self::BadSize if first => "zz".to_owned(),
            Self::OverflowSize if first => format!("{}{size}", "f".repeat(17)),
            Self::HugeExtension if first => format!("{size};x={}", "y".repeat(EXTENSION - 3)),
            _ => size,
        };
        let after: &[u8] = if self == Self::MissingCrlf { b"" } else { b"\r\n" };
        [line.as_bytes(), b"\r\n", data, after].concat()
    }

    fn end(self) -> &'static [u8] {
        match self {
            Self::NoLast => b"",
            Self::DataAfterLast => b"0\r\n\r\nsurplus surplus\n",
            _ => b"0\r\n\r\n",
        }
    }
}

/// The last status that a head states legibly, 0 for none.
fn status(head: &[u8]) -> u16 {
    let lines = head.split(|b| *b == b'\n').filter_map(|line| line.strip_prefix(b"HTTP/1.1 "));
    lines
        .filter_map(|rest| match rest {
            [digits @ .., _] if digits.len() >= 3 => {
                let code = std::str::from_utf8(&rest[..3]).ok()?.parse().ok()?;
                (!rest.get(3).is_some_and(u8::is_ascii_digit)).then_some(code)
            }
            _ => None,
        })
        .next_back()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::status;

    #[test]
    fn the_last_legible_status_counts() {
        let table: [(&[u8], u16); 7] = [
            (b"HTTP/1.1 200 OK\r\n\r\n", 200),
            (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n", 404),
            (b"HTTP/1.1 20 OK\r\n\r\n", 0),
            (b"HTTP/1.1 2OO OK\r\n\r\n", 0),
            (b"HTTP/1.1 2000 OK\r\n\r\n", 0),
            (b"HTP/1.1 200 OK\r\n\r\n", 0),
            (b"SSH-2.0-x\r\n", 0),
        ];
        for (head, wanted) in table {
            assert_eq!(status(head), wanted, "{}", head.escape_ascii());
        }
    }
}
