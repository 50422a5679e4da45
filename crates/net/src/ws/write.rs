//! What we say to the server: whole, masked frames (RFC 6455 section 5.3).

use crate::random::Random;
use bytes::{BufMut, BytesMut};

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// A text message.
pub(crate) fn text(out: &mut BytesMut, text: &str, random: &mut Random) {
    frame(out, TEXT, text.as_bytes(), random);
}

/// A ping without payload.
pub(crate) fn ping(out: &mut BytesMut, random: &mut Random) {
    frame(out, PING, &[], random);
}

/// The answer to a ping: the same payload.
pub(crate) fn pong(out: &mut BytesMut, payload: &[u8], random: &mut Random) {
    frame(out, PONG, payload, random);
}

/// A closing frame with its code: 1000 normal, 1001 going away, 1002 protocol error.
pub(crate) fn close(out: &mut BytesMut, code: u16, random: &mut Random) {
    frame(out, CLOSE, &code.to_be_bytes(), random);
}

fn frame(out: &mut BytesMut, first: u8, payload: &[u8], random: &mut Random) {
    out.reserve(payload.len() + 14);
    out.put_u8(first);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(n), _) if n <= 125 => out.put_u8(0x80 | n),
        (_, Ok(n)) => {
            out.put_u8(0x80 | 126);
            out.put_u16(n);
        }
        _ => {
            out.put_u8(0x80 | 127);
            out.put_u64(payload.len() as u64);
        }
    }
    let key = random.next_u32().to_be_bytes();
    out.put_slice(&key);
    let start = out.len();
    out.put_slice(payload);
    for (byte, key) in out[start..].iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unmasked(frame: &[u8]) -> (u8, Vec<u8>) {
        assert_eq!(frame[1] & 0x80, 0x80, "a client masks");
        let (head, len) = match frame[1] & 0x7f {
            126 => (4, usize::from(u16::from_be_bytes([frame[2], frame[3]]))),
            127 => (10, usize::try_from(u64::from_be_bytes(frame[2..10].try_into().unwrap())).unwrap()),
            n => (2, usize::from(n)),
        };
        let key = &frame[head..head + 4];
        let payload: Vec<u8> = frame[head + 4..].iter().zip(key.iter().cycle()).map(|(b, k)| b ^ k).collect();
        assert_eq!(payload.len(), len);
        (frame[0], payload)
    }

    #[test]
    fn frames_are_masked_and_say_their_length() {
        let mut random = Random::seeded(7);
        for len in [0, 1, 125, 126, 65_535, 65_536] {
            let said = "s".repeat(len);
            let mut out = BytesMut::new();
            text(&mut out, &said, &mut random);
            assert_eq!(unmasked(&out), (0x81, said.into_bytes()), "{len}");
        }
        let mut out = BytesMut::new();
        close(&mut out, 1000, &mut random);
        assert_eq!(unmasked(&out), (0x88, vec![3, 232]));
        let mut out = BytesMut::new();
        pong(&mut out, b"abc", &mut random);
        assert_eq!(unmasked(&out), (0x8a, b"abc".to_vec()));
    }
}
