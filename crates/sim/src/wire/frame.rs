//! WebSocket framing of the server's side (RFC 6455 section 5), on byte buffers.
//!
//! Written by hand because the faults need it: a frame that stops in the middle, bytes that are formatted once and
//! shared by all subscribers. Frames of the server carry no mask; frames of a client must.

use crate::wire::deflate;

/// The bit of a message that is compressed (RFC 7692 section 7).
const COMPRESSED: u8 = 0x40;

/// Kinds of frames that occur.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    const fn code(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }

    const fn of(code: u8) -> Option<Self> {
        Some(match code {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }
}

/// Appends the head of a whole frame with a payload of `len` bytes.
pub(crate) fn head(out: &mut Vec<u8>, opcode: Opcode, len: usize) {
    head_with(out, 0x80 | opcode.code(), len);
}

/// The same for a text that is compressed.
pub(crate) fn compressed_head(out: &mut Vec<u8>, len: usize) {
    head_with(out, 0x80 | COMPRESSED | Opcode::Text.code(), len);
}

fn head_with(out: &mut Vec<u8>, first: u8, len: usize) {
    out.push(first);
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(short), _) if short < 126 => out.push(short),
        (_, Ok(middle)) => {
            out.push(126);
            out.extend_from_slice(&middle.to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
}

/// Appends a whole frame.
pub(crate) fn whole(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    head(out, opcode, payload.len());
    out.extend_from_slice(payload);
}

/// Appends a close frame.
pub(crate) fn close(out: &mut Vec<u8>, code: u16, reason: &str) {
    head(out, Opcode::Close, 2 + reason.len());
    out.extend_from_slice(&code.to_be_bytes());
    out.extend_from_slice(reason.as_bytes());
}

/// What a client sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Received {
    pub(crate) opcode: Opcode,
    pub(crate) payload: Vec<u8>,
}

/// Why a client's bytes are refused: the close code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CloseCode {
    /// Not a client's frame: no mask, unknown kind, reserved bits (1002).
    Protocol,
    /// Larger than any request a client has reason to send (1009).
    TooBig,
}

/// Largest request: 200 stream names of 40 bytes, times eight.
const REQUEST_BYTES_MAX: usize = 64 * 1024;

/// Puts a client's frames together from the bytes as they come.
#[derive(Debug, Default)]
pub(crate) struct FrameAssembler {
    buffer: Vec<u8>,
    partial: Vec<u8>,
    /// Whether compression was agreed on.
    deflate: bool,
    squeezed: bool,
}

impl FrameAssembler {
    pub(crate) fn new(deflate: bool) -> Self {
        Self { deflate, ..Self::default() }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, if there is one.
    pub(crate) fn next(&mut self) -> Result<Option<Received>, CloseCode> {
        loop {
            let [first, second, ..] = self.buffer[..] else { return Ok(None) };
            let opcode = Opcode::of(first & 0x0F).ok_or(CloseCode::Protocol)?;
            let squeezed = first & 0x70 == COMPRESSED && self.deflate && opcode == Opcode::Text;
            if first & 0x70 != 0 && !squeezed {
                return Err(CloseCode::Protocol);
            }
            if second & 0x80 == 0 {
                return Err(CloseCode::Protocol);
            }
            let Some((at, len)) = self.length(second & 0x7F) else { return Ok(None) };
            if len > REQUEST_BYTES_MAX || self.partial.len() + len > REQUEST_BYTES_MAX {
                return Err(CloseCode::TooBig);
            }
            if self.buffer.len() < at + 4 + len {
                return Ok(None);
            }
            let mask: Vec<u8> = self.buffer[at..at + 4].to_vec();
            let masked = self.buffer[at + 4..at + 4 + len].iter();
            let payload: Vec<u8> = masked.zip(mask.iter().cycle()).map(|(b, m)| b ^ m).collect();
            self.buffer.drain(..at + 4 + len);
            let last = first & 0x80 != 0;
            match opcode {
                Opcode::Close | Opcode::Ping | Opcode::Pong => return Ok(Some(Received { opcode, payload })),
                Opcode::Text | Opcode::Binary | Opcode::Continuation => {
                    self.squeezed |= squeezed;
                    self.partial.extend_from_slice(&payload);
                    if last {
                        let mut payload = core::mem::take(&mut self.partial);
                        if core::mem::take(&mut self.squeezed) {
                            payload = deflate::inflate(&payload, REQUEST_BYTES_MAX).ok_or(CloseCode::Protocol)?;
                        }
                        return Ok(Some(Received { opcode: Opcode::Text, payload }));
                    }
                }
            }
        }
    }

    /// Where the mask begins and how long the payload is.
    fn length(&self, short: u8) -> Option<(usize, usize)> {
        match short {
            126 => {
                let bytes = self.buffer.get(2..4)?.try_into().ok()?;
                Some((4, usize::from(u16::from_be_bytes(bytes))))
            }
            127 => {
                let bytes = self.buffer.get(2..10)?.try_into().ok()?;
                Some((10, usize::try_from(u64::from_be_bytes(bytes)).unwrap_or(usize::MAX / 2)))
            }
            short => Some((2, usize::from(short))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        if payload.len() < 126 {
            bytes.push(0x80 | u8::try_from(payload.len()).unwrap());
        } else {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_be_bytes());
        }
        let mask = [1, 2, 3, 4];
        bytes.extend_from_slice(&mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(b, m)| b ^ m));
        bytes
    }

    #[test]
    fn frames_arrive_in_pieces() {
        let long = "x".repeat(300);
        let mut bytes = masked(0x81, b"hello");
        bytes.extend(masked(0x89, b"17"));
        bytes.extend(masked(0x01, b"two "));
        bytes.extend(masked(0x80, b"parts"));
        bytes.extend(masked(0x81, long.as_bytes()));
        let (mut reader, mut got) = (FrameAssembler::default(), Vec::new());
        for byte in bytes {
            reader.feed(&[byte]);
            while let Some(message) = reader.next().unwrap() {
                got.push((message.opcode, String::from_utf8(message.payload).unwrap()));
            }
        }
        let want = [(Opcode::Text, "hello"), (Opcode::Ping, "17"), (Opcode::Text, "two parts"), (Opcode::Text, &long)];
        assert_eq!(got, want.map(|(o, t)| (o, t.to_owned())));
    }

    #[test]
    fn what_no_client_may_send_is_refused() {
        let cases: [(&[u8], CloseCode); 3] = [
            (&[0x81, 0x05], CloseCode::Protocol),
            (&[0x83, 0x80], CloseCode::Protocol),
            (&[0xC1, 0x80], CloseCode::Protocol),
        ];
        for (bytes, want) in cases {
            let mut reader = FrameAssembler::default();
            reader.feed(bytes);
            assert_eq!(reader.next(), Err(want));
        }
        let mut reader = FrameAssembler::default();
        reader.feed(&[0x81, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
        assert_eq!(reader.next(), Err(CloseCode::TooBig));
    }

    #[test]
    fn heads_have_the_shortest_length() {
        let head_of = |len| {
            let mut out = Vec::new();
            head(&mut out, Opcode::Text, len);
            out
        };
        assert_eq!(head_of(125), [0x81, 125]);
        assert_eq!(head_of(126), [0x81, 126, 0, 126]);
        assert_eq!(head_of(70_000), [0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]);
    }
}
