//! Books as the venue's sheet §3 has them: 1. after a subscription comes a full book; 2. changes set or delete levels; 3. a full book
//! comes again about each minute and replaces all; 4. after each of them the checksum has to be that of the book held.
//!
//! There are no numbers, so the checksum is the only test: CRC-32 over the prices and amounts as they were written, which is why they
//! are kept as texts beside the book. What is applied is the chain of [`crate::session::chain`], each change following on whatever was
//! before it on the same connection.

use super::session::Coinex;
use crate::session::chain::{ChainLevels, ChainLink, Step};
use crate::session::facts::Moment;
use crate::session::kit::Kit;
use crate::session::scan::object;
use crate::session::wire::{Millis, finest, levels, set_levels};
use crate::session::{ConnId, Decimal, OrderBook, Out};
use barograph_domain::GapReason;
use flate2::Crc;
use serde::{Deserialize, Serialize};

/// Characters of a price or an amount: digits of an `i64`, a point, and zeros at the end.
const NUMBER_MAX: usize = 30;
/// Prices are compared in units of 10^−18, the finest there is.
const PLACES_MAX: u32 = 18;

/// A number as it was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct WrittenNumber {
    text: [u8; NUMBER_MAX],
    length: u8,
}

impl WrittenNumber {
    fn new(written: &[u8]) -> Option<Self> {
        let mut text = [0; NUMBER_MAX];
        text.get_mut(..written.len())?.copy_from_slice(written);
        Some(Self { text, length: u8::try_from(written.len()).ok()? })
    }

    fn text(&self) -> &[u8] {
        self.text.get(..usize::from(self.length)).unwrap_or_default()
    }
}

/// A level as it was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct WrittenLevel {
    /// Ascending from the best one.
    rank: i128,
    price: WrittenNumber,
    amount: WrittenNumber,
}

/// A book in the texts of the venue, best levels first.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct WrittenBook {
    bids: Vec<WrittenLevel>,
    asks: Vec<WrittenLevel>,
}

impl WrittenBook {
    pub(super) fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
    }

    /// Applies a message, of which at most so many levels of a side are kept. False: it cannot be read.
    pub(super) fn apply(&mut self, bids: &str, asks: &str, most: usize) -> bool {
        let set = |side: &mut Vec<WrittenLevel>, sign: i128, price: &[u8], amount: &[u8]| {
            let level = Self::level(sign, price, amount);
            let Some((level, is_none)) = level else { return false };
            side.reserve_exact((most + 1).saturating_sub(side.len()));
            match side.binary_search_by_key(&level.rank, |l| l.rank) {
                Ok(at) if is_none => drop(side.remove(at)),
                Ok(at) => side[at] = level,
                Err(_) if is_none => {}
                Err(at) => side.insert(at, level),
            }
            side.truncate(most);
            true
        };
        levels(bids, |p, a| set(&mut self.bids, -1, p, a)) && levels(asks, |p, a| set(&mut self.asks, 1, p, a))
    }

    /// The level, and whether it is deleted.
    fn level(sign: i128, price: &[u8], amount: &[u8]) -> Option<(WrittenLevel, bool)> {
        let at = Decimal::parse(price)?;
        let finer = 10_i128.checked_pow(PLACES_MAX.checked_sub(u32::from(at.scale))?)?;
        let rank = sign * i128::from(at.mantissa).checked_mul(finer)?;
        let is_none = Decimal::parse(amount)?.mantissa == 0;
        Some((WrittenLevel { rank, price: WrittenNumber::new(price)?, amount: WrittenNumber::new(amount)? }, is_none))
    }

    /// `bid price:bid amount:…:ask price:ask amount:…`, so many levels of each side.
    pub(super) fn checksum(&self, most: usize) -> u32 {
        let (mut crc, mut first) = (Crc::new(), true);
        for level in self.bids.iter().take(most).chain(self.asks.iter().take(most)) {
            for number in [&level.price, &level.amount] {
                if !core::mem::take(&mut first) {
                    crc.update(b":");
                }
                crc.update(number.text());
            }
        }
        crc.sum()
    }

    /// Is this the checksum that was sent? It may come signed or unsigned.
    pub(super) fn has(&self, most: usize, sent: i64) -> bool {
        let crc = self.checksum(most);
        sent == i64::from(crc) || sent == i64::from(crc.cast_signed())
    }
}

/// Bids and asks of a message.
struct Sides<'a>([&'a str; 2]);

impl ChainLevels for Sides<'_> {
    const ONE_SIDED: bool = true;

    fn finest(&self) -> Option<u8> {
        finest(self.0[0], self.0[1])
    }

    fn set(&self, book: &mut OrderBook) -> bool {
        set_levels(book, self.0[0], self.0[1])
    }
}

/// A message of a book.
struct Depth<'a> {
    sides: Sides<'a>,
    is_full: bool,
    stamp: Millis,
    checksum: Option<i64>,
}

impl<'a> Depth<'a> {
    fn read(data: &'a str) -> Option<Self> {
        let [full, depth] = object(data, ["is_full", "depth"])?;
        let [asks, bids, time, checksum] = object(depth, ["asks", "bids", "updated_at", "checksum"])?;
        let side = |levels: &'a str| if levels.is_empty() { "[]" } else { levels };
        Some(Self {
            sides: Sides([side(bids), side(asks)]),
            is_full: full.parse().ok()?,
            stamp: Millis::of(time),
            checksum: if checksum.is_empty() { None } else { Some(checksum.parse().ok()?) },
        })
    }
}

impl Kit<Coinex> {
    /// A full book or a change.
    pub(super) fn depth(&mut self, m: Moment, conn: ConnId, data: &str, out: &mut Out) -> Option<()> {
        let read = Depth::read(data).and_then(|depth| Some((self.stamped(m, depth.stamp)?, depth)));
        let Some((m, depth)) = read else {
            self.chained(m, Step::Broken(GapReason::Undecodable), 0, data, out);
            return None;
        };
        // Each follows on the one before it, and a full one on nothing.
        let place = ChainLink { id: 0, prev: 0, seq: 0, restart: true };
        let most = self.venue.depth.levels();
        let market = &mut self.markets[m.market.index()];
        let book = &mut market.seat.book;
        let step = if depth.is_full {
            book.snapshot(m.now, conn, most, place, &depth.sides)
        } else {
            book.change(m.now, conn, place, &depth.sides)
        };
        let step = match step {
            Step::Applied | Step::OneSided => {
                if depth.is_full {
                    market.written.clear();
                }
                let [bids, asks] = depth.sides.0;
                if !market.written.apply(bids, asks, 2 * most) {
                    Step::Broken(GapReason::Undecodable)
                } else if depth.checksum.is_some_and(|sent| !market.written.has(most, sent)) {
                    book.mismatched(m.now)
                } else {
                    step
                }
            }
            Step::Ignored | Step::Broken(_) => step,
        };
        self.chained(m, step, 0, data, out);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BIDS: &str = r#"[["84310.5","0.52"],["84309.9","1.07"]]"#;
    const ASKS: &str = r#"[["84311.2","0.34"],["84312.0","2.15"]]"#;

    fn book(bids: &str, asks: &str) -> WrittenBook {
        let mut book = WrittenBook::default();
        assert!(book.apply(bids, asks, 100));
        book
    }

    #[test]
    fn checklist_05_checksums_are_those_of_the_texts_as_written() {
        assert_eq!(book(BIDS, ASKS).checksum(50), 1_965_609_965);
        assert_eq!(book("[]", ASKS).checksum(50), 3_319_476_284);
        assert_ne!(book(BIDS, &ASKS.replace("84312.0", "84312")).checksum(50), 1_965_609_965);
        // In whatever order levels came, and whatever came and went.
        let mut other = book(r#"[["84309.9","1.07"],["84311","3"],["84310.5","9"]]"#, ASKS);
        assert!(other.apply(r#"[["84310.5","0.52"],["84311","0"],["7","0.00"]]"#, "[]", 100));
        assert_eq!(other, book(BIDS, ASKS));
        assert_eq!(other.checksum(1), book(r#"[["84310.5","0.52"]]"#, r#"[["84311.2","0.34"]]"#).checksum(50));
    }

    #[test]
    fn checklist_06_checksums_are_equal_signed_and_unsigned() {
        let asks = book("[]", ASKS);
        assert!(asks.has(50, 3_319_476_284) && asks.has(50, -975_491_012));
        assert!(!asks.has(50, -3_319_476_284) && !asks.has(50, 975_491_012) && !asks.has(50, 0));
        assert!(book(BIDS, ASKS).has(50, 1_965_609_965));
    }

    #[test]
    fn levels_of_prices_and_amounts_that_are_none_are_refused_and_memory_is_bounded() {
        for bad in [r#"[["x","1"]]"#, r#"[["1",""]]"#, r#"[["1","0.0000000000000000000000000000001"]]"#, "{}"] {
            assert!(!WrittenBook::default().apply(bad, "[]", 10), "{bad}");
        }
        let mut book = WrittenBook::default();
        for n in 0..1_000 {
            assert!(book.apply(&format!(r#"[["{n}","1"]]"#), &format!(r#"[["{n}","1"]]"#), 10));
        }
        assert_eq!((book.bids.len(), book.asks.len()), (10, 10));
        assert_eq!((book.bids[0].price.text(), book.asks[0].price.text()), (&b"999"[..], &b"0"[..]));
    }
}
