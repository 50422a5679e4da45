//! Bybit's texts to checked numbers: what is outside its range is not a number here.

use super::wire;
use crate::session::checked::{self, LARGEST};
use crate::session::{Decimal, MarketSpec};
use barograph_domain::{MarketKind, Payload, Side};

/// Text of a decimal number.
pub(super) fn number(text: &str) -> Option<f64> {
    let v = Decimal::parse(text.as_bytes())?.to_f64();
    (v.abs() <= LARGEST).then_some(v)
}

checked::ranges!(number);

/// Whose side `Buy` or `Sell` names.
pub(super) fn side(text: &str) -> Option<Side> {
    match text {
        "Buy" => Some(Side::Long),
        "Sell" => Some(Side::Short),
        _ => None,
    }
}

/// A trade.
pub(super) fn trade(spec: &MarketSpec, price_text: &str, size: &str, taker: &str) -> Option<Payload> {
    let (price, qty) = checked::fill(spec.inverse, price(price_text), qty(size))?;
    Some(Payload::Trade { price, qty, aggressor_side: Some(side(taker)?) })
}

/// A liquidation: `Buy` is a liquidated long, the price is that of bankruptcy.
pub(super) fn liquidation(spec: &MarketSpec, l: &wire::Liquidation<'_>) -> Option<Payload> {
    let (price, qty) = checked::fill(spec.inverse, price(&l.price), qty(&l.size))?;
    Some(Payload::Liquidation { liquidated_side: side(&l.side)?, price, qty })
}

/// A bar from its six texts. Inverse contracts: the venue's volume is USD and its turnover base units.
pub(super) fn bar(spec: &MarketSpec, texts: [&str; 6]) -> Option<Payload> {
    let [open, high, low, close] = [price(texts[0])?, price(texts[1])?, price(texts[2])?, price(texts[3])?];
    let (first, second) = (qty(texts[4])?, qty(texts[5])?);
    let (volume, quote_volume) = if spec.inverse { (second, first) } else { (first, second) };
    checked::bar([open, high, low, close], Some(volume), Some(quote_volume)).map(Payload::Bar)
}

/// One side of the open interest as the venue counts it: base units, USD for inverse contracts. Before 2026-06-11 only
/// both sides together were published.
pub(super) fn one_sided(single: &str, both: &str) -> Option<f64> {
    qty(single).or_else(|| qty(both).map(|v| v / 2.0))
}

/// Part of the venue in its addresses.
pub(super) fn category(spec: &MarketSpec) -> Category {
    match spec.kind {
        MarketKind::Spot => Category::Spot,
        MarketKind::Perpetual | MarketKind::DatedFuture if spec.inverse => Category::Inverse,
        MarketKind::Perpetual | MarketKind::DatedFuture => Category::Linear,
    }
}

/// The three parts of the venue; symbols are unique within one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
pub(super) enum Category {
    Linear,
    Inverse,
    Spot,
}

impl Category {
    pub(super) const ALL: [Self; 3] = [Self::Linear, Self::Inverse, Self::Spot];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Inverse => "inverse",
            Self::Spot => "spot",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_that_no_market_has_is_refused() {
        assert_eq!(price("1000000000000"), Some(1e12));
        for wild in ["1000000000001", "0", "-1", "0.0000000000000001"] {
            assert_eq!(price(wild), None, "{wild}");
        }
    }
}
