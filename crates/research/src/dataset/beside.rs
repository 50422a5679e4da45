//! What a market's rows are made of beside its own book and trades: readings of its other feeds, and the same second on other venues.

use super::board::VenueBoard;
use super::rows::SecondRows;
use crate::ResearchError;
use barograph_columns::{FeedMinute, FeedMinutes, OtherFeeds};
use barograph_domain::depth::BookSides;
use barograph_domain::{GapReason, InstrumentName, Span, Ts};
use barograph_engine::sessions::SessionSet;
use barograph_lake::recorded::{RecordListener, RecordStamps, RecordedFeed, RecordedTrade};
use core::cell::RefCell;
use core::fmt;
use std::path::PathBuf;
use std::rc::Rc;

/// Readings are fetched for so long at once.
const AHEAD: Span = Span::days(1);
/// No reading of a minute is used for longer than this.
const BEFORE: Span = Span::hours(1);

/// Where readings of other feeds come from: the store of the live program, or of a replay.
pub trait FeedSource: fmt::Debug {
    /// Readings that became known in `from..until`, in that order: columns 174 to 185 of the market (those of its perpetual, where it is a
    /// spot market), and its column 190. Empty where nothing is stored.
    ///
    /// # Errors
    /// The store cannot be read.
    fn minutes(&self, market: &InstrumentName, from: Ts, until: Ts) -> Result<Vec<FeedMinute>, ResearchError>;
}

/// What is given beside a recording.
#[derive(Clone, Debug, Default)]
pub struct DatasetBeside {
    /// Readings of other feeds; without them those columns are absent.
    pub feeds: Option<Rc<dyn FeedSource>>,
    /// Recordings of other markets, which the columns `vx_*` compare with. A journal has its own.
    pub recordings: Vec<(InstrumentName, Vec<PathBuf>)>,
    /// What a contract of such a market is worth, where its recording does not say it.
    pub contract_sizes: Vec<(InstrumentName, f64)>,
    /// Whose returns `vx_ref_ret_1s_bps` has; without it Binance's where it is there, else the first by name.
    pub reference: Option<InstrumentName>,
}

/// Readings of one market as its rows go by.
#[derive(Debug, Default)]
pub(super) struct FeedLoader {
    source: Option<(Rc<dyn FeedSource>, InstrumentName)>,
    minutes: FeedMinutes,
    loaded: Option<Ts>,
}

impl FeedLoader {
    pub(super) fn new(source: Option<Rc<dyn FeedSource>>, market: &InstrumentName) -> Self {
        Self { source: source.map(|source| (source, market.clone())), ..Self::default() }
    }

    /// Readings up to a moment may be asked for.
    pub(super) fn reach(&mut self, t: Ts) -> Result<(), ResearchError> {
        let Some((source, market)) = &self.source else { return Ok(()) };
        if self.loaded.is_none_or(|upto| upto <= t) {
            // Behind a long absence only what is near counts.
            let from = self.loaded.max(Some(t - BEFORE)).unwrap_or(t);
            self.minutes.extend(source.minutes(market, from, t + AHEAD)?);
            self.loaded = Some(t + AHEAD);
        }
        Ok(())
    }

    pub(super) fn at(&mut self, t: Ts) -> OtherFeeds {
        let (derivatives, session_vol_ratio) = self.minutes.at(t);
        OtherFeeds { derivatives, session_vol_ratio, ..OtherFeeds::default() }
    }
}

/// Another market, of which only what is compared is kept.
pub(super) struct BesideRows {
    rows: SecondRows,
    board: Rc<RefCell<VenueBoard>>,
    member: usize,
}

impl BesideRows {
    pub(super) fn new(board: &Rc<RefCell<VenueBoard>>, member: usize) -> Self {
        Self { rows: SecondRows::new(None, SessionSet::UTC), board: Rc::clone(board), member }
    }
}

impl RecordListener for BesideRows {
    type Failure = ResearchError;

    fn book(&mut self, at: RecordStamps, sides: &BookSides<'_>, updates: u32) -> Result<(), ResearchError> {
        self.rows.book(at, sides, updates);
        Ok(())
    }

    fn trade(&mut self, at: RecordStamps, trade: RecordedTrade) -> Result<(), ResearchError> {
        self.rows.trade(at, trade);
        Ok(())
    }

    fn lost(&mut self, feed: RecordedFeed, from: Ts, _why: GapReason) -> Result<(), ResearchError> {
        self.rows.lost(feed, from);
        Ok(())
    }

    fn trades_begin(&mut self, from: Ts) -> Result<(), ResearchError> {
        self.rows.trades_begin(from);
        Ok(())
    }

    fn passed(&mut self, recv: Ts) -> Result<(), ResearchError> {
        let mut board = self.board.borrow_mut();
        while let Some((t, row)) = self.rows.due(recv) {
            board.note(self.member, t, &row);
        }
        board.pass(self.member, recv);
        Ok(())
    }

    fn resumed(&mut self, recv: Ts) -> Result<(), ResearchError> {
        self.rows.resumed(recv);
        Ok(())
    }
}
