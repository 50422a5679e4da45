//! SHA-256 of an object's bytes.

use core::fmt;
use sha2::{Digest as _, Sha256};
use std::io::{self, Read, Write};

/// Bytes read at once.
const PIECE: usize = 256 * 1024;

/// SHA-256 of an object; 64 hexadecimal digits as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectDigest([u8; 32]);

impl ObjectDigest {
    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Of all that a reader gives, and how many bytes that were.
    ///
    /// # Errors
    /// When the reader fails.
    pub fn of_reader(reader: &mut dyn Read) -> io::Result<(Self, u64)> {
        let mut tally = TallyingWriter::new(io::sink());
        let mut piece = vec![0; PIECE];
        loop {
            match reader.read(&mut piece) {
                Ok(0) => return Ok(tally.finish()),
                Ok(n) => tally.write_all(&piece[..n])?,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// From 64 hexadecimal digits; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        if text.len() != 64 {
            return None;
        }
        let mut out = [0; 32];
        for (byte, digits) in out.iter_mut().zip(text.chunks_exact(2)) {
            let digit = |d: u8| char::from(d).to_digit(16).and_then(|d| u8::try_from(d).ok());
            *byte = digit(digits[0])? << 4 | digit(digits[1])?;
        }
        Some(Self(out))
    }

    /// Its 32 bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ObjectDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Passes bytes on and counts and digests them.
pub struct TallyingWriter<W> {
    inner: W,
    hash: Sha256,
    written: u64,
}

impl<W: Write> TallyingWriter<W> {
    /// Passes everything on to this writer.
    pub fn new(inner: W) -> Self {
        Self { inner, hash: Sha256::new(), written: 0 }
    }

    /// What bytes are passed on to.
    pub const fn inner(&self) -> &W {
        &self.inner
    }

    /// Bytes passed on so far.
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// The digest of what was passed on, and how many bytes that were.
    pub fn finish(self) -> (ObjectDigest, u64) {
        (ObjectDigest(self.hash.finalize().into()), self.written)
    }
}

impl<W: Write> Write for TallyingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hash.update(&bytes[..n]);
        self.written += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W> fmt::Debug for TallyingWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TallyingWriter({} bytes)", self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_what_other_programs_print_and_comes_back_from_text() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(ObjectDigest::of(b"").to_string(), empty);
        assert_eq!(ObjectDigest::parse(empty), Some(ObjectDigest::of(b"")));
        assert_eq!(ObjectDigest::parse(&empty.to_uppercase()), Some(ObjectDigest::of(b"")));
        for bad in ["", "e3", &"g".repeat(64), &"ä".repeat(32), &"+1".repeat(32)] {
            assert_eq!(ObjectDigest::parse(bad), None, "{bad}");
        }
        let long = vec![7_u8; PIECE + 1];
        let read = ObjectDigest::of_reader(&mut long.as_slice()).unwrap();
        assert_eq!(read, (ObjectDigest::of(&long), long.len() as u64));
    }
}
