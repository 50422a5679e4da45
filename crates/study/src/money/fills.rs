//! What a taker gets who walks through the levels of a recorded order book (research §6).
//!
//! Orders do not move the market here: the next reader of the same order book finds it whole. That is why sizes should stay small
//! against the recorded depth, and why an order that the levels cannot fill does not trade at all, in place of a price made up for the rest.
//! Linear contracts only: P&L is quantity times price.

use barograph_domain::{Price, Qty, Side};
use serde::{Deserialize, Serialize};

/// Levels per side that an order may walk through, L0–L19.
pub const TAKER_LEVELS: usize = 20;

/// One price with what rests there.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RestingLevel {
    /// Quote per base.
    pub price: Price,
    /// Amount in base.
    pub quantity: Qty,
}

/// Why levels are no order book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TakerBookFault {
    /// A price or quantity that no market can have.
    Number,
    /// A level is not worse than the one before it.
    Order,
    /// The best bid is not below the best ask.
    Crossed,
    /// A side has no level.
    OneSided,
}

impl core::fmt::Display for TakerBookFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Number => "a price or quantity that no market can have",
            Self::Order => "levels are not in order from the best",
            Self::Crossed => "the best bid is not below the best ask",
            Self::OneSided => "a side has no level",
        })
    }
}

impl core::error::Error for TakerBookFault {}

/// Both sides of an order book at one moment, best level first.
#[derive(Clone, PartialEq, Debug)]
pub struct TakerBook {
    bids: Vec<RestingLevel>,
    asks: Vec<RestingLevel>,
}

impl TakerBook {
    /// From pairs of price and quantity, best first. Levels without quantity are left out, those behind the twentieth too.
    ///
    /// # Errors
    /// Levels that are none, not in order, crossed, or missing on one side.
    pub fn new(
        bids: impl IntoIterator<Item = (f64, f64)>,
        asks: impl IntoIterator<Item = (f64, f64)>,
    ) -> Result<Self, TakerBookFault> {
        let (bids, asks) = (levels(bids)?, levels(asks)?);
        let falling = bids.windows(2).all(|w| w[0].price > w[1].price);
        let rising = asks.windows(2).all(|w| w[0].price < w[1].price);
        let (Some(bid), Some(ask)) = (bids.first(), asks.first()) else { return Err(TakerBookFault::OneSided) };
        match (falling && rising, bid.price < ask.price) {
            (false, _) => Err(TakerBookFault::Order),
            (true, false) => Err(TakerBookFault::Crossed),
            (true, true) => Ok(Self { bids, asks }),
        }
    }

    /// The same without levels behind those that hold this much quote: orders of half of it are filled alike, and a recording of many
    /// moments needs a tenth of the memory.
    #[must_use]
    pub fn cut_to(mut self, quote: f64) -> Self {
        for side in [&mut self.bids, &mut self.asks] {
            let mut held = 0.0;
            let enough = side.iter().position(|l| {
                held += l.price.get() * l.quantity.get();
                held >= quote
            });
            side.truncate(enough.map_or(TAKER_LEVELS, |at| at + 1));
            side.shrink_to_fit();
        }
        self
    }

    /// Middle between best bid and best ask.
    #[must_use]
    pub fn mid(&self) -> f64 {
        0.5 * (self.bids[0].price.get() + self.asks[0].price.get())
    }

    /// Levels that a taker of this side takes from, best first: asks for a buyer.
    #[must_use]
    pub fn against(&self, taker: Side) -> &[RestingLevel] {
        match taker {
            Side::Long => &self.asks,
            Side::Short => &self.bids,
        }
    }
}

fn levels(pairs: impl IntoIterator<Item = (f64, f64)>) -> Result<Vec<RestingLevel>, TakerBookFault> {
    let mut out = Vec::with_capacity(TAKER_LEVELS);
    for (price, quantity) in pairs {
        let level = Price::new(price).zip(Qty::new(quantity)).ok_or(TakerBookFault::Number)?;
        if quantity > 0.0 && out.len() < TAKER_LEVELS {
            out.push(RestingLevel { price: level.0, quantity: level.1 });
        }
    }
    Ok(out)
}

/// How much a taker wants.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum TakerSize {
    /// Worth this much quote at the prices traded.
    Notional(f64),
    /// Amount in base.
    Quantity(f64),
}

/// Why nothing is traded.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum NoFill {
    /// The levels hold less than was wanted; all of them together, in the unit of the size.
    Depth {
        /// Quote or base that the levels hold.
        available: f64,
    },
    /// The size is not a positive number.
    Size,
}

impl core::fmt::Display for NoFill {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Depth { available } => write!(f, "the levels hold only {available}"),
            Self::Size => write!(f, "the size is not a positive number"),
        }
    }
}

impl core::error::Error for NoFill {}

/// A taker's fill, with what it cost against the mid.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct TakerFill {
    /// Whose fill: the buyer's or the seller's.
    pub taker: Side,
    /// Base traded.
    pub quantity: f64,
    /// Quote exchanged.
    pub quote: f64,
    /// Mid of the order book at that moment.
    pub mid: f64,
    /// Price of the best level against the taker, taken or not.
    pub best: f64,
    /// Price of the last level taken from.
    pub worst: f64,
    /// Levels taken from.
    pub levels: usize,
}

impl TakerFill {
    /// Quote per base over all levels.
    #[must_use]
    pub fn average(&self) -> f64 {
        self.quote / self.quantity
    }

    /// Quote lost because the best price is not the mid.
    #[must_use]
    pub fn half_spread(&self) -> f64 {
        self.sign() * (self.best - self.mid) * self.quantity
    }

    /// Quote lost because the best level was not enough.
    #[must_use]
    pub fn impact(&self) -> f64 {
        self.sign() * (self.quote - self.best * self.quantity)
    }

    /// Average price against the mid, in basis points of the mid: half spread and impact together.
    #[must_use]
    pub fn cost_bps(&self) -> f64 {
        self.sign() * 1e4 * (self.average() / self.mid - 1.0)
    }

    /// 1 for the buyer, −1 for the seller.
    #[must_use]
    pub const fn sign(&self) -> f64 {
        sign(self.taker)
    }
}

/// 1 for the buyer, −1 for the seller.
pub(crate) const fn sign(taker: Side) -> f64 {
    match taker {
        Side::Long => 1.0,
        Side::Short => -1.0,
    }
}

/// The other side.
pub(crate) const fn opposite(taker: Side) -> Side {
    match taker {
        Side::Long => Side::Short,
        Side::Short => Side::Long,
    }
}

impl TakerBook {
    /// Walks through the levels until the size is filled.
    ///
    /// # Errors
    /// The levels hold too little, or the size is not positive.
    pub fn take(&self, taker: Side, size: TakerSize) -> Result<TakerFill, NoFill> {
        self.take_behind(taker, size, 0.0)
    }

    /// The same behind an order of the same side and moment that has taken `taken` base before.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn take_behind(&self, taker: Side, size: TakerSize, taken: f64) -> Result<TakerFill, NoFill> {
        let (TakerSize::Notional(wanted) | TakerSize::Quantity(wanted)) = size;
        if !(wanted.is_finite() && wanted > 0.0 && taken >= 0.0) {
            return Err(NoFill::Size);
        }
        let (mut passed, mut open, mut available) = (taken, wanted, 0.0);
        let (mut quantity, mut quote, mut count) = (0.0, 0.0, 0);
        let levels = self.against(taker);
        for level in levels {
            let price = level.price.get();
            let behind = (level.quantity.get() - passed).max(0.0);
            passed = (passed - level.quantity.get()).max(0.0);
            if behind <= 0.0 {
                continue;
            }
            let unit = if matches!(size, TakerSize::Notional(_)) { price } else { 1.0 };
            available += behind * unit;
            let here = if open <= behind * unit { open / unit } else { behind };
            quantity += here;
            quote += here * price;

            count += 1;
            if open <= behind * unit {
                return Ok(TakerFill {
                    taker,
                    quantity,
                    quote,
                    mid: self.mid(),
                    best: levels[0].price.get(),
                    worst: price,
                    levels: count,
                });
            }
            open -= behind * unit;
        }
        Err(NoFill::Depth { available })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn book() -> TakerBook {
        TakerBook::new([(99.0, 1.0), (98.0, 4.0)], [(101.0, 2.0), (102.0, 0.0), (103.0, 3.0)]).unwrap()
    }

    #[test]
    fn levels_are_walked_from_the_best() {
        let cases = [
            (Side::Long, TakerSize::Quantity(1.0), 1.0, 101.0, 1),
            (Side::Long, TakerSize::Quantity(2.0), 2.0, 202.0, 1),
            (Side::Long, TakerSize::Quantity(4.0), 4.0, 408.0, 2),
            (Side::Long, TakerSize::Notional(202.0 + 206.0), 4.0, 408.0, 2),
            (Side::Short, TakerSize::Quantity(3.0), 3.0, 99.0 + 196.0, 2),
            (Side::Short, TakerSize::Notional(49.5), 0.5, 49.5, 1),
        ];
        for (side, size, quantity, quote, levels) in cases {
            let fill = book().take(side, size).unwrap();
            assert!((fill.quantity - quantity).abs() < 1e-12, "{side:?} {size:?}: {fill:?}");
            assert!((fill.quote - quote).abs() < 1e-12 && fill.levels == levels, "{side:?} {size:?}: {fill:?}");
        }
    }

    #[test]
    fn half_spread_and_impact_are_the_cost_against_the_mid() {
        let buy = book().take(Side::Long, TakerSize::Quantity(4.0)).unwrap();
        assert!((buy.half_spread() - 4.0).abs() < 1e-12 && (buy.impact() - 4.0).abs() < 1e-12, "{buy:?}");
        assert!((buy.cost_bps() - 200.0).abs() < 1e-9, "102 on a mid of 100");
        let sell = book().take(Side::Short, TakerSize::Quantity(2.0)).unwrap();
        assert!((sell.half_spread() - 2.0).abs() < 1e-12 && (sell.impact() - 1.0).abs() < 1e-12, "{sell:?}");
        assert!((sell.cost_bps() - 150.0).abs() < 1e-9, "98.5 on a mid of 100");
    }

    proptest! {
        /// Nobody who takes at most half of what is kept sees that the rest is gone.
        #[test]
        fn a_cut_book_fills_half_of_its_cut_alike(
            sizes in proptest::collection::vec((0.01..9.0_f64, 0.01..9.0_f64), 1..20),
            quote in 1.0..5e3_f64,
            share in 0.01..0.5_f64,
            before in 0.0..0.5_f64,
        ) {
            let level = |n: usize| f64::from(u8::try_from(n).unwrap());
            let bids = sizes.iter().enumerate().map(|(n, s)| (100.0 - level(n), s.0));
            let asks = sizes.iter().enumerate().map(|(n, s)| (101.0 + level(n), s.1));
            let whole = TakerBook::new(bids, asks).unwrap();
            let cut = whole.clone().cut_to(quote);
            for side in [Side::Long, Side::Short] {
                let size = TakerSize::Notional(share * quote);
                let taken = before * quote / whole.against(side)[0].price.get().max(101.0 + 20.0);
                match (whole.take_behind(side, size, taken), cut.take_behind(side, size, taken)) {
                    (Ok(a), Ok(b)) => prop_assert_eq!(a, b),
                    (a, b) => prop_assert_eq!(a.is_err(), b.is_err()),
                }
            }
        }
    }

    #[test]
    fn what_the_levels_cannot_fill_is_not_traded() {
        assert_eq!(book().take(Side::Long, TakerSize::Quantity(5.1)), Err(NoFill::Depth { available: 5.0 }));
        assert_eq!(book().take(Side::Short, TakerSize::Notional(491.1)), Err(NoFill::Depth { available: 491.0 }));
        for size in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(book().take(Side::Long, TakerSize::Quantity(size)), Err(NoFill::Size), "{size}");
        }
        let deep = TakerBook::new([(1.0, 1.0)], (0..40).map(|k| (2.0 + f64::from(k), 1.0))).unwrap();
        assert!(deep.take(Side::Long, TakerSize::Quantity(20.0)).is_ok());
        assert_eq!(deep.take(Side::Long, TakerSize::Quantity(20.5)), Err(NoFill::Depth { available: 20.0 }));
    }

    #[test]
    fn the_second_order_of_a_moment_stands_behind_the_first() {
        let fill = book().take_behind(Side::Long, TakerSize::Quantity(1.0), 1.5).unwrap();
        assert!((fill.quote - (0.5 * 101.0 + 0.5 * 103.0)).abs() < 1e-12, "{fill:?}");
        assert!((fill.impact() - 1.0).abs() < 1e-12, "against the best level, which others had before");
        assert!(book().take_behind(Side::Long, TakerSize::Quantity(1.0), 4.5).is_err());
    }

    #[test]
    fn what_is_no_order_book_is_refused() {
        let fine = [(101.0, 1.0), (102.0, 1.0)];
        let refused = |bids: &[(f64, f64)], asks: &[(f64, f64)], why| {
            assert_eq!(TakerBook::new(bids.to_vec(), asks.to_vec()), Err(why), "{bids:?} {asks:?}");
        };
        refused(&[(101.0, 1.0)], &fine, TakerBookFault::Crossed);
        refused(&[(98.0, 1.0), (99.0, 1.0)], &fine, TakerBookFault::Order);
        refused(&[(99.0, 1.0)], &[(101.0, 1.0), (101.0, 2.0)], TakerBookFault::Order);
        refused(&[(99.0, 0.0)], &fine, TakerBookFault::OneSided);
        refused(&[(99.0, -1.0)], &fine, TakerBookFault::Number);
        refused(&[(f64::NAN, 1.0)], &fine, TakerBookFault::Number);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        /// Cutting an order in two changes nothing; more is never cheaper; a notional is spent to the last cent.
        #[test]
        fn walking_is_additive_and_never_gets_cheaper(
            sizes in prop::collection::vec(1_u32..1_000, 20), share in 0.01_f64..0.99, part in 0.01_f64..0.99, buys: bool,
        ) {
            let asks = (1..).zip(&sizes).map(|(k, q)| (1_000.0 + f64::from(k), f64::from(*q)));
            let bids = (0..).zip(&sizes).map(|(k, q)| (1_000.0 - f64::from(k), f64::from(*q)));
            let book = TakerBook::new(bids, asks).unwrap();
            let side = if buys { Side::Long } else { Side::Short };
            let all: f64 = sizes.iter().map(|q| f64::from(*q)).sum();
            let whole = book.take(side, TakerSize::Quantity(all * share)).unwrap();
            let first = book.take(side, TakerSize::Quantity(all * share * part)).unwrap();
            let second = book.take_behind(side, TakerSize::Quantity(all * share * (1.0 - part)), first.quantity).unwrap();
            prop_assert!((first.quote + second.quote - whole.quote).abs() < 1e-9 * whole.quote);
            prop_assert!(first.cost_bps() <= whole.cost_bps() + 1e-9 && first.impact() >= -1e-6);
            let parts = whole.half_spread() + whole.impact();
            prop_assert!((parts - whole.cost_bps() / 1e4 * whole.mid * whole.quantity).abs() < 1e-9 * whole.quote);
            let spent = book.take(side, TakerSize::Notional(whole.quote)).unwrap();
            prop_assert!((spent.quote - whole.quote).abs() < 1e-9 * whole.quote);
            prop_assert!((spent.quantity - whole.quantity).abs() < 1e-9 * whole.quantity);
        }
    }
}
