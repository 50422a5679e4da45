//! A journal to play with, and what was read from one as plain values.

use barograph_domain::{Span, Ts};
use barograph_lake::journal::{
    ControlRecord, EntryKind, FileKey, JournalConfig, JournalReader, JournalWriter, Selection, Tail,
};
use std::path::{Path, PathBuf};

/// 2026-02-05T14:59:50Z: ten seconds before the end of an hour.
pub(crate) fn begin() -> Ts {
    Ts::from_civil(2026, 2, 5, 14, 59, 50)
}

/// One line as it was handed in or read back.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Line {
    Frame { at: Ts, venue: String, connection: String, seq: u64, bytes: Vec<u8> },
    Control { at: Ts, record: ControlRecord },
}

impl Line {
    pub(crate) fn at(&self) -> Ts {
        match self {
            Self::Frame { at, .. } | Self::Control { at, .. } => *at,
        }
    }
}

pub(crate) fn open(root: &Path) -> JournalWriter {
    open_with(JournalConfig::new(root))
}

pub(crate) fn open_with(config: JournalConfig) -> JournalWriter {
    JournalWriter::open(config, begin()).unwrap().0
}

/// Everything later than `after`, and the tails.
pub(crate) fn read_after(root: &Path, after: Option<Ts>) -> (Vec<Line>, Vec<Tail>) {
    read_selected(root, Selection { after, ..Selection::default() }).unwrap()
}

pub(crate) fn read(root: &Path) -> Vec<Line> {
    read_after(root, None).0
}

pub(crate) fn read_selected(
    root: &Path,
    selection: Selection,
) -> barograph_lake::journal::Result<(Vec<Line>, Vec<Tail>)> {
    let mut reader = JournalReader::open_selected(root, selection)?;
    let mut lines = Vec::new();
    while let Some(entry) = reader.next()? {
        let at = entry.at;
        lines.push(match entry.kind {
            EntryKind::Frame { venue, connection, seq, bytes, .. } => Line::Frame {
                at,
                venue: venue.to_owned(),
                connection: connection.to_owned(),
                seq,
                bytes: bytes.to_vec(),
            },
            EntryKind::Control(record) => Line::Control { at, record },
        });
    }
    Ok((lines, reader.tails().to_vec()))
}

/// Every file below a folder that ends in `.zst`, sorted.
pub(crate) fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "zst") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The text of a file as `zstdcat` shows it.
pub(crate) fn text(path: &Path) -> Vec<u8> {
    zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap()
}

/// A small random number generator: the tests want the same journal every time.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Writes `n` random lines on `connections` connections and gives back what was written. Stamps go on by up to `step`.
pub(crate) fn scribble(writer: &mut JournalWriter, seed: u64, n: usize, connections: usize, step: Span) -> Vec<Line> {
    let mut dice = Dice(seed);
    let mut at = writer.last().unwrap_or(begin()) + Span(1);
    let name = |c: usize| (format!("venue-{}", c % 3), format!("c{c}"));
    let mut keys: Vec<(FileKey, u64)> = Vec::new();
    for c in 0..connections {
        let (venue, connection) = name(c);
        let rank = u32::try_from(c).unwrap();
        keys.push((writer.connection(&venue, &connection, rank, at).unwrap(), 0));
    }
    let mut written = Vec::new();
    for i in 0..n {
        at = at + Span(1 + i64::try_from(dice.roll(u64::try_from(step.0).unwrap())).unwrap());
        if dice.roll(20) == 0 {
            let record = ControlRecord::Tick;
            writer.control(at, &record).unwrap();
            written.push(Line::Control { at, record });
            continue;
        }
        let c = usize::try_from(dice.roll(connections as u64)).unwrap();
        let (venue, connection) = name(c);
        let bytes = frame(&mut dice, i);
        let (key, seq) = &mut keys[c];
        writer.frame(*key, at, &bytes).unwrap();
        written.push(Line::Frame { at, venue, connection, seq: *seq, bytes });
        *seq += 1;
    }
    for (key, _) in keys {
        writer.close_connection(key, at).unwrap();
    }
    written
}

/// Mostly JSON, sometimes with the bytes that must be escaped, sometimes no text at all.
fn frame(dice: &mut Dice, i: usize) -> Vec<u8> {
    match dice.roll(8) {
        0 => format!("{{\"text\":\"a\\nb\",\"i\":{i}}}").into_bytes(),
        1 => (0..dice.roll(60)).map(|_| u8::try_from(dice.roll(256)).unwrap()).collect(),
        2 => b"\r\n\\".to_vec(),
        3 => Vec::new(),
        _ => format!("{{\"e\":\"trade\",\"i\":{i},\"p\":\"{}.{}\"}}", dice.roll(90_000), dice.roll(100)).into_bytes(),
    }
}
