//! Carrying out a malformed script: its bytes, the upstream's payload, its ending, nothing else.

use gatecrash_core::faults::Malformed;
use gatecrash_core::faults::malformed::{
    self, Body, CHUNK, Change, ChunkStyle, End as ScriptEnd, Nature, Original,
};
use gatecrash_core::rules::Orders;

use crate::attempt::End;
use crate::delivery::Paced;
use crate::download::{Answer, Download};
use crate::head::ResponseHead;

impl Download<'_> {
    /// Writes the answer as a kind of the malformed catalogue.
    pub(crate) async fn rewrite(
        &mut self,
        fault: Malformed,
        head: &[u8],
        attempt_line: &str,
        response: ResponseHead,
        orders: &Orders,
    ) -> Result<Answer, End> {
        let (kind, amount) = (fault.kind, fault.amount());
        let (status, length, to_head) = (response.status, response.states, self.to_head);
        let original = Original { status, head, length, attempt_line, to_head, amount };
        let script = malformed::script(kind, &original);
        let down = &mut *self.out.down;
        down.illegal = script.nature == Nature::Illegal;
        down.status = told_status(&script.head);
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
            Body::Chunked(style) => self.chunks(style, &script.change, &mut frame, paced.as_mut()).await?,
            Body::Pass | Body::PassThen(_) => {
                while let Some(mut bytes) = self.payload(&mut frame).await? {
                    script.change.apply(self.out.down.bytes, &mut bytes);
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
        change: &Change,
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
                let mut data: Vec<u8> = rest.drain(..rest.len().min(CHUNK)).collect();
                change.apply(self.out.down.bytes, &mut data);
                let chunk = style.chunk(&data, first);
                first = false;
                self.out.body(&chunk, 0, paced.as_deref_mut()).await?;
                self.out.down.bytes += style.carried(data.len()) as u64;
                if style == ChunkStyle::CutMid {
                    return Ok(());
                }
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
    /// How many of so many bytes a chunk carries.
    fn carried(self, bytes: usize) -> usize;
    /// One chunk.
    fn chunk(self, data: &[u8], first: bool) -> Vec<u8>;
    /// What follows the chunks.
    fn end(self) -> &'static [u8];
}

impl Write for ChunkStyle {
    fn breaks_size(self) -> bool {
        matches!(self, Self::BadSize | Self::OverflowSize | Self::CutMid)
    }

    fn carried(self, bytes: usize) -> usize {
        if self == Self::CutMid { bytes / 2 } else { bytes }
    }

    fn chunk(self, data: &[u8], first: bool) -> Vec<u8> {
        let size = format!("{:x}", data.len());
        let line = match self {
            Self::BadSize if first => "zz".to_owned(),
            Self::OverflowSize if first => format!("{}{size}", "f".repeat(17)),
            Self::HugeExtension(bytes) if first => {
                format!("{size};x={}", "y".repeat(bytes.saturating_sub(3)))
            }
            _ => size,
        };
        let after: &[u8] = if matches!(self, Self::MissingCrlf | Self::CutMid) { b"" } else { b"\r\n" };
        [line.as_bytes(), b"\r\n", &data[..self.carried(data.len())], after].concat()
    }

    fn end(self) -> &'static [u8] {
        match self {
            Self::NoLast | Self::CutMid => b"",
            Self::BadTrailer => b"0\r\nno colon here\r\n\r\n",
            Self::DataAfterLast => b"0\r\n\r\nsurplus surplus\n",
            _ => b"0\r\n\r\n",
        }
    }
}

/// The last status that a whole head states legibly, 0 for none.
fn told_status(head: &[u8]) -> u16 {
    if !head.ends_with(b"\n\r\n") && !head.ends_with(b"\n\n") {
        return 0;
    }
    let mut codes = head.split(|b| *b == b'\n').filter_map(|line| match line.strip_prefix(b"HTTP/")? {
        [b'0'..=b'9', b'.', b'0'..=b'9', b' ', code @ ..] if !code.get(3).is_some_and(u8::is_ascii_digit) => {
            std::str::from_utf8(code.get(..3)?).ok()?.parse().ok()
        }
        _ => None,
    });
    codes.next_back().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::told_status;

    #[test]
    fn the_last_legible_status_counts() {
        let table: [(&[u8], u16); 11] = [
            (b"HTTP/1.1 200 OK\r\n\r\n", 200),
            (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n", 404),
            (b"HTTP/1.0 404 Not Found\r\n\r\n", 404),
            (b"HTTP/1.1 200\n\n", 200),
            (b"HTTP/1.1 200 OK\r\nETag: 1", 0),
            (b"HTTP/9.9 200 OK\r\n\r\n", 200),
            (b"HTTP/1.1 20 OK\r\n\r\n", 0),
            (b"HTTP/1.1 2OO OK\r\n\r\n", 0),
            (b"HTTP/1.1 2000 OK\r\n\r\n", 0),
            (b"HTP/1.1 200 OK\r\n\r\n", 0),
            (b"SSH-2.0-x\r\n", 0),
        ];
        for (head, wanted) in table {
            assert_eq!(told_status(head), wanted, "{}", head.escape_ascii());
        }
    }
}
