//! Deribit's numbers, checked, and its amounts in base units: those of inverse contracts are in USD.

use crate::session::checked::{self, LARGEST};
use crate::session::scan::{elements, object};
use crate::session::wire::Millis;
use crate::session::{Decimal, MarketSpec};
use barograph_domain::{Bar, Payload, Side, Span, Ts};

/// A JSON number; small ones have an exponent.
pub(super) fn number(text: &str) -> Option<f64> {
    crate::number::decimal(text.as_bytes()).filter(|v| v.abs() <= LARGEST)
}

checked::ranges!(number);

/// A number without loss.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    Decimal::parse(text.as_bytes()).or_else(|| Decimal::parse(number(text)?.to_string().as_bytes()))
}

/// Is there no price because there are no orders? It is absent then, or zero.
pub(super) fn is_no_price(text: &str) -> bool {
    text.is_empty() || number(text) == Some(0.0)
}

/// A trade.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trade<'a> {
    pub time: Millis,
    /// Of this market: one more than the trade before.
    pub seq: u64,
    pub id: &'a str,
    price: f64,
    qty: f64,
    taker: Side,
    /// `T`: the taker was liquidated, `M`: the maker, `MT`: both.
    liquidated: &'a str,
    /// Agreed elsewhere, or a leg of a combination: nobody took from the book.
    is_elsewhere: bool,
}

impl<'a> Trade<'a> {
    /// Each trade of a list.
    pub(super) fn each(spec: &MarketSpec, json: &'a str, mut f: impl FnMut(Self) -> Option<()>) -> Option<()> {
        elements(json, |row| {
            let [seq, id, time, cost, amount] = object(row, ["trade_seq", "trade_id", "timestamp", "price", "amount"])?;
            let [direction, liquidated] = object(row, ["direction", "liquidation"])?;
            let elsewhere = object(row, ["block_trade_id", "combo_id", "combo_trade_id"])?;
            let (price, qty) = checked::fill(spec.inverse, price(cost), qty(amount))?;
            let taker = match direction {
                "buy" => Side::Long,
                "sell" => Side::Short,
                _ => return None,
            };
            let is_elsewhere = elsewhere.iter().any(|id| !id.is_empty());
            let (time, seq) = (Millis::of(time), seq.parse().ok()?);
            f(Self { time, seq, id, price, qty, taker, liquidated, is_elsewhere })
        })
    }

    pub(super) fn payload(&self) -> Payload {
        let aggressor_side = (!self.is_elsewhere).then_some(self.taker);
        Payload::Trade { price: self.price, qty: self.qty, aggressor_side }
    }

    /// What was liquidated with it, each with a number of its own: a taker who had to sell was long, and the maker was what the
    /// taker was not.
    pub(super) fn liquidations(self) -> impl Iterator<Item = (u64, Payload)> {
        let (other, id) = (if self.taker == Side::Long { Side::Short } else { Side::Long }, self.seq.wrapping_mul(2));
        let who = [(id, other, 'T'), (id.wrapping_add(1), self.taker, 'M')].into_iter();
        who.filter(move |(.., mark)| self.liquidated.contains(*mark)).map(move |(id, liquidated_side, _)| {
            (id, Payload::Liquidation { liquidated_side, price: self.price, qty: self.qty })
        })
    }
}

/// A bar, with its close: beginning, open, high, low, close, base and quote volume.
pub(super) fn bar([start, open, high, low, close, volume, cost]: [&str; 7]) -> Option<(Ts, Bar)> {
    let start = Millis::of(start).ts().filter(|t| t.floor(Span::mins(1)) == *t)?;
    let prices = [price(open)?, price(high)?, price(low)?, price(close)?];
    Some((start + Span::mins(1), checked::bar(prices, Some(qty(volume)?), Some(qty(cost)?))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_an_exponent_are_numbers() {
        assert_eq!(rate("6.55e-6"), Some(6.55e-6));
        assert_eq!(decimal("1.0e-5"), Some(Decimal { mantissa: 1, scale: 5 }));
        assert_eq!(decimal("37317.0"), Some(Decimal { mantissa: 37_317, scale: 0 }));
        for wild in ["", "x", "1e30", "nan", "\"5\""] {
            assert_eq!(number(wild), None, "{wild}");
        }
    }
}
