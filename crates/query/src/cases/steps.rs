//! Books and trades around a moment: which stretch is looked at, which of them are taken, and what the store has.
//!
//! The nearest to the moment are taken, half of them before it. The store samples a live market once a minute; a recording of it
//! says so by its source, and is never passed off as the tape.

use super::desk::CaseStretch;
use barograph_domain::case::{
    BOOK_LEVELS, BookStep, CaseEvidence, CaseRecording, PriceLevel, RecordedFrom, StepBounds, TapeTrade,
};
use barograph_domain::{Metric, Payload, Span, Ts};
use barograph_store::{PointQuery, Range, Reader, Result, StoredOrderBook};

/// So much before the moment and as much behind it is looked at.
const AROUND: Span = Span::mins(5);
/// Rows of the store read at a time.
const ROWS: usize = 20_000;

/// The stretch around an alert of a case.
#[must_use]
pub fn around(evidence: &CaseEvidence) -> Option<CaseStretch> {
    let moment = evidence.moment()?;
    let (from, until) = (moment - AROUND, moment + AROUND);
    let (alert_id, instrument) = (evidence.alert_id.clone(), evidence.instrument.clone());
    Some(CaseStretch { alert_id, instrument, moment, from, until })
}

/// Of items in the order of time, so many that lie next to each other around a moment, half of them before it.
fn window(len: usize, before: usize, most: usize) -> core::ops::Range<usize> {
    let take = most.min(len);
    let start = before.saturating_sub(take / 2).min(len - take);
    start..start + take
}

/// A recording cut to what was asked for; what goes is counted.
#[must_use]
pub fn nearest(mut recording: CaseRecording, bounds: StepBounds) -> CaseRecording {
    let moment = recording.moment;
    let books = &mut recording.books;
    let (len, before) = (books.len(), books.partition_point(|b| b.at < moment));
    *books = books.drain(window(len, before, bounds.books)).collect();
    recording.books_left_out += (len - books.len()) as u64;
    let trades = &mut recording.trades;
    let (len, before) = (trades.len(), trades.partition_point(|t| t.at < moment));
    *trades = trades.drain(window(len, before, bounds.trades)).collect();
    recording.trades_left_out += (len - trades.len()) as u64;
    recording
}

fn recording_head(alert_id: &str, source: RecordedFrom, moment: Ts, (from, until): (Ts, Ts)) -> CaseRecording {
    CaseRecording {
        alert_id: alert_id.to_owned(),
        source,
        moment,
        from,
        until,
        books: Vec::new(),
        trades: Vec::new(),
        books_left_out: 0,
        trades_left_out: 0,
    }
}

fn levels(side: &[(f64, f64)]) -> Vec<PriceLevel> {
    side.iter().take(BOOK_LEVELS).map(|(price, qty)| PriceLevel { price: *price, qty: *qty }).collect()
}

fn step(book: &StoredOrderBook) -> BookStep {
    BookStep { at: book.ts, known_at: book.known_ts, bids: levels(&book.bids), asks: levels(&book.asks) }
}

/// What the store has of a stretch; `None`: neither a book nor a trade.
///
/// # Errors
/// When the store cannot be read.
pub fn from_store(reader: &dyn Reader, stretch: &CaseStretch, bounds: StepBounds) -> Result<Option<CaseRecording>> {
    // Kept by the venue's stamps; wanted by when they were received. So far apart at most the two are looked for.
    let whole = Range { start: stretch.from - AROUND, end: Ts((stretch.until + AROUND).0.saturating_add(1)) };
    let mut found =
        recording_head(&stretch.alert_id, RecordedFrom::Store, stretch.moment, (stretch.from, stretch.until));
    let mut range = whole;
    loop {
        let page = reader.books(&stretch.instrument, range, ROWS, None)?;
        found.books.extend(page.items.iter().map(step).filter(|b| is_within(stretch, b.known_at)));
        match page.next {
            Some(next) => range.start = next,
            None => break,
        }
    }
    found.trades = trades(reader, stretch, whole)?;
    found.books.sort_by_key(|b| (b.at, b.known_at));
    found.trades.sort_by_key(|t| (t.at, t.known_at));
    if found.books.is_empty() && found.trades.is_empty() {
        return Ok(None);
    }
    Ok(Some(nearest(found, bounds)))
}

fn is_within(stretch: &CaseStretch, recv: Ts) -> bool {
    stretch.from <= recv && recv <= stretch.until
}

/// Trades of the first source in rank that has any: several sources have the same ones.
fn trades(reader: &dyn Reader, stretch: &CaseStretch, range: Range) -> Result<Vec<TapeTrade>> {
    for stream in reader.counting_streams(Some(&stretch.instrument), None)? {
        if stream.decl.metric != Metric::Trade {
            continue;
        }
        let mut query = PointQuery {
            instrument: stretch.instrument.clone(),
            metric: Metric::Trade,
            source: Some(stream.decl.source.clone()),
            cadence: Some(stream.decl.cadence),
            range,
            limit: ROWS,
            as_of: None,
        };
        let mut found = Vec::new();
        loop {
            let page = reader.points(&query)?;
            found.extend(page.items.iter().filter_map(|p| match p.payload {
                Payload::Trade { price, qty, aggressor_side } if is_within(stretch, p.known_ts) => {
                    Some(TapeTrade { at: p.event_ts, known_at: p.known_ts, price, qty, aggressor_side })
                }
                _ => None,
            }));
            match page.next {
                Some(next) => query.range.start = next,
                None => break,
            }
        }
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{Instrument, InstrumentName, MarketKind};
    use barograph_store::{BookSample, LiveBatch, SqliteReader, SqliteWriter, Writer as _, WriterRole};

    #[test]
    fn the_nearest_are_taken_half_of_them_before_the_moment() {
        for (len, before, most, want) in
            [(0, 0, 20, 0..0), (5, 2, 20, 0..5), (100, 50, 20, 40..60), (100, 3, 20, 0..20), (100, 99, 20, 80..100)]
        {
            assert_eq!(window(len, before, most), want, "{len} {before} {most}");
        }
    }

    /// The second by the venue's stamp is outside and was received within; of the third it is the other way round.
    #[test]
    fn the_store_is_asked_for_what_was_received_around_the_moment() {
        let moment = Ts::from_civil(2026, 2, 5, 12, 0, 0);
        let name = InstrumentName::new("binance-usdm", "BTCUSDT").unwrap();
        let instruments = [Instrument { name: name.clone(), kind: MarketKind::Perpetual, expiry: None }];
        let stamps = [(1, 2), (-310, -299), (299, 301), (-9, 8), (-299, -299)];
        let books = stamps.map(|(event, recv)| BookSample {
            instrument: 0,
            ts: moment + Span::secs(event),
            known_ts: moment + Span::secs(recv),
            bids: vec![(99.0, 1.0)],
            asks: vec![(101.0, 1.0)],
        });
        let folder = tempfile::tempdir().unwrap();
        let mut writer = SqliteWriter::open(folder.path(), &WriterRole::ALL).unwrap();
        for book in books {
            let batch = LiveBatch { instruments: &instruments, books: &[book], ..LiveBatch::default() };
            writer.append(&batch).unwrap();
        }
        let reader = SqliteReader::open(folder.path()).unwrap();
        let (from, until) = (moment - AROUND, moment + AROUND);
        let stretch = CaseStretch { alert_id: "a".to_owned(), instrument: name, moment, from, until };
        let found = from_store(&reader, &stretch, StepBounds { books: 9, trades: 9 }).unwrap().unwrap();
        let at: Vec<Span> = found.books.iter().map(|b| b.at - moment).collect();
        assert_eq!(at, [-310, -299, -9, 1].map(Span::secs));
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let trade = |n: i64| TapeTrade { at: Ts(n), known_at: Ts(n), price: 1.0, qty: 1.0, aggressor_side: None };
        let mut whole = recording_head("a", RecordedFrom::Journal, Ts(50), (Ts(0), Ts(100)));
        whole.trades = (0..100).map(trade).collect();
        whole.trades_left_out = 7;
        let cut = nearest(whole, StepBounds { books: 20, trades: 10 });
        assert_eq!((cut.trades.first().unwrap().at, cut.trades.len(), cut.trades_left_out), (Ts(45), 10, 97));
        assert_eq!((cut.alert_id.as_str(), cut.moment, cut.until), ("a", Ts(50), Ts(100)));
    }
}
