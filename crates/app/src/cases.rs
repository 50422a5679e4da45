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
        let why = |e: &dyn core::fmt::Display| format!("the journal cannot be played: {e}");
        let last = journal::survey(&self.root).map_err(|e| why(&e))?.last;
        let begin = stretches.iter().map(|s| s.from).min();
        if last.is_none_or(|last| begin.is_none_or(|begin| last < begin)) {
            return Ok(Vec::new());
        }
        let until = stretches.iter().map(|s| s.until).max();
        let mut audience =
            CaseAudience { stretches, deadline: self.patience.map(|patience| Instant::now() + patience) };
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
        Ok((!own.is_empty()).then_some(MarketSteps { steps: own, deadline: self.deadline }))
    }

    fn reached(&mut self, _at: Ts) {}
}

/// What is played of one market.
struct MarketSteps {
    steps: Vec<StretchSteps>,
    deadline: Option<Instant>,
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

    fn covers(&self, at: Ts) -> bool {
        self.stretch.from <= at && at <= self.stretch.until
    }

    /// Everything of it, up to what the journal reached; `None`: nothing was played.
    fn finished(self, reached: Option<Ts>) -> Option<CaseRecording> {
        let Self { stretch, books, trades } = self;
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
        for steps in self.steps.iter_mut().filter(|h| h.covers(at.event)) {
            let (bids, asks) = (levels(sides.bids), levels(sides.asks));
            steps.books.push(BookStep { at: at.event, known_at: at.recv, bids, asks });
        }
        Ok(())
    }

    fn trade(&mut self, at: RecordStamps, trade: RecordedTrade) -> Result<(), PlayEnd> {
        let side = if trade.is_buy { Side::Long } else { Side::Short };
        for steps in self.steps.iter_mut().filter(|h| h.covers(at.event)) {
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
        if self.deadline.is_some_and(|deadline| Instant::now() > deadline) { Err(PlayEnd::Late) } else { Ok(()) }
    }
}
