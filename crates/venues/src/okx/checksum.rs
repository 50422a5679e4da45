//! The book checksum OKX sent until June 2026: CRC-32 over the first 25 levels of both sides, in the texts as sent.
//!
//! It is checked where there is nothing else: frames without sequence ids (recordings before 2023). Since 2026-06-23 the
//! field is always 0 and the sequence ids are the only test (sheet §1).

use crate::session::Decimal;
use crate::session::wire::levels;
use serde::{Deserialize, Serialize};

/// Levels of each side that count.
const LEVELS: usize = 25;

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let (mut n, mut value) = (0, 0);
    while n < 256 {
        let mut crc: u32 = value;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        table[n] = crc;
        n += 1;
        value += 1;
    }
    table
};

fn crc32(crc: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(crc, |crc, b| TABLE[usize::from(crc.to_le_bytes()[0] ^ b)] ^ (crc >> 8))
}

/// The texts of a book, by price. Bounded by the messages of the venue: levels that leave the 400 are deleted by it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Texts {
    bids: Vec<(Price, String, String)>,
    asks: Vec<(Price, String, String)>,
}

/// A price in units of 10^−12.
type Price = i128;

const SCALE: u32 = 12;

fn units(price: Decimal) -> Option<Price> {
    let up = SCALE.checked_sub(u32::from(price.scale))?;
    Some(i128::from(price.mantissa) * 10_i128.pow(up))
}

impl Texts {
    /// Applies a message; false when it cannot be read.
    pub(super) fn apply(&mut self, bids: &str, asks: &str) -> bool {
        let set = |side: &mut Vec<(Price, String, String)>, price: &[u8], qty: &[u8]| {
            let Some(units) = Decimal::parse(price).and_then(units) else { return false };
            let zero = Decimal::parse(qty).is_some_and(|q| q.mantissa == 0);
            let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
            match side.binary_search_by_key(&units, |l| l.0) {
                Ok(at) if zero => drop(side.remove(at)),
                Ok(at) => side[at] = (units, text(price), text(qty)),
                Err(_) if zero => {}
                Err(at) => side.insert(at, (units, text(price), text(qty))),
            }
            true
        };
        levels(bids, |p, q| set(&mut self.bids, p, q)) && levels(asks, |p, q| set(&mut self.asks, p, q))
    }

    /// `bid price:bid quantity:ask price:ask quantity:…`, as long as there are levels, best first.
    pub(super) fn checksum(&self) -> i32 {
        let mut crc = u32::MAX;
        let mut first = true;
        let mut add = |level: &(Price, String, String)| {
            for text in [&level.1, &level.2] {
                if !core::mem::take(&mut first) {
                    crc = crc32(crc, b":");
                }
                crc = crc32(crc, text.as_bytes());
            }
        };
        for n in 0..LEVELS {
            if let Some(bid) = self.bids.len().checked_sub(n + 1).and_then(|at| self.bids.get(at)) {
                add(bid);
            }
            if let Some(ask) = self.asks.get(n) {
                add(ask);
            }
        }
        (!crc).cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_is_that_of_everyone_else() {
        assert_eq!(!crc32(u32::MAX, b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn texts_are_as_sent_and_best_first() {
        let mut texts = Texts::default();
        assert!(texts.apply(
            r#"[["3366.1","7","0","3"],["3366","6","3","4"]]"#,
            r#"[["3366.8","9","10","3"],["3368","8","3","4"]]"#
        ));
        // The worked example of the venue's documentation: bids and asks take turns.
        let want = !crc32(u32::MAX, b"3366.1:7:3366.8:9:3366:6:3368:8");
        assert_eq!(texts.checksum(), want.cast_signed());
        assert!(texts.apply(r#"[["3366.1","0","0","0"]]"#, "[]"));
        assert_eq!(texts.checksum(), (!crc32(u32::MAX, b"3366:6:3366.8:9:3368:8")).cast_signed());
    }
}
