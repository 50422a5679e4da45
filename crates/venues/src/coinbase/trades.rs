//! Trades of one product: nothing lost, nothing doubled, holes declared and filled.
//!
//! Spot trade ids count up by one per product (the recording of 2026-08-09: 147 and 132 trades without a break), so an id
//! says whether a trade is known, next, or after a hole. Every subscription begins with a snapshot of about the last hundred
//! trades, newest first: history at first start, and the bridge over a short outage. What it does not bridge is a gap,
//! and is asked for. Futures may number otherwise: there, ids only show duplicates.

use super::bars::Bars;
use super::map::Trade;
use super::market::Sink;
use crate::session::seen::{Admit, Ids};
use crate::session::{ConnId, Origin};
use barograph_domain::{GapReason, Metric, Payload, Span, StatusState, Ts};
use serde::{Deserialize, Serialize};

/// Holes kept open for repair; the oldest is given up first.
const HOLES_MAX: usize = 16;

/// Ids further apart are damage: a day of the busiest product has about a million trades.
const JUMP_MAX: u64 = 10_000_000;
/// After this many in a row the venue counts anew.
const WILD_MAX: u32 = 5;

/// Trades that are missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Hole {
    /// First and last missing id.
    pub(super) first: u64,
    pub(super) last: u64,
    /// Stamps of the trades before and after.
    pub(super) after: Ts,
    pub(super) before: Ts,
}

/// What a trade asks for besides.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Wanted {
    /// Nothing more.
    Nothing,
    /// Trades in the hole, and bars that could not be made because of it.
    Repair { hole: Hole, bars_from: Option<Ts>, bars_until: Ts },
}

/// State of one product's trades.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct TradeFeed {
    last: Option<u64>,
    /// Ids in a row that cannot belong to the count.
    wild: u32,
    newest: Ts,
    /// The connection over which they are known to be continuous.
    pub(super) conn: Option<ConnId>,
    holes: Vec<Hole>,
    /// Duplicates of products whose ids do not count up.
    ids: Option<Ids>,
    pub(super) bars: Bars,
    /// Base units of one unit the venue counts.
    scale: f64,
    /// Older trades are not history that was asked for.
    floor: Option<Ts>,
}

impl TradeFeed {
    /// `counted`: ids count up by one.
    pub(super) fn new(scale: f64, counted: bool) -> Self {
        Self {
            last: None,
            wild: 0,
            newest: Ts::MIN,
            conn: None,
            holes: Vec::new(),
            ids: (!counted).then(Ids::default),
            bars: Bars::new(scale),
            scale,
            floor: None,
        }
    }

    /// Trades of snapshots from here on are wanted as history; said once.
    pub(super) fn since(&mut self, floor: Ts) {
        self.floor.get_or_insert(floor);
    }

    /// Takes a trade off the socket; the trades of one message come in order of their ids.
    pub(super) fn take(&mut self, trade: &Trade, snapshot: bool, sink: &mut Sink<'_>) -> Wanted {
        let origin = if snapshot { Origin::Backfill } else { Origin::Live };
        let mut wanted = Wanted::Nothing;
        if let Some(ids) = &mut self.ids {
            if ids.admit(trade.time, trade.id) != Admit::New {
                return wanted;
            }
        } else if let Some(last) = self.last {
            if self.wild(last, trade, sink) {
                return wanted;
            }
            let last = self.last.unwrap_or(last);
            if trade.id <= last {
                self.fill(trade, sink);
                return wanted;
            }
            if trade.id - last > 1 {
                wanted = self.hole(last, trade, sink);
            }
        }
        self.last = Some(self.last.map_or(trade.id, |l| l.max(trade.id)));
        self.newest = self.newest.max(trade.time);
        self.feed_bars(trade, sink);
        if origin == Origin::Live || self.floor.is_some_and(|f| trade.time >= f) {
            self.emit(trade, origin, sink);
        }
        wanted
    }

    /// An id that cannot belong to the count: refused, unless the venue insists and counts anew.
    fn wild(&mut self, last: u64, trade: &Trade, sink: &mut Sink<'_>) -> bool {
        let backwards = last.saturating_sub(trade.id) > JUMP_MAX && trade.time > self.newest;
        if !backwards && trade.id.saturating_sub(last) <= JUMP_MAX {
            self.wild = 0;
            return false;
        }
        self.wild += 1;
        sink.fault("wild_trade_id", &format!("trade id {} after {last}", trade.id), &[]);
        if self.wild < WILD_MAX {
            return true;
        }
        self.wild = 0;
        self.holes.clear();
        self.last = Some(trade.id.saturating_sub(1));
        sink.lost(Metric::Trade, StatusState::Gap, GapReason::SequenceJump);
        false
    }

    fn feed_bars(&mut self, trade: &Trade, sink: &mut Sink<'_>) {
        match self.bars.take(trade) {
            Ok(Some((close, bar))) => sink.live(Metric::Bar, close, 0, Payload::Bar(bar)),
            Ok(None) => {}
            Err(minute) => {
                let why = format!("trade {} belongs to the closed minute {}", trade.id, minute.iso());
                sink.fault("late_trade", &why, &[]);
            }
        }
    }

    fn emit(&self, trade: &Trade, origin: Origin, sink: &mut Sink<'_>) {
        let qty = trade.size.to_f64() * self.scale;
        let payload = Payload::Trade { price: trade.price, qty, aggressor_side: trade.side };
        match origin {
            Origin::Live => sink.live(Metric::Trade, trade.time, trade.id, payload),
            Origin::Backfill => sink.backfilled(Metric::Trade, trade.time, trade.id, payload),
        }
    }

    /// Trades between `last` and this one are missing.
    fn hole(&mut self, last: u64, trade: &Trade, sink: &mut Sink<'_>) -> Wanted {
        let hole = Hole { first: last + 1, last: trade.id - 1, after: self.newest.min(trade.time), before: trade.time };
        sink.lost(Metric::Trade, StatusState::Gap, GapReason::SequenceJump);
        sink.lost(Metric::Bar, StatusState::Gap, GapReason::SequenceJump);
        // The first trade after it ends the hole; its state is reported by that trade's own event.
        sink.progress(Metric::Trade, trade.time);
        if self.holes.len() == HOLES_MAX {
            self.holes.remove(0);
            sink.fault("hole_given_up", "too many holes are open: the oldest stays", &[]);
        }
        self.holes.push(hole);
        let (bars_from, bars_until) = self.bars.restart(trade.time);
        Wanted::Repair { hole, bars_from, bars_until }
    }

    /// A trade not newer than the last one: out of a hole, or known.
    pub(super) fn fill(&mut self, trade: &Trade, sink: &mut Sink<'_>) -> bool {
        let Some(at) = self.holes.iter().position(|h| (h.first..=h.last).contains(&trade.id)) else { return false };
        let hole = self.holes[at];
        self.holes.remove(at);
        for part in [Hole { first: trade.id + 1, ..hole }, Hole { last: trade.id - 1, ..hole }] {
            if part.first <= part.last && self.holes.len() < HOLES_MAX {
                self.holes.insert(at, part);
            }
        }
        self.emit(trade, Origin::Backfill, sink);
        true
    }

    /// Holes that touch `(from, until]`.
    pub(super) fn open_holes(&self, from: Ts, until: Ts) -> bool {
        self.holes.iter().any(|h| h.after < until && h.before >= from)
    }

    /// Nobody can fill these any more.
    pub(super) fn give_up(&mut self, from: Ts, until: Ts) -> u64 {
        let gone = |h: &Hole| h.after < until && h.before >= from;
        let missing = self.holes.iter().filter(|h| gone(h)).map(|h| h.last - h.first + 1).sum();
        self.holes.retain(|h| !gone(h));
        missing
    }

    /// Do ids count up by one?
    pub(super) const fn counted(&self) -> bool {
        self.ids.is_none()
    }

    /// Over this connection they are continuous: true when that is new.
    pub(super) fn synced(&mut self, conn: ConnId) -> bool {
        self.conn.replace(conn) != Some(conn)
    }

    /// The connection's clock went on.
    pub(super) fn tick(&mut self, conn: ConnId, now_there: Ts, sink: &mut Sink<'_>) {
        if self.conn != Some(conn) {
            return;
        }
        if let Some((close, bar)) = self.bars.tick(now_there) {
            sink.live(Metric::Bar, close, 0, Payload::Bar(bar));
        }
    }
}

/// Overlap asked for on either side of a hole: trades of one instant may stand on both.
pub(super) const HOLE_MARGIN: Span = Span::secs(1);
