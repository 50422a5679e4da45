//! Files of raw messages: what hftbacktest's collector writes (`<receive stamp> <message>`), and captures of cryptofeed (JSON lines
//! that say themselves what they are).

use super::listener::RecordListener;
use super::player::{Played, RecordedMarket};
use crate::error::Error;
use crate::lines::{End, Lines};
use crate::source;
use barograph_domain::{InstrumentName, Ts};
use barograph_venues::recording::StampUnit;
use barograph_venues::session::{MarketSpec, VenueDef, venue};
use serde::Deserialize;
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One market's messages in files, ready to be played.
#[derive(Debug)]
pub struct Capture {
    venue: &'static VenueDef,
    symbol: String,
    files: Vec<PathBuf>,
    read: Arc<AtomicU64>,
    bytes: u64,
}

/// A line of a capture.
enum Line<'a> {
    Frame(Ts, Cow<'a, [u8]>),
    /// The answer to a request whose address has this in it; of some recorders the address is not known.
    Body(Option<String>, Ts, Cow<'a, [u8]>),
    /// Something else that recorders note.
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum CaptureForm {
    Stamped(StampUnit),
    Cryptofeed,
}

#[derive(Deserialize)]
struct CryptofeedLine<'a> {
    t: &'a str,
    #[serde(default)]
    ts: Option<serde_json::Number>,
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
        let id = market.venue.as_str();
        let Some(venue) = venue(id) else {
            return Err(Error::Usage(format!(
                "recordings of '{id}' cannot be played: its messages are not known here"
            )));
        };
        let read = Arc::new(AtomicU64::new(0));
        let mut first = Vec::new();
        let mut bytes = 0;
        for path in files {
            bytes += path.metadata().map_err(|source| Error::Path { path: path.clone(), source })?.len();
            first.push((Self::begins(path, &read)?, path.clone()));
        }
        first.sort();
        read.store(0, Ordering::Relaxed);
        let files = first.into_iter().map(|(_, path)| path).collect();
        Ok(Self { venue, symbol: market.symbol.to_owned(), files, read, bytes })
    }

    fn begins(path: &Path, read: &Arc<AtomicU64>) -> Result<Ts, Error> {
        let mut lines = lines_of(path, read)?;
        let mut form = None;
        while let Some(line) = lines.next() {
            let bytes = lines.bytes(&line);
            form = form.or_else(|| CaptureForm::of(bytes));
            let Some(form) = form else { break };
            if let Some(Line::Frame(at, _) | Line::Body(_, at, _)) = form.line(bytes) {
                return Ok(at);
            }
        }
        let shown = path.display();
        Err(Error::Usage(format!(
            "{shown} is no recording of raw messages: its lines are neither '<receive nanoseconds> <message>', as hftbacktest's collector writes them, nor a capture of cryptofeed"
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
    pub fn play<L: RecordListener>(&self, spec: MarketSpec, to: &mut L) -> Result<CapturePlayed, L::Failure> {
        let mut market = RecordedMarket::new(self.venue, spec);
        let mut done = CapturePlayed::default();
        let mut bodies: Vec<(Option<String>, Vec<u8>)> = Vec::new();
        for path in &self.files {
            self.file(path, &mut market, &mut bodies, &mut done, to)?;
        }
        done.played = market.played().clone();
        Ok(done)
    }

    fn file<L: RecordListener>(
        &self,
        path: &Path,
        market: &mut RecordedMarket,
        bodies: &mut Vec<(Option<String>, Vec<u8>)>,
        done: &mut CapturePlayed,
        to: &mut L,
    ) -> Result<(), L::Failure> {
        let mut lines = lines_of(path, &self.read)?;
        let mut form = None;
        while let Some(line) = lines.next() {
            let bytes = lines.bytes(&line);
            form = form.or_else(|| CaptureForm::of(bytes));
            done.lines += 1;
            match form.and_then(|f| f.line(bytes)) {
                Some(Line::Frame(at, message)) => {
                    done.span = Some((done.span.map_or(at, |(from, _)| from), at));
                    market.frame(at, &message, to)?;
                }
                Some(Line::Body(address, at, body)) => {
                    market.time(at, to)?;
                    bodies.push((address, body.into_owned()));
                }
                Some(Line::Other) => {}
                None => done.unreadable += 1,
            }
            self.answer(market, bodies, to)?;
        }
        if let End::Torn(e) = lines.end() {
            done.torn.push(format!("{} breaks off after line {}: {e}", path.display(), lines.number()));
        }
        Ok(())
    }

    /// Requests get the oldest body that fits them, as soon as both are there.
    fn answer<L: RecordListener>(
        &self,
        market: &mut RecordedMarket,
        bodies: &mut Vec<(Option<String>, Vec<u8>)>,
        to: &mut L,
    ) -> Result<(), L::Failure> {
        let own = format!("symbol={}", self.symbol);
        while let Some(at) = bodies.iter().position(|(address, _)| {
            address.as_ref().is_none_or(|a| a.contains("/depth?") && a.contains(&own))
                && market.awaits(|url| url.contains("/depth?")).is_some()
        }) {
            let (_, body) = bodies.remove(at);
            if let Some(request) = market.awaits(|url| url.contains("/depth?")) {
                market.reply(request, &body, to)?;
            }
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
    /// Files that break off, each as a sentence.
    pub torn: Vec<String>,
    /// What the market's session made of it.
    pub played: Played,
}

fn lines_of(path: &Path, read: &Arc<AtomicU64>) -> Result<Lines, Error> {
    let bytes = source::open(path, None, read).map_err(|source| Error::Path { path: path.to_owned(), source })?;
    Ok(Lines::new(bytes))
}

impl CaptureForm {
    fn of(line: &[u8]) -> Option<Self> {
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
                Some(if is_body { Line::Body(None, at, body) } else { Line::Frame(at, body) })
            }
            Self::Cryptofeed => {
                let line: CryptofeedLine<'_> = serde_json::from_slice(line).ok()?;
                let data = |d: Option<Cow<'_, str>>| d.map(|d| d.into_owned().into_bytes());
                match (line.t, line.ts.as_ref().and_then(seconds)) {
                    ("recv", Some(at)) => Some(Line::Frame(at, Cow::Owned(data(line.data)?))),
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

/// Seconds with decimals, exactly as they are written.
fn seconds(number: &serde_json::Number) -> Option<Ts> {
    let text = number.to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
    let nanos: i64 = format!("{part:0<9.9}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanos).map(Ts)
}
