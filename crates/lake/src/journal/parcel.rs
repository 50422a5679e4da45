//! A stretch of a journal as one message for another machine: every entry later than `after`, up to `last`, and none besides.
//!
//! ```text
//! "BGP1"  after i64  last i64  entries u32      little endian
//! zstd, with its checksum, of the entries:
//!     stamp i64  0u8  venue (u8 length, text)  connection (u8 length, text)  frame (u32 length, bytes)
//!     stamp i64  1u8  control record (u32 length, JSON as in the journal's own file)
//! ```
//!
//! Whoever has everything up to `after` has everything up to `last` once it has taken the parcel: that is how a hole is seen.

use super::record::{ControlRecord, read_line, write_line};
use super::{Error, Result};
use barograph_domain::Ts;
use barograph_domain::text::number_of;
use std::path::Path;

const MAGIC: &[u8; 4] = b"BGP1";
const HEADER: usize = 4 + 8 + 8 + 4;
/// Fast enough not to matter beside decoding; frames of a second repeat each other's words.
const LEVEL: i32 = 1;
/// What a parcel may become when it is unpacked: one frame of the largest size and as much again.
const PLAIN_MAX: usize = 2 * super::FRAME_BYTES_MAX;
/// In place of a path in errors.
const PLACE: &str = "parcel";

/// Gathers entries.
#[derive(Debug)]
pub struct ParcelWriter {
    after: Ts,
    last: Ts,
    entries: u32,
    plain: Vec<u8>,
}

/// A packed stretch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parcel {
    after: Ts,
    last: Ts,
    entries: u32,
    bytes: Vec<u8>,
}

/// One entry of a parcel.
#[derive(Clone, PartialEq, Debug)]
pub enum ParcelEntry<'a> {
    /// A frame, or the body of a reply.
    Frame {
        /// Venue id.
        venue: &'a str,
        /// Name of the connection.
        connection: &'a str,
        /// The frame.
        bytes: &'a [u8],
    },
    /// A control record.
    Control(ControlRecord),
}

impl ParcelWriter {
    /// An empty one behind this stamp.
    #[must_use]
    pub const fn new(after: Ts) -> Self {
        Self { after, last: after, entries: 0, plain: Vec::new() }
    }

    /// Adds a frame.
    ///
    /// # Errors
    /// [`Error::Misuse`] for a stamp before the last one, and for names of more than 255 bytes.
    pub fn frame(&mut self, at: Ts, venue: &str, connection: &str, bytes: &[u8]) -> Result<()> {
        self.begin(at, 0)?;
        for name in [venue, connection] {
            let length = u8::try_from(name.len())
                .map_err(|_e| Error::Misuse(format!("a name of {} bytes; 255 are allowed", name.len())))?;
            self.plain.push(length);
            self.plain.extend_from_slice(name.as_bytes());
        }
        self.piece(bytes)
    }

    /// Adds a control record.
    ///
    /// # Errors
    /// As [`Self::frame`].
    pub fn control(&mut self, at: Ts, record: &ControlRecord) -> Result<()> {
        self.begin(at, 1)?;
        let mut line = Vec::new();
        write_line(&mut line, at, record)?;
        self.piece(line.trim_ascii_end())
    }

    fn begin(&mut self, at: Ts, kind: u8) -> Result<()> {
        // The body of a reply has the stamp of its record.
        if at < self.last || (at == self.last && self.entries == 0) {
            return Err(Error::Stamp { at, last: self.last });
        }
        (self.last, self.entries) = (at, self.entries + 1);
        self.plain.extend_from_slice(&at.0.to_le_bytes());
        self.plain.push(kind);
        Ok(())
    }

    fn piece(&mut self, bytes: &[u8]) -> Result<()> {
        let length =
            u32::try_from(bytes.len()).map_err(|_e| Error::Misuse(format!("{} bytes in one entry", bytes.len())))?;
        self.plain.extend_from_slice(&length.to_le_bytes());
        self.plain.extend_from_slice(bytes);
        Ok(())
    }

    /// Is there nothing in it?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// Stamp of the newest entry, or of what comes before the first.
    #[must_use]
    pub const fn last(&self) -> Ts {
        self.last
    }

    /// Bytes that have come together, not packed.
    #[must_use]
    pub const fn plain_bytes(&self) -> usize {
        self.plain.len()
    }

    /// Packs what has come together and begins anew behind it. `last` may be later than the newest entry: nothing lies between.
    ///
    /// # Errors
    /// When it cannot be packed.
    pub fn seal(&mut self, last: Ts) -> Result<Parcel> {
        let failed = |e: std::io::Error| Error::Misuse(format!("a parcel is not packed: {e}"));
        let last = last.max(self.last);
        let mut bytes = Vec::with_capacity(HEADER + self.plain.len() / 4);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.after.0.to_le_bytes());
        bytes.extend_from_slice(&last.0.to_le_bytes());
        bytes.extend_from_slice(&self.entries.to_le_bytes());
        let mut packer = zstd::Encoder::new(bytes, LEVEL).map_err(failed)?;
        packer.include_checksum(true).map_err(failed)?;
        std::io::Write::write_all(&mut packer, &self.plain).map_err(failed)?;
        let bytes = packer.finish().map_err(failed)?;
        let sealed = Parcel { after: self.after, last, entries: self.entries, bytes };
        self.plain.clear();
        (self.after, self.last, self.entries) = (last, last, 0);
        Ok(sealed)
    }
}

impl Parcel {
    /// Whoever has this stamp can take it.
    #[must_use]
    pub const fn after(&self) -> Ts {
        self.after
    }

    /// And has this one then.
    #[must_use]
    pub const fn last(&self) -> Ts {
        self.last
    }

    /// How many entries it holds.
    #[must_use]
    pub const fn entries(&self) -> u32 {
        self.entries
    }

    /// As it is sent.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// As it was received.
    ///
    /// # Errors
    /// [`Error::Damaged`] where these are not the bytes of a parcel.
    pub fn of(bytes: Vec<u8>) -> Result<Self> {
        if bytes.len() < HEADER || bytes[..4] != MAGIC[..] {
            return Err(damaged(format!("{} that do not begin with BGP1", number_of(bytes.len() as u64, "byte"))));
        }
        let number = |at: usize| i64::from_le_bytes(bytes[at..at + 8].try_into().unwrap_or_default());
        let entries = u32::from_le_bytes(bytes[20..24].try_into().unwrap_or_default());
        let (after, last) = (Ts(number(4)), Ts(number(12)));
        if after > last {
            return Err(damaged(format!("it ends at {last}, before it begins at {after}")));
        }
        Ok(Self { after, last, entries, bytes })
    }

    /// Hands over every entry later than `after`, in order.
    ///
    /// # Errors
    /// [`Error::Damaged`] for bytes that are not those that were packed, and what `take` gives.
    pub fn read<E: From<Error>>(
        &self,
        after: Ts,
        mut take: impl FnMut(Ts, ParcelEntry<'_>) -> core::result::Result<(), E>,
    ) -> core::result::Result<(), E> {
        let mut plain = Vec::new();
        let unpacker = zstd::Decoder::new(&self.bytes[HEADER..]).map_err(|e| damaged(e.to_string()))?;
        let mut unpacker = std::io::Read::take(unpacker, PLAIN_MAX as u64);
        std::io::Read::read_to_end(&mut unpacker, &mut plain).map_err(|e| damaged(e.to_string()))?;
        let (mut rest, mut count) = (&plain[..], 0);
        while !rest.is_empty() {
            let (at, entry) = entry(&mut rest)?;
            count += 1;
            if at > after {
                take(at, entry)?;
            }
        }
        if count == self.entries { Ok(()) } else { Err(damaged(format!("{count} entries of {}", self.entries)).into()) }
    }
}

fn damaged(what: impl Into<String>) -> Error {
    Error::damaged(Path::new(PLACE), 0, what)
}

fn entry<'a>(rest: &mut &'a [u8]) -> Result<(Ts, ParcelEntry<'a>)> {
    let at = Ts(i64::from_le_bytes(bytes(rest, 8)?.try_into().unwrap_or_default()));
    match bytes(rest, 1)? {
        [0] => {
            let (venue, connection) = (name(rest)?, name(rest)?);
            Ok((at, ParcelEntry::Frame { venue, connection, bytes: piece(rest)? }))
        }
        [1] => Ok((at, ParcelEntry::Control(read_line(piece(rest)?, Path::new(PLACE), 0)?))),
        other => Err(damaged(format!("an entry of kind {other:?}"))),
    }
}

fn bytes<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length).ok_or_else(|| damaged("an entry is cut short"))?;
    *rest = left;
    Ok(taken)
}

fn name<'a>(rest: &mut &'a [u8]) -> Result<&'a str> {
    let length = bytes(rest, 1)?[0];
    core::str::from_utf8(bytes(rest, usize::from(length))?).map_err(|e| damaged(format!("a name is not text: {e}")))
}

fn piece<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8]> {
    let length = u32::from_le_bytes(bytes(rest, 4)?.try_into().unwrap_or_default());
    bytes(rest, length as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled() -> Parcel {
        let mut writer = ParcelWriter::new(Ts(10));
        writer.control(Ts(11), &ControlRecord::Tick).unwrap();
        writer.frame(Ts(12), "coinex", "c1", b"{\"a\":\n1}\\").unwrap();
        writer.frame(Ts(12), "coinex", "rest", b"").unwrap();
        let sealed = writer.seal(Ts(15)).unwrap();
        assert!(writer.is_empty() && writer.last() == Ts(15) && sealed.entries() == 3);
        sealed
    }

    fn read(parcel: &Parcel, after: i64) -> Result<Vec<String>> {
        let mut seen = Vec::new();
        parcel.read(Ts(after), |at, entry| {
            seen.push(format!("{} {entry:?}", at.0));
            Ok::<(), Error>(())
        })?;
        Ok(seen)
    }

    #[test]
    fn a_parcel_comes_back_as_it_was_and_what_is_known_is_left_out() {
        let sent = filled();
        let parcel = Parcel::of(sent.bytes().to_vec()).unwrap();
        assert_eq!((parcel.after(), parcel.last()), (Ts(10), Ts(15)));
        assert_eq!(parcel, sent);
        assert_eq!(read(&parcel, 0).unwrap().len(), 3);
        assert_eq!(read(&parcel, 11).unwrap().len(), 2);
        assert_eq!(read(&parcel, 12).unwrap(), [] as [String; 0]);
    }

    #[test]
    fn no_changed_byte_passes() {
        let whole = filled().bytes().to_vec();
        let want = read(&filled(), 0).unwrap();
        for at in 20..whole.len() {
            let mut other = whole.clone();
            other[at] ^= 1;
            let got = Parcel::of(other).and_then(|parcel| read(&parcel, 0));
            // Bits of the zstd header that say how it was packed may differ; what comes out may not.
            assert!(got.is_err() || got.as_ref().is_ok_and(|seen| *seen == want), "byte {at}: {got:?}");
        }
        for length in 0..whole.len() {
            assert!(Parcel::of(whole[..length].to_vec()).and_then(|parcel| read(&parcel, 0)).is_err(), "{length}");
        }
    }

    #[test]
    fn stamps_only_grow() {
        let mut writer = ParcelWriter::new(Ts(10));
        assert!(writer.control(Ts(10), &ControlRecord::Tick).is_err());
        writer.control(Ts(12), &ControlRecord::Tick).unwrap();
        assert!(writer.frame(Ts(11), "coinex", "c1", b"x").is_err());
    }
}
