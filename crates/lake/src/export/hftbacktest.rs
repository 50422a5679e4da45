//! `<local ns> <raw message>` lines of one symbol, gzipped: what hftbacktest's collector writes for Binance, and its
//! converter `hftbacktest.data.utils.binancefutures.convert` reads.
//!
//! A line is a combined-stream message (`{"stream":…,"data":…}`) or the body of a depth request, as it was received. The
//! converter stops at anything else, so answers to subscriptions, messages for all markets and bodies of other requests stay
//! out, and are counted. While one connection replaces another both deliver the same messages; the converter would count
//! their trades twice, so what a second connection repeats stays out too.
//!
//! One thing is not as it was received: the converter passes over aggregate trades (`aggTrade`), the only trades that the
//! venue documents as a stream, so each becomes the `trade` message it would read. Price, quantity, time and side are its own.
//!
//! The form was taken from recordings of the collector and from the converter of hftbacktest 2.4.4. That converter reads
//! futures; spot messages have no transaction time, and it has no converter for them. Their export has the form of the
//! collector all the same.
//!
//! Messages of Coinbase say their product inside, several of them in one message at times; each message that names the
//! product is written as it was received. Their numbers count per connection, so of two connections that deliver the same
//! the one counts that sent the last whole book. hftbacktest has no converter for them either.

use super::stream::{self, MessageNumber};
use crate::journal::{ControlRecord, EntryKind, Error, JournalReader, REST, Result, Selection, Tail};
use barograph_domain::{Span, Ts};
use barograph_venues::session::RequestId;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Venues whose messages are written: those of the form the converter expects, and [`COINBASE`].
const VENUES: [&str; 5] = ["binance-usdm", "binance-coinm", "binance-spot", "binance-us", COINBASE];
/// Its messages have a form of their own.
const COINBASE: &str = "coinbase";

/// A body belongs to a request that may have been made before the range begins: at most this long, which is more than any
/// request waits for its answer.
const REQUEST_BEFORE: Span = Span::mins(10);

/// What was written, and what was not.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ExportReport {
    /// Lines written.
    pub lines: u64,
    /// How many of them are depth snapshots from REST.
    pub snapshots: u64,
    /// How many of them are aggregate trades, written as trades.
    pub trades: u64,
    /// First and last stamp written; `None` when nothing was.
    pub span: Option<(Ts, Ts)>,
    /// Bytes before compression.
    pub bytes: u64,
    /// Messages that another connection had delivered before.
    pub repeated: u64,
    /// Messages for other symbols.
    pub other_symbols: u64,
    /// Messages of no single symbol, answers to subscriptions, bodies of other requests.
    pub unaddressed: u64,
    /// Depth requests that were answered with something other than a snapshot.
    pub failed_snapshots: u64,
    /// Files that end early because a process was killed.
    pub tails: Vec<Tail>,
    /// Files that were taken away, each as a sentence: what they held is not in the export.
    pub missing: Vec<String>,
}

/// Writes the journal of one symbol, from `range.0` to `range.1`, both included.
///
/// # Errors
/// When the venue has no such form, the journal is damaged, or `out` cannot be written.
pub fn export_hftbacktest(
    root: &Path,
    venue: &str,
    symbol: &str,
    range: (Option<Ts>, Option<Ts>),
    out: impl Write,
) -> Result<ExportReport> {
    if !VENUES.contains(&venue) {
        let known = VENUES.join(", ");
        return Err(Error::Misuse(format!("'{venue}' cannot be exported for hftbacktest; there are {known}")));
    }
    let selection =
        Selection { after: range.0.map(|from| from - REQUEST_BEFORE), until: range.1, venue: Some(venue.to_owned()) };
    let mut reader = JournalReader::open_selected(root, selection)?;
    let mut export = Export {
        venue,
        symbol: symbol.to_ascii_lowercase(),
        gzip: GzEncoder::new(out, Compression::default()),
        asked: BTreeSet::new(),
        body: None,
        told: BTreeMap::new(),
        report: ExportReport::default(),
    };
    loop {
        let entry = match reader.next() {
            Ok(Some(entry)) => entry,
            Ok(None) => break,
            Err(e) => {
                let may = matches!(e, Error::Missing { .. }) && reader.pass_over();
                if !may {
                    return Err(e);
                }
                export.report.missing.push(e.to_string());
                continue;
            }
        };
        let inside = range.0.is_none_or(|from| entry.at >= from);
        match entry.kind {
            EntryKind::Control(record) => export.record(entry.at, &record),
            EntryKind::Frame { connection: REST, bytes, .. } if inside => export.body(entry.at, bytes)?,
            EntryKind::Frame { connection, bytes, .. } if inside => export.message(entry.at, connection, bytes)?,
            EntryKind::Frame { .. } => {}
        }
    }
    export.report.tails = reader.tails().to_vec();
    export.gzip.finish().and_then(|mut out| out.flush()).map_err(failed)?;
    Ok(export.report)
}

struct Export<'a, W: Write> {
    venue: &'a str,
    /// In small letters, as in the names of streams.
    symbol: String,
    gzip: GzEncoder<W>,
    /// Depth requests of this symbol that are not answered yet.
    asked: BTreeSet<RequestId>,
    /// The stamp at which the body of one of them follows.
    body: Option<Ts>,
    /// By stream: the newest number it delivered, and on which connection; of Coinbase only the connection that counts.
    told: BTreeMap<String, (u64, String)>,
    report: ExportReport,
}

impl<W: Write> Export<'_, W> {
    fn record(&mut self, at: Ts, record: &ControlRecord) {
        match record {
            // Numbers of requests begin again with a process.
            ControlRecord::Start { .. } => self.asked.clear(),
            ControlRecord::Request { venue, id, url, .. }
                if venue == self.venue && stream::is_depth_request(url, &self.symbol) =>
            {
                self.asked.insert(*id);
            }
            ControlRecord::Reply { venue, id, status } if venue == self.venue && self.asked.remove(id) => {
                if *status == 200 {
                    self.body = Some(at);
                } else {
                    self.report.failed_snapshots += 1;
                }
            }
            ControlRecord::Failed { venue, id, .. } if venue == self.venue && self.asked.remove(id) => {
                self.report.failed_snapshots += 1;
            }
            _ => {}
        }
    }

    fn body(&mut self, at: Ts, bytes: &[u8]) -> Result<()> {
        if self.body.take() != Some(at) {
            self.report.unaddressed += 1;
            return Ok(());
        }
        if !stream::is_snapshot(bytes) {
            self.report.failed_snapshots += 1;
            return Ok(());
        }
        self.report.snapshots += 1;
        self.write(at, bytes)
    }

    fn message(&mut self, at: Ts, connection: &str, bytes: &[u8]) -> Result<()> {
        if self.venue == COINBASE {
            return self.products(at, connection, bytes);
        }
        let Some(name) = stream::name(bytes) else {
            self.report.unaddressed += 1;
            return Ok(());
        };
        match name.split_once('@') {
            Some((symbol, _)) if symbol == self.symbol => {}
            Some((symbol, _)) if !symbol.starts_with('!') => {
                self.report.other_symbols += 1;
                return Ok(());
            }
            _ => {
                self.report.unaddressed += 1;
                return Ok(());
            }
        }
        if self.is_repeated(&name, connection, bytes) {
            self.report.repeated += 1;
            return Ok(());
        }
        match stream::as_trade(&name, bytes) {
            Some(trade) => {
                self.report.trades += 1;
                self.write(at, &trade)
            }
            None => self.write(at, bytes),
        }
    }

    /// A message that says inside which products it is about.
    fn products(&mut self, at: Ts, connection: &str, bytes: &[u8]) -> Result<()> {
        let found = stream::products(bytes);
        let Some(whole) = found.iter().filter(|p| p.name == self.symbol).map(|p| p.whole_book).reduce(|a, b| a || b)
        else {
            let count = if found.is_empty() { &mut self.report.unaddressed } else { &mut self.report.other_symbols };
            *count += 1;
            return Ok(());
        };
        let counts = self.told.entry(String::new()).or_insert_with(|| (0, connection.to_owned()));
        if whole {
            connection.clone_into(&mut counts.1);
        }
        if counts.1 != connection {
            self.report.repeated += 1;
            return Ok(());
        }
        self.report.snapshots += u64::from(whole);
        self.write(at, bytes)
    }

    /// Whether another connection has delivered this message. On one connection, numbers are taken as they come: what the
    /// venue sends twice is in the recording twice.
    fn is_repeated(&mut self, name: &str, connection: &str, bytes: &[u8]) -> bool {
        let MessageNumber::Number(number) = stream::number(name, bytes) else { return false };
        match self.told.get_mut(name) {
            Some((newest, by)) if by != connection && number <= *newest => true,
            Some((newest, by)) => {
                *newest = number;
                if by != connection {
                    connection.clone_into(by);
                }
                false
            }
            None => {
                self.told.insert(name.to_owned(), (number, connection.to_owned()));
                false
            }
        }
    }

    fn write(&mut self, at: Ts, bytes: &[u8]) -> Result<()> {
        self.line(at, bytes).map_err(failed)?;
        self.report.lines += 1;
        self.report.span = Some((self.report.span.map_or(at, |(first, _)| first), at));
        Ok(())
    }

    fn line(&mut self, at: Ts, bytes: &[u8]) -> io::Result<()> {
        let stamp = at.0.to_string();
        self.gzip.write_all(stamp.as_bytes())?;
        self.gzip.write_all(b" ")?;
        // A line break in JSON stands between values, where a space means the same.
        for (i, part) in bytes.split(|b| matches!(b, b'\n' | b'\r')).enumerate() {
            if i > 0 {
                self.gzip.write_all(b" ")?;
            }
            self.gzip.write_all(part)?;
        }
        self.gzip.write_all(b"\n")?;
        self.report.bytes += (stamp.len() + 2 + bytes.len()) as u64;
        Ok(())
    }
}

fn failed(source: io::Error) -> Error {
    Error::Io { path: PathBuf::from("the exported file"), source }
}
