//! Columns of stored rows kept as files, a week of a market each, so that a replay reads what it compares and nothing else.
//!
//! They are derived and may be deleted at any time; nothing else of the program reads them. A file says which rows it was made
//! of ([`Reader::mark`]) and is made anew when they are others, or when a book reads a feature that it lacks. The folder is
//! bounded: the files that were used longest ago go first.

use barograph_domain::{Metric, StreamDecl, Ts};
use barograph_engine::Feature;
use barograph_engine::whatif::{
    Anchored, ClauseTruth, InputSeen, ReadingColumn, ReadingStanding, Runs, StoredAxis, StoredHistory,
};
use barograph_store::RunKey;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Written first in every file; the last character is its form.
const MAGIC: &[u8; 8] = b"barowif1";
/// Bytes of all files together at which the oldest go.
const FOLDER_BYTES_MAX: u64 = 4 << 30;
const ZSTD_LEVEL: i32 = 1;
/// Largest part of a file: the numbers of a week of minutes are 80 kB.
const PART_BYTES_MAX: usize = 64 << 20;

/// What a question needs of a history.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Wanted {
    /// Features whose numbers are compared.
    pub(super) numbers: BTreeSet<Feature>,
    /// Features of which the age of the newest sample is asked.
    pub(super) ages: BTreeSet<Feature>,
    /// Keys of clauses that are the stored book's own.
    pub(super) said: BTreeSet<String>,
    /// Keys of the ages of axes that are the stored book's own.
    pub(super) stale: BTreeSet<String>,
    /// Ages of inputs.
    pub(super) inputs: bool,
    /// Whether the price of each row is read.
    pub(super) price: bool,
}

impl Wanted {
    /// Features whose numbers are read, and those of which anything is.
    pub(super) fn columns(&self) -> (u64, u64) {
        (self.numbers.len() as u64, self.numbers.union(&self.ages).count() as u64)
    }
}

/// The beginning of a file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Head {
    /// The rows it was made of, and the release that made it.
    mark: String,
    /// The row times that were looked at end here.
    until: Ts,
    /// Features it has.
    features: Vec<String>,
    /// Name, first byte and packed length of each part, and its length unpacked.
    parts: Vec<(String, u64, u64, u64)>,
}

/// Rows, streams, the axes at the first row, published labels.
type Frame = (Vec<(Ts, u32)>, Vec<StreamDecl>, Option<[StoredAxis; 4]>, [Runs<u8>; 4]);
type Inputs = BTreeMap<Metric, Runs<Option<InputSeen>>>;

/// Where the files of a run lie.
pub(super) fn folder(kept: &Path, run: &RunKey) -> PathBuf {
    let word = format!("{}@{}", run.instrument, run.logic_version);
    let plain = |c: char| if c.is_ascii_alphanumeric() || "@.+-".contains(c) { c } else { '_' };
    kept.join(word.chars().map(plain).collect::<String>())
}

/// Reads what is wanted from a file; `None` where it is missing, of other rows, or lacks a feature.
pub(super) fn load(path: &Path, mark: &str, until: Ts, wanted: &Wanted) -> Option<StoredHistory> {
    let mut file = std::fs::File::open(path).ok()?;
    let mut start = [0; 12];
    file.read_exact(&mut start).ok()?;
    let (magic, length) = start.split_at(8);
    let length = u32::from_le_bytes(length.try_into().ok()?);
    let mut head = vec![0; usize::try_from(length).ok().filter(|n| *n < PART_BYTES_MAX)?];
    (magic == MAGIC).then_some(())?;
    file.read_exact(&mut head).ok()?;
    let head: Head = postcard::from_bytes(&head).ok()?;
    let has = |f: &Feature| head.features.iter().any(|id| id == f.id());
    let fits = head.mark == mark && head.until == until && wanted.numbers.iter().chain(&wanted.ages).all(has);
    fits.then_some(())?;
    let mut parts = Parts { file, head };
    let history = parts.history(wanted);
    // The time of the last use decides what goes when the folder is full.
    drop(parts.file.set_modified(SystemTime::now()));
    history
}

struct Parts {
    file: std::fs::File,
    head: Head,
}

impl Parts {
    fn bytes(&mut self, name: &str) -> Option<Vec<u8>> {
        let (_, at, packed, size) = self.head.parts.iter().find(|(n, ..)| n == name)?;
        let size = usize::try_from(*size).ok().filter(|n| *n < PART_BYTES_MAX)?;
        let mut bytes = vec![0; usize::try_from(*packed).ok().filter(|n| *n < PART_BYTES_MAX)?];
        self.file.seek(SeekFrom::Start(*at)).ok()?;
        self.file.read_exact(&mut bytes).ok()?;
        unpacked(&bytes, size)
    }
    fn read<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        postcard::from_bytes(&self.bytes(name)?).ok()
    }
    fn history(&mut self, wanted: &Wanted) -> Option<StoredHistory> {
        let (minutes, streams, first, stored): Frame = self.read("frame")?;
        let minutes = minutes
            .into_iter()
            .flat_map(|(first, n)| (0..i64::from(n)).map(move |i| first + barograph_store::run::GRID.times(i)));
        let mut out = StoredHistory { ts: minutes.collect(), streams, first, stored, ..StoredHistory::default() };
        let rows = out.ts.len();
        for feature in wanted.ages.union(&wanted.numbers) {
            let (standing, anchors): (Runs<ReadingStanding>, Runs<Anchored>) =
                self.read(&format!("s.{}", feature.id()))?;
            let values = match wanted.numbers.contains(feature) {
                true => numbers(&self.bytes(&format!("v.{}", feature.id()))?, rows)?,
                false => Vec::new(),
            };
            out.columns.insert(*feature, ReadingColumn { values, standing, anchors });
        }
        for key in &wanted.said {
            let runs: Runs<ClauseTruth> = self.read(&format!("c.{key}"))?;
            out.said.insert(key.clone(), runs);
        }
        for key in &wanted.stale {
            let runs: Runs<(bool, bool)> = self.read(&format!("a.{key}"))?;
            out.stale.insert(key.clone(), runs);
        }
        if wanted.inputs {
            out.inputs = self.read::<Inputs>("inputs")?;
        }
        if wanted.price {
            out.price = numbers(&self.bytes("price")?, rows)?;
        }
        Some(out)
    }
}

fn unpacked(bytes: &[u8], size: usize) -> Option<Vec<u8>> {
    // Kept by each thread that reads: setting one up costs as much as a small part.
    thread_local!(static ZSTD: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) });
    ZSTD.with_borrow_mut(|kept| {
        let zstd = match kept {
            Some(zstd) => zstd,
            None => kept.insert(zstd::bulk::Decompressor::new().ok()?),
        };
        zstd.decompress(bytes, size).ok()
    })
}

/// Writes a history as a file, in one go; a reader sees the old one or the new one.
pub(super) fn save(path: &Path, mark: &str, until: Ts, history: &StoredHistory) -> io::Result<()> {
    let mut body = Vec::new();
    let mut parts = Vec::new();
    let mut put = |name: String, raw: Vec<u8>| -> io::Result<()> {
        let packed = zstd::bulk::compress(&raw, ZSTD_LEVEL)?;
        parts.push((name, body.len() as u64, packed.len() as u64, raw.len() as u64));
        body.extend_from_slice(&packed);
        Ok(())
    };
    let mut minutes: Vec<(Ts, u32)> = Vec::new();
    for ts in &history.ts {
        match minutes.last_mut() {
            Some((first, n)) if *first + barograph_store::run::GRID.times(i64::from(*n)) == *ts => *n += 1,
            _ => minutes.push((*ts, 1)),
        }
    }
    put("frame".to_owned(), packed(&(minutes, &history.streams, &history.first, &history.stored))?)?;
    put("inputs".to_owned(), packed(&history.inputs)?)?;
    put("price".to_owned(), planes(&history.price))?;
    for (feature, column) in &history.columns {
        put(format!("s.{}", feature.id()), packed(&(&column.standing, &column.anchors))?)?;
        put(format!("v.{}", feature.id()), planes(&column.values))?;
    }
    for (key, runs) in &history.said {
        put(format!("c.{key}"), packed(runs)?)?;
    }
    for (key, runs) in &history.stale {
        put(format!("a.{key}"), packed(runs)?)?;
    }
    let features = history.columns.keys().map(|f| f.id().to_owned()).collect();
    let mut head = Head { mark: mark.to_owned(), until, features, parts };
    let bytes = placed(&mut head, &body)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let fresh = folder.join(format!("{name}.{}-{:?}", std::process::id(), std::thread::current().id()));
    std::fs::write(&fresh, bytes)?;
    std::fs::rename(&fresh, path)
}

/// The whole file. Places of parts count from its beginning, and their digits are part of the head's length.
fn placed(head: &mut Head, body: &[u8]) -> io::Result<Vec<u8>> {
    let relative: Vec<u64> = head.parts.iter().map(|p| p.1).collect();
    let mut length = packed(head)?.len();
    loop {
        for (part, at) in head.parts.iter_mut().zip(&relative) {
            part.1 = at + 12 + length as u64;
        }
        let bytes = packed(head)?;
        if bytes.len() == length {
            let mut out = MAGIC.to_vec();
            out.extend_from_slice(&u32::try_from(length).map_err(io::Error::other)?.to_le_bytes());
            out.extend_from_slice(&bytes);
            out.extend_from_slice(body);
            return Ok(out);
        }
        length = bytes.len();
    }
}

fn packed<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    postcard::to_allocvec(value).map_err(io::Error::other)
}

/// Bits that differ from the row before, byte plane by byte plane: signs and exponents become runs of zeros.
fn planes(numbers: &[f64]) -> Vec<u8> {
    let mut bits: Vec<u64> = Vec::with_capacity(numbers.len());
    let mut before = 0;
    for x in numbers {
        bits.push(x.to_bits() ^ before);
        before = x.to_bits();
    }
    (0..8).flat_map(|plane| bits.iter().map(move |b| b.to_le_bytes()[plane])).collect()
}

fn numbers(bytes: &[u8], rows: usize) -> Option<Vec<f64>> {
    (bytes.len() == 8 * rows).then_some(())?;
    let mut bits = vec![0_u64; rows];
    for (plane, own) in bytes.chunks_exact(rows.max(1)).enumerate() {
        for (b, byte) in bits.iter_mut().zip(own) {
            *b |= u64::from(*byte) << (8 * plane);
        }
    }
    let mut before = 0;
    let joined = bits.into_iter().map(|b| {
        before ^= b;
        f64::from_bits(before)
    });
    Some(joined.collect())
}

/// Removes the files used longest ago while the folder is too large, but none that was used since `begun`.
pub(super) fn bound(kept: &Path, begun: SystemTime) {
    bound_to(kept, begun, FOLDER_BYTES_MAX);
}

fn bound_to(kept: &Path, begun: SystemTime, most: u64) {
    let folders = std::fs::read_dir(kept).into_iter().flatten().flatten();
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten().flatten());
    let mut all: Vec<(SystemTime, u64, PathBuf)> = files
        .filter_map(|file| {
            let meta = file.metadata().ok()?;
            Some((meta.modified().ok()?, meta.len(), file.path()))
        })
        .collect();
    let mut bytes: u64 = all.iter().map(|(_, n, _)| n).sum();
    all.sort();
    for (used, n, path) in all {
        if bytes <= most || used >= begun {
            return;
        }
        if std::fs::remove_file(path).is_ok() {
            bytes -= n;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{Cell, Kind, MinuteRow, Span};
    use barograph_engine::rules::RuleBook;
    use barograph_engine::whatif::Builder;

    fn history() -> StoredHistory {
        let features = vec![Feature::RealizedVol1h, Feature::OiDelta1h];
        let mut builder = Builder::new(features);
        for n in (0..500).filter(|n| n % 97 != 0) {
            let ts = Ts(0) + Span::mins(n);
            #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
            let x = (n as f64 * 0.37).fract();
            let cells = vec![Cell::ready_at(x, ts, Kind::Measured), Cell::undefined(barograph_domain::Reason::Gap)];
            builder.push(&MinuteRow { cells, price: (n % 5 != 0).then_some(x), ..MinuteRow::bare(ts) }, &[]);
        }
        builder.finish()
    }

    #[test]
    fn a_file_gives_back_what_was_kept_and_only_for_its_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a").join("0.cols");
        let mut history = history();
        history.note(&RuleBook::standard());
        save(&path, "rows", Ts(9), &history).unwrap();
        let wanted = Wanted {
            numbers: history.columns.keys().copied().collect(),
            ages: BTreeSet::new(),
            said: history.said.keys().cloned().collect(),
            stale: history.stale.keys().cloned().collect(),
            inputs: true,
            price: true,
        };
        assert!(!wanted.said.is_empty() && wanted.stale.len() == 4);
        assert_eq!(load(&path, "rows", Ts(9), &wanted).unwrap(), history);
        let lacking = Wanted { ages: [Feature::Heat].into(), ..Wanted::default() };
        for (mark, until, wanted) in [("others", 9, &wanted), ("rows", 8, &wanted), ("rows", 9, &lacking)] {
            assert!(load(&path, mark, Ts(until), wanted).is_none(), "{mark} {until}");
        }
        let bytes = std::fs::read(&path).unwrap();
        for cut in [0, 5, 11, 40, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            assert!(load(&path, "rows", Ts(9), &wanted).is_none(), "cut at {cut}");
        }
    }

    #[test]
    fn the_files_used_longest_ago_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("run");
        std::fs::create_dir_all(&own).unwrap();
        let at = |s| SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(s);
        for (name, used) in [("old", 1), ("middle", 2), ("new", 3)] {
            std::fs::write(own.join(name), [0; 100]).unwrap();
            std::fs::File::options().append(true).open(own.join(name)).unwrap().set_modified(at(used)).unwrap();
        }
        bound_to(folder.path(), at(3), 150);
        let left = |name: &str| own.join(name).exists();
        assert_eq!((left("old"), left("middle"), left("new")), (false, false, true));
        bound_to(folder.path(), at(3), 0);
        assert!(left("new"), "what is in use stays");
    }
}
