//! Books and trades around the alerts of a case, rebuilt from the journal: the messages are played to the sessions that received
//! them, from the first start the journal holds, because what a book was at a moment follows from all before it.
//!
//! That takes the longer the more is recorded. A process that serves waits a few seconds at most and says how to have it done without
//! a limit; the command line waits.

use barograph_domain::case::{BOOK_LEVELS, BookStep, CaseRecording, PriceLevel, RecordedFrom, StepBounds, TapeTrade};
use barograph_domain::depth::{BookSides, DepthLevel};
use barograph_domain::{GapReason, InstrumentName, Side, Ts};
use barograph_lake::journal;
use barograph_lake::recorded::{
    JournalAudience, RecordListener, RecordStamps, RecordedFeed, RecordedTrade, play_journal,
};
use barograph_query::cases::{CaseRecorder, CaseStretch};
use barograph_venues::session::MarketSpec;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long somebody who files a case over HTTP waits for its books.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Plays a journal for cases.
#[derive(Debug)]
pub(crate) struct JournalRecorder {
    root: PathBuf,
    patience: Option<Duration>,
}

impl JournalRecorder {
    /// Of the journal in this folder, for no longer than this; `None`: however long it takes.
    pub(crate) const fn new(root: PathBuf, patience: Option<Duration>) -> Self {
        Self { root, patience }
    }
}

/// What ends the playing.
enum PlayEnd {
    /// It takes too long.
    Late,
    /// It cannot be played.
    Failed(barograph_lake::Error),
}

impl From<barograph_lake::Error> for PlayEnd {
    fn from(e: barograph_lake::Error) -> Self {
        Self::Failed(e)
    }
}

impl CaseRecorder for JournalRecorder {
    fn record(&self, stretches: &[CaseStretch], _bounds: StepBounds) -> Result<Vec<CaseRecording>, String> {
        if stretches.is_empty() || !self.root.is_dir() {
            return Ok(Vec::new());
        }
        let deadline = self.patience.map(|patience| Instant::now() + patience);
        let why = |e: &dyn core::fmt::Display| format!("the journal cannot be played: {e}");
        let last = journal::survey(&self.root).map_err(|e| why(&e))?.last;
        let begin = stretches.iter().map(|s| s.from).min();
        if last.is_none_or(|last| begin.is_none_or(|begin| last < begin)) {
            return Ok(Vec::new());
        }
        let until = stretches.iter().map(|s| s.until).max();
        let mut audience = CaseAudience { stretches, deadline };
        let played = match play_journal(&self.root, until, &mut audience) {
            Ok(played) => played,
            Err(PlayEnd::Failed(e)) => return Err(why(&e)),
            Err(PlayEnd::Late) => {
                return Err("playing the journal up to that moment takes too long here; once the case is filed: \
                            barograph cases record ID"
                    .to_owned());
            }
        };
        let reached = played.span.map(|(_, last)| last);
        let steps = played.markets.into_iter().flat_map(|market| market.listener.steps);
        Ok(steps.filter_map(|one| one.finished(reached)).collect())
    }
}

/// Listens to each market that a stretch is of.
struct CaseAudience<'a> {
    stretches: &'a [CaseStretch],
    deadline: Option<Instant>,
}

impl JournalAudience for CaseAudience<'_> {
    type Listener = MarketSteps;

    fn cares_for(&self, venue: &str) -> bool {
        self.stretches.iter().any(|s| s.instrument.venue.as_str() == venue)
    }

    fn listener(
        &mut self,
        market: &InstrumentName,
        _spec: &MarketSpec,
        _has_book: bool,
    ) -> Result<Option<MarketSteps>, PlayEnd> {
        let own: Vec<StretchSteps> =
            self.stretches.iter().filter(|s| s.instrument == *market).map(StretchSteps::of).collect();
        Ok((!own.is_empty()).then_some(MarketSteps { steps: own }))
    }

    /// Also while venues and markets are played that no stretch is of.
    fn reached(&mut self, _at: Ts) -> Result<(), PlayEnd> {
        if self.deadline.is_some_and(|deadline| Instant::now() > deadline) { Err(PlayEnd::Late) } else { Ok(()) }
    }
}

/// What is played of one market.
struct MarketSteps {
    steps: Vec<StretchSteps>,
}

/// What was played within one stretch.
struct StretchSteps {
    stretch: CaseStretch,
    books: Vec<BookStep>,
    trades: Vec<TapeTrade>,
}

impl StretchSteps {
    fn of(stretch: &CaseStretch) -> Self {
        Self { stretch: stretch.clone(), books: Vec::new(), trades: Vec::new() }
    }

    /// By when it was received: what a venue's clock has, it may have set wrongly.
    fn covers(&self, recv: Ts) -> bool {
        self.stretch.from <= recv && recv <= self.stretch.until
    }

    /// Everything of it, up to what the journal reached; `None`: nothing was played.
    fn finished(self, reached: Option<Ts>) -> Option<CaseRecording> {
        let Self { stretch, mut books, mut trades } = self;
        // They came in the order of their receiving; steps are read in that of the venue's stamps.
        books.sort_by_key(|b| (b.at, b.known_at));
        trades.sort_by_key(|t| (t.at, t.known_at));
        let CaseStretch { alert_id, moment, from, until, .. } = stretch;
        let is_something = !books.is_empty() || !trades.is_empty();
        is_something.then(|| CaseRecording {
            alert_id,
            source: RecordedFrom::Journal,
            moment,
            from,
            until: reached.map_or(until, |reached| until.min(reached)),
            books,
            trades,
            books_left_out: 0,
            trades_left_out: 0,
        })
    }
}

fn levels(side: &[DepthLevel]) -> Vec<PriceLevel> {
    side.iter().take(BOOK_LEVELS).map(|l| PriceLevel { price: l.price, qty: l.size }).collect()
}

impl RecordListener for MarketSteps {
    type Failure = PlayEnd;

    fn book(&mut self, at: RecordStamps, sides: &BookSides<'_>, _updates: u32) -> Result<(), PlayEnd> {
        for steps in self.steps.iter_mut().filter(|h| h.covers(at.recv)) {
            let (bids, asks) = (levels(sides.bids), levels(sides.asks));
            steps.books.push(BookStep { at: at.event, known_at: at.recv, bids, asks });
        }
        Ok(())
    }

    fn trade(&mut self, at: RecordStamps, trade: RecordedTrade) -> Result<(), PlayEnd> {
        let side = if trade.is_buy { Side::Long } else { Side::Short };
        for steps in self.steps.iter_mut().filter(|h| h.covers(at.recv)) {
            let RecordedTrade { price, size, .. } = trade;
            let (at, known_at) = (at.event, at.recv);
            steps.trades.push(TapeTrade { at, known_at, price, qty: size, aggressor_side: Some(side) });
        }
        Ok(())
    }

    fn lost(&mut self, _feed: RecordedFeed, _from: Ts, _why: GapReason) -> Result<(), PlayEnd> {
        Ok(())
    }

    fn trades_begin(&mut self, _from: Ts) -> Result<(), PlayEnd> {
        Ok(())
    }

    fn passed(&mut self, _recv: Ts) -> Result<(), PlayEnd> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Span;
    use barograph_lake::journal::{ControlRecord, JournalConfig, JournalWriter};

    const MOMENT: Ts = Ts::from_civil(2026, 2, 5, 12, 0, 0);

    fn stretch() -> CaseStretch {
        CaseStretch {
            alert_id: "a".to_owned(),
            instrument: InstrumentName::new("binance-usdm", "BTCUSDT").unwrap(),
            moment: MOMENT,
            from: MOMENT - Span::mins(5),
            until: MOMENT + Span::mins(5),
        }
    }

    /// The journal of another venue alone: nothing of the market is ever played.
    #[test]
    fn nobody_waits_longer_than_they_may_for_what_others_received() {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, _) = JournalWriter::open(JournalConfig::new(folder.path()), MOMENT).unwrap();
        let config = serde_json::json!({ "venues": [] });
        let start = ControlRecord::Start { release: "t".to_owned(), config, resumed_from: None };
        writer.control(MOMENT, &start).unwrap();
        let key = writer.connection("okx", "c1", 0, MOMENT).unwrap();
        for n in 1..=1_500 {
            writer.frame(key, MOMENT + Span(n * 1_000), b"{}").unwrap();
        }
        writer.close().unwrap();
        let record = |patience| {
            JournalRecorder::new(folder.path().to_owned(), patience)
                .record(&[stretch()], StepBounds { books: 1, trades: 1 })
        };
        assert_eq!(record(None), Ok(Vec::new()));
        let late = record(Some(Duration::ZERO)).unwrap_err();
        assert!(late.contains("barograph cases record"), "{late}");
    }

    /// A venue whose clock is ten minutes behind: its stamps are kept, and choose nothing.
    #[test]
    fn what_was_received_around_the_moment_is_taken_whatever_the_venue_stamps() {
        let mut market = MarketSteps { steps: vec![StretchSteps::of(&stretch())] };
        let mut trade = |event: Span, recv: Span| {
            let at = RecordStamps { event: MOMENT + event, recv: MOMENT + recv };
            assert!(market.trade(at, RecordedTrade { price: 100.0, size: 1.0, is_buy: true }).is_ok());
        };
        let behind = Span::mins(-10);
        trade(behind, Span::secs(-301));
        trade(behind + Span::secs(2), Span::secs(1));
        trade(behind + Span::secs(1), Span::secs(3));
        trade(behind + Span::secs(1), Span::secs(2));
        trade(Span::secs(299), Span::secs(301));
        let found = market.steps.remove(0).finished(None).unwrap();
        let stamps: Vec<(Span, Span)> = found.trades.iter().map(|t| (t.at - MOMENT, t.known_at - MOMENT)).collect();
        let at = |event, recv| (behind + Span::secs(event), Span::secs(recv));
        // Two of one stamp stay in the order in which they came.
        assert_eq!(stamps, [at(1, 2), at(1, 3), at(2, 1)]);
    }
}
