//! What a recording says goes into the lake: states and trades as they come, rows when they are due.

use super::DatasetReport;
use super::beginning::RunBeginning;
use super::beside::{FeedLoader, FeedSource};
use super::board::VenueBoard;
use super::edge::{Joint, RunEdge};
use super::rows::{CLOSE_AFTER, SecondRows};
use crate::ResearchError;
use barograph_columns::{ResearchRow, SECOND, catalogue, place_of};
use barograph_domain::depth::BookSides;
use barograph_domain::{GapReason, Instrument, InstrumentName, Span, Ts};
use barograph_engine::sessions::SessionSet;
use barograph_lake::layers::{
    BookHead, BookWriter, FeatureHead, FeatureWriter, LakeConfig, LakeMarket, PartitionWriter, ResearchName, RowPlace,
    TradeWriter, WideTrade,
};
use barograph_lake::recorded::{CapturePlayed, RecordListener, RecordStamps, RecordedFeed, RecordedTrade};
use core::cell::RefCell;
use core::ops::Range;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

/// How often the caller hears how far it is: every so many states.
const STEP: u64 = 1_024;

/// The tables, by their place among the gaps.
const BOOKS: usize = RecordedFeed::Book as usize;
const TRADES: usize = RecordedFeed::Trades as usize;
const FEATURES: usize = 2;

/// The three tables of one market.
pub(super) struct Kept<'a> {
    books: BookWriter,
    trades: TradeWriter,
    features: FeatureWriter,
    rows: SecondRows,
    /// Place of `mid_price`: where it is missing the book of a row could not be used.
    mid: usize,
    sequence: u64,
    /// Why nothing was known before the next state, the next trade, and the next row of the columns.
    gaps: [Option<GapReason>; 3],
    done: DatasetReport,
    edge: RunEdge,
    beginning: RunBeginning,
    /// Only what lies in these hours is kept.
    within: Range<Ts>,
    feeds: FeedLoader,
    board: Option<(Rc<RefCell<VenueBoard>>, usize)>,
    /// Rows that wait for those of other venues.
    waiting: VecDeque<(Ts, Box<ResearchRow>)>,
    /// The newest row: seconds between two rows are a hole.
    last: Option<Ts>,
    /// From when on the book was lost and why, until a row has it again.
    why: Option<(Ts, GapReason)>,
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
        let lake = config.root.clone();
        let (mut books, _) = BookWriter::open(config.clone(), place.clone())?;
        let (mut trades, _) = TradeWriter::open(config.clone(), place.clone())?;
        let (mut features, _) = FeatureWriter::open(config, place, &names)?;
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
            before: 0,
            before_hours: BTreeSet::new(),
            behind: 0,
            beside_apart: Vec::new(),
        };
        let tables = [books.partition(), trades.partition(), features.partition()];
        let edge = RunEdge::new(tables.iter().map(|table| &**table));
        let beginning = RunBeginning::new(lake, market.clone());
        let rows = SecondRows::new(tick, SessionSet::UTC);
        Ok(Self {
            books,
            trades,
            features,
            rows,
            mid,
            sequence: 0,
            gaps: [None; 3],
            done,
            edge,
            beginning,
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

    fn tables(&mut self) -> [&mut PartitionWriter; 3] {
        [self.books.partition(), self.trades.partition(), self.features.partition()]
    }

    /// From now on rows become files at the latest so long after they were known.
    pub(super) fn set_flush_every(&mut self, every: Span) {
        self.tables().into_iter().for_each(|table| table.set_flush_every(every));
    }

    /// Makes files of rows that have waited long enough; `now` is how far was heard.
    pub(super) fn flush_if_due(&mut self, now: Ts) -> Result<(), ResearchError> {
        Ok(self.tables().into_iter().try_for_each(|table| table.flush_if_due(now))?)
    }

    /// Rows that were made.
    pub(super) const fn report(&self) -> &DatasetReport {
        &self.done
    }

    /// Joins the first row of this run to what is there.
    fn begin(&mut self, ts: Ts, known: Ts) -> Result<(), ResearchError> {
        if core::mem::replace(&mut self.edge.begun, true) {
            return Ok(());
        }
        let mut newest_of = [None; 3];
        for (newest, table) in newest_of.iter_mut().zip(self.tables()) {
            *newest = table.newest_before(ts)?;
        }
        let newest = newest_of.into_iter().max().flatten();
        let joint = self.edge.joint(known, newest);
        if self.edge.brings_what_was_lost() {
            self.tables().into_iter().for_each(PartitionWriter::expect_lost_rows_again);
        }
        if joint == Joint::Hole {
            self.tables().into_iter().for_each(PartitionWriter::leave_under_way);
            self.gaps.iter_mut().for_each(|gap| *gap = gap.or(Some(GapReason::MissingRows)));
            return Ok(());
        }
        // A table of which this run has nothing yet begins with it, whatever the others hold: as if one run had written all.
        for (table, (gap, newest)) in self.gaps.iter_mut().zip(newest_of).enumerate() {
            let begins = newest.is_none() || self.beginning.is_behind_a_gap_for(table);
            *gap = gap.or(begins.then_some(GapReason::MissingRows));
        }
        if let Some(hour) = self.edge.goes_on_with(ts) {
            // A run that goes over what is there counts as the one before did, however far each table of that was written.
            if !self.edge.brings_what_was_lost() {
                let last = self.tables().into_iter().filter_map(|table| table.last_sequence()).max();
                self.sequence = self.sequence.max(last.map_or(0, |last| last + 1));
            }
            self.tables().into_iter().for_each(|table| table.go_on_with(hour));
        }
        Ok(())
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
        let row_valid = row.get(self.mid).is_ok();
        if !follows {
            let why = self.why.take().map_or(GapReason::Silent, |(_, why)| why);
            self.gaps[FEATURES] = Some(why);
        } else if row_valid && self.why.is_some_and(|(from, _)| t > from) {
            self.why = None;
        }
        let known_ts = t + CLOSE_AFTER;
        if self.placed(FEATURES, (t, known_ts))?.is_none() {
            return Ok(());
        }
        self.begin(t, known_ts)?;
        let gap = self.gaps[FEATURES].take();
        let head = FeatureHead { ts: t, known_ts, row_valid, reason_mask: row.reason_mask(), gap };
        self.features.push(&head, (0..catalogue().len()).map(|at| row.get(at).ok()))?;
        self.done.rows += 1;
        self.done.valid += u64::from(head.row_valid);
        Ok(())
    }

    /// Behind which sequence number a row of a table is to be written; `None` where it is not. A row that is there, or lies before what is
    /// kept, ends what was not known before it; one that is left out does not.
    fn placed(&mut self, table: usize, (ts, known): (Ts, Ts)) -> Result<Option<u64>, ResearchError> {
        if !self.within.contains(&ts) {
            if ts < self.within.start {
                self.gaps[table] = None;
            }
            return Ok(None);
        }
        let partition = match table {
            BOOKS => self.books.partition(),
            TRADES => self.trades.partition(),
            _ => self.features.partition(),
        };
        let row_place = self.edge.admits(partition, (ts, known), &mut self.done)?;
        self.beginning.heard(table, ts, row_place)?;
        match row_place {
            RowPlace::New { behind } => return Ok(Some(behind.unwrap_or(0))),
            RowPlace::There | RowPlace::Closed => self.gaps[table] = None,
            RowPlace::Before | RowPlace::Late => {}
        }
        Ok(None)
    }

    /// Everything was heard. An hour that was heard to its end is closed; the last one stays under way, and a later run goes on with it.
    pub(super) fn finish(mut self) -> Result<DatasetReport, ResearchError> {
        self.settle(true)?;
        self.done.behind = self.rows.late();
        if self.edge.brings_what_was_lost() {
            self.tables().into_iter().for_each(PartitionWriter::expect_lost_rows_again);
        }
        let Self { books, trades, features, edge, done, .. } = self;
        for table in [books.into_partition(), trades.into_partition(), features.into_partition()] {
            let over = table.hour().is_some_and(|(hour, added)| added && edge.is_over(hour));
            if over { table.finish() } else { table.close() }?;
        }
        Ok(done)
    }
}

impl RecordListener for Kept<'_> {
    type Failure = ResearchError;

    fn book(&mut self, at: RecordStamps, sides: &BookSides<'_>, updates: u32) -> Result<(), ResearchError> {
        self.rows.book(at, sides, updates);
        self.sequence += 1;
        if self.sequence.is_multiple_of(STEP) {
            (self.step)(self.sequence);
        }
        let Some(behind) = self.placed(BOOKS, (at.event, at.recv))? else { return Ok(()) };
        self.begin(at.event, at.recv)?;
        self.sequence = self.sequence.max(behind + 1);
        let sequence = self.sequence;
        let head = BookHead { ts: at.event, known_ts: at.recv, updates, sequence, gap: self.gaps[BOOKS].take() };
        let side = |levels: &'_ [barograph_domain::depth::DepthLevel]| -> Vec<(f64, f64)> {
            levels.iter().take(barograph_domain::depth::DEPTH).map(|l| (l.price, l.size)).collect()
        };
        Ok(self.books.push(&head, side(sides.bids), side(sides.asks))?)
    }

    fn trade(&mut self, at: RecordStamps, trade: RecordedTrade) -> Result<(), ResearchError> {
        self.rows.trade(at, trade);
        let RecordedTrade { price, size, is_buy } = trade;
        self.sequence += 1;
        let Some(behind) = self.placed(TRADES, (at.event, at.recv))? else { return Ok(()) };
        self.begin(at.event, at.recv)?;
        self.sequence = self.sequence.max(behind + 1);
        let (sequence, gap) = (self.sequence, self.gaps[TRADES].take());
        let trade = WideTrade { ts: at.event, known_ts: at.recv, sequence, price, size, is_buy, gap };
        Ok(self.trades.push(&trade)?)
    }

    fn lost(&mut self, feed: RecordedFeed, from: Ts, why: GapReason) -> Result<(), ResearchError> {
        self.rows.lost(feed, from);
        self.gaps[feed as usize] = Some(why);
        self.why = if feed == RecordedFeed::Book { Some((from, why)) } else { self.why };
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
        self.settle(false)?;
        // Rows wait for other venues ten seconds at most, and an hour is closed a minute behind its end.
        if let Some(over) = self.edge.heard(recv) {
            self.tables().into_iter().try_for_each(|table| table.close_until(over))?;
        }
        Ok(())
    }

    fn resumed(&mut self, recv: Ts) -> Result<(), ResearchError> {
        self.rows.resumed(recv);
        Ok(())
    }
}
