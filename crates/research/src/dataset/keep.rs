//! What a recording says goes into the lake: states and trades as they come, rows when they are due.

use super::DatasetReport;
use super::beside::{FeedLoader, FeedSource};
use super::board::VenueBoard;
use super::rows::{CLOSE_AFTER, SecondRows};
use crate::ResearchError;
use barograph_columns::{ResearchRow, SECOND, catalogue, place_of};
use barograph_domain::depth::BookSides;
use barograph_domain::{GapReason, Instrument, InstrumentName, Span, Ts};
use barograph_engine::sessions::SessionSet;
use barograph_lake::layers::{
    BookHead, BookWriter, FeatureHead, FeatureWriter, LakeConfig, LakeMarket, LayerError, LayerResult, ResearchName,
    TradeWriter, WideTrade,
};
use barograph_lake::recorded::{CapturePlayed, RecordListener, RecordStamps, RecordedFeed, RecordedTrade};
use core::cell::RefCell;
use core::ops::Range;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

/// How often the caller hears how far it is: every so many states.
const STEP: u64 = 1_024;

/// The three tables of one market.
pub(super) struct Kept<'a> {
    books: BookWriter,
    trades: TradeWriter,
    features: FeatureWriter,
    rows: SecondRows,
    /// Place of `mid_price`: where it is missing the book of a row could not be used.
    mid: usize,
    sequence: u64,
    /// Why nothing was known before the next state, and the next trade.
    gaps: [Option<GapReason>; 2],
    done: DatasetReport,
    /// Only what lies in these hours is kept.
    within: Range<Ts>,
    feeds: FeedLoader,
    board: Option<(Rc<RefCell<VenueBoard>>, usize)>,
    /// Rows that wait for those of other venues.
    waiting: VecDeque<(Ts, Box<ResearchRow>)>,
    /// The newest row, and why the book was lost last: seconds between two rows are a hole.
    last: Option<Ts>,
    why: Option<GapReason>,
    step: Box<dyn FnMut(u64) + 'a>,
}

impl<'a> Kept<'a> {
    pub(super) fn open(
        config: LakeConfig,
        market: &InstrumentName,
        tick: Option<f64>,
        step: Box<dyn FnMut(u64) + 'a>,
    ) -> Result<Self, ResearchError> {
        let place = LakeMarket::new(market.venue.as_str(), market.symbol.as_str());
        let names: Vec<ResearchName<'_>> =
            catalogue().iter().map(|c| ResearchName { id: c.id, category: c.unit == "category" }).collect();
        let (books, _) = BookWriter::open(config.clone(), place.clone())?;
        let (trades, _) = TradeWriter::open(config.clone(), place.clone())?;
        let (features, _) = FeatureWriter::open(config, place, &names)?;
        let Some(mid) = place_of("mid_price") else {
            return Err(ResearchError::Failed("the catalogue has no mid_price".to_owned()));
        };
        let done = DatasetReport {
            played: CapturePlayed::default(),
            rows: 0,
            valid: 0,
            already: 0,
            already_hours: BTreeSet::new(),
            late: 0,
        };
        let rows = SecondRows::new(tick, SessionSet::UTC);
        Ok(Self {
            books,
            trades,
            features,
            rows,
            mid,
            sequence: 0,
            gaps: [None; 2],
            done,
            within: Ts::MIN..Ts::MAX,
            feeds: FeedLoader::default(),
            board: None,
            waiting: VecDeque::new(),
            last: None,
            why: None,
            step,
        })
    }

    /// With readings of other feeds.
    pub(super) fn fed(mut self, source: Option<Rc<dyn FeedSource>>, market: &InstrumentName) -> Self {
        self.feeds = FeedLoader::new(source, market);
        self
    }

    /// Compared with the other markets of a board.
    pub(super) fn compared(mut self, board: &Rc<RefCell<VenueBoard>>, market: Instrument) -> Self {
        let member = board.borrow_mut().join(market);
        self.board = Some((Rc::clone(board), member));
        self
    }

    /// Keeps only what lies in these hours; what comes before them is still heard, for the windows of the first rows.
    pub(super) fn within(mut self, hours: Range<Ts>) -> Self {
        self.within = hours;
        self
    }

    fn next(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// What lies in an hour that is closed is there already.
    fn kept(&mut self, pushed: LayerResult<()>) -> Result<bool, ResearchError> {
        match pushed {
            Ok(()) => Ok(true),
            Err(LayerError::ClosedHour { ts, .. }) => {
                self.done.already += 1;
                self.done.already_hours.insert(ts.floor(Span::hours(1)));
                Ok(false)
            }
            Err(e) => Err(e.into()),
        }
    }

    /// A row is made; where other venues are compared with it, it waits for theirs.
    fn made(&mut self, t: Ts, row: Box<ResearchRow>) -> Result<(), ResearchError> {
        let Some((board, member)) = &self.board else { return self.row(t, &row) };
        board.borrow_mut().note(*member, t, &row);
        self.waiting.push_back((t, row));
        Ok(())
    }

    /// Writes the rows that wait no longer.
    fn settle(&mut self, is_over: bool) -> Result<(), ResearchError> {
        let Some((board, member)) = self.board.clone() else { return Ok(()) };
        while let Some((t, mut row)) = self.waiting.pop_front() {
            if !is_over && !board.borrow().is_ready(member, t) {
                self.waiting.push_front((t, row));
                return Ok(());
            }
            row.compare(board.borrow().compared(member, t));
            self.row(t, &row)?;
        }
        Ok(())
    }

    fn row(&mut self, t: Ts, row: &ResearchRow) -> Result<(), ResearchError> {
        let follows = self.last.replace(t).is_none_or(|last| t - last <= SECOND);
        if !self.within.contains(&t) {
            return Ok(());
        }
        let head = FeatureHead {
            ts: t,
            known_ts: t + CLOSE_AFTER,
            row_valid: row.get(self.mid).is_ok(),
            reason_mask: row.reason_mask(),
            gap: if follows { None } else { self.why.or(Some(GapReason::Silent)) },
        };
        let values = (0..catalogue().len()).map(|at| row.get(at).ok());
        let pushed = self.features.push(&head, values);
        if self.kept(pushed)? {
            self.done.rows += 1;
            self.done.valid += u64::from(head.row_valid);
        }
        Ok(())
    }

    /// Everything is there: the hours are closed.
    pub(super) fn finish(mut self) -> Result<DatasetReport, ResearchError> {
        self.settle(true)?;
        self.done.late = self.rows.late();
        self.books.into_partition().finish()?;
        self.trades.into_partition().finish()?;
        self.features.into_partition().finish()?;
        Ok(self.done)
    }
}

impl RecordListener for Kept<'_> {
    type Failure = ResearchError;

    fn book(&mut self, at: RecordStamps, sides: &BookSides<'_>, updates: u32) -> Result<(), ResearchError> {
        self.rows.book(at, sides, updates);
        let sequence = self.next();
        if sequence.is_multiple_of(STEP) {
            (self.step)(sequence);
        }
        if !self.within.contains(&at.event) {
            return Ok(());
        }
        let head = BookHead { ts: at.event, known_ts: at.recv, updates, sequence, gap: self.gaps[0].take() };
        let side = |levels: &'_ [barograph_domain::depth::DepthLevel]| -> Vec<(f64, f64)> {
            levels.iter().take(barograph_domain::depth::DEPTH).map(|l| (l.price, l.size)).collect()
        };
        let pushed = self.books.push(&head, side(sides.bids), side(sides.asks));
        self.kept(pushed).map(drop)
    }

    fn trade(&mut self, at: RecordStamps, trade: RecordedTrade) -> Result<(), ResearchError> {
        self.rows.trade(at, trade);
        let RecordedTrade { price, size, is_buy } = trade;
        let sequence = self.next();
        if !self.within.contains(&at.event) {
            return Ok(());
        }
        let gap = self.gaps[1].take();
        let pushed =
            self.trades.push(&WideTrade { ts: at.event, known_ts: at.recv, sequence, price, size, is_buy, gap });
        self.kept(pushed).map(drop)
    }

    fn lost(&mut self, feed: RecordedFeed, from: Ts, why: GapReason) -> Result<(), ResearchError> {
        self.rows.lost(feed, from);
        self.gaps[feed as usize] = Some(why);
        self.why = if feed == RecordedFeed::Book { Some(why) } else { self.why };
        Ok(())
    }

    fn trades_begin(&mut self, from: Ts) -> Result<(), ResearchError> {
        self.rows.trades_begin(from);
        Ok(())
    }

    fn passed(&mut self, recv: Ts) -> Result<(), ResearchError> {
        self.feeds.reach(recv)?;
        loop {
            let feeds = &mut self.feeds;
            let Some((t, row)) = self.rows.due_with(recv, &mut |t| feeds.at(t)) else { break };
            self.made(t, row)?;
        }
        if let Some((board, member)) = &self.board {
            board.borrow_mut().pass(*member, recv);
        }
        self.settle(false)
    }

    fn resumed(&mut self, recv: Ts) -> Result<(), ResearchError> {
        self.rows.resumed(recv);
        Ok(())
    }
}
