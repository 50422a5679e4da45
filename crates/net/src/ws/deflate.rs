//! permessage-deflate, receiving half (RFC 7692).
//!
//! Offered is what costs the server least: it may keep its window between messages, and we promise not to compress what
//! we send. The window is always 32 KiB here, which reads every smaller one.

use super::read::WireError;
use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};

/// What the handshake offers.
pub(crate) const OFFER: &str = "permessage-deflate; client_no_context_takeover";

/// What both sides agreed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Agreed {
    /// Every message begins with an empty window.
    pub(crate) fresh_window: bool,
}

/// Reads the server's `Sec-WebSocket-Extensions`. Anything that was not offered is an error (RFC 6455 section 9.1).
pub(crate) fn agreed(header: &str) -> Result<Agreed, String> {
    let mut parts = header.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    if !name.eq_ignore_ascii_case("permessage-deflate") || header.contains(',') {
        return Err(format!("extension '{header}' was not offered"));
    }
    let mut agreed = Agreed { fresh_window: false };
    for part in parts {
        let (key, value) = part.split_once('=').map_or((part, None), |(k, v)| (k.trim(), Some(v.trim())));
        match key.to_ascii_lowercase().as_str() {
            "server_no_context_takeover" if value.is_none() => agreed.fresh_window = true,
            "client_no_context_takeover" if value.is_none() => {}
            "server_max_window_bits" if value.is_some_and(is_window) => {}
            _ => return Err(format!("extension parameter '{part}' was not offered")),
        }
    }
    Ok(agreed)
}

fn is_window(bits: &str) -> bool {
    matches!(bits.trim_matches('"').parse::<u8>(), Ok(8..=15))
}

/// Decompresses messages one after the other.
pub(crate) struct Inflater {
    state: Decompress,
    fresh_window: bool,
    scratch: Vec<u8>,
}

/// The scratch buffer goes back to this size after a larger message: most messages of a venue are under 4 KiB, and a
/// 20 MB snapshot comes once per connection.
const SCRATCH_KEPT: usize = 1 << 20;

impl Inflater {
    pub(crate) fn new(agreed: Agreed) -> Self {
        Self { state: Decompress::new(false), fresh_window: agreed.fresh_window, scratch: Vec::with_capacity(16 << 10) }
    }

    /// One whole message; stops as soon as the result exceeds `bytes_max`.
    pub(crate) fn message(&mut self, compressed: &[u8], bytes_max: usize) -> Result<Bytes, WireError> {
        self.scratch.clear();
        // The sender cuts the last four bytes of the flush off every message.
        for part in [compressed, &[0x00, 0x00, 0xff, 0xff]] {
            self.part(part, bytes_max)?;
        }
        if self.fresh_window {
            self.state.reset(false);
        }
        let whole = Bytes::copy_from_slice(&self.scratch);
        if self.scratch.capacity() > SCRATCH_KEPT {
            self.scratch = Vec::with_capacity(16 << 10);
        }
        Ok(whole)
    }

    fn part(&mut self, mut input: &[u8], bytes_max: usize) -> Result<(), WireError> {
        loop {
            if self.scratch.len() == self.scratch.capacity() {
                self.scratch.reserve(self.scratch.capacity().max(1024));
            }
            let (read, written) = (self.state.total_in(), self.scratch.len());
            let status = self
                .state
                .decompress_vec(input, &mut self.scratch, FlushDecompress::Sync)
                .map_err(|_e| WireError::Deflate)?;
            if self.scratch.len() > bytes_max {
                return Err(WireError::TooLarge { bytes_max });
            }
            let used = usize::try_from(self.state.total_in() - read).map_err(|_e| WireError::Deflate)?;
            input = &input[used..];
            if status == Status::StreamEnd {
                // A final block ends the deflate stream; the next message begins a new one.
                self.state.reset(false);
                return Ok(());
            }
            let full = self.scratch.len() == self.scratch.capacity();
            if input.is_empty() && !full {
                return Ok(());
            }
            if used == 0 && self.scratch.len() == written && !full {
                return Err(WireError::Deflate);
            }
        }
    }
}

impl core::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Inflater")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compress, Compression, FlushCompress};

    fn compress(state: &mut Compress, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() + 1024);
        state.compress_vec(text, &mut out, FlushCompress::Sync).unwrap();
        assert_eq!(out.split_off(out.len() - 4), [0, 0, 0xff, 0xff]);
        out
    }

    #[test]
    fn what_was_not_offered_is_refused() {
        for (header, want) in [
            ("permessage-deflate", Some(false)),
            ("permessage-deflate; server_no_context_takeover", Some(true)),
            ("Permessage-Deflate;client_no_context_takeover; server_max_window_bits=12", Some(false)),
            ("permessage-deflate; server_max_window_bits=\"15\"", Some(false)),
            ("permessage-deflate; server_max_window_bits=16", None),
            ("permessage-deflate; server_max_window_bits", None),
            ("permessage-deflate; client_max_window_bits=15", None),
            ("permessage-deflate, x-other", None),
            ("x-webkit-deflate-frame", None),
            ("", None),
        ] {
            assert_eq!(agreed(header).ok().map(|a| a.fresh_window), want, "{header}");
        }
    }

    #[test]
    fn messages_share_a_window_or_do_not() {
        for fresh_window in [false, true] {
            let mut sender = Compress::new(Compression::default(), false);
            let mut receiver = Inflater::new(Agreed { fresh_window });
            let mut sizes = Vec::new();
            for text in [
                "",
                "{\"e\":\"trade\",\"p\":\"64000.10\",\"q\":\"0.5\"}",
                "{\"e\":\"trade\",\"p\":\"64000.10\",\"q\":\"0.5\"}",
            ] {
                let wire = compress(&mut sender, text.as_bytes());
                sizes.push(wire.len());
                assert_eq!(receiver.message(&wire, 1 << 20).unwrap(), text.as_bytes(), "{fresh_window}");
                if fresh_window {
                    sender.reset();
                }
            }
            assert_eq!(sizes[2] < sizes[1], !fresh_window, "the window is what makes repetition cheap");
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit_and_rubbish_is_named() {
        let mut sender = Compress::new(Compression::best(), false);
        let bomb = compress(&mut sender, &vec![b'x'; 8 << 20]);
        assert!(bomb.len() < 20_000);
        let mut receiver = Inflater::new(Agreed { fresh_window: false });
        assert_eq!(receiver.message(&bomb, 1 << 20), Err(WireError::TooLarge { bytes_max: 1 << 20 }));
        assert!(receiver.scratch.capacity() < 4 << 20);
        let mut receiver = Inflater::new(Agreed { fresh_window: false });
        assert_eq!(receiver.message(&[0xff; 40], 1 << 20), Err(WireError::Deflate));
    }
}
