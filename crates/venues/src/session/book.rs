//! Order books: two sorted ladders of integer prices.
//!
//! Prices are integers of `10^−scale`, where the scale is that of the instrument's tick; quantities are `f64` of the venue's
//! decimal string. Best bid and ask are O(1), and a change moves at most 64 levels. A side holds at most `levels_max` levels:
//! what is worse is dropped and from then on unknown (the horizon moves to it). Rows of levels may be half empty, so a book
//! takes at most some `2 × levels_max × 32` bytes.

use super::ladder::Ladder;
use crate::session::Decimal;
use barograph_domain::GapReason;
use serde::{Deserialize, Serialize};

/// A price with what rests there.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct BookLevel {
    /// Price in integers of `10^−scale`.
    pub units: i64,
    /// Quantity as the venue counts it.
    pub qty: f64,
}

/// What is wrong with a book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BookFault {
    /// Best bid not below best ask.
    Crossed,
    /// A side has no levels.
    Empty,
    /// A price has more digits than the scale, or is not above zero.
    OffTick,
}

/// How often a book was written to, for those who look at it after each message. Counted since the process began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BookVersion {
    /// Levels that were set or removed.
    pub levels: u64,
    /// Times it was emptied, for a snapshot.
    pub wholes: u64,
}

/// The book of one instrument.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrderBook {
    scale: u8,
    levels_max: usize,
    bids: Ladder<false>,
    asks: Ladder<true>,
    #[serde(skip)]
    version: BookVersion,
}

/// By what stands in them: how often they were written to is no part of it.
impl PartialEq for OrderBook {
    fn eq(&self, other: &Self) -> bool {
        (self.scale, self.levels_max, &self.bids, &self.asks)
            == (other.scale, other.levels_max, &other.bids, &other.asks)
    }
}

impl BookFault {
    /// Why the stream is lost then.
    #[must_use]
    pub const fn reason(self) -> GapReason {
        match self {
            Self::Crossed => GapReason::CrossedBook,
            Self::Empty => GapReason::EmptyBook,
            Self::OffTick => GapReason::Undecodable,
        }
    }
}

impl OrderBook {
    /// An empty book with prices in `10^−scale` and at most `levels_max` levels per side.
    #[must_use]
    pub fn new(scale: u8, levels_max: usize) -> Self {
        let (bids, asks) = (Ladder::new(), Ladder::new());
        Self { scale, levels_max: levels_max.max(1), bids, asks, version: BookVersion::default() }
    }

    /// How often it was written to.
    #[must_use]
    pub fn version(&self) -> BookVersion {
        self.version
    }

    /// Forgets all levels (a snapshot follows).
    pub fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
        self.version.wholes += 1;
    }

    /// Takes the memory of a full book now, so that changes never do.
    pub fn reserve(&mut self) {
        self.bids.reserve(self.levels_max);
        self.asks.reserve(self.levels_max);
    }

    /// Sets the absolute quantity at a bid price; zero removes. Removing an unknown level is fine.
    ///
    /// # Errors
    /// [`BookFault::OffTick`].
    pub fn bid(&mut self, price: Decimal, qty: f64) -> Result<(), BookFault> {
        let units = self.units(price)?;
        self.bids.set(units, qty, self.levels_max);
        self.version.levels += 1;
        Ok(())
    }

    /// As [`Self::bid`], for asks.
    ///
    /// # Errors
    /// [`BookFault::OffTick`].
    pub fn ask(&mut self, price: Decimal, qty: f64) -> Result<(), BookFault> {
        let units = self.units(price)?;
        self.asks.set(units, qty, self.levels_max);
        self.version.levels += 1;
        Ok(())
    }

    /// As [`Self::bid`] for the bids and [`Self::ask`] for the asks of one message, in any order.
    ///
    /// # Errors
    /// [`BookFault::OffTick`], with the levels before it set.
    pub fn change(
        &mut self,
        bids: impl Iterator<Item = (Decimal, f64)>,
        asks: impl Iterator<Item = (Decimal, f64)>,
    ) -> Result<(), BookFault> {
        for (price, qty) in bids {
            self.bids.set(self.units(price)?, qty, self.levels_max);
            self.version.levels += 1;
        }
        for (price, qty) in asks {
            self.asks.set(self.units(price)?, qty, self.levels_max);
            self.version.levels += 1;
        }
        Ok(())
    }

    fn units(&self, price: Decimal) -> Result<i64, BookFault> {
        price.units(self.scale).filter(|u| *u > 0).ok_or(BookFault::OffTick)
    }

    /// Best bid.
    #[must_use]
    pub fn best_bid(&self) -> Option<BookLevel> {
        self.bids.best()
    }

    /// Best ask.
    #[must_use]
    pub fn best_ask(&self) -> Option<BookLevel> {
        self.asks.best()
    }

    /// Best bid and ask as prices; `None` while a side is empty.
    #[must_use]
    pub fn top(&self) -> Option<(f64, f64)> {
        Some((self.price(self.best_bid()?.units), self.price(self.best_ask()?.units)))
    }

    /// Price of integer units.
    #[must_use]
    pub fn price(&self, units: i64) -> f64 {
        Decimal { mantissa: units, scale: self.scale }.to_f64()
    }

    /// Bids, best first.
    pub fn bids(&self) -> impl ExactSizeIterator<Item = &BookLevel> {
        self.bids.iter()
    }

    /// Asks, best first.
    pub fn asks(&self) -> impl ExactSizeIterator<Item = &BookLevel> {
        self.asks.iter()
    }

    /// Digits of its prices.
    #[must_use]
    pub fn scale(&self) -> u8 {
        self.scale
    }

    /// Has a side less than half of the levels it could hold, with more beyond them that are not known? That is what a price
    /// leaves behind that walks towards the end of what was kept: time for a new snapshot.
    #[must_use]
    pub fn is_thin(&self) -> bool {
        let few = self.levels_max / 2;
        (self.bids.is_cut() && self.bids.len() < few) || (self.asks.is_cut() && self.asks.len() < few)
    }

    /// Checked after every whole message.
    ///
    /// # Errors
    /// [`BookFault::Empty`] or [`BookFault::Crossed`].
    pub fn check(&self) -> Result<(), BookFault> {
        match (self.best_bid(), self.best_ask()) {
            (Some(bid), Some(ask)) if bid.units < ask.units => Ok(()),
            (Some(_), Some(_)) => Err(BookFault::Crossed),
            _ => Err(BookFault::Empty),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        Decimal::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_message_in_any_order_gives_the_book_that_its_levels_give_one_by_one() {
        let mut seed = 11_u64;
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            i64::try_from((seed >> 33) % below).unwrap()
        };
        let (mut one_by_one, mut whole) = (OrderBook::new(0, 60), OrderBook::new(0, 60));
        for message in 0..2_000 {
            let mut changes: Vec<(Decimal, f64)> = (0..random(40))
                .map(|_| {
                    (
                        Decimal { mantissa: 1 + random(200), scale: 0 },
                        [0.0, 1.0, 2.0][usize::try_from(random(3)).unwrap()],
                    )
                })
                .collect();
            if message % 3 > 0 {
                changes.sort_by_key(|(price, _)| if message % 3 == 1 { -price.mantissa } else { price.mantissa });
            }
            for (price, qty) in &changes {
                one_by_one.bid(*price, *qty).unwrap();
                one_by_one.ask(*price, *qty).unwrap();
            }
            whole.change(changes.iter().copied(), changes.iter().copied()).unwrap();
            assert_eq!(whole, one_by_one, "message {message}");
        }
    }

    #[test]
    fn levels_are_set_replaced_removed_and_bounded() {
        let mut book = OrderBook::new(2, 3);
        assert_eq!(book.check(), Err(BookFault::Empty));
        for (p, q) in [("10.00", 1.0), ("10.10", 2.0), ("9.90", 3.0), ("10.05", 4.0), ("10.10", 5.0)] {
            book.bid(d(p), q).unwrap();
        }
        book.ask(d("10.20"), 1.0).unwrap();
        let bids: Vec<_> = book.bids().map(|l| (l.units, l.qty)).collect();
        assert_eq!(bids, [(1010, 5.0), (1005, 4.0), (1000, 1.0)], "the fourth fell out");
        book.bid(d("9.80"), 1.0).unwrap();
        book.bid(d("10.05"), 0.0).unwrap();
        book.bid(d("9.90"), 7.0).unwrap();
        assert_eq!(book.bids().count(), 2, "beyond the horizon nothing is known");
        assert_eq!((book.check(), book.top()), (Ok(()), Some((10.1, 10.2))));
        book.ask(d("10.10"), 1.0).unwrap();
        assert_eq!(book.check(), Err(BookFault::Crossed));
        assert!(!book.is_thin(), "two of three");
        book.bid(d("10.00"), 0.0).unwrap();
        book.bid(d("10.10"), 0.0).unwrap();
        assert!(book.is_thin(), "none of three, and more are there");
        book.clear();
        assert!(!book.is_thin(), "few, and that is all there are");
        assert_eq!(book.bid(d("10.001"), 1.0), Err(BookFault::OffTick));
    }
}
