//! The markets of a journal: those whose rows are kept, and those of other venues that they are compared with.

use super::beside::{BesideRows, DatasetBeside};
use super::board::{VenueBoard, are_compared};
use super::keep::Kept;
use crate::ResearchError;
use barograph_domain::depth::BookSides;
use barograph_domain::{GapReason, Instrument, InstrumentName, Ts};
use barograph_lake::recorded::{RecordListener, RecordStamps, RecordedFeed, RecordedTrade};
use barograph_venues::session::MarketSpec;
use core::cell::RefCell;
use std::rc::Rc;

/// Which markets of a journal are listened to, and for what.
#[derive(Debug)]
pub(super) struct JournalMarkets {
    /// Whose rows were asked for; empty: of all whose book was listened to.
    wanted: Vec<Instrument>,
    board: Rc<RefCell<VenueBoard>>,
    beside: DatasetBeside,
}

impl JournalMarkets {
    pub(super) fn new(markets: &[InstrumentName], beside: &DatasetBeside) -> Self {
        let wanted = markets.iter().map(super::instrument).collect();
        let board = Rc::new(RefCell::new(VenueBoard::new(beside.reference.clone())));
        Self { wanted, board, beside: beside.clone() }
    }

    /// The chosen reference, where the journal has nothing of it that the markets are compared with: as a sentence.
    pub(super) fn missing_reference(&self) -> Option<String> {
        let name = self.beside.reference.as_ref().filter(|name| !self.board.borrow().has(name))?;
        Some(format!(
            "{name} is to be the reference, and the journal holds no book of it that can be compared with: vx_ref_ret_1s_bps is absent"
        ))
    }

    /// Who listens to a market, if anybody; `open` opens its tables.
    pub(super) fn listener(
        &self,
        market: &InstrumentName,
        spec: &MarketSpec,
        has_book: bool,
        open: impl FnOnce() -> Result<Kept<'static>, ResearchError>,
    ) -> Result<Option<JournalMarket>, ResearchError> {
        let own = Instrument { name: market.clone(), kind: spec.kind, expiry: spec.expiry };
        let is_wanted =
            if self.wanted.is_empty() { has_book } else { self.wanted.iter().any(|one| one.name == *market) };
        if is_wanted {
            let kept = open()?.fed(self.beside.feeds.clone(), market).compared(&self.board, own);
            return Ok(Some(JournalMarket::Kept(Box::new(kept))));
        }
        let is_beside = has_book && self.wanted.iter().any(|one| are_compared(one, &own));
        let member = is_beside.then(|| self.board.borrow_mut().join(own));
        Ok(member.map(|member| JournalMarket::Beside(Box::new(BesideRows::new(&self.board, member)))))
    }
}

/// A market of a journal: one whose rows are kept, or one that others are compared with.
pub(super) enum JournalMarket {
    Kept(Box<Kept<'static>>),
    Beside(Box<BesideRows>),
}

impl JournalMarket {
    /// The market, where its rows are kept.
    pub(super) fn kept(&mut self) -> Option<&mut Kept<'static>> {
        match self {
            Self::Kept(kept) => Some(kept),
            Self::Beside(_) => None,
        }
    }

    fn own(&mut self) -> &mut dyn RecordListener<Failure = ResearchError> {
        match self {
            Self::Kept(kept) => kept.as_mut(),
            Self::Beside(rows) => rows.as_mut(),
        }
    }
}

impl RecordListener for JournalMarket {
    type Failure = ResearchError;

    fn book(&mut self, at: RecordStamps, sides: &BookSides<'_>, updates: u32) -> Result<(), ResearchError> {
        self.own().book(at, sides, updates)
    }

    fn trade(&mut self, at: RecordStamps, trade: RecordedTrade) -> Result<(), ResearchError> {
        self.own().trade(at, trade)
    }

    fn lost(&mut self, feed: RecordedFeed, from: Ts, why: GapReason) -> Result<(), ResearchError> {
        self.own().lost(feed, from, why)
    }

    fn trades_begin(&mut self, from: Ts) -> Result<(), ResearchError> {
        self.own().trades_begin(from)
    }

    fn passed(&mut self, recv: Ts) -> Result<(), ResearchError> {
        self.own().passed(recv)
    }

    fn resumed(&mut self, recv: Ts) -> Result<(), ResearchError> {
        self.own().resumed(recv)
    }
}
