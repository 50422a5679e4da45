//! OKX's texts to checked numbers, and contracts to base units.

use super::wire;
use crate::session::checked::{self, LARGEST};
use crate::session::wire::Millis;
use crate::session::{Decimal, MarketSpec};
use barograph_domain::{MarketKind, Payload, Side, Span, Ts};

/// Text of a decimal number; empty text is none.
pub(super) fn number(text: &str) -> Option<f64> {
    // Rates have up to 18 digits after the point and more before: read as decimal where it fits, else rounded.
    let v = Decimal::parse(text.as_bytes()).map(Decimal::to_f64).or_else(|| crate::number::decimal(text.as_bytes()))?;
    (v.abs() <= LARGEST).then_some(v)
}

checked::ranges!(number);

/// Base units of a size at a price. Spot is counted in base units; contracts need the contract's value, and without it
/// there is no quantity.
pub(super) fn base_qty(spec: &MarketSpec, size: f64, price: f64) -> Option<f64> {
    match spec.kind {
        MarketKind::Spot => Some(size),
        MarketKind::Perpetual | MarketKind::DatedFuture => {
            let worth = size * spec.contract_size?;
            Some(if spec.inverse { worth / price } else { worth })
        }
    }
}

/// A trade.
pub(super) fn trade(spec: &MarketSpec, t: &wire::Trade<'_>) -> Option<Payload> {
    let price = price(&t.px)?;
    let qty = base_qty(spec, qty(&t.sz).filter(|q| *q > 0.0)?, price)?;
    let aggressor_side = match &*t.side {
        "buy" => Side::Long,
        "sell" => Side::Short,
        _ => return None,
    };
    Some(Payload::Trade { price, qty, aggressor_side: Some(aggressor_side) })
}

/// A liquidation: the order's side is the opposite of the position's, which is named in hedge mode.
pub(super) fn liquidation(spec: &MarketSpec, l: &wire::Liquidation<'_>) -> Option<Payload> {
    let price = price(&l.bk_px)?;
    let qty = base_qty(spec, qty(&l.sz).filter(|q| *q > 0.0)?, price)?;
    let liquidated_side = match (&*l.pos_side, &*l.side) {
        ("long", _) | ("net" | "", "sell") => Side::Long,
        ("short", _) | ("net" | "", "buy") => Side::Short,
        _ => return None,
    };
    Some(Payload::Liquidation { liquidated_side, price, qty })
}

/// A candle of nine columns: whether it is closed, its close, and the bar. Volumes: contracts, base, quote; of spot base,
/// quote, quote.
pub(super) fn candle(spec: &MarketSpec, row: &[&str; 9]) -> Option<(bool, Ts, Payload)> {
    let [ts, open, high, low, close, vol, vol_ccy, vol_quote, confirm] = row;
    let start = Millis::of(ts).ts().filter(|t| t.floor(Span::mins(1)) == *t)?;
    let [open, high, low, close] = [price(open)?, price(high)?, price(low)?, price(close)?];
    let (volume, quote_volume) = match spec.kind {
        MarketKind::Spot => (qty(vol)?, qty(vol_ccy)?),
        MarketKind::Perpetual | MarketKind::DatedFuture => (qty(vol_ccy)?, qty(vol_quote)?),
    };
    let closed = match *confirm {
        "1" => true,
        "0" => false,
        _ => return None,
    };
    let bar = checked::bar([open, high, low, close], Some(volume), Some(quote_volume))?;
    Some((closed, start + Span::mins(1), Payload::Bar(bar)))
}

/// Hours between the settlements around now: `fundingTime − prevFundingTime`, else `nextFundingTime − fundingTime`.
pub(super) fn interval_h(f: &wire::Funding<'_>) -> Option<f64> {
    let between = |a: Millis, b: Millis| {
        let hours = (b.ts()? - a.ts()?).as_secs_f64() / 3_600.0;
        (hours.fract() < f64::EPSILON && (1.0..=24.0).contains(&hours)).then_some(hours)
    };
    between(f.prev_funding_time, f.funding_time).or_else(|| between(f.funding_time, f.next_funding_time))
}

/// The name of a market's index: base and quote as the list says them (`BTC-USD` of an X-Perp, whose symbol says more), else as
/// the symbol does.
pub(super) fn index_of(spec: &MarketSpec) -> String {
    if spec.base.is_empty() || spec.quote.is_empty() {
        return index_name(&spec.symbol);
    }
    format!("{}-{}", spec.base, spec.quote)
}

/// `BTC-USDT` of `BTC-USDT-SWAP`.
pub(super) fn index_name(symbol: &str) -> String {
    let mut parts = symbol.split('-');
    let (base, quote) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    format!("{base}-{}", quote.trim_end_matches("_UM"))
}

/// The venue's word for a kind of market.
pub(super) const fn inst_type(kind: MarketKind) -> &'static str {
    match kind {
        MarketKind::Spot => "SPOT",
        MarketKind::Perpetual => "SWAP",
        MarketKind::DatedFuture => "FUTURES",
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

    /// An X-Perp's symbol says more than its index; what the list says of base and quote is the index's name.
    #[test]
    fn the_index_of_a_market_is_that_of_its_list() {
        use MarketKind::{DatedFuture, Perpetual, Spot};
        for (symbol, kind, base, quote, want) in [
            ("BTC-USD_UM_XPERP-310404", DatedFuture, "BTC", "USD", "BTC-USD"),
            ("BTC-USDT-SWAP", Perpetual, "BTC", "USDT", "BTC-USDT"),
            ("BTC-USD_UM-SWAP", Perpetual, "", "", "BTC-USD"),
            ("BTC-USD-260626", DatedFuture, "BTC", "", "BTC-USD"),
            ("BTC-USDT", Spot, "", "USDT", "BTC-USDT"),
        ] {
            let spec = MarketSpec { base: base.to_owned(), quote: quote.to_owned(), ..MarketSpec::bare(symbol, kind) };
            assert_eq!(index_of(&spec), want, "{symbol}");
        }
    }
}
