//! Files of raw messages: what hftbacktest's collector writes (`<receive stamp> <message>`), captures of cryptofeed (JSON lines that say
//! themselves what they are), and Bybit's order book archive (`ob500` and the like: a message of the topic a line). Of the archive nobody
//! noted the receipt: when Bybit sent a message (`ts`) stands for it, and the matching engine's time (`cts`) is the event's.

use super::counted::Counted;
use super::ear::Played;
use super::listener::RecordListener;
use super::piece::Piece;
use super::player::{LEVELS, RecordedMarket};
use crate::error::Error;
use crate::lines::{End, Lines};
use barograph_domain::{InstrumentName, MarketKind, Ts};
use barograph_venues::recording::StampUnit;
use barograph_venues::session::{MarketSpec, VenueDef, venue};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const STREAM: &[u8] = b"\"stream\":\"";
const TOPIC: &[u8] = b"orderbook.";
/// The depth of Bybit's archive of contracts, and what stands for it.
const ARCHIVED: &[u8] = b"\"orderbook.500.";
const AS_LIVE: &[u8] = b"\"orderbook.1000.";
/// A message begins with its topic.
const TOPIC_WITHIN: usize = 20;
/// Lines in which the first message of a book is looked for.
const HEAD_LINES: usize = 2_000;

/// One market's messages in files, ready to be played.
#[derive(Debug)]
pub struct Capture {
    venue: &'static VenueDef,
    symbol: String,
    files: Vec<Piece>,
    /// Of its books, where their messages say so.
    levels: Option<usize>,
    read: Arc<AtomicU64>,
    bytes: u64,
}

/// A line of a capture.
enum Line<'a> {
    /// A connection of this name goes to this address.
    Connected(Cow<'a, str>, Cow<'a, str>),
    /// A message, on a connection where the recorder names it.
    Frame(Ts, Option<Cow<'a, str>>, Cow<'a, [u8]>),
    /// The answer to a request whose address has this in it; of some recorders the address is not known.
    Body(Option<String>, Ts, Cow<'a, [u8]>),
    /// Something else that recorders note.
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum CaptureForm {
    Stamped(StampUnit),
    Cryptofeed,
    BybitArchive,
}

/// A line of Bybit's archive, as far as it is looked at here.
#[derive(Deserialize)]
struct BybitLine<'a> {
    topic: &'a str,
    ts: i64,
}

#[derive(Deserialize)]
struct CryptofeedLine<'a> {
    t: &'a str,
    #[serde(default)]
    ts: Option<serde_json::Number>,
    #[serde(default, borrow)]
    conn: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    addr: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    url: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    data: Option<Cow<'a, str>>,
}

impl Capture {
    /// Files of one market, in any order: they are played in the order of their first stamps.
    ///
    /// # Errors
    /// The venue is not known, or a file is no such recording.
    pub fn open(market: &InstrumentName, files: &[PathBuf]) -> Result<Self, Error> {
        Self::of(market, Piece::all(files)?)
    }

    /// The same, of files and members of archives.
    pub(super) fn of(market: &InstrumentName, pieces: Vec<Piece>) -> Result<Self, Error> {
        let id = market.venue.as_str();
        let Some(venue) = venue(id) else {
            return Err(Error::Usage(format!(
                "recordings of '{id}' cannot be played: its messages are not known here"
            )));
        };
        let read = Arc::new(AtomicU64::new(0));
        let mut first = Vec::new();
        let mut bytes = 0;
        let mut levels = None;
        for piece in pieces {
            let path = &piece.path;
            bytes += path.metadata().map_err(|source| Error::Path { path: path.clone(), source })?.len();
            levels = levels.or(levels_of(&piece, &market.symbol, &read)?);
            is_of(&piece, market, &read)?;
            first.push((Self::begins(&piece, &read)?, piece));
        }
        first.sort_by(|a, b| (a.0, &a.1.shown).cmp(&(b.0, &b.1.shown)));
        read.store(0, Ordering::Relaxed);
        let files = first.into_iter().map(|(_, piece)| piece).collect();
        Ok(Self { venue, symbol: market.symbol.to_owned(), files, levels, read, bytes })
    }

    /// What the venue's list of instruments says of the market, where the recorder has kept it: cryptofeed asks for the lists before it
    /// connects.
    pub(super) fn listed(&self) -> Result<Option<MarketSpec>, Error> {
        let uncounted = Arc::default();
        for piece in &self.files {
            let mut lines = piece.lines(&uncounted)?;
            let mut form = None;
            while let Some(line) = lines.next() {
                let bytes = lines.bytes(&line);
                form = form.or_else(|| CaptureForm::of(bytes));
                match form.and_then(|f| f.line(bytes)) {
                    Some(Line::Body(Some(_), _, body)) => {
                        let answers = [body.into_owned()];
                        let own = |list: Vec<MarketSpec>| list.into_iter().find(|m| m.symbol == self.symbol);
                        if let Some(found) = (self.venue.instruments)(&answers).ok().and_then(own) {
                            return Ok(Some(found));
                        }
                    }
                    Some(Line::Frame(..) | Line::Body(None, ..)) => break,
                    Some(Line::Connected(..) | Line::Other) | None => {}
                }
            }
        }
        Ok(None)
    }

    /// Does such a file begin with this line?
    pub(super) fn is_one(line: &[u8]) -> bool {
        CaptureForm::of(line).is_some()
    }

    fn begins(piece: &Piece, read: &Arc<AtomicU64>) -> Result<Ts, Error> {
        let mut lines = piece.lines(read)?;
        let mut form = None;
        while let Some(line) = lines.next() {
            let bytes = lines.bytes(&line);
            form = form.or_else(|| CaptureForm::of(bytes));
            let Some(form) = form else { break };
            if let Some(Line::Frame(at, ..) | Line::Body(_, at, _)) = form.line(bytes) {
                return Ok(at);
            }
        }
        let shown = &piece.shown;
        Err(Error::Usage(format!(
            "{shown} is no recording of raw messages: its lines are neither '<receive nanoseconds> <message>', as hftbacktest's collector writes them, nor a capture of cryptofeed, nor messages of Bybit's order book archive"
        )))
    }

    /// Bytes of the files as they lie on the disk, and how many of them were read so far.
    #[must_use]
    pub fn progress(&self) -> (u64, Arc<AtomicU64>) {
        (self.bytes, Arc::clone(&self.read))
    }

    /// Plays everything.
    ///
    /// # Errors
    /// A file cannot be read, or the listener fails. A file that breaks off in the middle is played as far as it goes.
    pub(super) fn play<L: RecordListener>(
        &self,
        spec: MarketSpec,
        counted: Counted,
        to: &mut L,
    ) -> Result<CapturePlayed, L::Failure> {
        let elsewhere = if spec.kind == MarketKind::Spot { "/linear" } else { "/spot" };
        let levels = self.levels.unwrap_or(LEVELS);
        let mut playing = Playing {
            capture: self,
            market: RecordedMarket::new(self.venue, spec, counted, levels),
            bodies: Vec::new(),
            elsewhere,
            others: BTreeSet::new(),
            refused_at: None,
            done: CapturePlayed::default(),
        };
        playing.all(to)?;
        playing.done.played = playing.market.played().clone();
        if let (Some(first), Some(at)) = (&mut playing.done.played.first_refused, playing.refused_at) {
            *first = format!("{at}: {first}");
        }
        Ok(playing.done)
    }
}

/// A file that is being read, up to its next line with a stamp.
struct Reading<'a> {
    piece: &'a Piece,
    lines: Lines,
    form: Option<CaptureForm>,
    head: Option<Head>,
    /// Number of the line that waits.
    line: u64,
}

/// A line that waits until those of other files that were received before it have been played.
enum Head {
    Frame(Ts, Vec<u8>),
    Body(Option<String>, Ts, Vec<u8>),
}

impl Head {
    const fn at(&self) -> Ts {
        match self {
            Self::Frame(at, _) | Self::Body(_, at, _) => *at,
        }
    }
}

/// A capture on its way to its listener.
struct Playing<'a> {
    capture: &'a Capture,
    market: RecordedMarket,
    /// Answers that nobody has asked for yet, with the addresses they came from.
    bodies: Vec<(Option<String>, Vec<u8>)>,
    /// How addresses end that serve the other kind of markets: their symbols are the same.
    elsewhere: &'static str,
    /// Connections to them.
    others: BTreeSet<String>,
    /// Where the first message was that the session refused.
    refused_at: Option<String>,
    done: CapturePlayed,
}

impl Playing<'_> {
    /// All files at once, in the order of receipt: what was received together may lie in several. Of equal stamps the file that begins
    /// first is first.
    fn all<L: RecordListener>(&mut self, to: &mut L) -> Result<(), L::Failure> {
        let mut readings = Vec::new();
        for piece in &self.capture.files {
            let lines = piece.lines(&self.capture.read)?;
            let mut reading = Reading { piece, lines, form: None, head: None, line: 0 };
            self.advance(&mut reading);
            readings.push(reading);
        }
        loop {
            let stamps = readings.iter().enumerate().filter_map(|(n, r)| r.head.as_ref().map(|h| (h.at(), n)));
            let Some((_, next)) = stamps.min() else { return Ok(()) };
            let Some(head) = readings[next].head.take() else { return Ok(()) };
            let line = readings[next].line;
            self.advance(&mut readings[next]);
            match head {
                Head::Frame(at, message) => {
                    self.done.span = Some((self.done.span.map_or(at, |(from, _)| from), at));
                    self.market.frame(at, &message, to)?;
                    if self.refused_at.is_none() && self.market.played().refused > 0 {
                        self.refused_at = Some(format!("{}, line {line}", readings[next].piece.shown));
                    }
                }
                Head::Body(address, at, body) => {
                    self.market.time(at, to)?;
                    self.bodies.push((address, body));
                }
            }
            self.answer(to)?;
        }
    }

    /// Reads on to the next line with a stamp.
    fn advance(&mut self, reading: &mut Reading<'_>) {
        while let Some(line) = reading.lines.next() {
            let bytes = reading.lines.bytes(&line);
            reading.form = reading.form.or_else(|| CaptureForm::of(bytes));
            self.done.lines += 1;
            match reading.form.and_then(|f| f.line(bytes)) {
                Some(Line::Frame(_, Some(conn), _)) if self.others.contains(&*conn) => {}
                Some(Line::Frame(at, _, message)) => {
                    reading.line = line.number;
                    reading.head = Some(Head::Frame(at, message.into_owned()));
                    return;
                }
                Some(Line::Body(address, at, body)) => {
                    reading.head = Some(Head::Body(address, at, body.into_owned()));
                    return;
                }
                Some(Line::Connected(conn, address)) if address.ends_with(self.elsewhere) => {
                    self.others.insert(conn.into_owned());
                }
                Some(Line::Connected(..) | Line::Other) => {}
                None => self.done.cannot_read(&reading.piece.shown, line.number),
            }
        }
        if let End::Torn(e) = reading.lines.end() {
            let (shown, number) = (&reading.piece.shown, reading.lines.number());
            self.done.torn.push(format!("{shown} breaks off after line {number}: {e}"));
        }
    }

    /// Requests get the oldest body that fits them, as soon as both are there.
    fn answer<L: RecordListener>(&mut self, to: &mut L) -> Result<(), L::Failure> {
        let own = format!("symbol={}", self.capture.symbol);
        while let Some(request) = self.market.awaits(|url| url.contains("/depth?")) {
            let fits =
                |address: &Option<String>| address.as_ref().is_none_or(|a| a.contains("/depth?") && a.contains(&own));
            let Some(at) = self.bodies.iter().position(|(address, _)| fits(address)) else { break };
            let (_, body) = self.bodies.remove(at);
            self.market.reply(request, &body, to)?;
        }
        Ok(())
    }
}

/// What was read and played.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CapturePlayed {
    /// Lines of the files.
    pub lines: u64,
    /// Lines that are none of a recording.
    pub unreadable: u64,
    /// First and last receipt of a message.
    pub span: Option<(Ts, Ts)>,
    /// Rows of wide books that say again what was said before: they are passed over.
    pub repeated: u64,
    /// The first of them, as a sentence.
    pub first_repeated: Option<String>,
    /// The first line that is none of a recording, as a sentence.
    pub first_unreadable: Option<String>,
    /// Files that break off, each as a sentence.
    pub torn: Vec<String>,
    /// What the market's session made of it.
    pub played: Played,
}

impl CapturePlayed {
    /// Counts a line that is none of a recording.
    pub(super) fn cannot_read(&mut self, shown: &str, line: u64) {
        self.unreadable += 1;
        self.first_unreadable.get_or_insert_with(|| format!("{shown}, line {line}"));
    }
}

/// A depth snapshot of hftbacktest's collector does not say whose it is, and messages of spot and futures have the same symbols: so a file
/// of Binance in which the market does not occur, or occurs with the other kind's messages, is refused.
fn is_of(piece: &Piece, market: &InstrumentName, read: &Arc<AtomicU64>) -> Result<(), Error> {
    let futures = match market.venue.as_str() {
        "binance-usdm" | "binance-coinm" => true,
        "binance-spot" | "binance-us" => false,
        _ => return Ok(()),
    };
    let own = market.symbol.to_lowercase();
    let mut lines = piece.lines(read)?;
    let mut symbols = BTreeSet::new();
    let mut chained = None;
    for _ in 0..HEAD_LINES {
        let Some(line) = lines.next() else { break };
        let bytes = lines.bytes(&line);
        let Some(from) = memchr::memmem::find(bytes, STREAM) else { continue };
        let name = &bytes[from + STREAM.len()..];
        let symbol = name.split(|b| matches!(b, b'@' | b'"' | b'\\')).next().unwrap_or_default();
        if let Ok(symbol) = std::str::from_utf8(symbol) {
            symbols.insert(symbol.to_owned());
        }
        if chained.is_none() && memchr::memmem::find(bytes, b"depthUpdate").is_some() {
            chained = Some(memchr::memmem::find(bytes, b"\"pu\":").is_some());
        }
    }
    let shown = &piece.shown;
    if !symbols.is_empty() && !symbols.contains(&own) {
        let found: Vec<String> = symbols.iter().take(10).map(|s| s.to_uppercase()).collect();
        return Err(Error::Usage(format!("{shown} is not of {market}: it holds {}", found.join(", "))));
    }
    match chained {
        Some(chained) if chained != futures => {
            let kind = if chained { "futures" } else { "spot" };
            Err(Error::Usage(format!("{shown} is not of {market}: its messages are those of Binance's {kind}")))
        }
        _ => Ok(()),
    }
}

/// Levels that messages of Bybit name (`orderbook.200.BTCUSDT`): only those of this stream are of the book.
fn levels_of(piece: &Piece, symbol: &str, read: &Arc<AtomicU64>) -> Result<Option<usize>, Error> {
    let mut lines = piece.lines(read)?;
    for _ in 0..HEAD_LINES {
        let Some(line) = lines.next() else { break };
        let bytes = lines.bytes(&line);
        let of = |from: usize| {
            let rest = &bytes[from + TOPIC.len()..];
            let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            let (levels, rest) = rest.split_at(digits);
            let own = rest.strip_prefix(b".").is_some_and(|r| r.starts_with(symbol.as_bytes()));
            std::str::from_utf8(levels).ok().filter(|_| own)?.parse().ok()
        };
        let found = memchr::memmem::find_iter(bytes, TOPIC).filter_map(of).find(|levels: &usize| *levels > 1);
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

impl CaptureForm {
    fn of(line: &[u8]) -> Option<Self> {
        if line.starts_with(b"{\"topic\"") {
            let line: BybitLine<'_> = serde_json::from_slice(line).ok()?;
            return line.topic.starts_with("orderbook.").then_some(Self::BybitArchive);
        }
        if line.starts_with(b"{") {
            let head: CryptofeedLine<'_> = serde_json::from_slice(line).ok()?;
            return (head.t == "header").then_some(Self::Cryptofeed);
        }
        StampUnit::of(line).map(Self::Stamped)
    }

    fn line(self, line: &[u8]) -> Option<Line<'_>> {
        match self {
            Self::Stamped(unit) => {
                let (at, body) = unit.split(line)?;
                let body = Cow::Borrowed(body);
                // A body of a depth request begins with the number of its book; messages are in an envelope.
                let is_body = body.starts_with(b"{\"lastUpdateId\"");
                Some(if is_body { Line::Body(None, at, body) } else { Line::Frame(at, None, body) })
            }
            Self::BybitArchive => {
                let head: BybitLine<'_> = serde_json::from_slice(line).ok()?;
                let at = head.ts.checked_mul(1_000_000).map(Ts)?;
                Some(Line::Frame(at, None, as_live(line)))
            }
            Self::Cryptofeed => {
                let line: CryptofeedLine<'_> = serde_json::from_slice(line).ok()?;
                let data = |d: Option<Cow<'_, str>>| d.map(|d| d.into_owned().into_bytes());
                match (line.t, line.ts.as_ref().and_then(seconds)) {
                    ("connect", _) => Some(Line::Connected(line.conn?, line.addr?)),
                    ("recv", Some(at)) => Some(Line::Frame(at, line.conn, Cow::Owned(data(line.data)?))),
                    ("http", Some(at)) => {
                        let address = line.url.map(Cow::into_owned);
                        Some(Line::Body(Some(address?), at, Cow::Owned(data(line.data)?)))
                    }
                    _ => Some(Line::Other),
                }
            }
        }
    }
}

/// The archive has books of a depth that Bybit does not send live. What holds for those that it sends holds for them too, so they are played
/// as books of the deepest topic, which has room for all of their levels.
fn as_live(line: &[u8]) -> Cow<'_, [u8]> {
    let found = memchr::memmem::find(line, ARCHIVED).filter(|at| *at < TOPIC_WITHIN);
    found.map_or(Cow::Borrowed(line), |at| Cow::Owned([&line[..at], AS_LIVE, &line[at + ARCHIVED.len()..]].concat()))
}

/// Seconds with decimals, exactly as they are written.
fn seconds(number: &serde_json::Number) -> Option<Ts> {
    let text = number.to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
    let nanos: i64 = format!("{part:0<9.9}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanos).map(Ts)
}
