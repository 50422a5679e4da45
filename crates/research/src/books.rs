//! Recorded books of the lake at chosen moments.

use crate::ResearchError;
use crate::typed::dataset_command;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_lake::layers::{LakeBatch, LakeHour, LakeNumbers, LakeQuery, LakeReader, Layer, hours};
use barograph_study::lead_lag::mids::StudyClock;
use barograph_study::money::books::{BookAt, NoBook};
use barograph_study::money::fills::TakerBook;
use std::collections::BTreeSet;
use std::path::Path;

const LEVELS: usize = 20;
/// A book older than this is not traded on: the same as for the data set (features §7).
pub(crate) const BOOK_AGE_MAX: Span = Span::secs(5);

/// Hours of a market's books in a lake, in the order of time.
pub(crate) fn book_hours(lake: &Path, market: &InstrumentName) -> Result<Vec<LakeHour>, ResearchError> {
    let query = LakeQuery {
        layer: Some(Layer::Bronze),
        table: Some("orderbook".to_owned()),
        exchange: Some(market.venue.as_str().to_owned()),
        symbol: Some(market.symbol.clone()),
        ..LakeQuery::default()
    };
    let hours = hours(lake, &query)?;
    if hours.is_empty() {
        return Err(ResearchError::Refused(format!(
            "{} holds no books of {market}; they are made by: {}",
            lake.display(),
            dataset_command(lake, market)
        )));
    }
    Ok(hours)
}

/// Hours of a market's books from a moment on, and the hour before it: the clocks of neighbouring hours may overlap.
fn book_hours_around(lake: &Path, market: &InstrumentName, from: Option<Ts>) -> Result<Vec<LakeHour>, ResearchError> {
    let mut hours = book_hours(lake, market)?;
    if let Some(from) = from {
        let first = hours.partition_point(|h| h.hour.0 < from.0.saturating_sub(2 * Span::hours(1).0));
        hours.drain(..first.min(hours.len() - 1));
    }
    Ok(hours)
}

/// What the states of a market's book are known by: the digests of all their hours, in order.
pub(crate) fn books_digest(lake: &Path, market: &InstrumentName) -> Result<String, ResearchError> {
    let digests = book_hours(lake, market)?.iter().map(LakeHour::content_digest).collect::<Result<Vec<_>, _>>()?;
    Ok(digests.concat())
}

/// The book as it stood at each of these moments by the venue's clock, with the moment it has stood since; `None` from the beginning of a
/// gap on. Books that nobody asks for are passed over, and of the others levels behind those that hold `depth` quote.
pub(crate) fn books_at(
    lake: &Path,
    market: &InstrumentName,
    wanted: &BTreeSet<Ts>,
    depth: Option<f64>,
) -> Result<Vec<(Ts, Option<TakerBook>)>, ResearchError> {
    books_by(StudyClock::Event, lake, market, wanted, depth)
}

/// The same by either clock: as it stood at the venue, or as it had been received here. What was received later than a row behind it
/// counts with that one.
pub(crate) fn books_by(
    clock: StudyClock,
    lake: &Path,
    market: &InstrumentName,
    wanted: &BTreeSet<Ts>,
    depth: Option<f64>,
) -> Result<Vec<(Ts, Option<TakerBook>)>, ResearchError> {
    let hours = book_hours_around(lake, market, wanted.first().copied())?;
    let mut found = Vec::new();
    let mut wanted = wanted.iter().copied().peekable();
    // The newest row before the next moment that is asked for: it is taken when a later row shows that it was the last.
    let mut newest: Option<(Ts, Option<TakerBook>)> = None;
    let mut before: Option<Ts> = None;
    for batch in LakeReader::new(hours, None) {
        let batch = batch?;
        let sides = Sides::of(&batch)?;
        let times = stamps(&batch, clock, before)?;
        for (row, at) in times.iter().copied().enumerate() {
            let mut asked = false;
            while wanted.next_if(|w| *w < at).is_some() {
                asked = true;
            }
            if asked {
                found.extend(newest.take());
            }
            let Some(next) = wanted.peek() else { return Ok(found) };
            if let Some(before) = before.filter(|_| batch.flag("gap", row) == Some(true)) {
                found.push((Ts(before.0 + 1), None));
            }
            before = Some(at);
            // Only what may be the last before the next moment is looked at: rows far from it are passed over.
            let last = times.get(row + 1).is_none_or(|t| t > next);
            let book = || sides.book(row).map(|book| if let Some(depth) = depth { book.cut_to(depth) } else { book });
            newest = Some((at, if last { book() } else { None })).filter(|_| last);
        }
    }
    found.extend(newest);
    Ok(found)
}

/// Moments of a batch by a clock, never before the one that came last.
pub(crate) fn stamps(batch: &LakeBatch, clock: StudyClock, before: Option<Ts>) -> Result<Vec<Ts>, ResearchError> {
    let name = if clock == StudyClock::Event { "ts" } else { "known_ts" };
    let mut latest = before.unwrap_or(Ts::MIN);
    let in_order = |t: &i64| {
        latest = latest.max(Ts(*t));
        latest
    };
    Ok(batch.moments(name).ok_or_else(|| missing(name))?.iter().map(in_order).collect())
}

pub(crate) fn missing(name: &str) -> ResearchError {
    ResearchError::Failed(format!("books have no column '{name}'"))
}

struct Sides<'a> {
    bids: Vec<(LakeNumbers<'a>, LakeNumbers<'a>)>,
    asks: Vec<(LakeNumbers<'a>, LakeNumbers<'a>)>,
}

impl<'a> Sides<'a> {
    fn of(batch: &'a LakeBatch) -> Result<Self, ResearchError> {
        let column = |name: String| batch.numbers(&name).ok_or_else(|| missing(&name));
        let side = |side: &str| {
            (0..LEVELS)
                .map(|k| Ok((column(format!("{side}_price_L{k}"))?, column(format!("{side}_size_L{k}"))?)))
                .collect::<Result<Vec<_>, ResearchError>>()
        };
        Ok(Self { bids: side("bid")?, asks: side("ask")? })
    }

    /// `None` where the book cannot be traded on.
    fn book(&self, row: usize) -> Option<TakerBook> {
        let side = |levels: &[(LakeNumbers<'_>, LakeNumbers<'_>)]| {
            levels.iter().map_while(|(p, q)| p.get(row).zip(q.get(row))).collect::<Vec<_>>()
        };
        TakerBook::new(side(&self.bids), side(&self.asks)).ok()
    }
}

/// A market's books played forward, for whoever never asks for an earlier moment again: one is in memory at a time.
pub(crate) struct PlayedBooks {
    reader: LakeReader,
    batch: Option<(LakeBatch, Vec<Ts>)>,
    /// Row of the batch that is not reached yet.
    next: usize,
    newest: Option<(Ts, Option<TakerBook>)>,
    failed: Option<ResearchError>,
}

impl PlayedBooks {
    /// For whoever asks for no moment before `from`, where that is given.
    pub(crate) fn open(lake: &Path, market: &InstrumentName, from: Option<Ts>) -> Result<Self, ResearchError> {
        let reader = LakeReader::new(book_hours_around(lake, market, from)?, None);
        Ok(Self { reader, batch: None, next: 0, newest: None, failed: None })
    }

    /// What stopped the reading, which a back-test sees as a market without books.
    pub(crate) fn finish(self) -> Result<(), ResearchError> {
        self.failed.map_or(Ok(()), Err)
    }

    fn play(&mut self, at: Ts) -> Result<(), ResearchError> {
        loop {
            if let Some((batch, times)) = &self.batch {
                let until = self.next + times[self.next..].partition_point(|t| *t <= at);
                if until > self.next {
                    self.newest = Some((times[until - 1], Sides::of(batch)?.book(until - 1)));
                    self.next = until;
                }
                if until < times.len() {
                    return Ok(());
                }
            }
            let Some(batch) = self.reader.next() else { return Ok(()) };
            let batch = batch?;
            let times = stamps(&batch, StudyClock::Event, self.newest.as_ref().map(|(t, _)| *t))?;
            (self.batch, self.next) = (Some((batch, times)), 0);
        }
    }

    /// Does a gap lie between the newest book and the next?
    fn is_gap(&self) -> bool {
        self.batch.as_ref().is_some_and(|(batch, _)| batch.flag("gap", self.next) == Some(true))
    }
}

impl BookAt for PlayedBooks {
    fn book_at(&mut self, at: Ts) -> Result<&TakerBook, NoBook> {
        if self.failed.is_none() {
            self.failed = self.play(at).err();
        }
        let is_gap = self.is_gap();
        let (since, book) = self.newest.as_ref().ok_or(NoBook::Before)?;
        if self.failed.is_some() || is_gap && at > *since {
            return Err(NoBook::Gap);
        }
        let age = at - *since;
        if age > BOOK_AGE_MAX { Err(NoBook::Stale { age }) } else { book.as_ref().ok_or(NoBook::Gap) }
    }
}
