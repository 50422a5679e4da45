//! Frames of the socket: gzip, zlib or plain text, by their first bytes (sheet §3).

use super::limits::MESSAGE_BYTES_MAX;
use flate2::{Crc, Decompress, FlushDecompress, Status};

/// Memory kept for texts between messages.
const TEXT_KEPT: usize = 1 << 20;

/// Unpacks frames one after the other, in memory that is used again.
#[derive(Debug, Default)]
pub(super) struct Unpacker {
    inflater: Option<Decompress>,
    text: Vec<u8>,
}

impl Unpacker {
    /// The text of a frame; `None`: it is compressed and damaged, or too large.
    pub(super) fn open<'a>(&'a mut self, frame: &'a [u8]) -> Option<&'a [u8]> {
        match frame {
            [0x1f, 0x8b, ..] => {
                let (body, [a, b, c, d, size @ ..]) = gzip_body(frame)?.split_last_chunk::<8>()?;
                self.inflate(body, false)?;
                let mut crc = Crc::new();
                crc.update(&self.text);
                let length = u32::try_from(self.text.len()).ok()?;
                let whole = crc.sum() == u32::from_le_bytes([*a, *b, *c, *d]) && length == u32::from_le_bytes(*size);
                whole.then_some(&self.text)
            }
            [head, flags, ..] if is_zlib(*head, *flags) => {
                self.inflate(frame, true)?;
                Some(&self.text)
            }
            _ => Some(frame),
        }
    }

    fn inflate(&mut self, mut packed: &[u8], zlib: bool) -> Option<()> {
        if self.text.capacity() > TEXT_KEPT {
            self.text = Vec::new();
        }
        self.text.clear();
        let inflater = self.inflater.get_or_insert_with(|| Decompress::new(zlib));
        inflater.reset(zlib);
        loop {
            if self.text.len() == self.text.capacity() {
                if self.text.len() >= MESSAGE_BYTES_MAX {
                    return None;
                }
                self.text.reserve(self.text.capacity().max(16 << 10));
            }
            let (read, written) = (inflater.total_in(), self.text.len());
            let status = inflater.decompress_vec(packed, &mut self.text, FlushDecompress::None).ok()?;
            let used = usize::try_from(inflater.total_in() - read).ok()?;
            packed = packed.get(used..)?;
            if status == Status::StreamEnd {
                return packed.is_empty().then_some(());
            }
            if used == 0 && self.text.len() == written && written < self.text.capacity() {
                // Cut off.
                return None;
            }
        }
    }
}

/// A zlib header (RFC 1950): method 8, and both bytes a multiple of 31. No JSON begins with an `x`.
fn is_zlib(head: u8, flags: u8) -> bool {
    head & 0x0f == 8 && head >> 4 <= 7 && (u16::from(head) << 8 | u16::from(flags)).is_multiple_of(31)
}

/// What stands behind the header of a gzip member (RFC 1952).
fn gzip_body(frame: &[u8]) -> Option<&[u8]> {
    let [0x1f, 0x8b, 8, flags, _, _, _, _, _, _, rest @ ..] = frame else { return None };
    let mut rest = rest;
    let has = |bit: u8| flags & bit != 0;
    if has(0xe0) {
        return None;
    }
    if has(4) {
        let (size, more) = rest.split_first_chunk::<2>()?;
        rest = more.get(usize::from(u16::from_le_bytes(*size))..)?;
    }
    for name in [8, 16] {
        if has(name) {
            let end = rest.iter().position(|b| *b == 0)?;
            rest = rest.get(end + 1..)?;
        }
    }
    if has(2) { rest.get(2..) } else { Some(rest) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::write::{GzEncoder, ZlibEncoder};
    use flate2::{Compression, GzBuilder};
    use std::io::Write as _;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(text).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn gzip_zlib_and_text_are_the_same_message() {
        let texts = [br#"{"method":"state.update"}"#.to_vec(), b"{}".to_vec(), vec![b' '; 100_000], Vec::new()];
        let mut unpacker = Unpacker::default();
        for text in &texts {
            let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
            zlib.write_all(text).unwrap();
            let mut named =
                GzBuilder::new().filename("a").comment("b").extra(vec![1, 2, 3]).write(Vec::new(), Compression::fast());
            named.write_all(text).unwrap();
            for frame in [gzip(text), zlib.finish().unwrap(), named.finish().unwrap(), text.clone()] {
                assert_eq!(unpacker.open(&frame), Some(&text[..]), "{frame:?}");
            }
        }
    }

    #[test]
    fn damaged_frames_are_refused_and_the_next_one_is_read() {
        let text = br#"{"method":"depth.update","data":{"market":"BTCUSDT","is_full":true}}"#;
        let good = gzip(text);
        let (mut unpacker, mut refused) = (Unpacker::default(), 0);
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            // Name, time and system of the header may be anything, and without the mark it is taken for text. What is read all the
            // same has the right checksum.
            let read = unpacker.open(&bad);
            assert!((0..10).contains(&at) || read.is_none_or(|read| read == text), "byte {at}");
            refused += usize::from(unpacker.open(&bad).is_none());
            assert!(at < 2 || unpacker.open(&good[..at]).is_none(), "cut at {at}");
            assert_eq!(unpacker.open(&good), Some(&text[..]));
        }
        assert!(refused + 12 > good.len(), "{refused} of {}", good.len());
    }

    #[test]
    fn a_small_frame_of_much_text_is_refused() {
        let bomb = gzip(&vec![b' '; 9 << 20]);
        assert!(bomb.len() < 20_000 && Unpacker::default().open(&bomb).is_none());
    }
}
