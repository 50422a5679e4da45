//! Compression of messages (RFC 7692), each by itself: no message needs the one before, so a lost one harms no other.

use flate2::write::GzEncoder;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use std::io::Write as _;

/// What the server agrees to, whatever else was offered.
pub(crate) const AGREED: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// Ends every block that is flushed, and is not sent (RFC 7692 section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xFF, 0xFF];

/// Compresses messages.
#[derive(Debug)]
pub(crate) struct Squeezer(Compress);

impl Squeezer {
    pub(crate) fn new() -> Self {
        Self(Compress::new(Compression::fast(), false))
    }

    /// A message made of pieces, compressed; `None` if the compressor fails, which it has no reason to.
    pub(crate) fn squeeze(&mut self, pieces: &[&[u8]]) -> Option<Vec<u8>> {
        let whole = pieces.concat();
        let mut out = Vec::with_capacity(whole.len() + 64);
        self.0.reset();
        loop {
            let taken = usize::try_from(self.0.total_in()).ok()?;
            self.0.compress_vec(&whole[taken..], &mut out, FlushCompress::Sync).ok()?;
            // Room left over means that everything has come out.
            if usize::try_from(self.0.total_in()).ok()? == whole.len() && out.len() < out.capacity() {
                break;
            }
            out.reserve(whole.len());
        }
        out.ends_with(&TAIL).then(|| out.truncate(out.len() - TAIL.len()))?;
        Some(out)
    }
}

/// A message made of pieces as a gzip member (RFC 1952), for the venue that packs messages itself; `None` as above.
pub(crate) fn gzip(pieces: &[&[u8]]) -> Option<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    pieces.iter().try_for_each(|piece| packer.write_all(piece)).ok()?;
    packer.finish().ok()
}

/// The text of a compressed message; `None` when it is broken or longer than `max`.
pub(crate) fn inflate(message: &[u8], max: usize) -> Option<Vec<u8>> {
    let mut input = message.to_vec();
    input.extend_from_slice(&TAIL);
    let mut out = Vec::with_capacity(max + 1);
    let mut inflater = Decompress::new(false);
    inflater.decompress_vec(&input, &mut out, FlushDecompress::Sync).ok()?;
    let all = usize::try_from(inflater.total_in()).ok()? == input.len();
    (all && out.len() <= max).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_each_by_itself() {
        let mut squeezer = Squeezer::new();
        let long = "{\"e\":\"depthUpdate\"}".repeat(500);
        for text in ["", "x", "{\"e\":\"trade\"}", &long, "x"] {
            let squeezed = squeezer.squeeze(&[text.as_bytes()]).unwrap();
            assert_eq!(inflate(&squeezed, 64 * 1024).as_deref(), Some(text.as_bytes()));
        }
        let squeezed = squeezer.squeeze(&[b"prefix", long.as_bytes()]).unwrap();
        assert!(squeezed.len() < long.len() / 10);
        assert_eq!(inflate(&squeezed, 100), None, "too long");
        assert_eq!(inflate(&[0xFF; 20], 1_000), None, "broken");
    }
}
