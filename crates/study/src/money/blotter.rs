//! Trades of one market, from the decision to the settled account: when an order reaches the order book, what it paid, and every cost by
//! its name (research §6).

use super::books::{BookAt, NoBook};
use super::fees::TakerFee;
use super::fills::{NoFill, TakerFill, TakerSize, opposite, sign};
use barograph_domain::{Side, Span, Ts};
use serde::{Deserialize, Serialize};

/// Quote behind every entry unless stated otherwise (research §6).
pub const NOTIONAL: f64 = 10_000.0;
/// From a decision until its order reaches the order book, unless stated otherwise (research §6).
pub const LATENCY: Span = Span::millis(250);

/// A position that is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stance {
    /// Sold, −1.
    Short,
    /// No position, 0.
    Flat,
    /// Bought, 1.
    Long,
}

impl Stance {
    /// Whose side of the market this is; `None` for no position.
    #[must_use]
    pub const fn side(self) -> Option<Side> {
        match self {
            Self::Short => Some(Side::Short),
            Self::Flat => None,
            Self::Long => Some(Side::Long),
        }
    }
}

impl From<Option<Side>> for Stance {
    fn from(side: Option<Side>) -> Self {
        side.map_or(Self::Flat, |side| if side == Side::Long { Self::Long } else { Self::Short })
    }
}

/// On which terms is traded.
#[derive(Clone, PartialEq, Debug)]
pub struct TradeTerms {
    /// Fee of a named tier.
    pub fee: TakerFee,
    /// Quote behind every entry; also the capital that returns are stated on.
    pub notional: f64,
    /// From a decision until its order reaches the order book.
    pub latency: Span,
}

impl TradeTerms {
    /// The terms of research §6 with this fee: 10,000 quote, 250 ms.
    #[must_use]
    pub const fn new(fee: TakerFee) -> Self {
        Self { fee, notional: NOTIONAL, latency: LATENCY }
    }
}

/// A payment of funding that has happened.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FundingPayment {
    /// When it was exchanged.
    pub at: Ts,
    /// Fraction of a position's value that longs paid and shorts received, as exchanged: not normalised to eight hours.
    pub rate: f64,
    /// Mark that positions were valued at; where it is missing, their entry price is used.
    pub mark: Option<f64>,
}

/// Costs by their names, in quote.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct CostTable {
    /// Best price against mid, both sides.
    pub spread: f64,
    /// Deeper levels against the best, both sides.
    pub impact: f64,
    /// Fees, both sides.
    pub fees: f64,
    /// Funding paid; below 0 it was received.
    pub funding: f64,
}

impl CostTable {
    /// Everything that stands between gross and net.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.trading() + self.funding
    }

    /// What trading costs: everything but funding.
    #[must_use]
    pub fn trading(&self) -> f64 {
        self.spread + self.impact + self.fees
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            spread: self.spread + other.spread,
            impact: self.impact + other.impact,
            fees: self.fees + other.fees,
            funding: self.funding + other.funding,
        }
    }
}

/// A position from its entry to its exit.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct RoundTrip {
    /// What was held.
    pub held: Side,
    /// When the entry was decided.
    pub decided_at: Ts,
    /// When the entry reached the order book.
    pub entry_at: Ts,
    /// When the exit did.
    pub exit_at: Ts,
    /// The entry.
    pub entry: TakerFill,
    /// The exit.
    pub exit: TakerFill,
    /// What it cost.
    pub costs: CostTable,
}

impl RoundTrip {
    /// P&L from mid to mid, quote.
    #[must_use]
    pub fn gross(&self) -> f64 {
        sign(self.held) * self.entry.quantity * (self.exit.mid - self.entry.mid)
    }

    /// P&L after all costs, quote: `side · (exit − entry) · quantity − fees − funding`.
    #[must_use]
    pub fn net(&self) -> f64 {
        sign(self.held) * (self.exit.quote - self.entry.quote) - self.costs.fees - self.costs.funding
    }

    /// An amount of this trade in basis points of what was put in.
    #[must_use]
    pub fn bps(&self, quote: f64) -> f64 {
        1e4 * quote / self.entry.quote
    }
}

/// Why an order was not traded.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Untraded {
    /// There was no order book.
    Book(NoBook),
    /// The order book could not fill it.
    Fill(NoFill),
    /// A position is open already, or none is: the order made no sense.
    Position,
}

impl core::fmt::Display for Untraded {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Book(why) => why.fmt(f),
            Self::Fill(why) => why.fmt(f),
            Self::Position => write!(f, "nothing to enter or to leave"),
        }
    }
}

impl core::error::Error for Untraded {}

impl From<NoBook> for Untraded {
    fn from(why: NoBook) -> Self {
        Self::Book(why)
    }
}

impl From<NoFill> for Untraded {
    fn from(why: NoFill) -> Self {
        Self::Fill(why)
    }
}

/// Orders that were not traded, by reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct UntradedCounts {
    /// Entries without an order book.
    pub entries_no_book: usize,
    /// Entries that the levels could not fill.
    pub entries_depth: usize,
    /// Exits that had to be tried again.
    pub exits: usize,
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct OpenPosition {
    held: Side,
    decided_at: Ts,
    at: Ts,
    fill: TakerFill,
}

/// What was traded so far: everything that a blotter needs to go on, over the same books and on the same terms.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct TradesSoFar {
    open: Option<OpenPosition>,
    trips: Vec<RoundTrip>,
    untraded: UntradedCounts,
    /// Moment, side and quantity of the last order: the next of the same moment and side stands behind it.
    last: Option<(Ts, Side, f64)>,
}

/// Where trades are entered; at most one position is open.
pub struct Blotter<'a> {
    books: &'a mut dyn BookAt,
    terms: &'a TradeTerms,
    payments: &'a [FundingPayment],
    done: TradesSoFar,
}

impl core::fmt::Debug for Blotter<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Blotter")
            .field("open", &self.done.open)
            .field("trips", &self.done.trips.len())
            .finish_non_exhaustive()
    }
}

impl<'a> Blotter<'a> {
    /// No position, nothing traded. Payments in any order.
    #[must_use]
    pub fn new(books: &'a mut dyn BookAt, terms: &'a TradeTerms, payments: &'a [FundingPayment]) -> Self {
        Self::going_on(books, terms, payments, TradesSoFar::default())
    }

    /// What another blotter has traded so far, over books of the same market and on the same terms.
    #[must_use]
    pub fn going_on(
        books: &'a mut dyn BookAt,
        terms: &'a TradeTerms,
        payments: &'a [FundingPayment],
        done: TradesSoFar,
    ) -> Self {
        Self { books, terms, payments, done }
    }

    /// What was traded so far.
    #[must_use]
    pub const fn so_far(&self) -> &TradesSoFar {
        &self.done
    }

    /// What is held.
    #[must_use]
    pub fn held(&self) -> Option<Side> {
        self.done.open.map(|open| open.held)
    }

    /// Enters a position of the notional; decided at a moment, at the order book after the latency.
    ///
    /// # Errors
    /// It was not traded; that is counted.
    pub fn enter(&mut self, side: Side, decided_at: Ts) -> Result<(), Untraded> {
        if self.done.open.is_some() {
            return Err(Untraded::Position);
        }
        let at = decided_at + self.terms.latency;
        let fill = self.order(side, TakerSize::Notional(self.terms.notional), at).inspect_err(|why| match why {
            Untraded::Book(_) => self.done.untraded.entries_no_book += 1,
            Untraded::Fill(_) | Untraded::Position => self.done.untraded.entries_depth += 1,
        })?;
        self.done.open = Some(OpenPosition { held: side, decided_at, at, fill });
        Ok(())
    }

    /// Leaves the position whole.
    ///
    /// # Errors
    /// It was not traded; that is counted, and the position stays open.
    pub fn leave(&mut self, decided_at: Ts) -> Result<(), Untraded> {
        let open = self.done.open.ok_or(Untraded::Position)?;
        let at = decided_at + self.terms.latency;
        let size = TakerSize::Quantity(open.fill.quantity);
        let exit = self.order(opposite(open.held), size, at).inspect_err(|_| self.done.untraded.exits += 1)?;
        let entry = open.fill;
        let costs = CostTable {
            spread: entry.half_spread() + exit.half_spread(),
            impact: entry.impact() + exit.impact(),
            fees: self.terms.fee.on(entry.quote) + self.terms.fee.on(exit.quote),
            funding: self.funding(&open, at),
        };
        let OpenPosition { held, decided_at, at: entry_at, .. } = open;
        self.done.trips.push(RoundTrip { held, decided_at, entry_at, exit_at: at, entry, exit, costs });
        self.done.open = None;
        Ok(())
    }

    fn order(&mut self, taker: Side, size: TakerSize, at: Ts) -> Result<TakerFill, Untraded> {
        let before =
            self.done.last.filter(|(t, side, _)| *t == at && *side == taker).map_or(0.0, |(_, _, taken)| taken);
        let fill = self.books.book_at(at)?.take_behind(taker, size, before)?;
        self.done.last = Some((at, taker, before + fill.quantity));
        Ok(fill)
    }

    /// Payments from the entry on and before the exit.
    fn funding(&self, open: &OpenPosition, exit_at: Ts) -> f64 {
        let due = self.payments.iter().filter(|p| open.at <= p.at && p.at < exit_at);
        due.map(|p| sign(open.held) * p.rate * open.fill.quantity * p.mark.unwrap_or_else(|| open.fill.average())).sum()
    }

    /// Trades that are over, orders that were not traded, and whether a position is still open.
    #[must_use]
    pub fn finish(self) -> (Vec<RoundTrip>, UntradedCounts, bool) {
        (self.done.trips, self.done.untraded, self.done.open.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::super::books::RecordedBooks;
    use super::super::fills::TakerBook;
    use super::*;

    fn books() -> RecordedBooks {
        let book =
            |mid: f64| TakerBook::new([(mid - 0.5, 60.0), (mid - 1.5, 1e3)], [(mid + 0.5, 60.0), (mid + 1.5, 1e3)]);
        let recorded = (0..100).map(|s| (Ts::from_secs(s), book(100.0 + f64::from(i32::try_from(s).unwrap())).ok()));
        RecordedBooks::new(recorded.collect(), Span::secs(1))
    }

    fn terms() -> TradeTerms {
        TradeTerms { notional: 1_005.0, ..TradeTerms::new(TakerFee::new("test", 10.0).unwrap()) }
    }

    #[test]
    fn a_trade_pays_every_cost_by_its_name() {
        let (mut books, terms) = (books(), terms());
        let payment = |s, rate, mark| FundingPayment { at: Ts::from_secs(s), rate, mark };
        let payments =
            [payment(0, 1.0, None), payment(4, 1e-3, None), payment(5, -1e-3, Some(50.0)), payment(11, 1.0, None)];
        let mut blotter = Blotter::new(&mut books, &terms, &payments);
        blotter.enter(Side::Long, Ts::from_secs(0)).unwrap();
        assert_eq!(blotter.enter(Side::Long, Ts::from_secs(1)), Err(Untraded::Position));
        blotter.leave(Ts::from_secs(10)).unwrap();
        let (trips, untraded, open) = blotter.finish();
        let trip = trips[0];
        assert_eq!((trips.len(), untraded, open), (1, UntradedCounts::default(), false));
        assert_eq!((trip.entry_at, trip.exit_at), (Ts(250_000_000), Ts(10_250_000_000)));
        let funding = 10.0 * 100.5 * 1e-3 - 10.0 * 50.0 * 1e-3;
        let costs = CostTable { spread: 10.0, impact: 0.0, fees: 1.005 + 1.095, funding };
        for (got, want) in [
            (trip.costs.spread, costs.spread),
            (trip.costs.impact, costs.impact),
            (trip.costs.fees, costs.fees),
            (trip.costs.funding, costs.funding),
            (trip.gross(), 100.0),
            (trip.net(), 100.0 - costs.total()),
            (trip.bps(trip.costs.fees), 1e4 * 2.1 / 1_005.0),
        ] {
            assert!((got - want).abs() < 1e-9, "{got} is not {want}");
        }
    }

    /// Leaving a long and entering a short at the same moment is one sale of both: 16 of 60 are left for the second.
    #[test]
    fn a_reversal_walks_on_from_where_the_exit_ended() {
        let terms = TradeTerms { notional: 44.0 * 100.5, ..terms() };
        let mut books = books();
        let mut blotter = Blotter::new(&mut books, &terms, &[]);
        blotter.enter(Side::Long, Ts::from_secs(0)).unwrap();
        blotter.leave(Ts::from_secs(0) + Span::secs(1)).unwrap();
        blotter.enter(Side::Short, Ts::from_secs(1)).unwrap();
        blotter.leave(Ts::from_secs(2)).unwrap();
        let (trips, ..) = blotter.finish();
        assert_eq!((trips[0].exit.levels, trips[1].entry.levels), (1, 2));
        let (left, quote) = (16.0 * 100.5, 44.0 * 100.5);
        let quantity = 16.0 + (quote - left) / 99.5;
        assert!((trips[1].entry.quantity - quantity).abs() < 1e-9, "{:?}", trips[1].entry);
    }

    #[test]
    fn what_is_not_traded_is_counted() {
        let (mut books, terms) = (books(), TradeTerms { notional: 1e6, ..terms() });
        let mut blotter = Blotter::new(&mut books, &terms, &[]);
        assert!(matches!(blotter.enter(Side::Long, Ts::from_secs(1)), Err(Untraded::Fill(NoFill::Depth { .. }))));
        assert_eq!(blotter.enter(Side::Long, Ts::from_secs(-9)), Err(Untraded::Book(NoBook::Before)));
        assert_eq!(blotter.leave(Ts::from_secs(2)), Err(Untraded::Position));
        let (_, untraded, _) = blotter.finish();
        assert_eq!(untraded, UntradedCounts { entries_no_book: 1, entries_depth: 1, exits: 0 });
    }
}
