//! Bytes from the server to messages (RFC 6455 section 5).
//!
//! [`FrameReader::next`] takes what it can from the front of a buffer and leaves the rest. A message in one uncompressed frame
//! is handed on without copying: it shares the memory of the read buffer.

use super::deflate::{Agreed, Inflater};
use bytes::{Buf, Bytes, BytesMut};
use core::fmt;

/// One thing the server said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum ServerFrame {
    /// A whole text or binary message.
    Message(Bytes),
    /// It wants the same payload back.
    Ping(Bytes),
    /// Its answer to a ping, or a sign of life.
    Pong,
    /// It closes: code (where given) and reason.
    Close(Option<u16>, String),
}

/// Why bytes are no WebSocket. The connection is of no use afterwards.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum WireError {
    /// A message exceeds the limit.
    TooLarge { bytes_max: usize },
    /// Reserved bits or codes that were not agreed on.
    Reserved { first_byte: u8 },
    /// A server must not mask.
    Masked,
    /// A control frame that is too long or in pieces, or a close frame of one byte.
    Control { first_byte: u8 },
    /// A continuation without a beginning, or a beginning within a message.
    Fragments { first_byte: u8 },
    /// Compressed data that cannot be decompressed.
    Deflate,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes_max } => write!(f, "a message exceeds {bytes_max} bytes"),
            Self::Reserved { first_byte } => write!(f, "frame begins with {first_byte:#04x}, which was not agreed on"),
            Self::Masked => f.write_str("the server masks its frames"),
            Self::Control { first_byte } => write!(f, "malformed control frame {first_byte:#04x}"),
            Self::Fragments { first_byte } => write!(f, "frame {first_byte:#04x} is out of place in a message"),
            Self::Deflate => f.write_str("a compressed message cannot be decompressed"),
        }
    }
}

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// Reads one connection.
#[derive(Debug)]
pub(crate) struct FrameReader {
    bytes_max: usize,
    inflater: Option<Inflater>,
    partial: Option<Partial>,
}

/// A message in pieces.
#[derive(Debug)]
struct Partial {
    compressed: bool,
    bytes: BytesMut,
}

/// The fixed part of a frame.
struct Head {
    first: u8,
    head_bytes: usize,
    payload_bytes: usize,
}

impl FrameReader {
    /// `bytes_max`: largest message, after decompression.
    pub(crate) fn new(bytes_max: usize, deflate: Option<Agreed>) -> Self {
        Self { bytes_max, inflater: deflate.map(Inflater::new), partial: None }
    }

    /// The next thing the server said, or `None` until more bytes are there.
    pub(crate) fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<ServerFrame>, WireError> {
        loop {
            let Some(head) = self.head(buffer)? else { return Ok(None) };
            if buffer.len() < head.head_bytes + head.payload_bytes {
                return Ok(None);
            }
            buffer.advance(head.head_bytes);
            let payload = buffer.split_to(head.payload_bytes).freeze();
            let said = match head.first & 0x0f {
                CLOSE => Some(close(head.first, &payload)?),
                PING => Some(ServerFrame::Ping(payload)),
                PONG => Some(ServerFrame::Pong),
                _ => self.piece(head.first, payload)?.map(ServerFrame::Message),
            };
            if said.is_some() {
                return Ok(said);
            }
        }
    }

    /// Checks whatever of the head is there, so that a bad frame is refused before its payload is waited for.
    fn head(&self, buffer: &[u8]) -> Result<Option<Head>, WireError> {
        let [first, second, ..] = *buffer else { return Ok(None) };
        let (fin, opcode) = (first & FIN != 0, first & 0x0f);
        let compressed_start = self.inflater.is_some() && matches!(opcode, TEXT | BINARY);
        if first & 0x30 != 0 || (first & RSV1 != 0 && !compressed_start) {
            return Err(WireError::Reserved { first_byte: first });
        }
        if second & 0x80 != 0 {
            return Err(WireError::Masked);
        }
        let short = second & 0x7f;
        match opcode {
            CONTINUATION if self.partial.is_none() => return Err(WireError::Fragments { first_byte: first }),
            TEXT | BINARY if self.partial.is_some() => return Err(WireError::Fragments { first_byte: first }),
            CONTINUATION | TEXT | BINARY => {}
            CLOSE | PING | PONG if fin && short <= 125 => {}
            CLOSE | PING | PONG => return Err(WireError::Control { first_byte: first }),
            _ => return Err(WireError::Reserved { first_byte: first }),
        }
        let (head_bytes, payload_bytes) = match (short, &buffer[2..]) {
            (126, [a, b, ..]) => (4, u64::from(u16::from_be_bytes([*a, *b]))),
            (127, [a, b, c, d, e, f, g, h, ..]) => (10, u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h])),
            (126 | 127, _) => return Ok(None),
            (n, _) => (2, u64::from(n)),
        };
        let held = self.partial.as_ref().map_or(0, |p| p.bytes.len());
        let too_large = WireError::TooLarge { bytes_max: self.bytes_max };
        match usize::try_from(payload_bytes) {
            Ok(n) if n.saturating_add(held) <= self.bytes_max => Ok(Some(Head { first, head_bytes, payload_bytes: n })),
            Ok(_) | Err(_) => Err(too_large),
        }
    }

    /// A data frame; the whole message when it was the last piece.
    fn piece(&mut self, first: u8, payload: Bytes) -> Result<Option<Bytes>, WireError> {
        let last = first & FIN != 0;
        let (compressed, bytes) = match self.partial.take() {
            None if last => (first & RSV1 != 0, payload),
            None => {
                let bytes = BytesMut::from(&payload[..]);
                self.partial = Some(Partial { compressed: first & RSV1 != 0, bytes });
                return Ok(None);
            }
            Some(mut partial) => {
                partial.bytes.extend_from_slice(&payload);
                if !last {
                    self.partial = Some(partial);
                    return Ok(None);
                }
                (partial.compressed, partial.bytes.freeze())
            }
        };
        match &mut self.inflater {
            Some(inflater) if compressed => inflater.message(&bytes, self.bytes_max).map(Some),
            Some(_) | None => Ok(Some(bytes)),
        }
    }
}

fn close(first_byte: u8, payload: &[u8]) -> Result<ServerFrame, WireError> {
    match *payload {
        [] => Ok(ServerFrame::Close(None, String::new())),
        [_] => Err(WireError::Control { first_byte }),
        [a, b, ref reason @ ..] => {
            Ok(ServerFrame::Close(Some(u16::from_be_bytes([a, b])), String::from_utf8_lossy(reason).into_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![first];
        match payload.len() {
            n @ 0..=125 => out.push(u8::try_from(n).unwrap()),
            n @ 126..=65_535 => {
                out.push(126);
                out.extend(u16::try_from(n).unwrap().to_be_bytes());
            }
            n => {
                out.push(127);
                out.extend((n as u64).to_be_bytes());
            }
        }
        out.extend_from_slice(payload);
        out
    }

    /// Everything the bytes say, given to a reader in the given pieces.
    fn read(pieces: &[&[u8]], bytes_max: usize) -> (Vec<ServerFrame>, Option<WireError>) {
        let mut reader = FrameReader::new(bytes_max, None);
        let (mut buffer, mut said) = (BytesMut::new(), Vec::new());
        for piece in pieces {
            buffer.extend_from_slice(piece);
            loop {
                match reader.next(&mut buffer) {
                    Ok(Some(s)) => said.push(s),
                    Ok(None) => break,
                    Err(e) => return (said, Some(e)),
                }
            }
        }
        (said, None)
    }

    #[test]
    fn the_limit_holds_for_the_sum_of_the_pieces_before_they_are_read() {
        let mut wire = [frame(0x01, &[0; 60]), frame(0x00, &[0; 40])].concat();
        wire.extend([0x80, 1]);
        assert_eq!(read(&[&wire], 100).1, Some(WireError::TooLarge { bytes_max: 100 }));
        assert_eq!(read(&[&wire], 101).1, None);
        let claim = [0x81, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(read(&[&claim], usize::MAX - 1).1, Some(WireError::TooLarge { bytes_max: usize::MAX - 1 }));
    }

    #[test]
    fn what_a_server_must_not_send_is_refused_at_the_head() {
        for (wire, want) in [
            (vec![0x89, 126], WireError::Control { first_byte: 0x89 }),
            (vec![0x09, 0], WireError::Control { first_byte: 0x09 }),
            (vec![0x88, 1, 3], WireError::Control { first_byte: 0x88 }),
            (vec![0x80, 0], WireError::Fragments { first_byte: 0x80 }),
            ([frame(0x01, b"a"), frame(0x81, b"b")].concat(), WireError::Fragments { first_byte: 0x81 }),
            (vec![0x81, 0x80], WireError::Masked),
            (vec![0xa1, 0], WireError::Reserved { first_byte: 0xa1 }),
            (vec![0xc1, 0], WireError::Reserved { first_byte: 0xc1 }),
            (vec![0x8b, 0], WireError::Reserved { first_byte: 0x8b }),
            (vec![0x87, 0], WireError::Reserved { first_byte: 0x87 }),
        ] {
            assert_eq!(read(&[&wire], 1_000).1, Some(want), "{wire:?}");
        }
    }

    proptest! {
        /// How the network cuts the bytes changes nothing.
        #[test]
        fn cuts_change_nothing(
            frames in prop::collection::vec((any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 0..300)), 1..20),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let kinds = [TEXT | FIN, BINARY | FIN, PING | FIN, PONG | FIN];
            let mut wire = Vec::new();
            for (kind, payload) in &frames {
                let first = *kind.get(&kinds);
                let most = if first & 0x08 == 0 { payload.len() } else { payload.len().min(125) };
                wire.extend(frame(first, &payload[..most]));
            }
            let mut at: Vec<usize> = cuts.iter().map(|c| c.index(wire.len() + 1)).collect();
            at.push(wire.len());
            at.sort_unstable();
            let mut from = 0;
            let pieces: Vec<&[u8]> = at.into_iter().map(|to| &wire[core::mem::replace(&mut from, to)..to]).collect();
            let whole = read(&[&wire], 1_000);
            prop_assert_eq!(&read(&pieces, 1_000), &whole);
            prop_assert_eq!(whole.0.len(), frames.len());
        }

        /// Whatever comes, there is no panic, and nothing held beyond what came.
        #[test]
        fn any_bytes_are_read_or_refused(wire in prop::collection::vec(any::<u8>(), 0..600)) {
            let mut reader = FrameReader::new(400, Some(Agreed { fresh_window: false }));
            let mut buffer = BytesMut::from(&wire[..]);
            while let Ok(Some(said)) = reader.next(&mut buffer) {
                if let ServerFrame::Message(bytes) = said {
                    prop_assert!(bytes.len() <= 400);
                }
            }
        }
    }
}
