//! Frames of HTTP/2 (RFC 9113 section 4 and 6): taken off raw bytes, and written, legal or not.

use bytes::{Bytes, BytesMut};

/// What a client begins with (RFC 9113 3.4).
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes of a frame header.
pub(crate) const HEADER: usize = 9;
/// The longest payload that is read: SETTINGS_MAX_FRAME_SIZE, which we leave at its initial value.
pub(crate) const MAX_FRAME: usize = 16_384;
/// The initial window of a stream and of a connection (RFC 9113 6.9.2).
pub(crate) const WINDOW: u32 = 65_535;

/// END_STREAM of DATA and HEADERS.
pub(crate) const END_STREAM: u8 = 0x1;
/// ACK of SETTINGS and PING.
pub(crate) const ACK: u8 = 0x1;
/// END_HEADERS of HEADERS and CONTINUATION.
pub(crate) const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;

/// Types of frames, as on the wire.
pub(crate) mod kind {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const HEADERS: u8 = 1;
    pub(crate) const PRIORITY: u8 = 2;
    pub(crate) const RST_STREAM: u8 = 3;
    pub(crate) const SETTINGS: u8 = 4;
    pub(crate) const PUSH_PROMISE: u8 = 5;
    pub(crate) const PING: u8 = 6;
    pub(crate) const GOAWAY: u8 = 7;
    pub(crate) const WINDOW_UPDATE: u8 = 8;
    pub(crate) const CONTINUATION: u8 = 9;
}

/// Settings, as on the wire (RFC 9113 6.5.2).
pub(crate) mod setting {
    pub(crate) const ENABLE_PUSH: u16 = 2;
    pub(crate) const MAX_CONCURRENT_STREAMS: u16 = 3;
    pub(crate) const INITIAL_WINDOW_SIZE: u16 = 4;
    pub(crate) const MAX_FRAME_SIZE: u16 = 5;
    pub(crate) const MAX_HEADER_LIST_SIZE: u16 = 6;
}

/// Error codes (RFC 9113 section 7), those that are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Code {
    NoError = 0,
    Protocol = 1,
    Internal = 2,
    FlowControl = 3,
    StreamClosed = 5,
    FrameSize = 6,
    RefusedStream = 7,
    Compression = 9,
    EnhanceYourCalm = 11,
}

/// A frame that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Bytes,
}

/// Takes the next frame off the input; `None` while it is not whole.
pub(crate) fn next(input: &mut BytesMut) -> Result<Option<Frame>, Code> {
    let Some((header, rest)) = input.split_first_chunk::<HEADER>() else { return Ok(None) };
    let [l2, l1, l0, kind, flags, s3, s2, s1, s0] = *header;
    let length = u32::from_be_bytes([0, l2, l1, l0]) as usize;
    if length > MAX_FRAME {
        return Err(Code::FrameSize);
    }
    if rest.len() < length {
        return Ok(None);
    }
    let stream = u32::from_be_bytes([s3, s2, s1, s0]) & (u32::MAX >> 1);
    let payload = input.split_to(HEADER + length).freeze().slice(HEADER..);
    Ok(Some(Frame { kind, flags, stream, payload }))
}

impl Frame {
    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The payload of DATA or HEADERS without padding and priority.
    pub(crate) fn content(&self) -> Result<Bytes, Code> {
        let (mut from, mut until) = (0, self.payload.len());
        if self.has(PADDED) {
            let padding = *self.payload.first().ok_or(Code::FrameSize)?;
            from = 1;
            until = until.checked_sub(usize::from(padding)).ok_or(Code::Protocol)?;
        }
        if self.kind == kind::HEADERS && self.has(PRIORITY) {
            from += 5;
        }
        if from > until {
            return Err(if self.has(PADDED) { Code::Protocol } else { Code::FrameSize });
        }
        Ok(self.payload.slice(from..until))
    }

    /// The payload as one 32-bit number (RST_STREAM, WINDOW_UPDATE).
    pub(crate) fn number(&self) -> Result<u32, Code> {
        let bytes = <[u8; 4]>::try_from(&self.payload[..]).map_err(|_| Code::FrameSize)?;
        Ok(u32::from_be_bytes(bytes))
    }
}

/// Any frame; the payload may be as long as 24 bits can tell.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = header(payload.len(), kind, flags, stream);
    out.extend_from_slice(payload);
    out
}

/// A frame header alone, whatever follows.
pub(crate) fn header(length: usize, kind: u8, flags: u8, stream: u32) -> Vec<u8> {
    let [_, l2, l1, l0] = (length as u32).to_be_bytes();
    let mut out = Vec::with_capacity(HEADER + length);
    out.extend_from_slice(&[l2, l1, l0, kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out
}

pub(crate) fn settings(settings: &[(u16, u32)]) -> Vec<u8> {
    let pairs =
        settings.iter().flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat());
    frame(kind::SETTINGS, 0, 0, &pairs.collect::<Vec<_>>())
}

pub(crate) fn window_update(stream: u32, by: u32) -> Vec<u8> {
    frame(kind::WINDOW_UPDATE, 0, stream, &by.to_be_bytes())
}

pub(crate) fn rst_stream(stream: u32, code: Code) -> Vec<u8> {
    frame(kind::RST_STREAM, 0, stream, &(code as u32).to_be_bytes())
}

pub(crate) fn goaway(last: u32, code: Code) -> Vec<u8> {
    let payload = [last.to_be_bytes(), (code as u32).to_be_bytes()].concat();
    frame(kind::GOAWAY, 0, 0, &payload)
}

/// A field block in HEADERS and as many CONTINUATION frames as its length needs.
pub(crate) fn headers(stream: u32, block: &[u8], end_stream: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(block.len() + HEADER);
    let pieces = block.len().div_ceil(MAX_FRAME).max(1);
    for at in 0..pieces {
        let piece = &block[at * MAX_FRAME..block.len().min((at + 1) * MAX_FRAME)];
        let kind = if at == 0 { kind::HEADERS } else { kind::CONTINUATION };
        let end = if at + 1 == pieces { END_HEADERS } else { 0 };
        let flags = end | if at == 0 && end_stream { END_STREAM } else { 0 };
        out.extend_from_slice(&frame(kind, flags, stream, piece));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<Frame>, Code> {
        next(&mut BytesMut::from(bytes))
    }

    #[test]
    fn a_frame_comes_back() {
        let wire = frame(kind::DATA, END_STREAM, 5, b"hello");
        assert_eq!(wire, b"\0\0\x05\0\x01\0\0\0\x05hello");
        let mut input = BytesMut::from(&[&wire[..], b"more"].concat()[..]);
        let frame = next(&mut input).unwrap().unwrap();
        assert_eq!((frame.kind, frame.stream, frame.has(END_STREAM)), (kind::DATA, 5, true));
        assert_eq!((&frame.content().unwrap()[..], &input[..]), (&b"hello"[..], &b"more"[..]));
        (0..wire.len()).for_each(|cut| assert_eq!(read(&wire[..cut]), Ok(None)));
    }

    #[test]
    fn padding_and_priority_are_taken_off() {
        let padded = read(&frame(kind::DATA, PADDED, 1, b"\x02ab\0\0")).unwrap().unwrap();
        assert_eq!(padded.content().unwrap(), "ab");
        let both = read(&frame(kind::HEADERS, PADDED | PRIORITY, 1, b"\x01\0\0\0\0\x10ab\0"));
        assert_eq!(both.unwrap().unwrap().content().unwrap(), "ab");
        for (flags, payload) in [(PADDED, &b"\x05ab"[..]), (PADDED, b""), (PRIORITY, b"ab")] {
            let frame = read(&frame(kind::HEADERS, flags, 1, payload)).unwrap().unwrap();
            assert!(frame.content().is_err(), "{payload:?}");
        }
        assert_eq!(read(&header(MAX_FRAME + 1, kind::DATA, 0, 1)), Err(Code::FrameSize));
    }

    #[test]
    fn control_frames_have_their_bytes() {
        assert_eq!(settings(&[(setting::INITIAL_WINDOW_SIZE, 0)]), b"\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0");
        assert_eq!(goaway(3, Code::Internal), b"\0\0\x08\x07\0\0\0\0\0\0\0\0\x03\0\0\0\x02");
        assert_eq!(rst_stream(1, Code::RefusedStream), b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x07");
        assert_eq!(window_update(0, 256), b"\0\0\x04\x08\0\0\0\0\0\0\0\x01\0");
        let long = headers(1, &vec![7; MAX_FRAME + 1], true);
        assert_eq!(long[..9], *b"\0\x40\0\x01\x01\0\0\0\x01");
        assert_eq!(long[9 + MAX_FRAME..], *b"\0\0\x01\x09\x04\0\0\0\x01\x07");
    }
}
